/* SPDX-License-Identifier: MIT */
/* Lookups in the cache: positions, lock-free reads of slots, and records made from entries. */
#include "cache/cache_slot.h"

#include "cache/cache_sets.h"
#include "crypto/key_text.h"
#include "storage/key_state.h"

/* -- Positions --------------------------------------------------------------------------------- */

/*
 * A keyed mix of the lookup id, which is public and random: without the key nobody can choose
 * lookup ids that fall into one bucket. Constants: splitmix64's.
 */
static uint64_t mix_lookup_id(const struct ak_cache_secrets *secrets, const char *lookup_id) {
  uint64_t words[2];
  memcpy(words, lookup_id, sizeof words);
  uint64_t state = (words[0] ^ secrets->position[0]) * UINT64_C(0x9e3779b97f4a7c15);
  state = (state ^ state >> 30 ^ words[1] ^ secrets->position[1]) * UINT64_C(0xbf58476d1ce4e5b9);
  state = (state ^ state >> 27) * UINT64_C(0x94d049bb133111eb);
  return state ^ state >> 31;
}

void ak_cache_position_of(const struct ak_cache *cache, struct ak_cache_position *position,
                          const char *lookup_id) {
  uint64_t mixed = mix_lookup_id(cache->secrets, lookup_id);
  uint32_t partial = (uint32_t)(mixed >> 32);
  size_t bucket = (size_t)((mixed & UINT32_MAX) * cache->bucket_count >> 32);
  position->partial = partial | 1;
  position->index = ak_cache_first_slot(bucket, position->partial);
}

static void prefetch(const void *memory) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(memory);
#else
  (void)memory;
#endif
}

void ak_cache_locate(const struct ak_cache *cache, struct ak_cache_position *position,
                     const char *lookup_id, bool details) {
  ak_cache_position_of(cache, position, lookup_id);
  prefetch(&cache->slots[position->index]);
  if (!details)
    return;
  const char *first = (const char *)&cache->cold[position->index];
  prefetch(first);
  prefetch(first + 64);
}

