/* SPDX-License-Identifier: MIT */
#include "call.h"

#include "key_state.h"
#include "membership.h"

#include <apikeys/key.h>

#include <stdlib.h>
#include <string.h>

int ak_call_environment(struct ak_call *call, apikeys_record *out) {
  apikeys_query query;
  ak_query_environment(&query, AK_ENVIRONMENT, 0);
  ak_query_equal_text(&query, call->env->id, strlen(call->env->id));
  int rc = ak_get(&call->transaction, &query, out);
  /* The environment's own record cannot be missing from its own store. */
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_ERROR_STORE_REPLACED : rc;
}

/* Members outlive their organization until they are swept up; nobody acts in it. */
static int resolve_member(struct ak_call *call, const apikeys_actor *actor) {
  int rc = ak_organization_exists(&call->transaction, actor->organization_id);
  if (rc != APIKEYS_OK)
    return rc;
  return ak_active_member_permissions(&call->transaction, actor->organization_id, actor->user_id,
                                      &call->power.held);
}

static int resolve_vouched(struct ak_call *call, const apikeys_actor *actor) {
  ak_slugs_add_all(&call->power.held, ak_slugs_text(&actor->permissions),
                   actor->permissions.length);
  return ak_organization_exists(&call->transaction, actor->organization_id);
}

static int resolve_widget_token(struct ak_call *call, const apikeys_actor *actor) {
  if (ak_passed(&call->env->passed_times, actor->expires_at_ms, call->now_ms, false))
    return APIKEYS_ERROR_TOKEN_EXPIRED;
  const char *granted = ak_slugs_text(&actor->permissions);
  int rc = ak_organization_exists(&call->transaction, actor->organization_id);
  if (rc != APIKEYS_OK)
    return rc;
  if (actor->user_id[0] == '\0') {
    ak_slugs_add_all(&call->power.held, granted, actor->permissions.length);
    return APIKEYS_OK;
  }
  rc = resolve_member(call, actor);
  if (rc == APIKEYS_OK)
    ak_slugs_intersect(&call->power.held, granted, actor->permissions.length);
  return rc;
}

static int resolve_management_key(struct ak_call *call, const apikeys_actor *actor) {
  apikeys_record key;
  apikeys_query query;
  ak_record_init(&key, AK_API_KEY);
  ak_query_environment(&query, AK_API_KEY, 0);
  ak_query_equal_text(&query, actor->key_id, strlen(actor->key_id));
  int rc = ak_get(&call->transaction, &query, &key);
  if (rc == APIKEYS_OK &&
      (apikeys_record_integer(&key, AK_API_KEY_OWNER_TYPE) != APIKEYS_OWNER_ENVIRONMENT ||
       ak_key_state(&key, call->now_ms) == APIKEYS_REVOKED ||
       ak_passed(&call->env->passed_times, apikeys_record_integer(&key, AK_API_KEY_EXPIRES_AT),
                 call->now_ms, false)))
    rc = APIKEYS_ERROR_NOT_FOUND;
  if (rc == APIKEYS_OK) {
    size_t length;
    const char *scopes = apikeys_record_text(&key, AK_API_KEY_PERMISSIONS, &length);
    ak_slugs_add_all(&call->power.held, scopes, length);
  }
  ak_record_release(&key);
  return rc;
}

static int resolve(struct ak_call *call, const apikeys_actor *actor) {
  if (actor->environment_id[0] != '\0' && strcmp(actor->environment_id, call->env->id) != 0)
    return APIKEYS_ERROR_ACTOR_UNKNOWN;
  if (actor->permissions.failed)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = APIKEYS_ERROR_NOT_FOUND;
  switch (actor->type) {
  case APIKEYS_ACTOR_SYSTEM:
    return APIKEYS_OK;
  case APIKEYS_ACTOR_MEMBER:
    rc = resolve_member(call, actor);
    break;
  case APIKEYS_ACTOR_VOUCHED_MEMBER:
    rc = resolve_vouched(call, actor);
    break;
  case APIKEYS_ACTOR_WIDGET_TOKEN:
    rc = resolve_widget_token(call, actor);
    break;
  case APIKEYS_ACTOR_MANAGEMENT_KEY:
    rc = resolve_management_key(call, actor);
    break;
  default:
    break;
  }
  if (rc == APIKEYS_OK && call->power.held.failed)
    rc = APIKEYS_ERROR_NO_MEMORY;
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_ERROR_ACTOR_UNKNOWN : rc;
}

static int enter(struct ak_call *call, apikeys_env *env, apikeys_error *err) {
  memset(call, 0, sizeof *call);
  ak_error_clear(err);
  call->env = env;
  call->err = err;
  int rc = ak_env_enter(env);
  if (rc == APIKEYS_OK)
    ak_watch_clock(&env->passed_times, &env->options);
  return rc == APIKEYS_OK ? rc : ak_error_code(err, rc);
}

static int begin(struct ak_call *call, int mode) {
  int rc = ak_begin(&call->transaction, &call->env->storage, mode);
  return rc == APIKEYS_OK ? rc : ak_error_code(call->err, rc);
}

int ak_call_check(struct ak_call *call, apikeys_env *env, const apikeys_actor *actor,
                  apikeys_error *err) {
  int rc = enter(call, env, err);
  if (rc == APIKEYS_OK && actor == NULL)
    rc = ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "actor", "every call names one");
  call->power.actor = actor;
  return rc;
}

int ak_call_resolve(struct ak_call *call) {
  call->now_ms = ak_now_ms(&call->env->options); /* after the wait for other writers */
  return resolve(call, call->power.actor);
}

int ak_call_begin(struct ak_call *call, apikeys_env *env, const apikeys_actor *actor, int mode,
                  apikeys_error *err) {
  int rc = ak_call_check(call, env, actor, err);
  if (rc == APIKEYS_OK)
    rc = begin(call, mode);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_call_resolve(call);
  return rc == APIKEYS_OK ? rc : ak_call_end(call, rc);
}

int ak_call_begin_internal(struct ak_call *call, apikeys_env *env, int mode, apikeys_error *err) {
  int rc = enter(call, env, err);
  if (rc == APIKEYS_OK)
    rc = begin(call, mode);
  if (rc == APIKEYS_OK)
    call->now_ms = ak_now_ms(&env->options);
  return rc;
}

static void deliver(struct ak_call *call) {
  for (size_t i = 0; i < call->event_count; i++)
    ak_subscriptions_deliver(call->env->subscriptions, call->events[i]);
}

void ak_call_release(struct ak_call *call) {
  for (size_t i = 0; i < call->event_count; i++)
    apikeys_event_free(call->events[i]);
  free(call->events);
  ak_slugs_release(&call->power.held);
}

int ak_call_finish(struct ak_call *call, int rc) {
  if (rc == APIKEYS_OK)
    ak_error_clear(call->err);
  else if (call->err != NULL && apikeys_error_code(call->err) != rc)
    ak_error_code(call->err, rc);
  if (rc == APIKEYS_OK)
    deliver(call);
  ak_call_release(call);
  return rc;
}

int ak_call_end(struct ak_call *call, int rc) {
  if (rc == APIKEYS_OK)
    rc = ak_commit(&call->transaction);
  else
    ak_rollback(&call->transaction);
  return ak_call_finish(call, rc);
}
