/* SPDX-License-Identifier: MIT */
/*
 * Positions of deleted objects: a list whose cursor is the id of a deleted object goes on from
 * there. Kept for a week.
 */
#ifndef AK_OPERATION_DELETED_CURSORS_H
#define AK_OPERATION_DELETED_CURSORS_H

#include "operation/operation.h"

/* Remove the object, and leave its tombstone. */
int ak_remove_listed(struct ak_op *op, const apikeys_record *record);

/* The number that an object of this kind had. APIKEYS_ERROR_NOT_FOUND: there was none that the
 * actor may know of, or it is too long ago. */
int ak_deleted_cursor_find(struct ak_op *op, int kind, const char *id, int64_t *number);

/* Remove those that are a week old. */
int ak_deleted_cursors_prune(struct ak_op *op, struct ak_budget *budget);

#endif
