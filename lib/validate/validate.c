/* SPDX-License-Identifier: MIT */
/*
 * Validation, top to bottom: first the cache, then the store for all misses in one read
 * transaction. Keys that the store finds good are inserted into the cache.
 */
#include "base/compiler.h"
#include "base/text.h"
#include "objects/request.h"
#include "operation/root_key_follow.h"
#include "operation/security_log.h"
#include "operation/usage_flush.h"
#include "validate/validate_cached.h"
#include "validate/validate_in_store.h"

#include <stdlib.h>
#include <string.h>

/* The longest Authorization header that is looked through, where its length is APIKEYS_NUL. */
enum { AUTHORIZATION_MAX = 8192 };

enum { BLOCK = 32 }; /* values looked up together, and in one transaction */

/* The arguments that all values of one call share. */
struct batch {
  apikeys_env *env;
  const apikeys_requirement *requirement;
  const apikeys_request *request;
  apikeys_error *err; /* of the call */
  apikeys_error *why; /* receives the reason of a refusal, if the call has one value */
};

/* One value that missed the cache. */
struct pending {
  size_t index; /* its index among the values of the call */
  apikeys_key *key;
  struct ak_cached_check cached;
  struct ak_store_check check;
  int rc;
  bool settled; /* rc is final, even if the transaction fails */
};

/* -- Asking the store -------------------------------------------------------------------------- */

static void validation_start(struct pending *pending, const char *value, size_t length,
                             apikeys_key *key, const struct ak_cached_check *cached) {
  pending->key = key;
  pending->cached = *cached;
  pending->check =
      (struct ak_store_check){.value = value, .length = length, .wants_use = key != NULL};
  ak_record_init(&pending->check.key, AK_API_KEY);
  pending->rc = ak_key_text_parse(&pending->check.token, value, length);
  pending->settled = pending->rc != APIKEYS_OK;
}

/* Caches a good key, also if it does not satisfy this requirement. */
static void remember(const struct batch *batch, const struct pending *pending,
                     int64_t idle_lifetime_ms) {
  const struct ak_store_check *check = &pending->check;
  int64_t last_used_at = check->last_used_at;
  if (pending->rc == APIKEYS_OK && check->now_ms > last_used_at)
    last_used_at = check->now_ms;
  struct ak_coherence_entry entry = {.position = &pending->cached.position,
                                     .key = &check->key,
                                     .last_used_at_ms = last_used_at,
                                     .idle_lifetime_ms = idle_lifetime_ms,
                                     .details = pending->key != NULL};
  if (ak_cached_usable(&pending->cached))
    ak_coherence_put(&batch->env->coherence, &batch->env->cache, pending->cached.generation,
                     &entry);
}

static void finish(const struct batch *batch, struct pending *pending, int64_t idle_lifetime_ms) {
  struct ak_store_check *check = &pending->check;
  pending->settled = true;
  if (pending->rc != APIKEYS_OK)
    return;
  size_t length;
  const char *permissions = apikeys_record_text(&check->key, AK_API_KEY_PERMISSIONS, &length);
  pending->rc = ak_require((int)apikeys_record_integer(&check->key, AK_API_KEY_OWNER_TYPE),
                           permissions, length, batch->requirement, batch->why);
  remember(batch, pending, idle_lifetime_ms);
  if (pending->rc != APIKEYS_OK)
    return;
  int64_t created_at = apikeys_record_integer(&check->key, AK_API_KEY_CREATED_AT);
  ak_usage_record(&batch->env->usage, apikeys_record_integer(&check->key, AK_NUMBER),
                  check->own_time || check->now_ms > created_at ? check->now_ms : created_at);
  if (pending->key == NULL)
    return;
  ak_object_swap_record(&pending->key->object, &check->key);
  pending->key->last_used_at = check->last_used_at;
  pending->key->value_replaced = false;
}

