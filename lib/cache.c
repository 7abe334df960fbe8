/* SPDX-License-Identifier: MIT */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* madvise, MAP_ANONYMOUS */
#endif
#include "cache.h"

#include "cache_sets.h"
#include "key_state.h"
#include "token.h"

#include <apikeys/error.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

enum { TAG = 0, EXPIRES = 2, CREATED = 3, NUMBER = 4, OWNER = 5 };

_Static_assert(sizeof(struct ak_cache_slot) == 64, "a slot is a cache line");

/* The word at OWNER: a hash of the organization, its set of permissions, the type, details or not. */
enum { DETAILS_BIT = 0, TYPE_SHIFT = 1, SET_SHIFT = 3, ORGANIZATION_SHIFT = 32 };
_Static_assert(SET_SHIFT + AK_CACHE_SET_BITS <= ORGANIZATION_SHIFT, "a set fits");

/* The word `use`: from the top a part of the sequence, the time, and whether it is news. */
enum { USE_NEWS = 1, USE_TIME_SHIFT = 1, USE_SEQUENCE_SHIFT = 44 };
static const uint64_t use_time_max = (UINT64_C(1) << (USE_SEQUENCE_SHIFT - USE_TIME_SHIFT)) - 1;

enum {
  WINDOW = 8, /* a key is in one of so many slots behind its place */
  DETAIL_WORDS = sizeof(struct ak_cache_details) / sizeof(uint64_t),
  HUGE_PAGE = 2 << 20
};

_Static_assert(sizeof(struct ak_cache_details) % sizeof(uint64_t) == 0, "details are whole words");

struct ak_cache_extra {
  _Atomic uint64_t words[DETAIL_WORDS]; /* an ak_cache_details */
};

struct ak_cache_secrets {
  uint8_t fingerprint[AK_FINGERPRINT_BYTES];
  uint64_t place[2];
};

/* -- Making and ending ------------------------------------------------------------------------- */

/* Zeros, which are empty slots. A fork's child finds zeros again, where the system can do that. */
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
  size_t slots = keys + keys / 4 + 1; /* four fifths full, nearly every key finds a place */
  cache->mapped = (slots + WINDOW - 1) * sizeof(struct ak_cache_slot);
  cache->mapped_extras = (slots + WINDOW - 1) * sizeof(struct ak_cache_extra);
  cache->slots = map(cache->mapped);
  cache->extras = map(cache->mapped_extras);
  cache->sets = ak_cache_sets_new();
  cache->secrets = ak_secret_alloc(sizeof *cache->secrets);
  int rc = APIKEYS_ERROR_NO_MEMORY;
  if (cache->slots != NULL && cache->extras != NULL && cache->sets != NULL &&
      cache->secrets != NULL)
    rc = draw_secrets(cache, random);
  if (rc == APIKEYS_OK)
    cache->slot_count = slots;
  return rc;
}

void ak_cache_release(struct ak_cache *cache) {
  if (cache->slots != NULL)
    munmap(cache->slots, cache->mapped);
  if (cache->extras != NULL)
    munmap(cache->extras, cache->mapped_extras);
  ak_cache_sets_free(cache->sets);
  ak_secret_free(cache->secrets);
  pthread_mutex_destroy(&cache->lock);
}

int ak_cache_renew(struct ak_cache *cache, const struct ak_random *random) {
  if (cache->slot_count == 0)
    return APIKEYS_OK;
  int rc = draw_secrets(cache, random);
  if (rc != APIKEYS_OK)
    return rc;
  /* Private pages without a file come back as zeros. */
  if (madvise(cache->slots, cache->mapped, MADV_DONTNEED) != 0)
    memset(cache->slots, 0, cache->mapped);
  if (madvise(cache->extras, cache->mapped_extras, MADV_DONTNEED) != 0)
    memset(cache->extras, 0, cache->mapped_extras);
  ak_cache_sets_clear(cache->sets);
  return APIKEYS_OK;
}

/* -- Places ------------------------------------------------------------------------------------ */

/*
 * The lookup id is public and random; under a key nobody can choose one for the place it gets.
 * Constants: splitmix64's.
 */
