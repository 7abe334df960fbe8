/* SPDX-License-Identifier: MIT */
/* The cache's memory, and every change of its slots: insert, displace, evict, drop. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* madvise, MAP_ANONYMOUS */
#endif
#include "cache/cache_slot.h"

#include "cache/cache_sets.h"
#include "crypto/key_text.h"

#include <apikeys/error.h>

#include <stdlib.h>
#include <sys/mman.h>

_Static_assert(AK_SLOT_SET_SHIFT + AK_CACHE_SET_BITS <= AK_SLOT_ORGANIZATION_SHIFT, "a set fits");

enum { HUGE_PAGE = 2 << 20 };

/* -- Making and ending ------------------------------------------------------------------------- */

/* Zeroed memory, which means empty slots. A forked child sees zeros again where Linux offers
 * that. */
static void *map(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return NULL;
#ifdef MADV_WIPEONFORK
  madvise(memory, size, MADV_WIPEONFORK);
#endif
#ifdef MADV_HUGEPAGE
  if (size >= HUGE_PAGE)
    madvise(memory, size, MADV_HUGEPAGE);
#endif
  return memory;
}

static int draw_secrets(struct ak_cache *cache, const struct ak_random *random) {
  return ak_random_fill(random, cache->secrets, sizeof *cache->secrets);
}

int ak_cache_init(struct ak_cache *cache, size_t keys, struct ak_usage *usage,
                  const struct ak_random *random) {
  memset(cache, 0, sizeof *cache);
  cache->usage = usage;
  pthread_mutex_init(&cache->lock, NULL);
  if (keys == 0)
    return APIKEYS_OK;
  /* At a load of four fifths one insertion in a thousand evicts. */
  size_t buckets = (keys + keys / 4) / AK_BUCKET_SLOTS + 1;
  size_t slots = buckets * AK_BUCKET_SLOTS;
  cache->mapped = slots * sizeof(struct ak_cache_slot);
  cache->mapped_cold = slots * sizeof(struct ak_cache_cold);
  cache->slots = map(cache->mapped);
  cache->cold = map(cache->mapped_cold);
  cache->sets = ak_cache_sets_new();
  cache->secrets = ak_secret_alloc(sizeof *cache->secrets);
  int rc = APIKEYS_ERROR_NO_MEMORY;
  if (cache->slots != NULL && cache->cold != NULL && cache->sets != NULL && cache->secrets != NULL)
    rc = draw_secrets(cache, random);
  if (rc == APIKEYS_OK)
    cache->bucket_count = buckets;
  return rc;
}

void ak_cache_release(struct ak_cache *cache) {
  if (cache->slots != NULL)
    munmap(cache->slots, cache->mapped);
  if (cache->cold != NULL)
    munmap(cache->cold, cache->mapped_cold);
  ak_cache_sets_free(cache->sets);
  ak_secret_free(cache->secrets);
  pthread_mutex_destroy(&cache->lock);
}

int ak_cache_renew(struct ak_cache *cache, const struct ak_random *random) {
  if (cache->bucket_count == 0)
    return APIKEYS_OK;
  int rc = draw_secrets(cache, random);
  if (rc != APIKEYS_OK)
    return rc;
  /* Anonymous private pages read as zeros after MADV_DONTNEED. */
  if (madvise(cache->slots, cache->mapped, MADV_DONTNEED) != 0)
    memset(cache->slots, 0, cache->mapped);
  if (madvise(cache->cold, cache->mapped_cold, MADV_DONTNEED) != 0)
    memset(cache->cold, 0, cache->mapped_cold);
  ak_cache_sets_clear(cache->sets);
  atomic_store(&cache->counts.keys, 0);
  return APIKEYS_OK;
}

size_t ak_cache_capacity(const struct ak_cache *cache) {
  return ak_cache_all_slots(cache);
}

/* -- Writing ----------------------------------------------------------------------------------- */