/* Checks each unsettled value; stops at the first storage error. */
static int check_each(const struct batch *batch, struct ak_read_snapshot *snapshot,
                      struct pending *pending, size_t count) {
  const apikeys_request *request = batch->request;
  bool own_time = request != NULL && request->time_ms > 0;
  for (size_t i = 0; i < count; i++) {
    struct pending *one = &pending[i];
    if (one->settled)
      continue;
    one->check.snapshot = snapshot;
    one->check.own_time = own_time;
    one->check.now_ms = own_time ? request->time_ms : snapshot->op->now_ms;
    one->rc = ak_store_check(&one->check);
    one->settled = one->rc < 0;
    if (one->settled)
      return one->rc;
  }
  return APIKEYS_OK;
}

static bool all_settled(const struct pending *pending, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!pending[i].settled)
      return false;
  return true;
}

static int read_policy(struct ak_op *op, struct ak_policy *policy) {
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_op_environment(op, &environment);
  size_t length;
  const char *prefixes =
      apikeys_record_text(&environment, AK_ENVIRONMENT_ACCEPTED_PREFIXES, &length);
  if (rc == APIKEYS_OK && length > AK_POLICY_PREFIXES_MAX)
    rc = APIKEYS_ERROR_CORRUPT;
  if (rc == APIKEYS_OK) {
    policy->idle_lifetime_ms =
        apikeys_record_integer(&environment, AK_ENVIRONMENT_IDLE_LIFETIME_MS);
    policy->prefixes_length = length;
    memcpy(policy->accepted_prefixes, prefixes, length + 1);
  }
  ak_record_release(&environment);
  return rc;
}

static int find_policy(struct ak_read_snapshot *snapshot, struct ak_policy *policy) {
  struct ak_policy_cache *cache = &snapshot->op->env->policy_cache;
  snapshot->policy = policy;
  if (snapshot->policy_usable && ak_policy_cache_get(cache, snapshot->generation, policy)) {
    snapshot->policy_used = true;
    return APIKEYS_OK;
  }
  int rc = read_policy(snapshot->op, policy);
  if (rc == APIKEYS_OK && snapshot->policy_usable)
    ak_policy_cache_put(cache, snapshot->generation, policy);
  return rc;
}

/* True if everything was read from one state of the store. */
static bool is_of_one_state(const struct ak_read_snapshot *snapshot) {
  uint64_t generation;
  return !snapshot->policy_used ||
         (ak_generation(&snapshot->op->env->storage, &generation) == APIKEYS_OK &&
          generation == snapshot->generation);
}

/*
 * Check all open lookups in one read transaction. If one fails, retry the others; if the generation
 * moved, retry all without the policy cache.
 */
