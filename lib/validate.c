/* SPDX-License-Identifier: MIT */
/*
 * Validation: what was seen before is settled by the warm path, the rest is asked of the store, and
 * what the store finds good is remembered.
 */
#include "compiler.h"
#include "flush.h"
#include "full_path.h"
#include "root_key_follow.h"
#include "security_log.h"
#include "warm.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 32 }; /* values looked up side by side, and in one transaction */

/* What the values of one call have in common. */
struct question {
  apikeys_env *env;
  const apikeys_requirement *requirement;
  const apikeys_request *request;
  apikeys_error *err; /* of the call */
  apikeys_error *why; /* of the refusal, if the call has one value */
};

/* One value on its way through the store. */
struct lookup {
  size_t index; /* among the call's values */
  apikeys_key *key;
  struct ak_warm warm;
  struct ak_full_path path;
  int rc;
  bool settled; /* rc stands, whatever becomes of the transaction */
};

/* -- Asking the store -------------------------------------------------------------------------- */

static void start(struct lookup *lookup, const char *value, size_t length, apikeys_key *key,
                  const struct ak_warm *warm) {
  lookup->key = key;
  lookup->warm = *warm;
  lookup->path = (struct ak_full_path){.value = value, .length = length, .wants_use = key != NULL};
  ak_record_init(&lookup->path.key, AK_API_KEY);
  lookup->rc = ak_token_parse(&lookup->path.token, value, length);
  lookup->settled = lookup->rc != APIKEYS_OK;
}

/* A key that is good, but not for this requirement, is worth remembering too. */
static void remember(const struct question *question, const struct lookup *lookup,
                     int64_t idle_lifetime_ms) {
  const struct ak_full_path *path = &lookup->path;
  int64_t last_used_at = path->last_used_at;
  if (lookup->rc == APIKEYS_OK && path->now_ms > last_used_at)
    last_used_at = path->now_ms;
  struct ak_coherence_entry entry = {.place = &lookup->warm.place,
                                     .key = &path->key,
                                     .last_used_at_ms = last_used_at,
                                     .idle_lifetime_ms = idle_lifetime_ms,
                                     .details = lookup->key != NULL};
  if (ak_warm_cacheable(&lookup->warm))
    ak_coherence_put(&question->env->coherence, &question->env->cache, lookup->warm.generation,
                     &entry);
}

static void conclude(const struct question *question, struct lookup *lookup,
                     int64_t idle_lifetime_ms) {
  struct ak_full_path *path = &lookup->path;
  lookup->settled = true;
  if (lookup->rc != APIKEYS_OK)
    return;
  size_t length;
  const char *permissions = apikeys_record_text(&path->key, AK_API_KEY_PERMISSIONS, &length);
  lookup->rc = ak_require((int)apikeys_record_integer(&path->key, AK_API_KEY_OWNER_TYPE),
                          permissions, length, question->requirement, question->why);
  remember(question, lookup, idle_lifetime_ms);
  if (lookup->rc != APIKEYS_OK)
    return;
  int64_t created_at = apikeys_record_integer(&path->key, AK_API_KEY_CREATED_AT);
  ak_usage_record(&question->env->usage, apikeys_record_integer(&path->key, AK_NUMBER),
                  path->own_time || path->now_ms > created_at ? path->now_ms : created_at);
  if (lookup->key == NULL)
    return;
  ak_object_become(&lookup->key->object, &path->key);
  lookup->key->last_used_at = path->last_used_at;
  lookup->key->value_replaced = false;
}

/* Those that are not settled, one after the other; ends at one that the store has trouble with. */
static int walk(const struct question *question, struct ak_full_path_ground *ground,
                struct lookup *lookups, size_t count) {
  const apikeys_request *request = question->request;
  bool own_time = request != NULL && request->time_ms > 0;
  for (size_t i = 0; i < count; i++) {
    struct lookup *lookup = &lookups[i];
    if (lookup->settled)
      continue;
    lookup->path.ground = ground;
    lookup->path.own_time = own_time;
    lookup->path.now_ms = own_time ? request->time_ms : ground->call->now_ms;
    lookup->rc = ak_full_path(&lookup->path);
    lookup->settled = lookup->rc < 0;
    if (lookup->settled)
      return lookup->rc;
  }
  return APIKEYS_OK;
}

static bool all_settled(const struct lookup *lookups, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!lookups[i].settled)
      return false;
  return true;
}

