/* SPDX-License-Identifier: MIT */
/* The fast path of validation: answers from the cache without the store. */
#include "validate/validate_cached.h"

#include "base/arithmetic.h"
#include "base/compiler.h"
#include "crypto/key_text.h"
#include "objects/object.h"
#include "objects/request.h"
#include "storage/key_state.h"

void ak_cached_locate(apikeys_env *env, struct ak_cached_check *check, const char *value,
                      size_t length, bool details) {
  check->located =
      env->cache.bucket_count > 0 && length >= AK_KEY_TEXT_MIN && length <= AK_KEY_TEXT_MAX;
  if (check->located)
    ak_cache_locate(&env->cache, &check->position, value + length - AK_BODY_LENGTH, details);
}

void ak_cached_ask_generation(apikeys_env *env, struct ak_cached_check *check) {
  check->coherent = ak_coherence_check(&env->coherence, &env->cache, &env->storage,
                                       &check->generation, &check->current);
}

/* A key about to expire is judged by the exact clock, the others by one that is quicker to read. */
static int64_t now_for(const apikeys_env *env, const apikeys_request *request,
                       const struct ak_cached *cached) {
  if (request != NULL && request->time_ms > 0)
    return request->time_ms;
  int64_t now_ms = ak_now_roughly_ms(&env->options);
  return cached->expires_at_ms != 0 &&
                 ak_difference(cached->expires_at_ms, now_ms) < 2 * AK_ROUGH_MS
             ? ak_now_ms(&env->options)
             : now_ms;
}

/*
 * False: it may be idle for too long. That another process has used it since is for the store to
 * say, so it is not refused here.
 */
static bool is_in_use(const apikeys_env *env, const struct ak_cached *cached, int64_t now_ms) {
  return cached->idle_lifetime_ms <= 0 || cached->owner_type == APIKEYS_OWNER_ENVIRONMENT ||
         !ak_may_have_passed(
             &env->passed_times, AK_DEADLINE_IDLE,
             ak_idle_at(cached->created_at_ms, cached->last_used_at_ms, cached->idle_lifetime_ms),
             now_ms);
}

static int cached_fill(apikeys_key *key, const struct ak_cached *cached,
                       const struct ak_cached_text *text) {
  int rc = ak_cached_to_record(&key->object.record, cached, text);
  if (rc != APIKEYS_OK)
    return rc;
  ak_object_mark_saved(&key->object);
  key->last_used_at = cached->last_used_at_ms;
  key->value_replaced = false;
  return APIKEYS_OK;
}

/* What a set of permissions holds does not change: against a requirement it is held only once. */
static int require(const struct ak_cached *cached, const struct ak_cached_text *text,
                   const apikeys_requirement *requirement, apikeys_error *err) {
  int rc = ak_require_owner(cached->owner_type, requirement);
  if (rc != APIKEYS_OK || requirement == NULL || cached->known)
    return rc;
  rc = ak_require_permissions(text->permissions, cached->permissions_length, requirement, err);
  if (rc == APIKEYS_OK)
    ak_set_memo_add(&requirement->notes->satisfied_by, cached->set_id);
  return rc;
}

/* The quick clock may be behind the key's creation. */
static int64_t time_of_use(const struct ak_cached *cached, const apikeys_request *request,
                           int64_t now_ms) {
  bool own_time = request != NULL && request->time_ms > 0;
  return own_time || now_ms > cached->created_at_ms ? now_ms : cached->created_at_ms;
}

bool ak_validate_cached(apikeys_env *env, struct ak_cached_check *check, const char *value,
                        size_t length, const apikeys_requirement *requirement,
                        const apikeys_request *request, apikeys_key *key, apikeys_error *err,
                        int *rc) {
  struct ak_cached cached;
  struct ak_cached_text text AK_UNINITIALIZED;
  if (!ak_cached_usable(check))
    return false;
  ak_cache_fingerprint(&env->cache, &check->position, value, length);
  const struct ak_set_memo *known = requirement != NULL ? &requirement->notes->satisfied_by : NULL;
  if (!check->current ||
      !ak_cache_find(&env->cache, &check->position, key != NULL, known, &cached, &text))
    return false;
  int64_t now_ms = now_for(env, request, &cached);
  if (!is_in_use(env, &cached, now_ms))
    return false;
  if (ak_passed(&env->passed_times, ak_deadline_of_owner(cached.owner_type), cached.expires_at_ms,
                now_ms, request != NULL && request->time_ms > 0))
    *rc = APIKEYS_EXPIRED;
  else
    *rc = require(&cached, &text, requirement, err);
  if (*rc == APIKEYS_OK && key != NULL)
    *rc = cached_fill(key, &cached, &text);
  if (*rc == APIKEYS_OK)
    ak_cache_use(&env->cache, &cached, time_of_use(&cached, request, now_ms));
  return true;
}
