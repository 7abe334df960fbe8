/* SPDX-License-Identifier: MIT */
/*
 * One slot of the cache: private to cache.c (writes), cache_find.c (reads) and cache_use.c (use
 * times).
 *
 * Bucketized cuckoo hashing with partial keys (Fan, Andersen, Kaminsky, MemC3, 2013): each key has
 * two candidate buckets of four slots. When both are full, one entry moves to its alternate bucket;
 * if none can, the entry whose last use is longest ago is evicted.
 */
#ifndef AK_CACHE_CACHE_SLOT_H
#define AK_CACHE_CACHE_SLOT_H

#include "cache/cache.h"

#include <string.h>

/*
 * One cache line. `sequence` is the sequence lock of `words`. Each word is stored with release and
 * loaded with acquire, so that a reader that loads a new word also sees the new sequence; on x86
 * and ARMv8 this costs nothing extra.
 *
 * `use` is outside the sequence lock, because readers write it. It repeats some bits of the
 * sequence, so that a late write for an evicted key is not taken for a use of its successor.
 */
struct ak_cache_slot {
  _Atomic uint32_t sequence;
  _Atomic uint32_t partial; /* partial key: 31 hash bits and a 1; 0: the slot is empty */
  _Atomic uint64_t use;
  _Atomic uint64_t words[6];
};

enum {
  AK_SLOT_FINGERPRINT = 0,
  AK_SLOT_EXPIRES = 2,
  AK_SLOT_CREATED = 3,
  AK_SLOT_NUMBER = 4,
  AK_SLOT_OWNER = 5,
  AK_SLOT_WORDS = 6
};

_Static_assert(sizeof(struct ak_cache_slot) == 64, "a slot is a cache line");

/* Bits of the word at AK_SLOT_OWNER: hash of the organization's id, permission set, owner type, and
 * whether the cold part is filled. */
enum {
  AK_SLOT_DETAILS_BIT = 0,
  AK_SLOT_TYPE_SHIFT = 1,
  AK_SLOT_SET_SHIFT = 3,
  AK_SLOT_ORGANIZATION_SHIFT = 32
};

/* Bits of `use`: low bits of the sequence, the time in ms, and whether it is still to be saved. */
enum { AK_USE_DIRTY = 1, AK_USE_TIME_SHIFT = 1, AK_USE_SEQUENCE_SHIFT = 44 };
#define AK_USE_TIME_MAX ((UINT64_C(1) << (AK_USE_SEQUENCE_SHIFT - AK_USE_TIME_SHIFT)) - 1)

enum { AK_DETAIL_WORDS = sizeof(struct ak_cache_details) / sizeof(uint64_t) };
_Static_assert(sizeof(struct ak_cache_details) % sizeof(uint64_t) == 0, "details are whole words");

struct ak_cache_cold {
  _Atomic uint64_t words[AK_DETAIL_WORDS]; /* a struct ak_cache_details */
};

struct ak_cache_secrets {
  uint8_t fingerprint[AK_FINGERPRINT_BYTES];
  uint64_t position[2];
};

/* The record fields whose texts are in the details, in that order. */
extern const int ak_cache_detail_fields[AK_DETAIL_TEXTS];

/* -- Positions --------------------------------------------------------------------------------- */

enum { AK_BUCKET_SLOTS = 4, AK_CANDIDATE_SLOTS = 2 * AK_BUCKET_SLOTS };

void ak_cache_position_of(const struct ak_cache *cache, struct ak_cache_position *position,
                          const char *lookup_id);

/*
 * The alternate bucket of an entry. The two bucket numbers of an entry add up, modulo the table's
 * size, to a hash of its partial key, so either can be computed from the other without the key.
 */
static inline size_t ak_cache_other_bucket(const struct ak_cache *cache, uint32_t partial,
                                           size_t bucket) {
  uint32_t mixed = partial * UINT32_C(0x9e3779b1);
  size_t sum = (size_t)((uint64_t)mixed * cache->bucket_count >> 32);
  return sum >= bucket ? sum - bucket : sum + cache->bucket_count - bucket;
}

/* The slot of a bucket that is tried first: spreads keys over the bucket's slots. */
static inline size_t ak_cache_first_slot(size_t bucket, uint32_t partial) {
  return bucket * AK_BUCKET_SLOTS + (partial >> 1 & (AK_BUCKET_SLOTS - 1));
}

/* The i-th candidate slot: first those of the first bucket, then those of the alternate one. */
static inline size_t ak_cache_slot_at(const struct ak_cache *cache,
                                      const struct ak_cache_position *position, size_t i) {
  size_t bucket = position->index / AK_BUCKET_SLOTS;
  if (i < AK_BUCKET_SLOTS)
    return position->index ^ i;
  bucket = ak_cache_other_bucket(cache, position->partial, bucket);
  return ak_cache_first_slot(bucket, position->partial) ^ (i - AK_BUCKET_SLOTS);
}

static inline size_t ak_cache_all_slots(const struct ak_cache *cache) {
  return cache->bucket_count * AK_BUCKET_SLOTS;
}

/* -- Reading a slot with the lock held -------------------------------------------------------- */

static inline uint32_t ak_slot_partial(const struct ak_cache_slot *slot) {
  return atomic_load_explicit(&slot->partial, memory_order_relaxed);
}

static inline uint64_t ak_slot_word(const struct ak_cache_slot *slot, int word) {
  return atomic_load_explicit(&slot->words[word], memory_order_relaxed);
}

/* -- A slot's use ------------------------------------------------------------------------------ */

static inline int64_t ak_use_time(uint64_t use) {
  return (int64_t)(use >> AK_USE_TIME_SHIFT & AK_USE_TIME_MAX);
}

static inline int64_t ak_slot_use_time(const struct ak_cache_slot *slot) {
  return ak_use_time(atomic_load_explicit(&slot->use, memory_order_relaxed));
}

static inline uint64_t ak_use_make(uint64_t sequence, int64_t at_ms, uint64_t dirty) {
  uint64_t time = at_ms <= 0                          ? 0
                  : (uint64_t)at_ms < AK_USE_TIME_MAX ? (uint64_t)at_ms
                                                      : AK_USE_TIME_MAX;
  return sequence << AK_USE_SEQUENCE_SHIFT | time << AK_USE_TIME_SHIFT | dirty;
}

#endif
