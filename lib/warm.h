/* SPDX-License-Identifier: MIT */
/*
 * The warm path: a value that was seen before is judged by what the cache has of its key, with the
 * clock, the requirement and the environment's policy of now, and without the store.
 *
 * In two steps, so that for many values the memory's latencies overlap.
 */
#ifndef AK_WARM_H
#define AK_WARM_H

#include "env.h"
#include "requirement.h"

/* One value on its way: a key that is not in the cache goes into it by these. */
struct ak_warm {
  struct ak_cache_place place;
  uint64_t generation;
  bool cacheable; /* the cache is in use, and the value is as long as one may be */
  bool current;   /* and as new as the store */
};

/* Is the cache as new as the store? Asked once for values that are looked up at once. */
void ak_warm_begin(apikeys_env *env, struct ak_warm *warm);

/* Finds the value's place, and has the processor fetch it. */
void ak_warm_locate(apikeys_env *env, struct ak_warm *warm, const char *value, size_t length,
                    bool details);

/*
 * True if the cache settles it: *rc is what the validation gives, and the key object, if there is
 * one, is filled in on 0. False: ask the store.
 */
bool ak_warm_validate(apikeys_env *env, struct ak_warm *warm, const char *value, size_t length,
                      const apikeys_requirement *requirement, const apikeys_request *request,
                      apikeys_key *key, apikeys_error *err, int *rc);

#endif