static int check_in_one_snapshot(const struct batch *batch, struct pending *pending, size_t count,
                                 bool *policy_usable) {
  struct ak_op op;
  struct ak_policy policy AK_UNINITIALIZED;
  struct ak_read_snapshot snapshot = {.op = &op};
  snapshot.policy_usable =
      *policy_usable && ak_generation(&batch->env->storage, &snapshot.generation) == 0;
  int rc = ak_op_begin_internal(&op, batch->env, APIKEYS_TRANSACTION_READ, batch->err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = find_policy(&snapshot, &policy);
  int trouble = rc == APIKEYS_OK ? check_each(batch, &snapshot, pending, count) : APIKEYS_OK;
  rc = ak_op_end(&op, trouble != APIKEYS_OK ? trouble : rc);
  *policy_usable = is_of_one_state(&snapshot);
  for (size_t i = 0; rc == APIKEYS_OK && *policy_usable && i < count; i++)
    if (!pending[i].settled)
      finish(batch, &pending[i], policy.idle_lifetime_ms);
  return trouble != APIKEYS_OK ? APIKEYS_OK : rc;
}

/* Counts misses. Malformed values do not count: they need no store. */
static void count_misses(apikeys_env *env, const struct pending *pending, size_t count) {
  uint64_t misses = 0;
  for (size_t i = 0; i < count; i++)
    misses += !pending[i].settled;
  atomic_fetch_add_explicit(&env->cache.counts.misses, misses, memory_order_relaxed);
}

/*
 * A key sealed under another root key than ours: this process or another rotated the root key since
 * the transaction began, so the lookup is repeated with the new one. If the store's root key is
 * ours, the key was damaged before the rotation and was skipped by it: it counts as unknown.
 */
static bool ask_again(const struct batch *batch, struct pending *pending, size_t count,
                      int *spent) {
  bool again = false;
  for (size_t i = 0; i < count; i++)
    again = again || (pending[i].settled && pending[i].rc == APIKEYS_ERROR_ROOT_KEY_WRONG);
  if (!again)
    return false;
  enum ak_follow followed = ak_root_key_follow(batch->env, batch->err);
  bool last = *spent >= AK_FOLLOW_BUDGET;
  *spent += followed == AK_FOLLOW_DONE ? AK_FOLLOW_COST_DONE : AK_FOLLOW_COST_CURRENT;
  if (followed == AK_FOLLOW_FAILED || (last && followed != AK_FOLLOW_CURRENT))
    return false;
  for (size_t i = 0; i < count; i++) {
    if (!pending[i].settled || pending[i].rc != APIKEYS_ERROR_ROOT_KEY_WRONG)
      continue;
    pending[i].settled = last;
    pending[i].rc = last ? APIKEYS_UNKNOWN : pending[i].rc;
  }
  return !last;
}

/* Settles all values. Negative: the store failed, and every unsettled value gets that code. */
static int ask_store(const struct batch *batch, struct pending *pending, size_t count) {
  int rc = APIKEYS_OK;
  bool policy_usable = true;
  count_misses(batch->env, pending, count);
  int spent = 0;
  do
    while (rc == APIKEYS_OK && !all_settled(pending, count))
      rc = check_in_one_snapshot(batch, pending, count, &policy_usable);
  while (rc == APIKEYS_OK && ask_again(batch, pending, count, &spent));
  for (size_t i = 0; i < count; i++) {
    if (!pending[i].settled)
      pending[i].rc = rc;
    ak_record_release(&pending[i].check.key);
  }
  if (ak_usage_full(&batch->env->usage))
    ak_flush_pending(batch->env);
  return rc;
}

/* -- One value --------------------------------------------------------------------------------- */

/* Fills the error object and the security log for a refusal. */
static int validation_refuse(const struct batch *batch, int rc, const char *value, size_t length) {
  if (rc > 0 && batch->env->options.log != NULL)
    ak_log_refusal(batch->env, rc, value, length, batch->request);
  if (batch->why != NULL && apikeys_error_code(batch->why) != rc)
    ak_error_code(batch->why, rc);
  return rc;
}

/* A function of its own, so that the fast path does not reserve its stack frame. */
static AK_NOINLINE int validate_in_store(const struct batch *batch,
                                         const struct ak_cached_check *cached, const char *value,
                                         size_t length, apikeys_key *key) {
  struct pending pending;
  validation_start(&pending, value, length, key, cached);
  ask_store(batch, &pending, 1);
  return pending.rc;
}

int apikeys_validate(apikeys_env *env, const char *value, size_t length,
                     const apikeys_requirement *requirement, const apikeys_request *request,
                     apikeys_key *key, apikeys_error *err) {
  length = ak_text_length_to(value, length, AK_KEY_TEXT_MAX);
  int rc = ak_env_enter(env);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  if (value == NULL && length > 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "value", "is NULL");
  if (request != NULL && (rc = ak_request_check(request, err)) != APIKEYS_OK)
    return rc;
  const struct batch batch = {env, requirement, request, err, err};
  struct ak_cached_check cached;
  ak_requirement_freeze(requirement);
  ak_cached_locate(env, &cached, value, length, key != NULL);
  ak_cached_ask_generation(env, &cached);
  if (!ak_validate_cached(env, &cached, value, length, requirement, request, key, err, &rc))
    rc = validate_in_store(&batch, &cached, value, length, key);
  return rc == APIKEYS_OK ? ak_error_clear(err) : validation_refuse(&batch, rc, value, length);
}

/* The value in "Bearer <value>", or NULL. */
static const char *bearer(const char *header, size_t length, size_t *value_length) {
  static const char scheme[] = "bearer ";
  enum { SCHEME_LENGTH = sizeof scheme - 1 };
  if (header == NULL || length <= SCHEME_LENGTH)
    return NULL;
  for (size_t i = 0; i < SCHEME_LENGTH; i++) {
    char c = header[i];
    if ((c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c) != scheme[i])
      return NULL;
  }
  size_t skip = SCHEME_LENGTH; /* RFC 9110, 11.6.2: one blank or more */
  while (skip < length && header[skip] == ' ')
    skip++;
  *value_length = length - skip;
  return header + skip;
}

int apikeys_validate_authorization(apikeys_env *env, const char *header, size_t length,
                                   const apikeys_requirement *requirement,
                                   const apikeys_request *request, apikeys_key *key,
                                   apikeys_error *err) {
  length = ak_text_length_to(header, length, AUTHORIZATION_MAX);
  size_t value_length = 0;
  const char *value = bearer(header, length, &value_length);
  return apikeys_validate(env, value != NULL ? value : "", value_length, requirement, request, key,
                          err);
}

/* -- Many values ------------------------------------------------------------------------------- */

/* The values of one call, and where the answers go. */
struct many {
  const char *const *values;
  const size_t *lengths;
  apikeys_key *const *keys;
  int *results;
  struct pending *pending; /* room for a block, made when the first value needs it */
};

static size_t length_of(const struct many *many, size_t index) {
  return ak_text_length_to(many->values[index], many->lengths[index], AK_KEY_TEXT_MAX);
}

static apikeys_key *key_of(const struct many *many, size_t index) {
  return many->keys != NULL ? many->keys[index] : NULL;
}

/* How many of the block are left to ask the store for; negative: no memory. */
static int find_block(const struct batch *batch, struct many *many, size_t first, size_t count) {
  struct ak_cached_check all, cached[BLOCK] AK_UNINITIALIZED;
  int left = 0;
  ak_cached_ask_generation(batch->env, &all);
  for (size_t i = 0; i < count; i++) {
    cached[i] = all;
    ak_cached_locate(batch->env, &cached[i], many->values[first + i], length_of(many, first + i),
                     key_of(many, first + i) != NULL);
  }
  for (size_t i = 0; i < count; i++) {
    size_t at = first + i;
    if (ak_validate_cached(batch->env, &cached[i], many->values[at], length_of(many, at),
                           batch->requirement, batch->request, key_of(many, at), NULL,
                           &many->results[at]))
      continue;
    if (many->pending == NULL && (many->pending = malloc(BLOCK * sizeof *many->pending)) == NULL)
      return APIKEYS_ERROR_NO_MEMORY;
    struct pending *pending = &many->pending[left++];
    validation_start(pending, many->values[at], length_of(many, at), key_of(many, at), &cached[i]);
    pending->index = at;
  }
  return left;
}

static int validate_block(const struct batch *batch, struct many *many, size_t first,
                          size_t count) {
  int left = find_block(batch, many, first, count);
  if (left < 0)
    return ak_error_code(batch->err, left);
  int rc = ask_store(batch, many->pending, (size_t)left);
  for (int i = 0; i < left; i++)
    many->results[many->pending[i].index] = many->pending[i].rc;
  for (size_t i = first; i < first + count; i++)
    if (many->results[i] > 0)
      validation_refuse(batch, many->results[i], many->values[i], length_of(many, i));
  return rc;
}

static int check_many(const struct many *many, size_t count, apikeys_error *err) {
  if (many->values == NULL || many->lengths == NULL || many->results == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT,
                        many->values == NULL    ? "values"
                        : many->lengths == NULL ? "lengths"
                                                : "results",
                        "is NULL");
  for (size_t i = 0; i < count; i++)
    if (many->values[i] == NULL && many->lengths[i] > 0)
      return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "values", "one of them is NULL");
  return APIKEYS_OK;
}

