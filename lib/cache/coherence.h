/* SPDX-License-Identifier: MIT */
/*
 * Cache coherence: a validation that starts after a change was acknowledged never uses an entry
 * from before that change.
 *
 * The store's generation moves with every change that could alter a validation, before the change
 * is acknowledged. `applied` is the generation up to which the cache has applied all changes. If
 * the two are equal, entries may be used. Otherwise one thread reads the changes from the store,
 * drops the entries they name, and then moves `applied`; other threads ask the store meanwhile.
 *
 * An entry is inserted only if `applied` is still the generation that was read before the
 * transaction that read the key: so an entry that should have been dropped is never put back.
 * tests/models/coherence.pml models this.
 */
#ifndef AK_CACHE_COHERENCE_H
#define AK_CACHE_COHERENCE_H

#include "cache/cache.h"
#include "crypto/ids.h"
#include "crypto/key_text.h"
#include "storage/storage.h"

struct ak_coherence {
  _Atomic uint64_t applied;
  _Atomic bool refreshing;
};

void ak_coherence_init(struct ak_coherence *coherence);

/*
 * Called first by every validation. False: the store cannot tell its generation, so the cache must
 * not be used at all. True: pass *generation to ak_coherence_put; if *current, entries may be used:
 * every change acknowledged before this call is applied.
 */
bool ak_coherence_check(struct ak_coherence *coherence, struct ak_cache *cache,
                        const apikeys_storage *storage, uint64_t *generation, bool *current);

/* The arguments of ak_cache_put. */
struct ak_coherence_entry {
  const struct ak_cache_position *position;
  const apikeys_record *key;
  int64_t last_used_at_ms;
  int64_t idle_lifetime_ms;
  bool details;
};

/* Insert a key that was read in a transaction which began after ak_coherence_check gave
 * `generation`. */
void ak_coherence_put(struct ak_coherence *coherence, struct ak_cache *cache, uint64_t generation,
                      const struct ak_coherence_entry *entry);

#endif
