/* SPDX-License-Identifier: MIT */
/*
 * Interned permission sets of cached keys: thousands of keys share a few sets. Sets are only added,
 * until all are cleared at once, so a set's number encodes its offset and length, and readers need
 * no lock. Writers hold the cache's lock.
 */
#ifndef AK_CACHE_CACHE_SETS_H
#define AK_CACHE_CACHE_SETS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of a set's number: its length in bytes, and its offset in words. */
enum {
  AK_CACHE_SET_LENGTH_BITS = 13,
  AK_CACHE_SET_BITS = AK_CACHE_SET_LENGTH_BITS + 16,
  AK_CACHE_SETS_WORDS = 1 << 16 /* half a megabyte, touched only as it fills */
};

struct ak_cache_sets;

struct ak_cache_sets *ak_cache_sets_new(void); /* NULL: out of memory */
void ak_cache_sets_free(struct ak_cache_sets *sets);

/* Finds or adds a set. False: no room. */
bool ak_cache_sets_add(struct ak_cache_sets *sets, const char *text, size_t length, uint32_t *set);

/* Forgets all sets. No cache entry may hold a set's number any more. */
void ak_cache_sets_clear(struct ak_cache_sets *sets);

/*
 * A process-wide unique id of a set, never reused, so that results can be memoized by it. 0: none
 * (ids ran out).
 */
uint64_t ak_cache_set_id(const struct ak_cache_sets *sets, uint32_t set);

static inline size_t ak_cache_set_length(uint32_t set) {
  return set & ((1u << AK_CACHE_SET_LENGTH_BITS) - 1);
}

/* The set's words. For a number from a torn read: some words inside the table. */
const _Atomic uint64_t *ak_cache_set_words(const struct ak_cache_sets *sets, uint32_t set);

/* -- Memo of sets ---------------------------------------------------------- */

/* A small lossy memo of set ids, shared by threads: which sets satisfied a requirement. Once the
 * sets in use are in it, it is only read. */
enum { AK_SET_MEMO_SLOTS = 8 };
struct ak_set_memo {
  _Atomic uint64_t ids[AK_SET_MEMO_SLOTS];
};

static inline size_t ak_set_memo_slot(uint64_t id) {
  return id >> AK_CACHE_SET_LENGTH_BITS & (AK_SET_MEMO_SLOTS - 1);
}

static inline bool ak_set_memo_has(const struct ak_set_memo *known, uint64_t id) {
  const _Atomic uint64_t *slot = &known->ids[ak_set_memo_slot(id)];
  return id != 0 && atomic_load_explicit(slot, memory_order_relaxed) == id;
}

/* Adds an id, unless its slot holds an id of this generation of sets or a newer one. */
void ak_set_memo_add(struct ak_set_memo *known, uint64_t id);

#endif