static void fill_results(int *results, size_t count, int code) {
  for (size_t i = 0; results != NULL && i < count; i++)
    results[i] = code;
}

int apikeys_validate_many(apikeys_env *env, const char *const *values, const size_t *lengths,
                          size_t count, const apikeys_requirement *requirement,
                          const apikeys_request *request, apikeys_key *const *keys, int *results,
                          apikeys_error *err) {
  struct many many = {values, lengths, keys, results, NULL};
  const struct batch batch = {env, requirement, request, err, NULL};
  int rc = ak_env_enter(env);
  if (rc != APIKEYS_OK)
    ak_error_code(err, rc);
  else if (count > 0)
    rc = check_many(&many, count, err);
  if (rc == APIKEYS_OK)
    rc = ak_request_check(request, err);
  fill_results(results, count, rc != APIKEYS_OK ? rc : APIKEYS_ERROR_STORAGE);
  ak_requirement_freeze(requirement);
  for (size_t first = 0; rc == APIKEYS_OK && first < count; first += BLOCK)
    rc = validate_block(&batch, &many, first, count - first < BLOCK ? count - first : BLOCK);
  free(many.pending);
  return rc == APIKEYS_OK ? ak_error_clear(err) : rc;
}

/* -- Management keys as actors ----------------------------------------------------------------- */

