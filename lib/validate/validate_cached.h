/* SPDX-License-Identifier: MIT */
/*
 * The fast path of validation: a value that was validated before is checked against its cache
 * entry, the current time, the requirement and the environment's policy, without the store.
 *
 * Locating an entry and reading it are two steps, so that for many values memory latencies overlap.
 */
#ifndef AK_VALIDATE_VALIDATE_CACHED_H
#define AK_VALIDATE_VALIDATE_CACHED_H

#include "operation/env_handle.h"
#include "validate/requirement.h"

/* One value: where its entry is, and under which generation it may be inserted after a miss. */
struct ak_cached_check {
  struct ak_cache_position position;
  bool located; /* the cache is on, and the value has a possible length */
  uint64_t generation;
  bool coherent; /* the store tells its generation */
  bool current;  /* and the cache has applied all changes up to it */
};

/* Compute the position of the value's entry and prefetch it. */
void ak_cached_locate(apikeys_env *env, struct ak_cached_check *check, const char *value,
                      size_t length, bool details);

/* Ask whether the cache is coherent, once for all values that are looked up together. Best called
 * after ak_cached_locate, while the prefetch is under way. */
void ak_cached_ask_generation(apikeys_env *env, struct ak_cached_check *check);

/* True if the cache can be used for this value at all: read, and inserted into after a miss. */
static inline bool ak_cached_usable(const struct ak_cached_check *check) {
  return check->located && check->coherent;
}

/*
 * Returns true on a hit: *rc is the result of the validation, and on 0 the key object, if any, is
 * filled. False: ask the store.
 */
bool ak_validate_cached(apikeys_env *env, struct ak_cached_check *check, const char *value,
                        size_t length, const apikeys_requirement *requirement,
                        const apikeys_request *request, apikeys_key *key, apikeys_error *err,
                        int *rc);

#endif