static int read_policy(struct ak_call *call, struct ak_policy *policy) {
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_call_environment(call, &environment);
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

static int find_policy(struct ak_full_path_ground *ground, struct ak_policy *policy) {
  struct ak_standing *standing = &ground->call->env->standing;
  ground->policy = policy;
  if (ground->standing && ak_standing_policy(standing, ground->generation, policy)) {
    ground->stood = true;
    return APIKEYS_OK;
  }
  int rc = read_policy(ground->call, policy);
  if (rc == APIKEYS_OK && ground->standing)
    ak_standing_put_policy(standing, ground->generation, policy);
  return rc;
}

/* Was all that was found true at one time? */
static bool is_of_one_state(const struct ak_full_path_ground *ground) {
  uint64_t generation;
  return !ground->stood || (ak_generation(&ground->call->env->storage, &generation) == APIKEYS_OK &&
                            generation == ground->generation);
}

/*
 * One transaction. What it found counts once it has ended well: after trouble with one value the
 * others are asked for again, and after a change meanwhile all of them, without what stands.
 */
static int ask_once(const struct question *question, struct lookup *lookups, size_t count,
                    bool *standing) {
  struct ak_call call;
  struct ak_policy policy AK_UNINITIALIZED;
  struct ak_full_path_ground ground = {.call = &call};
  ground.standing = *standing && ak_generation(&question->env->storage, &ground.generation) == 0;
  int rc = ak_call_begin_internal(&call, question->env, APIKEYS_TRANSACTION_READ, question->err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = find_policy(&ground, &policy);
  int trouble = rc == APIKEYS_OK ? walk(question, &ground, lookups, count) : APIKEYS_OK;
  rc = ak_call_end(&call, trouble != APIKEYS_OK ? trouble : rc);
  *standing = is_of_one_state(&ground);
  for (size_t i = 0; rc == APIKEYS_OK && *standing && i < count; i++)
    if (!lookups[i].settled)
      conclude(question, &lookups[i], policy.idle_lifetime_ms);
  return trouble != APIKEYS_OK ? APIKEYS_OK : rc;
}

/* How often memory was not enough; those that are malformed ask nobody. */
static void count_misses(apikeys_env *env, const struct lookup *lookups, size_t count) {
  uint64_t misses = 0;
  for (size_t i = 0; i < count; i++)
    misses += !lookups[i].settled;
  atomic_fetch_add_explicit(&env->cache.counts.misses, misses, memory_order_relaxed);
}

/*
 * A key under another root key than this process has: another process has rotated it, or this one
 * since the transaction began; then the lookup is made anew. If the store's root key is the one that
 * we have, the key was damaged when that came: its value can't be verified, and is not known.
 */
static bool ask_again(const struct question *question, struct lookup *lookups, size_t count,
                      int *spent) {
  bool again = false;
  for (size_t i = 0; i < count; i++)
    again = again || (lookups[i].settled && lookups[i].rc == APIKEYS_ERROR_ROOT_KEY_WRONG);
  if (!again)
    return false;
  enum ak_follow followed = ak_root_key_follow(question->env, question->err);
  bool last = *spent >= AK_FOLLOW_BUDGET;
  *spent += followed == AK_FOLLOW_DONE ? AK_FOLLOW_COST_DONE : AK_FOLLOW_COST_CURRENT;
  if (followed == AK_FOLLOW_FAILED || (last && followed != AK_FOLLOW_CURRENT))
    return false;
  for (size_t i = 0; i < count; i++) {
    if (!lookups[i].settled || lookups[i].rc != APIKEYS_ERROR_ROOT_KEY_WRONG)
      continue;
    lookups[i].settled = last;
    lookups[i].rc = last ? APIKEYS_UNKNOWN : lookups[i].rc;
  }
  return !last;
}

/* Settles all. Negative: the store could not be asked, and what was not settled has that code. */
static int ask_store(const struct question *question, struct lookup *lookups, size_t count) {
  int rc = APIKEYS_OK;
  bool standing = true;
  count_misses(question->env, lookups, count);
  int spent = 0;
  do
    while (rc == APIKEYS_OK && !all_settled(lookups, count))
      rc = ask_once(question, lookups, count, &standing);
  while (rc == APIKEYS_OK && ask_again(question, lookups, count, &spent));
  for (size_t i = 0; i < count; i++) {
    if (!lookups[i].settled)
      lookups[i].rc = rc;
    ak_record_release(&lookups[i].path.key);
  }
  if (ak_usage_full(&question->env->usage))
    ak_flush_pending(question->env);
  return rc;
}

/* -- One value --------------------------------------------------------------------------------- */

/* A refusal with the error object saying so. */
static int refuse(const struct question *question, int rc, const char *value, size_t length) {
  if (rc > 0 && question->env->options.log != NULL)
    ak_log_refusal(question->env, rc, value, length, question->request);
  if (question->why != NULL && apikeys_error_code(question->why) != rc)
    ak_error_code(question->why, rc);
  return rc;
}

/* Apart, so that the warm path does without its room. */
static AK_NOINLINE int validate_in_store(const struct question *question,
                                         const struct ak_warm *warm, const char *value,
                                         size_t length, apikeys_key *key) {
  struct lookup lookup;
  start(&lookup, value, length, key, warm);
  ask_store(question, &lookup, 1);
  return lookup.rc;
}

int apikeys_validate(apikeys_env *env, const char *value, size_t length,
                     const apikeys_requirement *requirement, const apikeys_request *request,
                     apikeys_key *key, apikeys_error *err) {
  int rc = ak_env_enter(env);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  if (value == NULL && length > 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "value", "is NULL");
  const struct question question = {env, requirement, request, err, err};
  struct ak_warm warm;
  ak_requirement_freeze(requirement);
  ak_warm_locate(env, &warm, value, length, key != NULL);
  ak_warm_check(env, &warm);
  if (!ak_warm_validate(env, &warm, value, length, requirement, request, key, err, &rc))
    rc = validate_in_store(&question, &warm, value, length, key);
  return rc == APIKEYS_OK ? ak_error_clear(err) : refuse(&question, rc, value, length);
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
  struct lookup *lookups; /* room for a block, made when the first value needs it */
};

static apikeys_key *key_of(const struct many *many, size_t index) {
  return many->keys != NULL ? many->keys[index] : NULL;
}

/* How many of the block are left to ask the store for; negative: no memory. */
static int find_block(const struct question *question, struct many *many, size_t first,
                      size_t count) {
  struct ak_warm all, warm[BLOCK] AK_UNINITIALIZED;
  int left = 0;
  ak_warm_check(question->env, &all);
  for (size_t i = 0; i < count; i++) {
    warm[i] = all;
    ak_warm_locate(question->env, &warm[i], many->values[first + i], many->lengths[first + i],
                   key_of(many, first + i) != NULL);
  }
  for (size_t i = 0; i < count; i++) {
    size_t at = first + i;
    if (ak_warm_validate(question->env, &warm[i], many->values[at], many->lengths[at],
                         question->requirement, question->request, key_of(many, at), NULL,
                         &many->results[at]))
      continue;
    if (many->lookups == NULL && (many->lookups = malloc(BLOCK * sizeof *many->lookups)) == NULL)
      return APIKEYS_ERROR_NO_MEMORY;
    struct lookup *lookup = &many->lookups[left++];
    start(lookup, many->values[at], many->lengths[at], key_of(many, at), &warm[i]);
    lookup->index = at;
  }
  return left;
}

static int validate_block(const struct question *question, struct many *many, size_t first,
                          size_t count) {
  int left = find_block(question, many, first, count);
  if (left < 0)
    return ak_error_code(question->err, left);
  int rc = ask_store(question, many->lookups, (size_t)left);
  for (int i = 0; i < left; i++)
    many->results[many->lookups[i].index] = many->lookups[i].rc;
  for (size_t i = first; i < first + count; i++)
    if (many->results[i] > 0)
      refuse(question, many->results[i], many->values[i], many->lengths[i]);
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
  const struct question question = {env, requirement, request, err, NULL};
  int rc = ak_env_enter(env);
  if (rc != APIKEYS_OK)
    ak_error_code(err, rc);
  else if (count > 0)
    rc = check_many(&many, count, err);
  fill_results(results, count, rc != APIKEYS_OK ? rc : APIKEYS_ERROR_STORAGE);
  ak_requirement_freeze(requirement);
  for (size_t first = 0; rc == APIKEYS_OK && first < count; first += BLOCK)
    rc = validate_block(&question, &many, first, count - first < BLOCK ? count - first : BLOCK);
  free(many.lookups);
  return rc == APIKEYS_OK ? ak_error_clear(err) : rc;
}

/* -- Management keys as actors ----------------------------------------------------------------- */

int apikeys_actor_set_management_key(apikeys_actor *actor, apikeys_env *env, const char *value,
                                     size_t length, apikeys_error *err) {
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
int apikeys_actor_set_management_key_by_id(apikeys_actor *actor, apikeys_env *env, const char *id,
                                           size_t length, apikeys_error *err) {
  if (actor == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "actor", "is NULL");
  ak_actor_forget(actor);
  if (id == NULL || ak_id_check(id, length, "api_key") != 0)
    return ak_error_code(err, APIKEYS_ERROR_ACTOR_UNKNOWN);
  struct ak_call call;
  actor->type = APIKEYS_ACTOR_MANAGEMENT_KEY;
  memcpy(actor->key_id, id, length);
  int rc = ak_call_begin(&call, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc == APIKEYS_OK)
    rc = ak_call_end(&call, rc);
  if (rc == APIKEYS_OK)
    memcpy(actor->environment_id, env->id, AK_ID_MAX);
  else
    ak_actor_forget(actor);
  return rc;
}
