/* SPDX-License-Identifier: MIT */
/*
 * The cache of keys that were validated before: a bucketized cuckoo hash table of fixed size, from
 * the fingerprint of a key's text to what a validation needs. It never holds a key's text.
 *
 * Readers take no lock and write no shared memory. A sequence lock guards each slot: its number is
 * odd while a writer changes the slot, and a reader that sees it change treats the slot as a miss.
 * Writers hold `lock`.
 *
 * An entry was true when it was read from the store. coherence.h decides whether it still is.
 */
#ifndef AK_CACHE_CACHE_H
#define AK_CACHE_CACHE_H

#include "cache/usage.h"
#include "crypto/crypto.h"
#include "storage/record.h"

#include <stdatomic.h>

enum {
  AK_CACHE_KEYS_DEFAULT = 65536,
  AK_CACHE_KEYS_MAX = 1 << 26,
  AK_CACHE_PERMISSIONS_MAX = 4096, /* bytes; keys with more are not cached */
  AK_CACHE_DETAILS_TEXT = 224
};

struct ak_cache_slot;
struct ak_cache_cold;
struct ak_cache_sets;
struct ak_set_memo;

/* Counters. Updated under the lock, except `misses`, which is atomic. A hit updates none. */
struct ak_cache_counts {
  _Atomic uint64_t keys; /* in it now */
  _Atomic uint64_t fills;
  _Atomic uint64_t evictions; /* to make room for another key */
  _Atomic uint64_t drops;     /* because of a change in the store */
  _Atomic uint64_t misses;    /* validations that asked the store */
};

struct ak_cache {
  size_t bucket_count; /* 0: the cache is off */
  struct ak_cache_slot *slots;
  struct ak_cache_cold *cold; /* the part of each entry that only a key object needs */
  size_t mapped;              /* bytes of `slots` */
  size_t mapped_cold;
  struct ak_cache_secrets *secrets; /* in locked memory where there is any */
  struct ak_cache_sets *sets;
  _Atomic int64_t idle_lifetime_ms; /* the environment's, when the entries were made */
  pthread_mutex_t lock;             /* of writers */
  struct ak_usage *usage;           /* receives unsaved use times of evicted entries */
  struct ak_cache_counts counts;
};

/*
 * Make a cache for about `keys` keys, with a random hash key of its own; 0 turns it off. Memory
 * pages are touched only as it fills. APIKEYS_ERROR_NO_MEMORY, APIKEYS_ERROR_RANDOM.
 */
int ak_cache_init(struct ak_cache *cache, size_t keys, struct ak_usage *usage,
                  const struct ak_random *random);
void ak_cache_release(struct ak_cache *cache);

/* In a forked child: clear all entries and unsaved use times, and draw a new hash key. No other
 * thread may use the cache meanwhile. */
int ak_cache_renew(struct ak_cache *cache, const struct ak_random *random);

size_t ak_cache_capacity(const struct ak_cache *cache);

/* -- Reading ----------------------------------------------------------------------------------- */

/* Where a key's entry can be, and how to recognise it. */
struct ak_cache_position {
  size_t index;
  uint32_t partial;
  uint8_t fingerprint[AK_FINGERPRINT_BYTES];
};

/* Compute the first bucket from the lookup id, and prefetch it. Then compute the fingerprint of the
 * whole text, while memory answers. */
void ak_cache_locate(const struct ak_cache *cache, struct ak_cache_position *position,
                     const char *lookup_id, bool details);
void ak_cache_fingerprint(const struct ak_cache *cache, struct ak_cache_position *position,
                          const char *text, size_t length);

/* The cold part of an entry, needed only to fill a key object: NUL-terminated texts, one after the
 * other: id, organization, user, name, obfuscated value, lookup id. */
enum { AK_DETAIL_TEXTS = 6 };
struct ak_cache_details {
  int64_t updated_at_ms;
  uint8_t lengths[AK_DETAIL_TEXTS];
  uint8_t unused[2];
  char text[AK_CACHE_DETAILS_TEXT];
};

/* A copy of one entry. */
struct ak_cached {
  int64_t number;
  int64_t created_at_ms;
  int64_t expires_at_ms; /* 0: never */
  int64_t last_used_at_ms;
  int64_t idle_lifetime_ms;
  int owner_type;
  struct ak_cache_slot *slot; /* for ak_cache_use */
  uint64_t use_seen;
  uint64_t set_id; /* of its permission set: cache_sets.h */
  bool known;      /* the set is in the memo that was passed */
  size_t permissions_length;
};

/* Large buffers that only fill a key object. Left uninitialised on purpose. */
struct ak_cached_text {
  char permissions[AK_CACHE_PERMISSIONS_MAX + 8];
  struct ak_cache_details details;
};

/*
 * Returns true on a hit. With `details`, only entries that hold details count as hits. Permissions
 * are not copied if their set is in `known` (which may be NULL) and no details were asked for.
 */
bool ak_cache_find(const struct ak_cache *cache, const struct ak_cache_position *position,
                   bool details, const struct ak_set_memo *known, struct ak_cached *out,
                   struct ak_cached_text *text);

/* Record a use. Writes the slot only if the second differs from the last use's. */
void ak_cache_use(struct ak_cache *cache, const struct ak_cached *cached, int64_t at_ms);

/* Fill the record of a key object. On APIKEYS_ERROR_NO_MEMORY it stays as it was. */
int ak_cached_to_record(apikeys_record *record, const struct ak_cached *cached,
                        const struct ak_cached_text *text);

/* -- Writing: with the lock held --------------------------------------------------------------- */

void ak_cache_lock(struct ak_cache *cache);
void ak_cache_unlock(struct ak_cache *cache);

/*
 * Insert or replace the entry of this key, with details or without. A key whose permissions are too
 * long is not cached. May evict another key.
 */
void ak_cache_put(struct ak_cache *cache, const struct ak_cache_position *position,
                  const apikeys_record *key, int64_t last_used_at_ms, int64_t idle_lifetime_ms,
                  bool details);

void ak_cache_drop_key(struct ak_cache *cache, const char *lookup_id);
/* Drop all keys of an organization and of its members. A hash collision may drop a few others. */
void ak_cache_drop_organization(struct ak_cache *cache, const char *organization_id, size_t length);
void ak_cache_drop_all(struct ak_cache *cache);

/* -- Use --------------------------------------------------------------------------------------- */

/* The last use known to this process, saved or not; 0: none. */
int64_t ak_cache_last_use(struct ak_cache *cache, const apikeys_record *key);

/*
 * Copy unsaved use times to `usage`, from slot *at on, until `usage` is full. Returns false when
 * all slots were visited. Begin with *at == 0.
 */
bool ak_cache_hand_over_uses(struct ak_cache *cache, size_t *at);

#endif
