/* SPDX-License-Identifier: MIT */
/* Sorted sets of slugs as text. */
#include "base/slug_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool ak_slugs_next(const char *set, size_t length, size_t *at, const char **slug,
                   size_t *slug_length) {
  size_t start = *at;
  while (start < length && set[start] == ' ')
    start++;
  if (start >= length) {
    *at = length;
    return false;
  }
  const char *blank = memchr(set + start, ' ', length - start);
  size_t end = blank != NULL ? (size_t)(blank - set) : length;
  *slug = set + start;
  *slug_length = end - start;
  *at = end;
  return true;
}

static int compare_slugs(const char *a, size_t a_length, const char *b, size_t b_length) {
  int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
  if (order != 0)
    return order;
  return a_length < b_length ? -1 : a_length > b_length;
}

size_t ak_slugs_count(const char *set, size_t length) {
  size_t at = 0, count = 0, slug_length;
  const char *slug;
  while (ak_slugs_next(set, length, &at, &slug, &slug_length))
    count++;
  return count;
}

bool ak_slugs_has(const char *set, size_t length, const char *slug, size_t slug_length) {
  size_t at = 0, found_length;
  const char *found;
  while (ak_slugs_next(set, length, &at, &found, &found_length))
    if (found_length == slug_length && memcmp(found, slug, slug_length) == 0)
      return true;
  return false;
}

/*
 * Each slug of `part` is looked for from where the one before was found. In a set that somebody
 * disordered by hand, a slug may be missed; one that is not there is never found.
 */
bool ak_slugs_include(const char *whole, size_t whole_length, const char *part, size_t part_length,
                      const char **missing, size_t *missing_length) {
  if (part_length == whole_length && memcmp(whole, part, part_length) == 0)
    return true; /* what a key made for one purpose has, and what that asks for */
  size_t whole_at = 0, part_at = 0;
  const char *have = NULL, *need;
  size_t have_length = 0, need_length;
  while (ak_slugs_next(part, part_length, &part_at, &need, &need_length)) {
    int order = have != NULL ? compare_slugs(have, have_length, need, need_length) : -1;
    while (order < 0 && ak_slugs_next(whole, whole_length, &whole_at, &have, &have_length))
      order = compare_slugs(have, have_length, need, need_length);
    if (order == 0)
      continue;
    if (missing != NULL)
      *missing = need;
    if (missing_length != NULL)
      *missing_length = need_length;
    return false;
  }
  return true;
}

void ak_slugs_release(struct ak_slugs *set) {
  free(set->text);
  *set = (struct ak_slugs){0};
}

static bool make_room(struct ak_slugs *set, size_t more) {
  if (more >= SIZE_MAX / 2 - set->length)
    return false;
  size_t need = set->length + more + 1;
  if (need <= set->capacity)
    return true;
  size_t capacity = need < 64 ? 64 : need + need / 2;
  char *text = realloc(set->text, capacity);
  if (text == NULL)
    return false;
  text[set->length] = '\0';
  set->text = text;
  set->capacity = capacity;
  return true;
}

/* A blank would make two slugs of one, and an empty slug none: neither may pass unnoticed. */
static bool can_be_member(const char *slug, size_t length) {
  return length > 0 && memchr(slug, ' ', length) == NULL && memchr(slug, '\0', length) == NULL;
}

void ak_slugs_add(struct ak_slugs *set, const char *slug, size_t length) {
  if (set->failed)
    return;
  if (!can_be_member(slug, length)) {
    set->failed = true;
    return;
  }
  size_t at = 0, place = set->length, found_length;
  const char *found;
  while (ak_slugs_next(set->text, set->length, &at, &found, &found_length)) {
    int order = compare_slugs(found, found_length, slug, length);
    if (order == 0)
      return;
    if (order > 0) {
      place = (size_t)(found - set->text);
      break;
    }
  }
  if (!make_room(set, length + 1)) {
    set->failed = true;
    return;
  }
  char *gap = set->text + place;
  if (place < set->length) {
    memmove(gap + length + 1, gap, set->length - place);
    gap[length] = ' ';
  } else if (place > 0) {
    *gap++ = ' ';
  }
  memcpy(gap, slug, length);
  set->length += length + (set->length > 0);
  set->text[set->length] = '\0';
}

void ak_slugs_remove(struct ak_slugs *set, const char *slug, size_t length) {
  size_t at = 0, found_length;
  const char *found;
  while (ak_slugs_next(set->text, set->length, &at, &found, &found_length)) {
    if (compare_slugs(found, found_length, slug, length) != 0)
      continue;
    size_t start = (size_t)(found - set->text);
    size_t end = at < set->length ? at + 1 : at; /* with the blank behind it, */
    if (end == set->length && at == end && start > 0)
      start--; /* or the one before, at the end */
    memmove(set->text + start, set->text + end, set->length - end);
    set->length -= end - start;
    set->text[set->length] = '\0';
    return;
  }
}

void ak_slugs_add_all(struct ak_slugs *set, const char *other, size_t length) {
  size_t at = 0, slug_length;
  const char *slug;
  while (ak_slugs_next(other, length, &at, &slug, &slug_length))
    ak_slugs_add(set, slug, slug_length);
}

void ak_slugs_intersect(struct ak_slugs *set, const char *other, size_t length) {
  size_t at = 0, kept = 0, slug_length;
  const char *slug;
  while (ak_slugs_next(set->text, set->length, &at, &slug, &slug_length)) {
    if (!ak_slugs_has(other, length, slug, slug_length))
      continue;
    if (kept > 0)
      set->text[kept++] = ' ';
    memmove(set->text + kept, slug, slug_length);
    kept += slug_length;
  }
  set->length = kept;
  if (set->text != NULL)
    set->text[kept] = '\0';
}

const char *ak_slugs_text(const struct ak_slugs *set) {
  return set->text != NULL ? set->text : "";
}
