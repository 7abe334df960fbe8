/* SPDX-License-Identifier: MIT */
/*
 * What is left of an object that was removed: its place, so that a reader who holds its id as a
 * cursor goes on from there. Kept for a week.
 */
#ifndef AK_TOMBSTONES_H
#define AK_TOMBSTONES_H

#include "call.h"

/* Remove the object, and leave its tombstone. */
int ak_remove_listed(struct ak_call *call, const apikeys_record *record);

/* The number that an object of this kind had. APIKEYS_ERROR_NOT_FOUND: there was none that the
 * actor may know of, or it is too long ago. */
int ak_tombstone_find(struct ak_call *call, int kind, const char *id, int64_t *number);

/* Remove those that are a week old. */
int ak_tombstones_prune(struct ak_call *call, struct ak_budget *budget);

#endif
