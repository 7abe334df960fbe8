/* SPDX-License-Identifier: MIT */
/*
 * Keeps the cache as new as the store: a validation that starts after a change was acknowledged
 * never finds what was before it.
 *
 * The store's generation moves with every change that could alter a validation, before the change
 * is acknowledged. `applied` is the generation whose changes, and all before, the cache has taken
 * in. Who finds the two equal may use what he finds; else one thread has the store tell what
 * changed, drops that, and only then moves `applied`; the others ask the store meanwhile. What is
 * read from the store is put into the cache under the generation that was read before the
 * transaction began, and only while `applied` still is that generation: an entry that somebody
 * should already have dropped is never put back. tests/models/coherence.pml is a model of this.
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
 * Asked first by every validation. False: the store cannot say how new it is, so nothing may be
 * taken from the cache or put into it. Else *generation is for ak_coherence_put, and *current says
 * whether the cache may be used: it is as new as every change acknowledged before this call.
 */
bool ak_coherence_check(struct ak_coherence *coherence, struct ak_cache *cache,
                        const apikeys_storage *storage, uint64_t *generation, bool *current);

/* What ak_cache_put needs. */
struct ak_coherence_entry {
  const struct ak_cache_place *place;
  const apikeys_record *key;
  int64_t last_used_at_ms;
  int64_t idle_lifetime_ms;
  bool details;
};

/* Put what was read in a transaction that began after *generation was given. */
void ak_coherence_put(struct ak_coherence *coherence, struct ak_cache *cache, uint64_t generation,
                      const struct ak_coherence_entry *entry);

#endif
