/* SPDX-License-Identifier: MIT */
/* The unit of work: begin, resolve the actor, end, deliver events. */
#include "operation/operation.h"

#include "access/effective_permissions.h"

#include <apikeys/key.h>

#include <stdlib.h>
#include <string.h>

int ak_op_key_state(struct ak_op *op, const apikeys_record *key) {
  return ak_key_state(&op->env->passed_times, key, op->now_ms, false);
}

int ak_op_environment(struct ak_op *op, apikeys_record *out) {
  apikeys_query query;
  ak_query_environment(&query, AK_ENVIRONMENT, 0);
  ak_query_equal_text(&query, op->env->id, strlen(op->env->id));
  int rc = ak_get(&op->transaction, &query, out);
  /* The environment's own record cannot be missing from its own store. */
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_ERROR_STORE_REPLACED : rc;
}

/* Members outlive their organization until they are swept up; nobody acts in it. */
static int resolve_member(struct ak_op *op, const apikeys_actor *actor) {
  int rc = ak_organization_exists(&op->transaction, actor->organization_id);
  if (rc != APIKEYS_OK)
    return rc;
  return ak_active_member_permissions(&op->transaction, actor->organization_id, actor->user_id,
                                      &op->power.held);
}

static int resolve_vouched(struct ak_op *op, const apikeys_actor *actor) {
  ak_slugs_add_all(&op->power.held, ak_slugs_text(&actor->permissions), actor->permissions.length);
  return ak_organization_exists(&op->transaction, actor->organization_id);
}

static int resolve_widget_token(struct ak_op *op, const apikeys_actor *actor) {
  if (ak_passed(&op->env->passed_times, AK_DEADLINE_WIDGET_TOKEN, actor->expires_at_ms, op->now_ms,
                false))
    return APIKEYS_ERROR_TOKEN_EXPIRED;
  const char *granted = ak_slugs_text(&actor->permissions);
  int rc = ak_organization_exists(&op->transaction, actor->organization_id);
  if (rc != APIKEYS_OK)
    return rc;
  if (actor->user_id[0] == '\0') {
    ak_slugs_add_all(&op->power.held, granted, actor->permissions.length);
    return APIKEYS_OK;
  }
  rc = resolve_member(op, actor);
  if (rc == APIKEYS_OK)
    ak_slugs_intersect(&op->power.held, granted, actor->permissions.length);
  return rc;
}

static int resolve_management_key(struct ak_op *op, const apikeys_actor *actor) {
  apikeys_record key;
  apikeys_query query;
  ak_record_init(&key, AK_API_KEY);
  ak_query_environment(&query, AK_API_KEY, 0);
  ak_query_equal_text(&query, actor->key_id, strlen(actor->key_id));
  int rc = ak_get(&op->transaction, &query, &key);
  if (rc == APIKEYS_OK &&
      (apikeys_record_integer(&key, AK_API_KEY_OWNER_TYPE) != APIKEYS_OWNER_ENVIRONMENT ||
       ak_op_key_state(op, &key) != APIKEYS_OK))
    rc = APIKEYS_ERROR_NOT_FOUND;
  if (rc == APIKEYS_OK) {
    size_t length;
    const char *scopes = apikeys_record_text(&key, AK_API_KEY_PERMISSIONS, &length);
    ak_slugs_add_all(&op->power.held, scopes, length);
  }
  ak_record_release(&key);
  return rc;
}

static int operation_resolve(struct ak_op *op, const apikeys_actor *actor) {
  if (actor->environment_id[0] != '\0' && strcmp(actor->environment_id, op->env->id) != 0)
    return APIKEYS_ERROR_ACTOR_UNKNOWN;
  if (actor->permissions.failed)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = APIKEYS_ERROR_NOT_FOUND;
  switch (actor->type) {
  case APIKEYS_ACTOR_SYSTEM:
    return APIKEYS_OK;
  case APIKEYS_ACTOR_MEMBER:
    rc = resolve_member(op, actor);
    break;
  case APIKEYS_ACTOR_VOUCHED_MEMBER:
    rc = resolve_vouched(op, actor);
    break;
  case APIKEYS_ACTOR_WIDGET_TOKEN:
    rc = resolve_widget_token(op, actor);
    break;
  case APIKEYS_ACTOR_MANAGEMENT_KEY:
    rc = resolve_management_key(op, actor);
    break;
  default:
    break;
  }
  if (rc == APIKEYS_OK && op->power.held.failed)
    rc = APIKEYS_ERROR_NO_MEMORY;
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_ERROR_ACTOR_UNKNOWN : rc;
}

static int operation_enter(struct ak_op *op, apikeys_env *env, apikeys_error *err) {
  memset(op, 0, sizeof *op);
  ak_error_clear(err);
  op->env = env;
  op->err = err;
  op->power.err = err;
  int rc = ak_env_enter(env);
  if (rc == APIKEYS_OK)
    ak_watch_clock(&env->passed_times, &env->options);
  return rc == APIKEYS_OK ? rc : ak_error_code(err, rc);
}

