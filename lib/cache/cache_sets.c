/* SPDX-License-Identifier: MIT */
/* Interned permission sets: an append-only table and an index by hash. */
#include "cache/cache_sets.h"

#include <stdlib.h>
#include <string.h>

enum {
  BUCKETS = 8192, /* a power of two, and half of it is as many sets as are kept */
  SETS_MAX = BUCKETS / 2,
  SLACK_WORDS =
      1 << (AK_CACHE_SET_LENGTH_BITS - 3) /* a torn number's length may reach beyond the last set */
};

struct ak_cache_sets {
  _Atomic uint64_t serial; /* unique in the process, new at each clear; 0: ran out */
  size_t used;             /* words */
  size_t count;
  uint32_t known[BUCKETS]; /* open addressing, by hash; 0: empty (the empty set is never in it) */
  _Atomic uint64_t words[AK_CACHE_SETS_WORDS + SLACK_WORDS];
};

#define SERIALS_END (UINT64_C(1) << (64 - AK_CACHE_SET_BITS))

static uint64_t draw_serial(void) {
  static _Atomic uint64_t drawn;
  uint64_t serial = atomic_fetch_add(&drawn, 1) + 1;
  return serial < SERIALS_END ? serial : 0;
}

struct ak_cache_sets *ak_cache_sets_new(void) {
  struct ak_cache_sets *sets = calloc(1, sizeof *sets);
  if (sets != NULL)
    atomic_init(&sets->serial, draw_serial());
  return sets;
}

void ak_cache_sets_free(struct ak_cache_sets *sets) {
  free(sets);
}

/* The new serial is stored after all entries were dropped, and loaded after an entry's set number
 * was: a reader that combines an old number with the new serial fails its sequence check. */
void ak_cache_sets_clear(struct ak_cache_sets *sets) {
  atomic_store_explicit(&sets->serial, draw_serial(), memory_order_release);
  sets->used = sets->count = 0;
  memset(sets->known, 0, sizeof sets->known);
}

const _Atomic uint64_t *ak_cache_set_words(const struct ak_cache_sets *sets, uint32_t set) {
  return &sets->words[set >> AK_CACHE_SET_LENGTH_BITS & (AK_CACHE_SETS_WORDS - 1)];
}

uint64_t ak_cache_set_id(const struct ak_cache_sets *sets, uint32_t set) {
  uint64_t serial = atomic_load_explicit(&sets->serial, memory_order_acquire);
  return serial != 0 ? serial << AK_CACHE_SET_BITS | set : 0;
}

/* FNV-1a, without a key: crafted collisions only slow down insertions. */
static size_t cache_sets_hash(const char *text, size_t length) {
  uint64_t state = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < length; i++)
    state = (state ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
  return (size_t)(state ^ state >> 32) & (BUCKETS - 1);
}

static bool is_set(const struct ak_cache_sets *sets, uint32_t set, const char *text,
                   size_t length) {
  if (ak_cache_set_length(set) != length)
    return false;
  const _Atomic uint64_t *words = ak_cache_set_words(sets, set);
  for (size_t at = 0; at < length; at += 8) {
    uint64_t word = atomic_load_explicit(&words[at / 8], memory_order_relaxed);
    if (memcmp(&word, text + at, length - at < 8 ? length - at : 8) != 0)
      return false;
  }
  return true;
}

static uint32_t cache_sets_append(struct ak_cache_sets *sets, const char *text, size_t length) {
  uint32_t set = (uint32_t)(sets->used << AK_CACHE_SET_LENGTH_BITS | length);
  for (size_t at = 0; at < length; at += 8) {
    uint64_t word = 0;
    memcpy(&word, text + at, length - at < 8 ? length - at : 8);
    atomic_store_explicit(&sets->words[sets->used++], word, memory_order_release);
  }
  sets->count++;
  return set;
}

bool ak_cache_sets_add(struct ak_cache_sets *sets, const char *text, size_t length, uint32_t *set) {
  if (length == 0) {
    *set = 0;
    return true;
  }
  size_t at = cache_sets_hash(text, length);
  for (; sets->known[at] != 0; at = (at + 1) & (BUCKETS - 1))
    if (is_set(sets, sets->known[at], text, length)) {
      *set = sets->known[at];
      return true;
    }
  if (sets->count == SETS_MAX || sets->used + (length + 7) / 8 > AK_CACHE_SETS_WORDS)
    return false;
  *set = sets->known[at] = cache_sets_append(sets, text, length);
  return true;
}

/* The newer serial wins, so that two environments that share a requirement do not overwrite each
 * other for ever. */
void ak_set_memo_add(struct ak_set_memo *known, uint64_t id) {
  _Atomic uint64_t *slot = &known->ids[ak_set_memo_slot(id)];
  uint64_t there = atomic_load_explicit(slot, memory_order_relaxed);
  if (there >> AK_CACHE_SET_BITS < id >> AK_CACHE_SET_BITS)
    atomic_compare_exchange_strong_explicit(slot, &there, id, memory_order_relaxed,
                                            memory_order_relaxed);
}