static uint64_t mix(const struct ak_cache_secrets *secrets, const char *lookup_id) {
  uint64_t words[2];
  memcpy(words, lookup_id, sizeof words);
  uint64_t state = (words[0] ^ secrets->place[0]) * UINT64_C(0x9e3779b97f4a7c15);
  state = (state ^ state >> 30 ^ words[1] ^ secrets->place[1]) * UINT64_C(0xbf58476d1ce4e5b9);
  state = (state ^ state >> 27) * UINT64_C(0x94d049bb133111eb);
  return state ^ state >> 31;
}

static void place_of(const struct ak_cache *cache, struct ak_cache_place *place,
                     const char *lookup_id) {
  uint64_t mixed = mix(cache->secrets, lookup_id);
  place->index = (size_t)((mixed & UINT32_MAX) * cache->slot_count >> 32);
  place->mark = (uint32_t)(mixed >> 32) | 1;
}

static void prefetch(const void *memory) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(memory);
#else
  (void)memory;
#endif
}

void ak_cache_locate(const struct ak_cache *cache, struct ak_cache_place *place,
                     const char *lookup_id, bool details) {
  place_of(cache, place, lookup_id);
  prefetch(&cache->slots[place->index]);
  prefetch(&cache->slots[place->index + 1]);
  if (!details)
    return;
  const char *first = (const char *)&cache->extras[place->index];
  prefetch(first);
  prefetch(first + 64);
}

void ak_cache_fingerprint(const struct ak_cache *cache, struct ak_cache_place *place,
                          const char *text, size_t length) {
  ak_fingerprint(place->tag, text, length, cache->secrets->fingerprint);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static inline void copy_out(void *to, const _Atomic uint64_t *words, size_t count) {
  char *bytes = to;
  for (size_t i = 0; i < count; i++) {
    uint64_t word = atomic_load_explicit(&words[i], memory_order_acquire);
    memcpy(bytes + i * sizeof word, &word, sizeof word);
  }
}

static int64_t time_of_use(uint64_t use) {
  return (int64_t)(use >> USE_TIME_SHIFT & use_time_max);
}

static void read_numbers(const struct ak_cache *cache, struct ak_cache_slot *slot,
                         const uint64_t words[6], struct ak_cached *out) {
  out->slot = slot;
  out->number = (int64_t)words[NUMBER];
  out->created_at_ms = (int64_t)words[CREATED];
  out->expires_at_ms = (int64_t)words[EXPIRES];
  out->owner_type = (int)(words[OWNER] >> TYPE_SHIFT & 3);
  out->use_seen = atomic_load_explicit(&slot->use, memory_order_relaxed);
  out->last_used_at_ms = time_of_use(out->use_seen);
  out->idle_lifetime_ms = atomic_load_explicit(&cache->idle_lifetime_ms, memory_order_acquire);
}

static size_t detail_length(const struct ak_cache_details *details) {
  size_t length = 0;
  for (int i = 0; i < AK_DETAIL_TEXTS; i++)
    length += details->lengths[i] + 1u;
  return length;
}

/* As long as the texts are; a torn copy may say anything, which then is not used. */
static void read_details(const _Atomic uint64_t *words, struct ak_cache_details *out) {
  enum { HEAD = offsetof(struct ak_cache_details, text) / sizeof(uint64_t) };
  copy_out(out, words, HEAD);
  size_t length = detail_length(out);
  if (length > sizeof out->text)
    length = sizeof out->text;
  copy_out(out->text, words + HEAD, (length + 7) / 8);
}

static bool read_slot(const struct ak_cache *cache, size_t index,
                      const struct ak_cache_place *place, bool details, struct ak_cached *out,
                      struct ak_cached_text *text) {
  struct ak_cache_slot *slot = &cache->slots[index];
  uint64_t words[6];
  uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_acquire);
  if ((sequence & 1) != 0)
    return false;
  copy_out(words, slot->words, 6);
  if (ak_secret_compare(words + TAG, place->tag, AK_FINGERPRINT_BYTES) != 0 ||
      (details && (words[OWNER] >> DETAILS_BIT & 1) == 0))
    return false;
  read_numbers(cache, slot, words, out);
  uint32_t set = (uint32_t)words[OWNER] >> SET_SHIFT;
  out->permissions_length = ak_cache_set_length(set);
  copy_out(text->permissions, ak_cache_set_words(cache->sets, set),
           (out->permissions_length + 7) / 8);
  if (details)
    read_details(cache->extras[index].words, &text->details);
  return atomic_load_explicit(&slot->sequence, memory_order_relaxed) == sequence;
}