void ak_cache_lock(struct ak_cache *cache) {
  pthread_mutex_lock(&cache->lock);
}

void ak_cache_unlock(struct ak_cache *cache) {
  pthread_mutex_unlock(&cache->lock);
}

static void copy_in(_Atomic uint64_t *words, const void *from, size_t count) {
  const char *bytes = from;
  for (size_t i = 0; i < count; i++) {
    uint64_t word;
    memcpy(&word, bytes + i * sizeof word, sizeof word);
    atomic_store_explicit(&words[i], word, memory_order_release);
  }
}

/* Takes the sequence lock (odd), and saves the old key's use time. A use that is recorded later
 * carries other sequence bits and does not count for the old key. */
static void begin_slot_write(struct ak_cache *cache, struct ak_cache_slot *slot) {
  uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed) + 1;
  atomic_store_explicit(&slot->sequence, sequence, memory_order_relaxed);
  uint64_t use =
      atomic_exchange_explicit(&slot->use, ak_use_make(sequence, 0, 0), memory_order_release);
  if ((use & AK_USE_DIRTY) != 0)
    ak_usage_record(cache->usage, (int64_t)ak_slot_word(slot, AK_SLOT_NUMBER), ak_use_time(use));
}

static void end_slot_write(struct ak_cache_slot *slot) {
  uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed) + 1;
  atomic_store_explicit(&slot->sequence, sequence, memory_order_release);
}

static void set_use(struct ak_cache_slot *slot, int64_t at_ms) {
  uint64_t sequence =
      atomic_load_explicit(&slot->use, memory_order_relaxed) >> AK_USE_SEQUENCE_SHIFT;
  atomic_store_explicit(&slot->use, ak_use_make(sequence, at_ms, 0), memory_order_release);
}

static void add_to_count(_Atomic uint64_t *counter, int change) {
  uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
  atomic_store_explicit(counter, now + (uint64_t)change, memory_order_relaxed);
}

static void clear(struct ak_cache *cache, struct ak_cache_slot *slot) {
  static const uint64_t nothing[AK_SLOT_WORDS];
  begin_slot_write(cache, slot);
  atomic_store_explicit(&slot->partial, 0, memory_order_release);
  copy_in(slot->words, nothing, AK_SLOT_WORDS);
  end_slot_write(slot);
}

static void drop_slot(struct ak_cache *cache, struct ak_cache_slot *slot) {
  clear(cache, slot);
  add_to_count(&cache->counts.keys, -1);
  add_to_count(&cache->counts.drops, 1);
}

static struct ak_cache_slot *slot_at(struct ak_cache *cache,
                                     const struct ak_cache_position *position, size_t i) {
  return &cache->slots[ak_cache_slot_at(cache, position, i)];
}

/* The candidate slot with this partial key (two keys of a bucket share one with a chance of 2^-31);
 * else an empty one; NULL: neither. */
static struct ak_cache_slot *find_slot(struct ak_cache *cache,
                                       const struct ak_cache_position *position) {
  struct ak_cache_slot *empty = NULL;
  for (size_t i = 0; i < AK_CANDIDATE_SLOTS; i++) {
    struct ak_cache_slot *slot = slot_at(cache, position, i);
    if (ak_slot_partial(slot) == position->partial)
      return slot;
    if (empty == NULL && ak_slot_partial(slot) == 0)
      empty = slot;
  }
  return empty;
}

static void copy_words(_Atomic uint64_t *to, const _Atomic uint64_t *from, size_t count) {
  for (size_t i = 0; i < count; i++)
    atomic_store_explicit(&to[i], atomic_load_explicit(&from[i], memory_order_relaxed),
                          memory_order_release);
}

static struct ak_cache_cold *cold_of(const struct ak_cache *cache,
                                     const struct ak_cache_slot *slot) {
  return &cache->cold[slot - cache->slots];
}

