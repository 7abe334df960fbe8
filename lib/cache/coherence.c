/* SPDX-License-Identifier: MIT */
/* Keeps the cache coherent with the store: see coherence.h for the protocol. */
#include "cache/coherence.h"

#include <apikeys/error.h>

#ifdef AK_TEST_PUT_UNCHECKED
#include <sched.h>
#endif
#include <string.h>

/* A generation that no store has: nothing was applied yet. */
static const uint64_t nothing_applied = UINT64_MAX;

enum { CHANGES_MAX = 512 }; /* with more, the whole cache is dropped */

void ak_coherence_init(struct ak_coherence *coherence) {
  atomic_store(&coherence->applied, nothing_applied);
  atomic_store(&coherence->refreshing, false);
}

/* -- Applying changes -------------------------------------------------------------------- */

struct coherence_change {
  int kind;
  uint8_t length;
  char identity[AK_ID_MAX];
};

struct coherence_changes {
  size_t count;
  struct coherence_change list[CHANGES_MAX];
};

/* Only collects: entries are dropped after the slot returned, because no lock is held around a
 * slot. */
static int note_change(int kind, const char *identity, size_t length, void *visit_data) {
  struct coherence_changes *changes = visit_data;
  struct coherence_change *change = &changes->list[changes->count];
  if (changes->count == CHANGES_MAX || length > sizeof change->identity)
    return APIKEYS_ERROR_UNSUPPORTED;
  change->kind = kind;
  change->length = (uint8_t)length;
  if (length > 0)
    memcpy(change->identity, identity, length);
  changes->count++;
  return APIKEYS_OK;
}

static void drop_changed(struct ak_cache *cache, const struct coherence_change *change) {
  switch (change->kind) {
  case AK_API_KEY:
    if (change->length == AK_LOOKUP_ID_LENGTH)
      ak_cache_drop_key(cache, change->identity);
    return;
  case AK_ORGANIZATION:
  case AK_MEMBER:
    ak_cache_drop_organization(cache, change->identity, change->length);
    return;
  case AK_ROLE:
    if (change->length > 0)
      ak_cache_drop_organization(cache, change->identity, change->length);
    else
      ak_cache_drop_all(cache);
    return;
  default:
    ak_cache_drop_all(cache);
  }
}

/*
 * Collects the changes after `since`, in a transaction that begins after the generation to be
 * applied was read. APIKEYS_ERROR_UNSUPPORTED: the store does not know them all; anything may have
 * changed.
 */
static int coherence_collect(const apikeys_storage *storage, uint64_t since,
                             struct coherence_changes *changes) {
  struct ak_transaction transaction;
  int rc = ak_begin(&transaction, storage, APIKEYS_TRANSACTION_READ);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_changes(&transaction, since, note_change, changes);
  if (rc == APIKEYS_OK)
    return ak_commit(&transaction);
  ak_rollback(&transaction);
  return rc;
}

static bool apply_changes(struct ak_coherence *coherence, struct ak_cache *cache,
                          const apikeys_storage *storage, uint64_t generation) {
  uint64_t since = atomic_load_explicit(&coherence->applied, memory_order_relaxed);
  struct coherence_changes changes;
  changes.count = 0;
  int rc = since == nothing_applied ? APIKEYS_ERROR_UNSUPPORTED
                                    : coherence_collect(storage, since, &changes);
  if (rc != APIKEYS_OK && rc != APIKEYS_ERROR_UNSUPPORTED)
    return false;
  ak_cache_lock(cache);
  if (rc != APIKEYS_OK)
    ak_cache_drop_all(cache);
  for (size_t i = 0; rc == APIKEYS_OK && i < changes.count; i++)
    drop_changed(cache, &changes.list[i]);
  atomic_store_explicit(&coherence->applied, generation, memory_order_release);
  ak_cache_unlock(cache);
  return true;
}

/* One thread at a time. Reads the generation again: another thread may have applied a newer one
 * since. */
static bool coherence_refresh(struct ak_coherence *coherence, struct ak_cache *cache,
                              const apikeys_storage *storage, uint64_t *generation) {
  if (atomic_exchange_explicit(&coherence->refreshing, true, memory_order_acquire))
    return false;
  bool current = ak_generation(storage, generation) == APIKEYS_OK;
  if (current && *generation != atomic_load(&coherence->applied))
    current = apply_changes(coherence, cache, storage, *generation);
  atomic_store_explicit(&coherence->refreshing, false, memory_order_release);
  return current;
}

bool ak_coherence_check(struct ak_coherence *coherence, struct ak_cache *cache,
                        const apikeys_storage *storage, uint64_t *generation, bool *current) {
  *current = false;
  if (cache->bucket_count == 0 || ak_generation(storage, generation) != APIKEYS_OK ||
      *generation == nothing_applied)
    return false;
  *current = atomic_load_explicit(&coherence->applied, memory_order_acquire) == *generation ||
             coherence_refresh(coherence, cache, storage, generation);
  return true;
}

/* -- Inserting --------------------------------------------------------------------------------- */

/* Inserts only if no change was applied since the read began. The lock covers both the comparison
 * and the insertion. */
void ak_coherence_put(struct ak_coherence *coherence, struct ak_cache *cache, uint64_t generation,
                      const struct ak_coherence_entry *entry) {
#ifdef AK_TEST_PUT_UNCHECKED
  sched_yield();
#endif
  ak_cache_lock(cache);
#ifdef AK_TEST_PUT_UNCHECKED /* a planted mistake that tests/processes/test_history.c must find */
  generation = atomic_load(&coherence->applied);
#endif
  if (atomic_load_explicit(&coherence->applied, memory_order_relaxed) == generation)
    ak_cache_put(cache, entry->position, entry->key, entry->last_used_at_ms,
                 entry->idle_lifetime_ms, entry->details);
  ak_cache_unlock(cache);
}