static int operation_begin(struct ak_op *op, int mode) {
  int rc = ak_begin(&op->transaction, &op->env->storage, mode);
  return rc == APIKEYS_OK ? rc : ak_error_code(op->err, rc);
}

int ak_op_check(struct ak_op *op, apikeys_env *env, const apikeys_actor *actor,
                apikeys_error *err) {
  int rc = operation_enter(op, env, err);
  if (rc == APIKEYS_OK && actor == NULL)
    rc = ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "actor", "every call names one");
  if (rc == APIKEYS_OK)
    rc = ak_actor_check(actor, err);
  op->power.actor = actor;
  return rc;
}

int ak_op_resolve(struct ak_op *op) {
  op->now_ms = ak_now_ms(&op->env->options); /* after the wait for other writers */
  return operation_resolve(op, op->power.actor);
}

int ak_op_begin(struct ak_op *op, apikeys_env *env, const apikeys_actor *actor, int mode,
                apikeys_error *err) {
  int rc = ak_op_check(op, env, actor, err);
  if (rc == APIKEYS_OK)
    rc = operation_begin(op, mode);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_op_resolve(op);
  return rc == APIKEYS_OK ? rc : ak_op_end(op, rc);
}

int ak_op_begin_internal(struct ak_op *op, apikeys_env *env, int mode, apikeys_error *err) {
  int rc = operation_enter(op, env, err);
  if (rc == APIKEYS_OK)
    rc = operation_begin(op, mode);
  if (rc == APIKEYS_OK)
    op->now_ms = ak_now_ms(&env->options);
  return rc;
}

/* -- The revocation journal -------------------------------------------------------------------- */

int ak_op_note_revoked(struct ak_op *op, const apikeys_record *key) {
  size_t length;
  const char *id = apikeys_record_text(key, AK_ID, &length);
  if (op->env->journal.path == NULL || op->unjournaled)
    return APIKEYS_OK;
  if (op->revoked_count == op->revoked_capacity) {
    size_t capacity = op->revoked_capacity > 0 ? op->revoked_capacity * 2 : 4;
    struct ak_journal_entry *larger = realloc(op->revoked, capacity * sizeof *larger);
    if (larger == NULL)
      return APIKEYS_ERROR_NO_MEMORY;
    op->revoked = larger;
    op->revoked_capacity = capacity;
  }
  struct ak_journal_entry *entry = &op->revoked[op->revoked_count];
  *entry = op->newest;
  if (ak_ulid_pack(entry->key, id, length) == 0)
    op->revoked_count++;
  return APIKEYS_OK;
}

bool ak_op_queue_journal(struct ak_op *op) {
  struct ak_journal *journal = &op->env->journal;
  if (journal->path == NULL || op->unjournaled)
    return false;
  if (op->revoked_count > 0)
    ak_journal_queue(journal, op->revoked, op->revoked_count, false);
  else if (op->newest.event_number > 0)
    ak_journal_note(journal, &op->newest);
  return op->revoked_count > 0;
}

void ak_op_append_journal(apikeys_env *env, bool sync) {
  bool was_behind = atomic_load(&env->journal.behind);
  if (env->journal.path != NULL && !ak_journal_append(&env->journal, sync) && !was_behind)
    ak_log(
        &env->options, APIKEYS_LOG_WARNING,
        "%s cannot be written: the revocation journal is behind. Changes stand; a backup that is "
        "restored now may revive keys that they revoked",
        env->journal.path);
}

static void deliver(struct ak_op *op) {
  for (size_t i = 0; i < op->event_count; i++)
    ak_subscriptions_deliver(op->env->subscriptions, op->events[i]);
}

void ak_op_release(struct ak_op *op) {
  for (size_t i = 0; i < op->event_count; i++)
    apikeys_event_free(op->events[i]);
  free(op->events);
  free(op->revoked);
  ak_slugs_release(&op->power.held);
}

int ak_op_finish(struct ak_op *op, int rc) {
  if (rc == APIKEYS_OK)
    ak_error_clear(op->err);
  else if (op->err != NULL && apikeys_error_code(op->err) != rc)
    ak_error_code(op->err, rc);
  if (rc == APIKEYS_OK)
    deliver(op);
  ak_op_release(op);
  return rc;
}

int ak_op_end(struct ak_op *op, int rc) {
  if (rc == APIKEYS_OK)
    rc = ak_commit(&op->transaction);
  else
    ak_rollback(&op->transaction);
  if (rc == APIKEYS_OK)
    ak_op_append_journal(op->env, ak_op_queue_journal(op));
  return ak_op_finish(op, rc);
}