/* Moves an entry to an empty slot. A reader may miss it meanwhile, and then asks the store. */
static void displace(struct ak_cache *cache, struct ak_cache_slot *from, struct ak_cache_slot *to) {
  uint32_t partial = ak_slot_partial(from);
  begin_slot_write(cache, to);
  set_use(to, ak_slot_use_time(from));
  atomic_store_explicit(&to->partial, partial, memory_order_release);
  copy_words(to->words, from->words, AK_SLOT_WORDS);
  if ((ak_slot_word(from, AK_SLOT_OWNER) >> AK_SLOT_DETAILS_BIT & 1) != 0)
    copy_words(cold_of(cache, to)->words, cold_of(cache, from)->words, AK_DETAIL_WORDS);
  end_slot_write(to);
  clear(cache, from);
}

/* An empty slot in the alternate bucket of the entry in `slot`; NULL: none. */
static struct ak_cache_slot *find_free_alternate(struct ak_cache *cache,
                                                 const struct ak_cache_slot *slot) {
  uint32_t partial = ak_slot_partial(slot);
  size_t bucket = (size_t)(slot - cache->slots) / AK_BUCKET_SLOTS;
  const struct ak_cache_position other = {
      .index = ak_cache_first_slot(ak_cache_other_bucket(cache, partial, bucket), partial),
      .partial = partial};
  for (size_t i = 0; i < AK_BUCKET_SLOTS; i++)
    if (ak_slot_partial(slot_at(cache, &other, i)) == 0)
      return slot_at(cache, &other, i);
  return NULL;
}

/* Both buckets are full: displace one entry to its alternate bucket and return its slot. If none
 * can move, return the slot whose last use is longest ago, to be overwritten. */
static struct ak_cache_slot *free_a_slot(struct ak_cache *cache,
                                         const struct ak_cache_position *position) {
  struct ak_cache_slot *oldest = slot_at(cache, position, 0);
  for (size_t i = 0; i < AK_CANDIDATE_SLOTS; i++) {
    struct ak_cache_slot *slot = slot_at(cache, position, i),
                         *free_slot = find_free_alternate(cache, slot);
    if (free_slot != NULL) {
      displace(cache, slot, free_slot);
      return slot; /* empty */
    }
    if (ak_slot_use_time(slot) < ak_slot_use_time(oldest))
      oldest = slot;
  }
  return oldest;
}

static uint64_t hash_organization(const struct ak_cache *cache, const char *id, size_t length) {
  uint64_t hashed[AK_FINGERPRINT_BYTES / sizeof(uint64_t)];
  ak_fingerprint((uint8_t *)hashed, id, length, cache->secrets->fingerprint);
  return hashed[0] >> AK_SLOT_ORGANIZATION_SHIFT;
}

/* Finds or adds the permission set. If there is no room, all entries and sets are dropped first. */
static bool find_set(struct ak_cache *cache, const apikeys_record *key, uint32_t *set) {
  size_t length;
  const char *permissions = apikeys_record_text(key, AK_API_KEY_PERMISSIONS, &length);
  if (length > AK_CACHE_PERMISSIONS_MAX)
    return false;
  if (ak_cache_sets_add(cache->sets, permissions, length, set))
    return true;
  ak_cache_drop_all(cache);
  return ak_cache_sets_add(cache->sets, permissions, length, set);
}

/* False if the texts are too long. */
static bool fill_details(const apikeys_record *key, struct ak_cache_details *out) {
  size_t at = 0;
  memset(out, 0, sizeof *out);
  out->updated_at_ms = apikeys_record_integer(key, AK_API_KEY_UPDATED_AT);
  for (int i = 0; i < AK_DETAIL_TEXTS; i++) {
    size_t length;
    const char *text = apikeys_record_text(key, ak_cache_detail_fields[i], &length);
    if (length > UINT8_MAX || length + 1 > sizeof out->text - at)
      return false;
    memcpy(out->text + at, text, length);
    out->lengths[i] = (uint8_t)length;
    at += length + 1;
  }
  return true;
}

