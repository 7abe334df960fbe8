/* SPDX-License-Identifier: MIT */
/*
 * The table of keys that were seen before: from the text of a value to what a validation asks of
 * its key. Of fixed size, one slot a key; it holds fingerprints, never values.
 *
 * Readers take no lock and write nothing that is shared: each slot has a sequence number, odd while
 * a writer is at it, and whoever finds it changed has found nothing. Writers take turns.
 *
 * What is in here was true when it was read from the store; whether it still is, is for
 * coherence.h to say.
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
struct ak_cache_extra;
struct ak_cache_sets;
struct ak_set_memo;

/* Read by whoever asks. Written by writers, with the lock held, but for the last, which is counted
 * on the way to the store: finding a key writes nothing. */
struct ak_cache_counts {
  _Atomic uint64_t keys; /* in it now */
  _Atomic uint64_t fills;
  _Atomic uint64_t evictions; /* had to go for another key */
  _Atomic uint64_t drops;     /* had changed, or could have */
  _Atomic uint64_t misses;    /* validations that asked the store */
};

struct ak_cache {
  size_t bucket_count; /* 0: there is no cache */
  struct ak_cache_slot *slots;
  struct ak_cache_extra *extras; /* what fills a key object, apart: it may stay untouched */
  size_t mapped;                 /* bytes, of both */
  size_t mapped_extras;
  struct ak_cache_secrets *secrets; /* in locked memory where there is any */
  struct ak_cache_sets *sets;
  _Atomic int64_t idle_lifetime_ms; /* the environment's, when the entries were made */
  pthread_mutex_t lock;             /* of writers */
  struct ak_usage *usage;           /* takes over what an entry knows of a key's use */
  struct ak_cache_counts counts;
};

/*
 * A cache for about `keys` keys under a key of its own; 0: one that finds nothing. The memory is
 * touched as it fills. APIKEYS_ERROR_NO_MEMORY, APIKEYS_ERROR_RANDOM.
 */
int ak_cache_init(struct ak_cache *cache, size_t keys, struct ak_usage *usage,
                  const struct ak_random *random);
void ak_cache_release(struct ak_cache *cache);

/* In a process that was forked: forget all, uses too, and draw a new key. Nobody else is in here. */
int ak_cache_renew(struct ak_cache *cache, const struct ak_random *random);

size_t ak_cache_capacity(const struct ak_cache *cache);

/* -- Reading ----------------------------------------------------------------------------------- */

/* Where a value belongs. */
struct ak_cache_place {
  size_t index;
  uint32_t mark;
  uint8_t tag[AK_FINGERPRINT_BYTES];
};

/* The key's text: its lookup id decides the place, and the slot's way from memory begins. */
void ak_cache_locate(const struct ak_cache *cache, struct ak_cache_place *place,
                     const char *lookup_id, bool details);
void ak_cache_fingerprint(const struct ak_cache *cache, struct ak_cache_place *place,
                          const char *text, size_t length);

/* What fills a key object, beside what is in the entry: texts one behind the other, each with a
 * NUL: id, organization, user, name, obfuscated value, lookup id. */
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
  uint64_t set_mark; /* of its permissions: cache_sets.h */
  bool known;        /* and they are among those that were said to be known */
  size_t permissions_length;
};

/* Room for what is of no use to a decision alone; not initialised, of which little is copied. */
struct ak_cached_text {
  char permissions[AK_CACHE_PERMISSIONS_MAX + 8];
  struct ak_cache_details details;
};

/*
 * True if the value is in the cache; `text` is filled in as far as the entry goes, details only if
 * asked for, and then only an entry that has them is found. Permissions that are `known`, which may
 * be NULL, are in `text` only if details are.
 */
bool ak_cache_find(const struct ak_cache *cache, const struct ak_cache_place *place, bool details,
                   const struct ak_set_memo *known, struct ak_cached *out,
                   struct ak_cached_text *text);

/* Remember a use. The slot is written only if the second has changed since the last. */
void ak_cache_use(struct ak_cache *cache, const struct ak_cached *cached, int64_t at_ms);

/* The key object's record becomes the cached key's. APIKEYS_ERROR_NO_MEMORY, and it stays. */
int ak_cached_to_record(apikeys_record *record, const struct ak_cached *cached,
                        const struct ak_cached_text *text);

/* -- Writing: with the lock held --------------------------------------------------------------- */

void ak_cache_lock(struct ak_cache *cache);
void ak_cache_unlock(struct ak_cache *cache);

/*
 * Put the key of this record, whose value has this fingerprint, into its place, with details or
 * without. What does not fit is not cached. Another key may have to go for it.
 */
void ak_cache_put(struct ak_cache *cache, const struct ak_cache_place *place,
                  const apikeys_record *key, int64_t last_used_at_ms, int64_t idle_lifetime_ms,
                  bool details);

void ak_cache_drop_key(struct ak_cache *cache, const char *lookup_id);
/* All keys of an organization, its members' included; perhaps some more. */
void ak_cache_drop_organization(struct ak_cache *cache, const char *organization_id, size_t length);
void ak_cache_drop_all(struct ak_cache *cache);

/* -- Use --------------------------------------------------------------------------------------- */

/* The last use that this process knows of and has not forgotten; 0 if none. */
int64_t ak_cache_last_use(struct ak_cache *cache, const apikeys_record *key);

/*
 * Hand uses that were not handed over yet to `usage`, from slot *at on, until it is full; false
 * once there are no more slots. Starts with *at == 0.
 */
bool ak_cache_hand_over_uses(struct ak_cache *cache, size_t *at);

#endif
