/* SPDX-License-Identifier: MIT */
/* What keeps an environment healthy: flushing, pruning, backup, a new root key. */
#include "authority.h"
#include "events.h"
#include "idempotency.h"
#include "key_value.h"
#include "keys.h"
#include "object_call.h"
#include "text.h"
#include "widget_token_text.h"

#include <apikeys/environment.h>

#include <stdlib.h>
#include <string.h>

/* -- Recorded use ------------------------------------------------------------------------------- */

enum { FLUSH_AT_ONCE = 4096 }; /* uses in one transaction: other writers wait no longer than that */

/* Only keys that are there are written: a use may outlive its key's pruning. */
static int write_use(struct ak_call *call, const struct ak_use *use) {
  apikeys_query query;
  apikeys_record record;
  ak_record_init(&record, AK_API_KEY);
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_equal_text(&query, use->key_id, strlen(use->key_id));
  int rc = ak_get(&call->transaction, &query, &record);
  ak_record_release(&record);
  if (rc != APIKEYS_OK)
    return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
  ak_record_init(&record, AK_API_KEY_USE);
  ak_record_set_string(&record, AK_ID, use->key_id);
  apikeys_record_set_integer(&record, AK_API_KEY_USE_LAST_USED_AT, use->at_ms);
  rc = ak_record_status(&record);
  if (rc == APIKEYS_OK)
    rc = ak_raise(&call->transaction, &record, AK_API_KEY_USE_LAST_USED_AT);
  ak_record_release(&record);
  return rc;
}

static int write_uses(apikeys_env *env, const struct ak_use *table, size_t capacity) {
  size_t i = 0;
  while (i < capacity) {
    struct ak_call call;
    int rc = ak_call_begin_internal(&call, env, APIKEYS_TRANSACTION_WRITE, NULL);
    if (rc != APIKEYS_OK)
      return rc;
    size_t written = 0;
    for (; rc == APIKEYS_OK && i < capacity && written < FLUSH_AT_ONCE; i++)
      if (table[i].at_ms != 0) {
        rc = write_use(&call, &table[i]);
        written++;
      }
    rc = ak_call_end(&call, rc);
    if (rc != APIKEYS_OK)
      return rc;
  }
  return APIKEYS_OK;
}

int ak_env_flush_usage(apikeys_env *env) {
  struct ak_use *table;
  size_t capacity;
  ak_usage_take(&env->usage, &table, &capacity);
  if (table == NULL)
    return APIKEYS_OK;
  int rc = write_uses(env, table, capacity);
  ak_usage_return(&env->usage, table, capacity, rc == APIKEYS_OK);
  if (rc != APIKEYS_OK)
    ak_log(&env->options, APIKEYS_LOG_WARNING, "recorded uses were not written yet: %s",
           apikeys_result_text(rc));
  return rc;
}

/* -- Maintenance -------------------------------------------------------------------------------- */

static int prune_events(struct ak_call *call, apikeys_record *environment, int64_t before_ms) {
  uint64_t pruned;
  int rc = ak_events_prune(call, environment, before_ms, &pruned);
  return rc == APIKEYS_OK && pruned > 0 ? ak_update(&call->transaction, environment) : rc;
}

static int maintain(struct ak_call *call, apikeys_record *environment) {
  int rc = ak_call_environment(call, environment);
  if (rc != APIKEYS_OK)
    return rc;
  int64_t idle = apikeys_record_integer(environment, AK_ENVIRONMENT_IDLE_LIFETIME_MS);
  int64_t retention = apikeys_record_integer(environment, AK_ENVIRONMENT_EVENT_RETENTION_MS);
  rc = ak_idempotency_prune(call);
  if (rc == APIKEYS_OK && idle > 0)
    rc = ak_keys_revoke_idle(call, idle);
  if (rc == APIKEYS_OK && retention > 0)
    rc = prune_events(call, environment, call->now_ms - retention);
  return rc;
}

int apikeys_maintain(apikeys_env *env, apikeys_error *err) {
  int rc = ak_env_enter(env);
  if (rc == APIKEYS_OK)
    rc = ak_env_flush_usage(env);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  struct ak_call call;
  apikeys_record environment;
  rc = ak_call_begin_internal(&call, env, APIKEYS_TRANSACTION_WRITE, err);
  if (rc != APIKEYS_OK)
    return rc;
  ak_record_init(&environment, AK_ENVIRONMENT);
  rc = ak_call_end(&call, maintain(&call, &environment));
  ak_record_release(&environment);
  return rc;
}

/* -- Pruning and backup ------------------------------------------------------------------------- */