void ak_cache_fingerprint(const struct ak_cache *cache, struct ak_cache_position *position,
                          const char *text, size_t length) {
  ak_fingerprint(position->fingerprint, text, length, cache->secrets->fingerprint);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static inline void copy_out(void *to, const _Atomic uint64_t *words, size_t count) {
  char *bytes = to;
  for (size_t i = 0; i < count; i++) {
    uint64_t word = atomic_load_explicit(&words[i], memory_order_acquire);
    memcpy(bytes + i * sizeof word, &word, sizeof word);
  }
}

static inline uint64_t read_word(const struct ak_cache_slot *slot, int word) {
  return atomic_load_explicit(&slot->words[word], memory_order_acquire);
}

static inline void read_numbers(const struct ak_cache *cache, struct ak_cache_slot *slot,
                                uint64_t owner, struct ak_cached *out) {
  out->slot = slot;
  out->number = (int64_t)read_word(slot, AK_SLOT_NUMBER);
  out->created_at_ms = (int64_t)read_word(slot, AK_SLOT_CREATED);
  out->expires_at_ms = (int64_t)read_word(slot, AK_SLOT_EXPIRES);
  out->owner_type = (int)(owner >> AK_SLOT_TYPE_SHIFT & 3);
  out->use_seen = atomic_load_explicit(&slot->use, memory_order_relaxed);
  out->last_used_at_ms = ak_use_time(out->use_seen);
  out->idle_lifetime_ms = atomic_load_explicit(&cache->idle_lifetime_ms, memory_order_acquire);
}

static size_t detail_length(const struct ak_cache_details *details) {
  size_t length = 0;
  for (int i = 0; i < AK_DETAIL_TEXTS; i++)
    length += details->lengths[i] + 1u;
  return length;
}

/* Copies only as much as the lengths say. A torn copy may hold any lengths: they are bounded here,
 * and the sequence check discards the copy. */
static void read_details(const _Atomic uint64_t *words, struct ak_cache_details *out) {
  enum { HEAD = offsetof(struct ak_cache_details, text) / sizeof(uint64_t) };
  copy_out(out, words, HEAD);
  size_t length = detail_length(out);
  if (length > sizeof out->text)
    length = sizeof out->text;
  copy_out(out->text, words + HEAD, (length + 7) / 8);
}

static void read_cached_permissions(const struct ak_cache *cache, uint32_t set, bool details,
                                    const struct ak_set_memo *known, struct ak_cached *out,
                                    struct ak_cached_text *text) {
  out->set_id = ak_cache_set_id(cache->sets, set);
  out->known = known != NULL && ak_set_memo_has(known, out->set_id);
  out->permissions_length = out->known && !details ? 0 : ak_cache_set_length(set);
  if (out->permissions_length > 0)
    copy_out(text->permissions, ak_cache_set_words(cache->sets, set),
             (out->permissions_length + 7) / 8);
}

/* Reads word by word in place: copying the slot first would stall on the copy's stores. */
static bool read_slot(const struct ak_cache *cache, size_t index,
                      const struct ak_cache_position *position, bool details,
                      const struct ak_set_memo *known, struct ak_cached *out,
                      struct ak_cached_text *text) {
  struct ak_cache_slot *slot = &cache->slots[index];
  uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_acquire);
  const uint64_t fingerprint[2] = {read_word(slot, AK_SLOT_FINGERPRINT),
                                   read_word(slot, AK_SLOT_FINGERPRINT + 1)};
  uint64_t owner = read_word(slot, AK_SLOT_OWNER);
  if ((sequence & 1) != 0 || ak_fingerprint_compare(fingerprint, position->fingerprint) != 0 ||
      (details && (owner >> AK_SLOT_DETAILS_BIT & 1) == 0))
    return false;
  read_numbers(cache, slot, owner, out);
  read_cached_permissions(cache, (uint32_t)owner >> AK_SLOT_SET_SHIFT, details, known, out, text);
  if (details)
    read_details(cache->cold[index].words, &text->details);
  return atomic_load_explicit(&slot->sequence, memory_order_relaxed) == sequence;
}

/* Partial keys derive from the public lookup id, so this comparison need not be constant-time. The
 * fingerprint's comparison is. */
bool ak_cache_find(const struct ak_cache *cache, const struct ak_cache_position *position,
                   bool details, const struct ak_set_memo *known, struct ak_cached *out,
                   struct ak_cached_text *text) {
  for (size_t i = 0; i < AK_CANDIDATE_SLOTS; i++) {
    size_t at = ak_cache_slot_at(cache, position, i);
    if (atomic_load_explicit(&cache->slots[at].partial, memory_order_relaxed) ==
            position->partial &&
        read_slot(cache, at, position, details, known, out, text))
      return true;
  }
  return false;
}

/* -- Records from entries ---------------------------------------------------------------------- */

const int ak_cache_detail_fields[AK_DETAIL_TEXTS] = {
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
    if (length > 0 || ak_cache_detail_fields[i] != AK_API_KEY_USER_ID)
      ak_record_lay(record, ak_cache_detail_fields[i], APIKEYS_TYPE_TEXT, at, length);
    at += length + 1;
  }
  ak_record_lay(record, AK_API_KEY_PERMISSIONS, APIKEYS_TYPE_TEXT, at, cached->permissions_length);
  ak_record_lay_integer(record, AK_NUMBER, cached->number);
  ak_record_lay_integer(record, AK_API_KEY_OWNER_TYPE, cached->owner_type);
  ak_record_lay_integer(record, AK_API_KEY_STATE, AK_KEY_ACTIVE);
  ak_record_lay_integer(record, AK_API_KEY_EXPIRES_AT, cached->expires_at_ms);
  ak_record_lay_integer(record, AK_API_KEY_REVOKED_AT, 0);
  ak_record_lay_integer(record, AK_API_KEY_CREATED_AT, cached->created_at_ms);
  ak_record_lay_integer(record, AK_API_KEY_UPDATED_AT, text->details.updated_at_ms);
  return APIKEYS_OK;
}
