/* SPDX-License-Identifier: MIT */
/* Use times in cache slots: recording, reading, and moving them to the table of unsaved uses. */
#include "cache/cache_slot.h"

#include "crypto/key_text.h"

/* -- Use --------------------------------------------------------------------------------------- */

void ak_cache_use(struct ak_cache *cache, const struct ak_cached *cached, int64_t at_ms) {
  uint64_t seen = cached->use_seen, sequence = seen >> AK_USE_SEQUENCE_SHIFT;
  while (seen >> AK_USE_SEQUENCE_SHIFT == sequence) {
    if (at_ms / 1000 <= ak_use_time(seen) / 1000)
      return;
    if (atomic_compare_exchange_weak_explicit(&cached->slot->use, &seen,
                                              ak_use_make(sequence, at_ms, AK_USE_DIRTY),
                                              memory_order_relaxed, memory_order_relaxed))
      return;
  }
  ak_usage_record(cache->usage, cached->number, at_ms); /* the slot holds another key now */
}

/* -- Moving uses ------------------------------------------------------------------------- */

static int64_t use_in_slots(const struct ak_cache *cache, const char *lookup_id, int64_t number) {
  struct ak_cache_position position;
  int64_t last = 0;
  ak_cache_position_of(cache, &position, lookup_id);
  for (size_t i = 0; i < AK_CANDIDATE_SLOTS; i++) {
    const struct ak_cache_slot *slot = &cache->slots[ak_cache_slot_at(cache, &position, i)];
    int64_t used = ak_slot_use_time(slot);
    if (ak_slot_partial(slot) == position.partial &&
        ak_slot_word(slot, AK_SLOT_NUMBER) == (uint64_t)number && used > last)
      last = used;
  }
  return last;
}

int64_t ak_cache_last_use(struct ak_cache *cache, const apikeys_record *key) {
  size_t length;
  const char *lookup_id = apikeys_record_text(key, AK_API_KEY_LOOKUP_ID, &length);
  int64_t number = apikeys_record_integer(key, AK_NUMBER), last = 0;
  ak_cache_lock(cache); /* else a use that is being moved to `usage` could be missed */
  int64_t remembered = ak_usage_last(cache->usage, number);
  if (cache->bucket_count > 0 && length == AK_LOOKUP_ID_LENGTH)
    last = use_in_slots(cache, lookup_id, number);
  ak_cache_unlock(cache);
  return remembered > last ? remembered : last;
}

/* Adds it to `usage` before it clears the dirty bit: a use is always in at least one of the two. */
static void hand_over(struct ak_cache *cache, struct ak_cache_slot *slot) {
  uint64_t use = atomic_load_explicit(&slot->use, memory_order_relaxed);
  if ((use & AK_USE_DIRTY) == 0 ||
      !ak_usage_record(cache->usage, (int64_t)ak_slot_word(slot, AK_SLOT_NUMBER), ak_use_time(use)))
    return;
  atomic_compare_exchange_strong_explicit(&slot->use, &use, use & ~(uint64_t)AK_USE_DIRTY,
                                          memory_order_relaxed, memory_order_relaxed);
}

bool ak_cache_hand_over_uses(struct ak_cache *cache, size_t *at) {
  enum { AT_ONCE = 4096 }; /* slots per lock, so that insertions wait only briefly */
  while (*at < ak_cache_all_slots(cache) && !ak_usage_full(cache->usage)) {
    ak_cache_lock(cache);
    for (size_t end_at = *at + AT_ONCE; *at < end_at && *at < ak_cache_all_slots(cache); ++*at)
      hand_over(cache, &cache->slots[*at]);
    ak_cache_unlock(cache);
  }
  return *at < ak_cache_all_slots(cache);
}
