/* SPDX-License-Identifier: MIT */
/*
 * The policy cache: what every validation in the store reads besides the key, which is the
 * environment's policy and whether an organization exists.
 *
 * Entries carry the generation at which they were read and are ignored at any other, so nothing has
 * to be dropped. If you combine an entry with your own reads, check the generation again
 * afterwards; if it changed, read everything anew.
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

/* The settings of the environment that concern every key. */
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

/* True: cached at this generation. */
bool ak_policy_cache_get(struct ak_policy_cache *cache, uint64_t generation, struct ak_policy *out);
bool ak_policy_cache_organization(struct ak_policy_cache *cache, uint64_t generation,
                                  const char *id);

/* Store what was read in a transaction that began after `generation` was read. */
void ak_policy_cache_put(struct ak_policy_cache *cache, uint64_t generation,
                         const struct ak_policy *policy);
void ak_policy_cache_put_organization(struct ak_policy_cache *cache, uint64_t generation,
                                      const char *id);

#endif
