/* SPDX-License-Identifier: MIT */
/* What keeps an environment healthy: maintenance, pruning, backup. */
#include "authority.h"
#include "documents.h"
#include "events.h"
#include "flush.h"
#include "idempotency.h"
#include "keys.h"
#include "object_call.h"
#include "tombstones.h"

#include <apikeys/environment.h>

#include <string.h>

/* -- Maintenance ------------------------------------------------------------------------------- */

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
  if (rc == APIKEYS_OK)
    rc = ak_documents_drop_expired(call);
  if (rc == APIKEYS_OK)
    rc = ak_tombstones_prune(call);
  if (rc == APIKEYS_OK && idle > 0)
    rc = ak_keys_revoke_idle(call, idle);
  if (rc == APIKEYS_OK && retention > 0)
    rc = prune_events(call, environment, call->now_ms - retention);
  return rc;
}

int apikeys_maintain(apikeys_env *env, apikeys_error *err) {
  int rc = ak_env_enter(env);
  if (rc == APIKEYS_OK)
    rc = ak_flush_usage(env);
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

/* -- Pruning and backup ------------------------------------------------------------------------ */

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
    rc = ak_flush_usage(env);
  if (rc == APIKEYS_OK)
    rc = ak_storage_backup(&env->storage, path);
  return rc == APIKEYS_OK ? rc : ak_error_code(err, rc);
}
