/* SPDX-License-Identifier: MIT */
/*
 * Optimal string alignment distance (Levenshtein with adjacent transpositions) between two short
 * names, without case and separators. Longer names than NAME_MAX are near to nothing.
 */
#include "nearest.h"

#include <string.h>

enum { NAME_MAX_LENGTH = 48, EDITS_MAX = 2 };

/* Lower case, letters and digits alone: "expiresAt" and "expires-at" are both "expiresat". */
static size_t fold(struct name name, char out[NAME_MAX_LENGTH]) {
  size_t length = 0;
  for (size_t i = 0; i < name.length; i++) {
    char c = name.text[i];
    if (c >= 'A' && c <= 'Z')
      c = (char)(c + ('a' - 'A'));
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out[length++] = c;
  }
  return length;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

static size_t edits_between(const char *a, size_t a_length, const char *b, size_t b_length) {
  size_t rows[3][NAME_MAX_LENGTH + 1];
  size_t *before = rows[0], *last = rows[1], *row = rows[2];
  for (size_t j = 0; j <= b_length; j++)
    last[j] = before[j] = j;
  for (size_t i = 1; i <= a_length; i++) {
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = smaller(row[j], before[j - 2] + 1);
    }
    size_t *oldest = before;
    before = last;
    last = row;
    row = oldest;
  }
  return last[b_length];
}

bool name_is_near(struct name name, struct name known, size_t *distance) {
  char a[NAME_MAX_LENGTH], b[NAME_MAX_LENGTH];
  if (name.length > NAME_MAX_LENGTH || known.length > NAME_MAX_LENGTH)
    return false;
  if (name.length == known.length && memcmp(name.text, known.text, name.length) == 0)
    return false;
  size_t a_length = fold(name, a), b_length = fold(known, b);
  if (a_length > b_length + EDITS_MAX || b_length > a_length + EDITS_MAX)
    return false;
  *distance = edits_between(a, a_length, b, b_length);
  return *distance <= EDITS_MAX && 2 * *distance < b_length;
}

const char *nearest_name(const char *text, const char *const *names, size_t count) {
  const char *nearest = NULL;
  size_t distance, least = EDITS_MAX + 1;
  for (size_t i = 0; i < count; i++) {
    const struct name known = {names[i], strlen(names[i])};
    if (name_is_near((struct name){text, strlen(text)}, known, &distance) && distance < least) {
      least = distance;
      nearest = names[i];
    }
  }
  return nearest;
}
