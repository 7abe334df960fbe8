/* SPDX-License-Identifier: MIT */
/* Key-value pairs of an organization as one text. */
#include "base/metadata.h"

#include <stdlib.h>
#include <string.h>

bool ak_metadata_next(const char *text, size_t length, size_t *at, struct ak_pair *pair) {
  if (*at >= length)
    return false;
  const char *line = text + *at;
  const char *end = memchr(line, '\n', length - *at);
  const char *tab = end != NULL ? memchr(line, '\t', (size_t)(end - line)) : NULL;
  if (tab == NULL || tab == line || tab - line > AK_METADATA_KEY_MAX)
    return false;
  pair->key = line;
  pair->key_length = (size_t)(tab - line);
  pair->value = tab + 1;
  pair->value_length = (size_t)(end - tab - 1);
  *at += (size_t)(end - line) + 1;
  return true;
}

static size_t metadata_append(char *out, size_t used, const struct ak_pair *pair) {
  if (pair->value_length == 0)
    return used;
  memcpy(out + used, pair->key, pair->key_length);
  used += pair->key_length;
  out[used++] = '\t';
  memcpy(out + used, pair->value, pair->value_length);
  used += pair->value_length;
  out[used++] = '\n';
  return used;
}

char *ak_metadata_set(const char *text, size_t length, const struct ak_pair *pair,
                      size_t *new_length) {
  char *out = malloc(length + pair->key_length + pair->value_length + 3);
  if (out == NULL)
    return NULL;
  size_t at = 0, used = 0;
  bool placed = false;
  struct ak_pair each;
  while (ak_metadata_next(text, length, &at, &each)) {
    bool same =
        each.key_length == pair->key_length && memcmp(each.key, pair->key, pair->key_length) == 0;
    used = metadata_append(out, used, same ? pair : &each);
    placed = placed || same;
  }
  if (!placed)
    used = metadata_append(out, used, pair);
  out[used] = '\0';
  *new_length = used;
  return out;
}
