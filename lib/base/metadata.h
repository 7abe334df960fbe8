/* SPDX-License-Identifier: MIT */
/* Pairs of short texts as one text: "key<TAB>value<LF>" for each, in the order they
 * were set. Pure. */
#ifndef AK_BASE_METADATA_H
#define AK_BASE_METADATA_H

#include <stdbool.h>
#include <stddef.h>

enum { AK_METADATA_PAIRS_MAX = 50, AK_METADATA_KEY_MAX = 40, AK_METADATA_VALUE_MAX = 600 };

struct ak_pair {
  const char *key;
  size_t key_length;
  const char *value;
  size_t value_length;
};

/* Walk the pairs: false at the end, and at what is no pair. Start with *at == 0. */
bool ak_metadata_next(const char *text, size_t length, size_t *at, struct ak_pair *pair);

/*
 * A new text with this pair set in its place, or added at the end, or, with an empty value, taken
 * out; malloc'd. NULL: out of memory.
 */
char *ak_metadata_set(const char *text, size_t length, const struct ak_pair *pair,
                      size_t *new_length);

#endif
