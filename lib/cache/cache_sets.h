/* SPDX-License-Identifier: MIT */
/*
 * The sets of permissions of cached keys, each kept once: keys by the thousands have the same few.
 * Sets are only added, until all are cleared at once; so a set's number can say where it lies, and
 * readers need no lock. Writers hold the cache's.
 */
#ifndef AK_CACHE_CACHE_SETS_H
#define AK_CACHE_CACHE_SETS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set's number: its length, and where it lies, in words. */
enum {
  AK_CACHE_SET_LENGTH_BITS = 13,
  AK_CACHE_SET_BITS = AK_CACHE_SET_LENGTH_BITS + 16,
  AK_CACHE_SETS_WORDS = 1 << 16 /* half a megabyte of sets, touched as they come */
};

struct ak_cache_sets;

struct ak_cache_sets *ak_cache_sets_new(void); /* NULL: out of memory */
void ak_cache_sets_free(struct ak_cache_sets *sets);

/* The number of this set, which is added if it is not there; false if there is no room. */
bool ak_cache_sets_add(struct ak_cache_sets *sets, const char *text, size_t length, uint32_t *set);

/* After this every number means something else: no entry may have one. */
void ak_cache_sets_clear(struct ak_cache_sets *sets);

/*
 * A set's mark, which no other set of this process ever has, not after a clear and in no other cache
 * either; 0: it has none. What was found out about a set is true of its mark for good.
 */
uint64_t ak_cache_set_mark(const struct ak_cache_sets *sets, uint32_t set);

static inline size_t ak_cache_set_length(uint32_t set) {
  return set & ((1u << AK_CACHE_SET_LENGTH_BITS) - 1);
}

/* Its words; for the number of a torn entry some words that are not beyond the last. */
const _Atomic uint64_t *ak_cache_set_words(const struct ak_cache_sets *sets, uint32_t set);

/* -- Sets of which something is known ---------------------------------------------------------- */

/* A few marks, for threads to share: once the sets in use are in here, nobody writes any more. */
enum { AK_KNOWN_SETS = 8 };
struct ak_set_memo {
  _Atomic uint64_t marks[AK_KNOWN_SETS];
};

static inline size_t ak_set_memo_slot(uint64_t mark) {
  return mark >> AK_CACHE_SET_LENGTH_BITS & (AK_KNOWN_SETS - 1);
}

static inline bool ak_set_memo_entry(const struct ak_set_memo *known, uint64_t mark) {
  const _Atomic uint64_t *place = &known->marks[ak_set_memo_slot(mark)];
  return mark != 0 && atomic_load_explicit(place, memory_order_relaxed) == mark;
}

/* Does nothing where another set has the place, unless that is one of before a clear. */
void ak_know_set(struct ak_set_memo *known, uint64_t mark);

#endif