int apikeys_actor_set_management_key(apikeys_env *env, apikeys_actor *actor, const char *value,
                                     size_t length, apikeys_error *err) {
  length = ak_text_length_to(value, length, AK_KEY_TEXT_MAX);
  if (actor == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "actor", "is NULL");
  ak_actor_forget(actor);
  struct ak_requirement_notes notes = {.frozen = 1};
  const apikeys_requirement management = {.accept_management_keys = 1, .notes = &notes};
  apikeys_key key AK_UNINITIALIZED;
  ak_object_init(&key.object, AK_API_KEY);
  int rc = apikeys_validate(env, value, length, &management, NULL, &key, err);
  if (rc > 0 || (rc == APIKEYS_OK && apikeys_key_owner_type(&key) != APIKEYS_OWNER_ENVIRONMENT))
    rc = ak_error_code(err, APIKEYS_ERROR_ACTOR_UNKNOWN);
  size_t id_length;
  const char *id = apikeys_key_id(&key, &id_length);
  if (rc == APIKEYS_OK && id_length < AK_ID_MAX) {
    actor->type = APIKEYS_ACTOR_MANAGEMENT_KEY;
    memcpy(actor->environment_id, env->id, AK_ID_MAX);
    memcpy(actor->key_id, id, id_length + 1);
  }
  ak_object_release(&key.object);
  return rc;
}

/* A read that names the key as its actor finds out whether it is one, and a good one. */
int apikeys_actor_set_management_key_by_id(apikeys_env *env, apikeys_actor *actor, const char *id,
                                           size_t length, apikeys_error *err) {
  length = ak_text_length(id, length);
  if (actor == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "actor", "is NULL");
  ak_actor_forget(actor);
  if (id == NULL || ak_id_check(id, length, "api_key") != 0)
    return ak_error_code(err, APIKEYS_ERROR_ACTOR_UNKNOWN);
  struct ak_op op;
  actor->type = APIKEYS_ACTOR_MANAGEMENT_KEY;
  memcpy(actor->key_id, id, length);
  int rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc == APIKEYS_OK)
    rc = ak_op_end(&op, rc);
  if (rc == APIKEYS_OK)
    memcpy(actor->environment_id, env->id, AK_ID_MAX);
  else
    ak_actor_forget(actor);
  return rc;
}
