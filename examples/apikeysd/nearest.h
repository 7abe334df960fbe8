/* SPDX-License-Identifier: MIT */
/* Finds the known name that a misspelt name was meant to be. */
#ifndef SERVER_NEAREST_H
#define SERVER_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* A name in a longer text; not NUL-terminated. */
struct name {
  const char *text;
  size_t length;
};

/*
 * Is `name` nearly `known`? True if the two differ only in case and separators, or by at most two
 * edits (a letter added, left out, replaced, or swapped with the next) and less than half of
 * `known`. The same name is not near. `distance` gets the edits, and orders several that are near.
 */
bool name_is_near(struct name name, struct name known, size_t *distance);

/* The one of `names` that is nearest; NULL: none is near. */
const char *nearest_name(const char *text, const char *const *names, size_t count);

#endif
