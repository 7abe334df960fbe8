/* SPDX-License-Identifier: MIT */
/*
 * Sets of slugs as text: sorted, each once, separated by one blank, "" for the empty set. Pure.
 * This is how permissions, roles and prefixes are stored and compared; a validation walks two of
 * them side by side and allocates nothing.
 */
#ifndef AK_BASE_SLUG_SET_H
#define AK_BASE_SLUG_SET_H

#include <stdbool.h>
#include <stddef.h>

/* Walk a set: false at its end. Start with *at == 0. */
bool ak_slugs_next(const char *set, size_t length, size_t *at, const char **slug,
                   size_t *slug_length);

size_t ak_slugs_count(const char *set, size_t length);
bool ak_slugs_has(const char *set, size_t length, const char *slug, size_t slug_length);

/* True if every slug of `part` is in `whole`; else, if asked for, the first one that is not. */
bool ak_slugs_include(const char *whole, size_t whole_length, const char *part, size_t part_length,
                      const char **missing, size_t *missing_length);

/*
 * A set that grows. Zero-initialised is empty. `failed` is sticky until the set is cleared: out of
 * memory, or something was added that cannot be a slug (empty, or with a blank or NUL in it).
 */
struct ak_slugs {
  char *text; /* NUL-terminated once non-NULL */
  size_t length;
  size_t capacity;
  bool failed;
};

void ak_slugs_release(struct ak_slugs *set);
void ak_slugs_add(struct ak_slugs *set, const char *slug, size_t length);
void ak_slugs_remove(struct ak_slugs *set, const char *slug, size_t length);
void ak_slugs_add_all(struct ak_slugs *set, const char *other, size_t length);
/* Leave only what is in `other` too. */
void ak_slugs_intersect(struct ak_slugs *set, const char *other, size_t length);
/* "" for an empty set, never NULL. */
const char *ak_slugs_text(const struct ak_slugs *set);

#endif
