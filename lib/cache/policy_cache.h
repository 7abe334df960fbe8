/* SPDX-License-Identifier: MIT */
/*
 * What validations read of the store over and over, beside the key itself: the environment's
 * policy, and that an organization is there. Remembered under the generation that was read before
 * it was, and known only as long as the store is at that generation: nothing has to be dropped.
 *
 * Who uses any of it with what he reads himself asks for the generation once more behind that; if
 * it has moved, the two may be of different states of the store, and he reads all of it.
 */
#ifndef AK_CACHE_POLICY_CACHE_H
#define AK_CACHE_POLICY_CACHE_H

#include "crypto/ids.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  AK_POLICY_PREFIXES_MAX = 2048, /* bytes, of at most 64 prefixes and the current one */
  AK_POLICY_CACHE_ORGANIZATIONS = 1024
};

/* What the environment's record says about every key. */
struct ak_policy {
  int64_t idle_lifetime_ms;
  size_t prefixes_length;
  char accepted_prefixes[AK_POLICY_PREFIXES_MAX + 1];
};

struct ak_policy_cache_organization {
  uint64_t generation;
  char id[AK_ID_MAX];
};

struct ak_policy_cache {
  pthread_mutex_t lock;
  bool has_policy;
  uint64_t policy_generation;
  struct ak_policy policy;
  struct ak_policy_cache_organization organizations[AK_POLICY_CACHE_ORGANIZATIONS];
};

void ak_policy_cache_init(struct ak_policy_cache *cache);
void ak_policy_cache_release(struct ak_policy_cache *cache);
void ak_policy_cache_clear(struct ak_policy_cache *cache);

/* True if it is known as of this generation. */
bool ak_policy_cache_get(struct ak_policy_cache *cache, uint64_t generation, struct ak_policy *out);
bool ak_policy_cache_organization(struct ak_policy_cache *cache, uint64_t generation,
                                  const char *id);

/* It was read in a transaction that began after this generation was given. */
void ak_policy_cache_put(struct ak_policy_cache *cache, uint64_t generation,
                         const struct ak_policy *policy);
void ak_policy_cache_put_organization(struct ak_policy_cache *cache, uint64_t generation,
                                      const char *id);

#endif