static int prune(struct ak_call *call, const void *arguments) {
  const int64_t *before_ms = arguments;
  uint64_t keys = 0, events = 0;
  apikeys_record environment, before;
  ak_record_init(&environment, AK_ENVIRONMENT);
  ak_record_init(&before, AK_ENVIRONMENT);
  int rc = ak_allow(call, "apikeys:environment:write");
  if (rc == APIKEYS_OK)
    rc = ak_call_environment(call, &environment);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_copy(&before, &environment);
  if (rc == APIKEYS_OK)
    rc = ak_keys_prune(call, *before_ms, &keys);
  if (rc == APIKEYS_OK)
    rc = ak_events_prune(call, &environment, *before_ms, &events);
  if (rc == APIKEYS_OK && events > 0)
    rc = ak_update(&call->transaction, &environment);
  if (rc == APIKEYS_OK && (events > 0 || keys > 0))
    rc = ak_event_append(call, "environment.pruned", "", &environment, &before, NULL);
  ak_record_release(&before);
  ak_record_release(&environment);
  return rc;
}

int apikeys_prune(apikeys_env *env, const apikeys_actor *actor, int64_t before_ms,
                  apikeys_error *err) {
  return ak_plain_call(env, actor, APIKEYS_TRANSACTION_WRITE, prune, &before_ms, err);
}

static int allow_backup(struct ak_call *call, const void *arguments) {
  (void)arguments;
  return ak_allow(call, "apikeys:environment:write");
}

int apikeys_backup(apikeys_env *env, const apikeys_actor *actor, const char *path,
                   apikeys_error *err) {
  if (path == NULL || path[0] == '\0')
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "path", "is empty");
  int rc = ak_plain_call(env, actor, APIKEYS_TRANSACTION_READ, allow_backup, NULL, err);
  if (rc == APIKEYS_OK)
    rc = ak_env_flush_usage(env);
  if (rc == APIKEYS_OK)
    rc = ak_storage_backup(&env->storage, path);
  return rc == APIKEYS_OK ? rc : ak_error_code(err, rc);
}

/* -- A new root key ----------------------------------------------------------------------------- */

struct rotation {
  struct ak_secrets *from; /* both in ak_secret_alloc memory */
  struct ak_secrets *to;
};

enum { RESEAL_AT_ONCE = 100 };

static int reseal_page(struct ak_call *call, const struct rotation *rotation, apikeys_page *page,
                       int64_t *from) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < page->count; i++) {
    apikeys_record *key = &page->objects[i]->record;
    *from = apikeys_record_integer(key, AK_NUMBER) + 1;
    rc = ak_key_value_reseal(call->env, key, rotation->from, rotation->to, rotation->to->version);
    if (rc == APIKEYS_OK)
      rc = ak_update(&call->transaction, key);
  }
  return rc;
}

static int reseal_keys(struct ak_call *call, const struct rotation *rotation) {
  int64_t from = 0;
  size_t seen;
  int rc;
  do {
    apikeys_page page;
    apikeys_query query;
    ak_page_init(&page, AK_API_KEY);
    ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
    ak_query_from(&query, from);
    query.limit = RESEAL_AT_ONCE;
    rc = ak_scan(&call->transaction, &query, ak_page_visit, &page);
    seen = page.count;
    if (rc == APIKEYS_OK)
      rc = reseal_page(call, rotation, &page, &from);
    ak_page_release(&page);
  } while (rc == APIKEYS_OK && seen > 0);
  return rc;
}

/* Widget tokens live for an hour at most: for so long the key before goes on verifying. */
static int keep_token_key(struct ak_call *call, const struct rotation *rotation,
                          apikeys_record *environment) {
  static const int64_t hour_ms = INT64_C(3600000);
  uint8_t sealed[AK_KEY_BYTES + AK_SEALED_OVERHEAD];
  struct ak_random random = ak_random_source(&call->env->options);
  int rc = ak_seal(sealed, rotation->from->token, AK_KEY_BYTES, call->env->id,
                   strlen(call->env->id), rotation->to->seal, &random);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_set_blob(environment, AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY, sealed,
                                 sizeof sealed);
  return rc == APIKEYS_OK
             ? apikeys_record_set_integer(environment, AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY_UNTIL,
                                          call->now_ms + hour_ms)
             : rc;
}

static int store_new_root(struct ak_call *call, const struct rotation *rotation,
                          apikeys_record *environment) {
  const struct ak_secrets *to = rotation->to;
  apikeys_record_set_integer(environment, AK_ENVIRONMENT_ROOT_VERSION, to->version);
  apikeys_record_set_blob(environment, AK_ENVIRONMENT_ROOT_CHECK, to->check, sizeof to->check);
  if (call->env->options.root_source == AK_ROOT_IN_STORE)
    apikeys_record_set_blob(environment, AK_ENVIRONMENT_ROOT_KEY, to->root, AK_KEY_BYTES);
  apikeys_record_set_integer(environment, AK_ENVIRONMENT_UPDATED_AT, call->now_ms);
  int rc = ak_record_status(environment);
  return rc == APIKEYS_OK ? ak_update(&call->transaction, environment) : rc;
}