/* Marks come from lookup ids, which are public: to look for one takes what time it takes. */
bool ak_cache_find(const struct ak_cache *cache, const struct ak_cache_place *place, bool details,
                   struct ak_cached *out, struct ak_cached_text *text) {
  for (size_t i = place->index; i < place->index + WINDOW; i++)
    if (atomic_load_explicit(&cache->slots[i].mark, memory_order_relaxed) == place->mark &&
        read_slot(cache, i, place, details, out, text))
      return true;
  return false;
}

/* -- Records from entries ---------------------------------------------------------------------- */

static const int detail_fields[AK_DETAIL_TEXTS] = {
    AK_ID,           AK_API_KEY_ORGANIZATION_ID, AK_API_KEY_USER_ID,
    AK_API_KEY_NAME, AK_API_KEY_OBFUSCATED,      AK_API_KEY_LOOKUP_ID};

int ak_cached_to_record(apikeys_record *record, const struct ak_cached *cached,
                        const struct ak_cached_text *text) {
  size_t details = detail_length(&text->details);
  char *bytes = ak_record_begin(record, details + cached->permissions_length + 1);
  if (bytes == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  memcpy(bytes, text->details.text, details);
  memcpy(bytes + details, text->permissions, cached->permissions_length);
  bytes[details + cached->permissions_length] = '\0';
  size_t at = 0;
  for (int i = 0; i < AK_DETAIL_TEXTS; i++) {
    size_t length = text->details.lengths[i];
    if (length > 0 || detail_fields[i] != AK_API_KEY_USER_ID)
      ak_record_lay(record, detail_fields[i], at, length);
    at += length + 1;
  }
  ak_record_lay(record, AK_API_KEY_PERMISSIONS, at, cached->permissions_length);
  ak_record_lay_integer(record, AK_NUMBER, cached->number);
  ak_record_lay_integer(record, AK_API_KEY_OWNER_TYPE, cached->owner_type);
  ak_record_lay_integer(record, AK_API_KEY_STATE, AK_KEY_ACTIVE);
  ak_record_lay_integer(record, AK_API_KEY_EXPIRES_AT, cached->expires_at_ms);
  ak_record_lay_integer(record, AK_API_KEY_REVOKED_AT, 0);
  ak_record_lay_integer(record, AK_API_KEY_CREATED_AT, cached->created_at_ms);
  ak_record_lay_integer(record, AK_API_KEY_UPDATED_AT, text->details.updated_at_ms);
  return APIKEYS_OK;
}

/* False if the texts are too long. */
static bool describe(const apikeys_record *key, struct ak_cache_details *out) {
  size_t at = 0;
  memset(out, 0, sizeof *out);
  out->updated_at_ms = apikeys_record_integer(key, AK_API_KEY_UPDATED_AT);
  for (int i = 0; i < AK_DETAIL_TEXTS; i++) {
    size_t length;
    const char *text = apikeys_record_text(key, detail_fields[i], &length);
    if (length > UINT8_MAX || length + 1 > sizeof out->text - at)
      return false;
    memcpy(out->text + at, text, length);
    out->lengths[i] = (uint8_t)length;
    at += length + 1;
  }
  return true;
}

/* -- Use --------------------------------------------------------------------------------------- */

static uint64_t make_use(uint64_t sequence, int64_t at_ms, uint64_t news) {
  uint64_t time = at_ms <= 0 ? 0 : (uint64_t)at_ms < use_time_max ? (uint64_t)at_ms : use_time_max;
  return sequence << USE_SEQUENCE_SHIFT | time << USE_TIME_SHIFT | news;
}

void ak_cache_use(struct ak_cache *cache, const struct ak_cached *cached, int64_t at_ms) {
  uint64_t seen = cached->use_seen, sequence = seen >> USE_SEQUENCE_SHIFT;
  while (seen >> USE_SEQUENCE_SHIFT == sequence) {
    if (at_ms / 1000 <= time_of_use(seen) / 1000)
      return;
    if (atomic_compare_exchange_weak_explicit(&cached->slot->use, &seen,
                                              make_use(sequence, at_ms, USE_NEWS),
                                              memory_order_relaxed, memory_order_relaxed))
      return;
  }
  ak_usage_record(cache->usage, cached->number, at_ms); /* the slot is another key's by now */
}

/* -- Writing ----------------------------------------------------------------------------------- */

void ak_cache_lock(struct ak_cache *cache) {
  pthread_mutex_lock(&cache->lock);
}

void ak_cache_unlock(struct ak_cache *cache) {
  pthread_mutex_unlock(&cache->lock);
}

static uint64_t word_of(const struct ak_cache_slot *slot, int word) {
  return atomic_load_explicit(&slot->words[word], memory_order_relaxed);
}

static void copy_in(_Atomic uint64_t *words, const void *from, size_t count) {
  const char *bytes = from;
  for (size_t i = 0; i < count; i++) {
    uint64_t word;
    memcpy(&word, bytes + i * sizeof word, sizeof word);
    atomic_store_explicit(&words[i], word, memory_order_release);
  }
}

/* Readers turn away; whatever a use is after this, it is not the old key's. The sequence is even
 * again at `end`. */
static void begin(struct ak_cache *cache, struct ak_cache_slot *slot) {
  uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed) + 1;
  atomic_store_explicit(&slot->sequence, sequence, memory_order_relaxed);
  uint64_t use =
      atomic_exchange_explicit(&slot->use, make_use(sequence, 0, 0), memory_order_release);
  if ((use & USE_NEWS) != 0)
    ak_usage_record(cache->usage, (int64_t)word_of(slot, NUMBER), time_of_use(use));
}

