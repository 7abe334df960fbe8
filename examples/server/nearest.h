/* SPDX-License-Identifier: MIT */
/* Which known name a misspelt one was probably meant to be. */
#ifndef SERVER_NEAREST_H
#define SERVER_NEAREST_H

#include <stddef.h>

/*
 * The one of `names` that is at most two edits away, letters' case and '-' or '_' aside; NULL: none
 * is. An edit is a character more, less or other (Levenshtein).
 */
const char *nearest_name(const char *text, const char *const *names, size_t count);

#endif