static uint64_t owner_word(const struct ak_cache *cache, const apikeys_record *key, uint32_t set,
                           bool details) {
  size_t length;
  const char *organization = apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, &length);
  uint64_t type = (uint64_t)apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE);
  return hash_organization(cache, organization, length) << AK_SLOT_ORGANIZATION_SHIFT |
         (uint64_t)set << AK_SLOT_SET_SHIFT | type << AK_SLOT_TYPE_SHIFT |
         (uint64_t)details << AK_SLOT_DETAILS_BIT;
}

void ak_cache_put(struct ak_cache *cache, const struct ak_cache_position *position,
                  const apikeys_record *key, int64_t last_used_at_ms, int64_t idle_lifetime_ms,
                  bool details) {
  struct ak_cache_details described;
  uint32_t set;
  if (!find_set(cache, key, &set))
    return;
  struct ak_cache_slot *slot = find_slot(cache, position);
  if (slot == NULL)
    slot = free_a_slot(cache, position);
  uint32_t before = ak_slot_partial(slot);
  uint64_t words[AK_SLOT_WORDS];
  details = details && fill_details(key, &described);
  memcpy(words + AK_SLOT_FINGERPRINT, position->fingerprint, AK_FINGERPRINT_BYTES);
  words[AK_SLOT_EXPIRES] = (uint64_t)apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT);
  words[AK_SLOT_CREATED] = (uint64_t)apikeys_record_integer(key, AK_API_KEY_CREATED_AT);
  words[AK_SLOT_NUMBER] = (uint64_t)apikeys_record_integer(key, AK_NUMBER);
  words[AK_SLOT_OWNER] = owner_word(cache, key, set, details);
  begin_slot_write(cache, slot);
  set_use(slot, last_used_at_ms);
  atomic_store_explicit(&slot->partial, position->partial, memory_order_release);
  copy_in(slot->words, words, AK_SLOT_WORDS);
  if (details)
    copy_in(cold_of(cache, slot)->words, &described, AK_DETAIL_WORDS);
  atomic_store_explicit(&cache->idle_lifetime_ms, idle_lifetime_ms, memory_order_release);
  end_slot_write(slot);
  add_to_count(&cache->counts.keys, before == 0);
  add_to_count(&cache->counts.fills, 1);
  add_to_count(&cache->counts.evictions, before != 0 && before != position->partial);
}

void ak_cache_drop_key(struct ak_cache *cache, const char *lookup_id) {
  struct ak_cache_position position;
  if (cache->bucket_count == 0)
    return;
  ak_cache_position_of(cache, &position, lookup_id);
  for (size_t i = 0; i < AK_CANDIDATE_SLOTS; i++)
    if (ak_slot_partial(slot_at(cache, &position, i)) == position.partial)
      drop_slot(cache, slot_at(cache, &position, i));
}

void ak_cache_drop_organization(struct ak_cache *cache, const char *organization_id,
                                size_t length) {
  if (cache->bucket_count == 0)
    return;
  uint64_t hashed = hash_organization(cache, organization_id, length);
  for (size_t i = 0; i < ak_cache_all_slots(cache); i++)
    if (ak_slot_partial(&cache->slots[i]) != 0 &&
        ak_slot_word(&cache->slots[i], AK_SLOT_OWNER) >> AK_SLOT_ORGANIZATION_SHIFT == hashed)
      drop_slot(cache, &cache->slots[i]);
}

void ak_cache_drop_all(struct ak_cache *cache) {
  if (cache->bucket_count == 0)
    return;
  for (size_t i = 0; i < ak_cache_all_slots(cache); i++)
    if (ak_slot_partial(&cache->slots[i]) != 0)
      drop_slot(cache, &cache->slots[i]);
  ak_cache_sets_clear(cache->sets);
}