static void end(struct ak_cache_slot *slot) {
  uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed) + 1;
  atomic_store_explicit(&slot->sequence, sequence, memory_order_release);
}

static void drop(struct ak_cache *cache, struct ak_cache_slot *slot) {
  static const uint64_t nothing[6];
  begin(cache, slot);
  atomic_store_explicit(&slot->mark, 0, memory_order_release);
  copy_in(slot->words, nothing, 6);
  end(slot);
}

static uint32_t mark_of(const struct ak_cache_slot *slot) {
  return atomic_load_explicit(&slot->mark, memory_order_relaxed);
}

/* The slot with this mark, which two keys share once in 2^31; else an empty one; else that of the
 * key whose last use is longest ago. */
static size_t choose_slot(const struct ak_cache *cache, const struct ak_cache_place *place) {
  size_t chosen = place->index;
  int64_t oldest = INT64_MAX;
  for (size_t i = place->index; i < place->index + WINDOW; i++) {
    const struct ak_cache_slot *slot = &cache->slots[i];
    if (mark_of(slot) == place->mark)
      return i;
    int64_t used = mark_of(slot) == 0
                       ? -1
                       : time_of_use(atomic_load_explicit(&slot->use, memory_order_relaxed));
    if (used < oldest) {
      oldest = used;
      chosen = i;
    }
  }
  return chosen;
}

static uint64_t hash_organization(const struct ak_cache *cache, const char *id, size_t length) {
  uint64_t hashed[AK_FINGERPRINT_BYTES / sizeof(uint64_t)];
  ak_fingerprint((uint8_t *)hashed, id, length, cache->secrets->fingerprint);
  return hashed[0] >> ORGANIZATION_SHIFT;
}

/* The set of permissions; where there is no room for one more, all start anew. */
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

static uint64_t owner_word(const struct ak_cache *cache, const apikeys_record *key, uint32_t set,
                           bool details) {
  size_t length;
  const char *organization = apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, &length);
  uint64_t type = (uint64_t)apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE);
  return hash_organization(cache, organization, length) << ORGANIZATION_SHIFT |
         (uint64_t)set << SET_SHIFT | type << TYPE_SHIFT | (uint64_t)details << DETAILS_BIT;
}

void ak_cache_put(struct ak_cache *cache, const struct ak_cache_place *place,
                  const apikeys_record *key, int64_t last_used_at_ms, int64_t idle_lifetime_ms,
                  bool details) {
  struct ak_cache_details described;
  uint32_t set;
  if (!find_set(cache, key, &set))
    return;
  size_t index = choose_slot(cache, place);
  struct ak_cache_slot *slot = &cache->slots[index];
  uint64_t words[6];
  details = details && describe(key, &described);
  memcpy(words + TAG, place->tag, AK_FINGERPRINT_BYTES);
  words[EXPIRES] = (uint64_t)apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT);
  words[CREATED] = (uint64_t)apikeys_record_integer(key, AK_API_KEY_CREATED_AT);
  words[NUMBER] = (uint64_t)apikeys_record_integer(key, AK_NUMBER);
  words[OWNER] = owner_word(cache, key, set, details);
  begin(cache, slot);
  uint64_t use = atomic_load_explicit(&slot->use, memory_order_relaxed);
  atomic_store_explicit(&slot->use, make_use(use >> USE_SEQUENCE_SHIFT, last_used_at_ms, 0),
                        memory_order_release);
  atomic_store_explicit(&slot->mark, place->mark, memory_order_release);
  copy_in(slot->words, words, 6);
  if (details)
    copy_in(cache->extras[index].words, &described, DETAIL_WORDS);
  atomic_store_explicit(&cache->idle_lifetime_ms, idle_lifetime_ms, memory_order_release);
  end(slot);
}

