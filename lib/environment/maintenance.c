/* SPDX-License-Identifier: MIT */
/* What keeps an environment healthy: maintenance, pruning, backup; in bounded transactions. */
#include "access/authority.h"
#include "base/arithmetic.h"
#include "domain/documents.h"
#include "domain/idempotency.h"
#include "domain/key_walk.h"
#include "domain/keys.h"
#include "domain/sweeps.h"
#include "operation/crud.h"
#include "operation/deleted_cursors.h"
#include "operation/events.h"
#include "operation/usage_flush.h"

#include <apikeys/environment.h>

#include <string.h>

/* -- Maintenance ------------------------------------------------------------------------------- */

static int prune_events(struct ak_op *op, apikeys_record *environment, int64_t retention,
                        struct ak_budget *budget) {
  uint64_t pruned;
  int rc = ak_events_prune(op, environment, ak_difference(op->now_ms, retention), budget, &pruned);
  return rc == APIKEYS_OK && pruned > 0 ? ak_update(&op->transaction, environment) : rc;
}

static int drop_some(struct ak_op *op, apikeys_record *environment, struct ak_budget *budget) {
  int rc = ak_op_environment(op, environment);
  if (rc != APIKEYS_OK)
    return rc;
  int64_t retention = apikeys_record_integer(environment, AK_ENVIRONMENT_EVENT_RETENTION_MS);
  rc = ak_idempotency_prune(op, budget);
  if (rc == APIKEYS_OK)
    rc = ak_documents_drop_expired(op, budget);
  if (rc == APIKEYS_OK)
    rc = ak_deleted_cursors_prune(op, budget);
  if (rc == APIKEYS_OK && retention > 0)
    rc = prune_events(op, environment, retention, budget);
  return rc;
}

/* What is too old, in transactions of at most AK_BUDGET records. */
static int drop_old(apikeys_env *env, int64_t *idle_lifetime_ms, apikeys_error *err) {
  struct ak_budget budget = {0};
  int rc = APIKEYS_OK;
  while (rc == APIKEYS_OK && budget.left == 0) {
    struct ak_op op;
    apikeys_record environment;
    budget.left = AK_BUDGET;
    rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_WRITE, err);
    if (rc != APIKEYS_OK)
      return rc;
    ak_record_init(&environment, AK_ENVIRONMENT);
    rc = ak_op_end(&op, drop_some(&op, &environment, &budget));
    *idle_lifetime_ms = apikeys_record_integer(&environment, AK_ENVIRONMENT_IDLE_LIFETIME_MS);
    ak_record_release(&environment);
    if (budget.left == 0)
      ak_budget_pause();
  }
  return rc;
}

/*
 * Looking at all keys takes a while where there are millions, and a validation refuses an idle key
 * by itself: so that is done at most a hundred times in an idle lifetime, and at least every hour.
 */
static bool is_time_for_idle_keys(apikeys_env *env, int64_t idle_lifetime_ms) {
  static const int64_t hour_ms = INT64_C(3600000);
  int64_t now = ak_now_ms(&env->options);
  int64_t pause = idle_lifetime_ms / 100 < hour_ms ? idle_lifetime_ms / 100 : hour_ms;
  int64_t last = atomic_load(&env->idle_keys_looked_at_ms);
  bool changed = atomic_exchange(&env->idle_lifetime_seen_ms, idle_lifetime_ms) != idle_lifetime_ms;
  if (!changed && now >= last && ak_difference(now, last) < pause)
    return false;
  atomic_store(&env->idle_keys_looked_at_ms, now);
  return true;
}

