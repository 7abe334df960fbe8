/* SPDX-License-Identifier: MIT */
/* Levenshtein's distance between short names, in one row of the table. */
#include "nearest.h"

#include <ctype.h>
#include <string.h>

enum { NAME_LONGEST = 63, EDITS_MAX = 2 };

static char plain(char c) {
  return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static size_t distance(const char *a, const char *b) {
  size_t row[NAME_LONGEST + 1], a_length = strlen(a), b_length = strlen(b);
  if (a_length > NAME_LONGEST || b_length > NAME_LONGEST)
    return NAME_LONGEST;
  for (size_t j = 0; j <= b_length; j++)
    row[j] = j;
  for (size_t i = 1; i <= a_length; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      size_t replaced = diagonal + (plain(a[i - 1]) != plain(b[j - 1]));
      diagonal = row[j];
      row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
    }
  }
  return row[b_length];
}

const char *nearest_name(const char *text, const char *const *names, size_t count) {
  const char *best = NULL;
  size_t best_distance = EDITS_MAX + 1;
  for (size_t i = 0; i < count; i++) {
    size_t edits = distance(text, names[i]);
    if (edits < best_distance) {
      best_distance = edits;
      best = names[i];
    }
  }
  return best;
}
