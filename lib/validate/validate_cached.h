/* SPDX-License-Identifier: MIT */
/*
 * The warm path: a value that was seen before is judged by what the cache has of its key, with the
 * clock, the requirement and the environment's policy of now, and without the store.
 *
 * In two steps, so that for many values the memory's latencies overlap.
 */
#ifndef AK_VALIDATE_VALIDATE_CACHED_H
#define AK_VALIDATE_VALIDATE_CACHED_H

#include "operation/env_handle.h"
#include "validate/requirement.h"

/* One value on its way: a key that is not in the cache goes into it by these. */
struct ak_cached_check {
  struct ak_cache_position position;
  bool located; /* the cache is in use, and the value is as long as one may be */
  uint64_t generation;
  bool coherent; /* the store tells its generation */
  bool current;  /* and the cache is as new */
};

/* Finds the value's place, and has the processor fetch it. */
void ak_cached_locate(apikeys_env *env, struct ak_cached_check *check, const char *value,
                      size_t length, bool details);

/* Is the cache as new as the store? Asked once for values that are looked up at once; best behind
 * ak_cached_locate, whose fetching takes longer. */
void ak_cached_ask_generation(apikeys_env *env, struct ak_cached_check *check);

/* May a key that the store was asked for go into the cache? */
static inline bool ak_cached_usable(const struct ak_cached_check *check) {
  return check->located && check->coherent;
}

/*
 * True if the cache settles it: *rc is what the validation gives, and the key object, if there is
 * one, is filled in on 0. False: ask the store.
 */
bool ak_validate_cached(apikeys_env *env, struct ak_cached_check *check, const char *value,
                        size_t length, const apikeys_requirement *requirement,
                        const apikeys_request *request, apikeys_key *key, apikeys_error *err,
                        int *rc);

#endif