int apikeys_maintain(apikeys_env *env, apikeys_error *err) {
  int64_t idle_lifetime_ms = 0;
  int rc = ak_env_enter(env);
  if (rc == APIKEYS_OK)
    rc = ak_flush_usage(env);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  rc = drop_old(env, &idle_lifetime_ms, err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_sweeps_resume(env);
  if (rc == APIKEYS_OK && idle_lifetime_ms > 0 && is_time_for_idle_keys(env, idle_lifetime_ms))
    rc = ak_keys_revoke_idle(env, idle_lifetime_ms);
  return ak_error_code(err, rc);
}

/* -- Pruning and backup ------------------------------------------------------------------------ */

struct pruning {
  int64_t before_ms;
  const struct ak_key_numbers *keys; /* candidates; NULL: events */
  struct ak_budget *budget;
  bool *announced; /* one event for all of it, with the first that is removed */
};

static int prune_keys(struct ak_op *op, const struct pruning *pruning, uint64_t *pruned) {
  int rc = APIKEYS_OK;
  *pruned = 0;
  for (size_t i = 0; rc == APIKEYS_OK && i < pruning->keys->count; i++) {
    apikeys_record key;
    ak_record_init(&key, AK_API_KEY);
    rc = ak_key_of_number(op, pruning->keys->list[i], &key);
    if (rc == APIKEYS_OK)
      rc = ak_key_prune(op, &key, pruning->before_ms);
    *pruned += rc == APIKEYS_OK;
    ak_record_release(&key);
    if (rc == APIKEYS_ERROR_NOT_FOUND)
      rc = APIKEYS_OK;
  }
  return rc;
}

static int prune_in(struct ak_op *op, const struct pruning *pruning, apikeys_record *environment) {
  apikeys_record before;
  uint64_t pruned = 0;
  ak_record_init(&before, AK_ENVIRONMENT);
  int rc = apikeys_record_copy(&before, environment);
  if (rc == APIKEYS_OK)
    rc = pruning->keys != NULL
             ? prune_keys(op, pruning, &pruned)
             : ak_events_prune(op, environment, pruning->before_ms, pruning->budget, &pruned);
  if (rc == APIKEYS_OK && pruned > 0 && pruning->keys == NULL)
    rc = ak_update(&op->transaction, environment);
  if (rc == APIKEYS_OK && pruned > 0 && !*pruning->announced) {
    rc = ak_event_append(op, "environment.pruned", "", environment, &before, NULL);
    *pruning->announced = rc == APIKEYS_OK;
  }
  ak_record_release(&before);
  return rc;
}

static int prune(struct ak_op *op, const void *arguments) {
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_allow(&op->power, "apikeys:environment:write");
  if (rc == APIKEYS_OK)
    rc = ak_op_environment(op, &environment);
  if (rc == APIKEYS_OK)
    rc = prune_in(op, arguments, &environment);
  ak_record_release(&environment);
  return rc;
}

static int prune_all_keys(apikeys_env *env, const apikeys_actor *actor, struct pruning *pruning,
                          apikeys_error *err) {
  struct ak_key_numbers numbers;
  apikeys_query query;
  int64_t from = 0;
  bool done = false;
  int rc = APIKEYS_OK;
  pruning->keys = &numbers;
  ak_keys_pruned_query(&query, pruning->before_ms);
  while (rc == APIKEYS_OK && !done) {
    rc = ak_keys_collect(env, &query, NULL, NULL, &from, &numbers, &done);
    rc = rc != APIKEYS_OK ? ak_error_code(err, rc)
                          : ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, prune, pruning, err);
    if (!done)
      ak_budget_pause();
  }
  return rc;
}

int apikeys_prune(apikeys_env *env, const apikeys_actor *actor, int64_t before_ms,
                  apikeys_error *err) {
  bool announced = false;
  struct ak_budget budget = {0};
  struct pruning pruning = {before_ms, NULL, &budget, &announced};
  int rc = prune_all_keys(env, actor, &pruning, err);
  pruning.keys = NULL;
  while (rc == APIKEYS_OK && budget.left == 0) {
    budget.left = AK_BUDGET;
    rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, prune, &pruning, err);
    if (budget.left == 0)
      ak_budget_pause();
  }
  return rc;
}

static int allow_backup(struct ak_op *op, const void *arguments) {
  (void)arguments;
  return ak_allow(&op->power, "apikeys:environment:write");
}

int apikeys_backup(apikeys_env *env, const apikeys_actor *actor, const char *path,
                   apikeys_error *err) {
  if (path == NULL || path[0] == '\0')
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "path", "is empty");
  int rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_READ, allow_backup, NULL, err);
  if (rc == APIKEYS_OK)
    rc = ak_flush_usage(env);
  if (rc == APIKEYS_OK)
    rc = ak_storage_backup(&env->storage, path);
  return rc == APIKEYS_OK ? rc : ak_error_code(err, rc);
}