static int rotate_record(struct ak_call *call, const struct rotation *rotation,
                         apikeys_record *environment) {
  apikeys_record before;
  ak_record_init(&before, AK_ENVIRONMENT);
  int rc = apikeys_record_copy(&before, environment);
  if (rc == APIKEYS_OK)
    rc = reseal_keys(call, rotation);
  if (rc == APIKEYS_OK)
    rc = keep_token_key(call, rotation, environment);
  if (rc == APIKEYS_OK)
    rc = store_new_root(call, rotation, environment);
  if (rc == APIKEYS_OK)
    rc = ak_event_append(call, "environment.root_key_rotated", "", environment, &before, NULL);
  ak_record_release(&before);
  return rc;
}

static int rotate(struct ak_call *call, const void *arguments) {
  const struct rotation *rotation = arguments;
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_allow(call, "apikeys:environment:write");
  if (rc == APIKEYS_OK)
    rc = ak_call_environment(call, &environment);
  if (rc == APIKEYS_OK)
    rc = ak_env_secrets(call->env,
                        apikeys_record_integer(&environment, AK_ENVIRONMENT_ROOT_VERSION),
                        rotation->from);
  if (rc == APIKEYS_OK) {
    rotation->to->version = rotation->from->version + 1;
    if (call->env->options.root_source == AK_ROOT_FILE)
      rc = ak_root_key_write_next(rotation->to, call->env->options.root_path, call->err);
  }
  if (rc == APIKEYS_OK)
    rc = rotate_record(call, rotation, &environment);
  ak_record_release(&environment);
  return rc;
}

static void adopt(apikeys_env *env, const struct ak_secrets *to) {
  if (env->options.root_key != NULL)
    memcpy(env->options.root_key, to->root, AK_KEY_BYTES);
  pthread_rwlock_wrlock(&env->secrets_lock);
  *env->secrets = *to;
  pthread_rwlock_unlock(&env->secrets_lock);
}

/* Given bytes, or drawn ones; which of them depends on where the root key is kept. */
static int choose_root(apikeys_env *env, const void *bytes, size_t length, struct ak_secrets *to,
                       apikeys_error *err) {
  bool kept_by_us = env->options.root_source == AK_ROOT_FILE ||
                    env->options.root_source == AK_ROOT_IN_STORE;
  if (kept_by_us ? bytes != NULL || length != 0 : bytes == NULL || length != AK_KEY_BYTES)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "root_key",
                        kept_by_us ? "is drawn here: pass NULL" : "must be 32 bytes");
  struct ak_random random = ak_random_source(&env->options);
  int rc = APIKEYS_OK;
  if (kept_by_us)
    rc = ak_random_fill(&random, to->root, AK_KEY_BYTES);
  else
    memcpy(to->root, bytes, AK_KEY_BYTES);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  ak_secrets_derive(to);
  return APIKEYS_OK;
}

static int rotate_with(apikeys_env *env, const apikeys_actor *actor, const void *bytes,
                       size_t length, const struct rotation *rotation, apikeys_error *err) {
  int rc = choose_root(env, bytes, length, rotation->to, err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_plain_call(env, actor, APIKEYS_TRANSACTION_WRITE, rotate, rotation, err);
  bool in_file = env->options.root_source == AK_ROOT_FILE;
  if (rc == APIKEYS_OK) {
    adopt(env, rotation->to);
    return in_file ? ak_root_key_promote_next(env->options.root_path, err) : APIKEYS_OK;
  }
  /* Where the outcome is unknown the next open finds out, and needs both files for it. */
  if (in_file && rc != APIKEYS_ERROR_OUTCOME_UNKNOWN)
    ak_root_key_drop_next(env->options.root_path);
  return rc;
}

int apikeys_rotate_root_key(apikeys_env *env, const apikeys_actor *actor, const void *bytes,
                            size_t length, apikeys_error *err) {
  int rc = ak_env_enter(env);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  struct rotation rotation = {ak_secret_alloc(sizeof *rotation.from),
                              ak_secret_alloc(sizeof *rotation.to)};
  rc = rotation.from == NULL || rotation.to == NULL
           ? ak_error_code(err, APIKEYS_ERROR_NO_MEMORY)
           : rotate_with(env, actor, bytes, length, &rotation, err);
  ak_secret_free(rotation.from);
  ak_secret_free(rotation.to);
  return rc;
}