void ak_cache_drop_key(struct ak_cache *cache, const char *lookup_id) {
  struct ak_cache_place place;
  if (cache->slot_count == 0)
    return;
  place_of(cache, &place, lookup_id);
  for (size_t i = place.index; i < place.index + WINDOW; i++)
    if (mark_of(&cache->slots[i]) == place.mark)
      drop(cache, &cache->slots[i]);
}

static size_t all_slots(const struct ak_cache *cache) {
  return cache->mapped / sizeof(struct ak_cache_slot);
}

void ak_cache_drop_organization(struct ak_cache *cache, const char *organization_id,
                                size_t length) {
  if (cache->slot_count == 0)
    return;
  uint64_t hashed = hash_organization(cache, organization_id, length);
  for (size_t i = 0; i < all_slots(cache); i++)
    if (mark_of(&cache->slots[i]) != 0 &&
        word_of(&cache->slots[i], OWNER) >> ORGANIZATION_SHIFT == hashed)
      drop(cache, &cache->slots[i]);
}

void ak_cache_drop_all(struct ak_cache *cache) {
  if (cache->slot_count == 0)
    return;
  for (size_t i = 0; i < all_slots(cache); i++)
    if (mark_of(&cache->slots[i]) != 0)
      drop(cache, &cache->slots[i]);
  ak_cache_sets_clear(cache->sets);
}

/* -- Handing over uses ------------------------------------------------------------------------- */

static int64_t use_in_slots(const struct ak_cache *cache, const char *lookup_id, int64_t number) {
  struct ak_cache_place place;
  int64_t last = 0;
  place_of(cache, &place, lookup_id);
  for (size_t i = place.index; i < place.index + WINDOW; i++) {
    const struct ak_cache_slot *slot = &cache->slots[i];
    int64_t used = time_of_use(atomic_load_explicit(&slot->use, memory_order_relaxed));
    if (mark_of(slot) == place.mark && word_of(slot, NUMBER) == (uint64_t)number && used > last)
      last = used;
  }
  return last;
}

int64_t ak_cache_last_use(struct ak_cache *cache, const apikeys_record *key) {
  size_t length;
  const char *lookup_id = apikeys_record_text(key, AK_API_KEY_LOOKUP_ID, &length);
  int64_t number = apikeys_record_integer(key, AK_NUMBER), last = 0;
  ak_cache_lock(cache); /* or a use that is on its way to `usage` might be missed */
  int64_t remembered = ak_usage_last(cache->usage, number);
  if (cache->slot_count > 0 && length == AK_LOOKUP_ID_LENGTH)
    last = use_in_slots(cache, lookup_id, number);
  ak_cache_unlock(cache);
  return remembered > last ? remembered : last;
}

/* Remembered first, then no longer news: a use is never in neither place. */
static void hand_over(struct ak_cache *cache, struct ak_cache_slot *slot) {
  uint64_t use = atomic_load_explicit(&slot->use, memory_order_relaxed);
  if ((use & USE_NEWS) == 0 ||
      !ak_usage_record(cache->usage, (int64_t)word_of(slot, NUMBER), time_of_use(use)))
    return;
  atomic_compare_exchange_strong_explicit(&slot->use, &use, use & ~(uint64_t)USE_NEWS,
                                          memory_order_relaxed, memory_order_relaxed);
}

bool ak_cache_hand_over_uses(struct ak_cache *cache, size_t *at) {
  enum { AT_ONCE = 4096 }; /* slots: fills wait no longer than that takes */
  while (*at < all_slots(cache) && !ak_usage_full(cache->usage)) {
    ak_cache_lock(cache);
    for (size_t end_at = *at + AT_ONCE; *at < end_at && *at < all_slots(cache); ++*at)
      hand_over(cache, &cache->slots[*at]);
    ak_cache_unlock(cache);
  }
  return *at < all_slots(cache);
}
