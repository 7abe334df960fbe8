/* SPDX-License-Identifier: MIT */
/* The policy cache: one policy, and a direct-mapped table of organizations. */
#include "cache/policy_cache.h"

#include <string.h>

void ak_policy_cache_init(struct ak_policy_cache *cache) {
  memset(cache, 0, sizeof *cache);
  pthread_mutex_init(&cache->lock, NULL);
}

void ak_policy_cache_release(struct ak_policy_cache *cache) {
  pthread_mutex_destroy(&cache->lock);
}

void ak_policy_cache_clear(struct ak_policy_cache *cache) {
  pthread_mutex_lock(&cache->lock);
  cache->has_policy = false;
  memset(cache->organizations, 0, sizeof cache->organizations);
  pthread_mutex_unlock(&cache->lock);
}

/* Copies only the used part of the prefix buffer. */
static void copy_policy(struct ak_policy *to, const struct ak_policy *from) {
  to->idle_lifetime_ms = from->idle_lifetime_ms;
  to->prefixes_length = from->prefixes_length;
  memcpy(to->accepted_prefixes, from->accepted_prefixes, from->prefixes_length + 1);
}

bool ak_policy_cache_get(struct ak_policy_cache *cache, uint64_t generation,
                         struct ak_policy *out) {
  pthread_mutex_lock(&cache->lock);
  bool known = cache->has_policy && cache->policy_generation == generation;
  if (known)
    copy_policy(out, &cache->policy);
  pthread_mutex_unlock(&cache->lock);
  return known;
}

void ak_policy_cache_put(struct ak_policy_cache *cache, uint64_t generation,
                         const struct ak_policy *policy) {
  pthread_mutex_lock(&cache->lock);
  cache->has_policy = true;
  cache->policy_generation = generation;
  copy_policy(&cache->policy, policy);
  pthread_mutex_unlock(&cache->lock);
}

/* Direct-mapped: a newer id replaces an older one. FNV-1a; ids are random. */
static struct ak_policy_cache_organization *policy_cache_slot_of(struct ak_policy_cache *cache,
                                                                 const char *id) {
  uint32_t state = 2166136261u;
  for (; *id != '\0'; id++)
    state = (state ^ (unsigned char)*id) * 16777619u;
  return &cache->organizations[(state ^ state >> 16) % AK_POLICY_CACHE_ORGANIZATIONS];
}

bool ak_policy_cache_organization(struct ak_policy_cache *cache, uint64_t generation,
                                  const char *id) {
  struct ak_policy_cache_organization *slot = policy_cache_slot_of(cache, id);
  pthread_mutex_lock(&cache->lock);
  bool known = slot->id[0] != '\0' && slot->generation == generation && strcmp(slot->id, id) == 0;
  pthread_mutex_unlock(&cache->lock);
  return known;
}

void ak_policy_cache_put_organization(struct ak_policy_cache *cache, uint64_t generation,
                                      const char *id) {
  struct ak_policy_cache_organization *slot = policy_cache_slot_of(cache, id);
  size_t length = strlen(id);
  if (length >= sizeof slot->id)
    return;
  pthread_mutex_lock(&cache->lock);
  slot->generation = generation;
  memcpy(slot->id, id, length + 1);
  pthread_mutex_unlock(&cache->lock);
}
