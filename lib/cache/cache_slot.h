/* SPDX-License-Identifier: MIT */
/*
 * A slot of the cache, for the files that are the cache: cache.c makes, fills and empties it,
 * cache_find.c reads it, cache_use.c knows when its key was used.
 *
 * A key has two places, buckets of a few slots each, and is in one slot of them. That is why keys
 * are lost only close to the bound: a key that finds both buckets full moves one of those in there
 * to that one's other bucket, if there is room.
 */
#ifndef AK_CACHE_CACHE_SLOT_H
#define AK_CACHE_CACHE_SLOT_H

#include "cache/cache.h"

#include <string.h>

/*
 * One cache line. The words are what a sequence number guards; every one is written with release
 * and read with acquire, which costs nothing on most machines: who reads a new word then sees that
 * the sequence has moved on.
 *
 * `use` is apart: readers write it. Some bits of the sequence are in it, so that a use of the key
 * that was here before is never taken for one of the key that is.
 */
struct ak_cache_slot {
  _Atomic uint32_t sequence;
  _Atomic uint32_t mark; /* 0: empty */
  _Atomic uint64_t use;
  _Atomic uint64_t words[6];
};

enum {
  AK_SLOT_TAG = 0,
  AK_SLOT_EXPIRES = 2,
  AK_SLOT_CREATED = 3,
  AK_SLOT_NUMBER = 4,
  AK_SLOT_OWNER = 5,
  AK_SLOT_WORDS = 6
};

_Static_assert(sizeof(struct ak_cache_slot) == 64, "a slot is a cache line");

/* The word at OWNER: a hash of the organization, its set of permissions, the type, details or not. */
enum {
  AK_SLOT_DETAILS_BIT = 0,
  AK_SLOT_TYPE_SHIFT = 1,
  AK_SLOT_SET_SHIFT = 3,
  AK_SLOT_ORGANIZATION_SHIFT = 32
};

/* The word `use`: from the top a part of the sequence, the time, and whether it is news. */
enum { AK_USE_DIRTY = 1, AK_USE_TIME_SHIFT = 1, AK_USE_SEQUENCE_SHIFT = 44 };
#define AK_USE_TIME_MAX ((UINT64_C(1) << (AK_USE_SEQUENCE_SHIFT - AK_USE_TIME_SHIFT)) - 1)

enum { AK_DETAIL_WORDS = sizeof(struct ak_cache_details) / sizeof(uint64_t) };
_Static_assert(sizeof(struct ak_cache_details) % sizeof(uint64_t) == 0, "details are whole words");

struct ak_cache_extra {
  _Atomic uint64_t words[AK_DETAIL_WORDS]; /* an ak_cache_details */
};

struct ak_cache_secrets {
  uint8_t fingerprint[AK_FINGERPRINT_BYTES];
  uint64_t place[2];
};

/* The fields whose texts are in the details, in their order. */
extern const int ak_cache_detail_fields[AK_DETAIL_TEXTS];

/* -- Places ------------------------------------------------------------------------------------ */

enum { AK_BUCKET_SLOTS = 4, AK_PLACE_SLOTS = 2 * AK_BUCKET_SLOTS };

void ak_cache_place_of(const struct ak_cache *cache, struct ak_cache_place *place,
                       const char *lookup_id);

/*
 * The other bucket of what has this mark and is in this bucket. The sum of the two is the mark's,
 * round the table, so that each leads to the other and an entry can move without its key's text.
 */
static inline size_t ak_cache_other_bucket(const struct ak_cache *cache, uint32_t mark,
                                           size_t bucket) {
  uint32_t mixed = mark * UINT32_C(0x9e3779b1);
  size_t sum = (size_t)((uint64_t)mixed * cache->bucket_count >> 32);
  return sum >= bucket ? sum - bucket : sum + cache->bucket_count - bucket;
}

/* Where a key's slots begin in a bucket: not all keys of a bucket want the same one. */
static inline size_t ak_cache_first_slot(size_t bucket, uint32_t mark) {
  return bucket * AK_BUCKET_SLOTS + (mark >> 1 & (AK_BUCKET_SLOTS - 1));
}

/* The i-th slot where a key may be: those of its first bucket from its own on, then the other's. */
static inline size_t ak_cache_slot_at(const struct ak_cache *cache,
                                      const struct ak_cache_place *place, size_t i) {
  size_t bucket = place->index / AK_BUCKET_SLOTS;
  if (i < AK_BUCKET_SLOTS)
    return place->index ^ i;
  bucket = ak_cache_other_bucket(cache, place->mark, bucket);
  return ak_cache_first_slot(bucket, place->mark) ^ (i - AK_BUCKET_SLOTS);
}

static inline size_t ak_cache_all_slots(const struct ak_cache *cache) {
  return cache->bucket_count * AK_BUCKET_SLOTS;
}

/* -- A slot, to those who hold the lock -------------------------------------------------------- */

static inline uint32_t ak_slot_mark(const struct ak_cache_slot *slot) {
  return atomic_load_explicit(&slot->mark, memory_order_relaxed);
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

static inline uint64_t ak_use_make(uint64_t sequence, int64_t at_ms, uint64_t news) {
  uint64_t time = at_ms <= 0                          ? 0
                  : (uint64_t)at_ms < AK_USE_TIME_MAX ? (uint64_t)at_ms
                                                      : AK_USE_TIME_MAX;
  return sequence << AK_USE_SEQUENCE_SHIFT | time << AK_USE_TIME_SHIFT | news;
}

#endif
