/* SPDX-License-Identifier: MIT */
/* Creating, reading, changing and revoking one key. */
#include "domain/keys.h"

#include "access/authority.h"
#include "access/effective_permissions.h"
#include "base/misplaced_secret.h"
#include "base/text.h"
#include "domain/idempotency.h"
#include "domain/key_spec.h"
#include "domain/key_value.h"
#include "operation/crud.h"
#include "operation/events.h"
#include "operation/group_commit.h"

#include <apikeys/key.h>

#include <string.h>

_Static_assert(APIKEYS_VALUE_MAX > AK_KEY_TEXT_MAX, "the public bound holds every value");

const char *ak_key_event_type(const apikeys_record *key, const char *action) {
  bool management = apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE) == APIKEYS_OWNER_ENVIRONMENT;
  if (strcmp(action, "created") == 0)
    return management ? "management_key.created" : "api_key.created";
  if (strcmp(action, "updated") == 0)
    return management ? "management_key.updated" : "api_key.updated";
  return management ? "management_key.revoked" : "api_key.revoked";
}

int ak_key_last_used(struct ak_op *op, const apikeys_record *key, int64_t *at_ms) {
  apikeys_query query;
  size_t id_length;
  const char *id = apikeys_record_text(key, AK_ID, &id_length);
  apikeys_record use;
  ak_record_init(&use, AK_API_KEY_USE);
  ak_query_environment(&query, AK_API_KEY_USE, 0);
  ak_query_equal_text(&query, id, id_length);
  int rc = ak_get(&op->transaction, &query, &use);
  int64_t stored = rc == APIKEYS_OK ? apikeys_record_integer(&use, AK_API_KEY_USE_LAST_USED_AT) : 0;
  int64_t remembered = ak_cache_last_use(&op->env->cache, key);
  *at_ms = remembered > stored ? remembered : stored;
  ak_record_release(&use);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static int append_event(struct ak_op *op, const apikeys_record *key, const apikeys_record *before,
                        const char *action) {
  struct ak_object_json_extra extra = {0};
  bool is_new = strcmp(action, "created") == 0; /* and was never used: nothing to look up */
  int rc = is_new ? APIKEYS_OK : ak_key_last_used(op, key, &extra.last_used_at);
  return rc == APIKEYS_OK
             ? ak_event_append(op, ak_key_event_type(key, action),
                               apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL), key,
                               before, &extra)
             : rc;
}

void ak_key_owner_query(apikeys_query *query, const struct ak_key_owner *owner, int state) {
  size_t length = strlen(owner->organization_id);
  bool by_user = owner->user_id[0] != '\0';
  int index = by_user ? AK_API_KEY_BY_USER : AK_API_KEY_BY_OWNER;
  if (owner->type == APIKEYS_OWNER_ENVIRONMENT)
    ak_query_environment(query, AK_API_KEY, index);
  else if (length > 0)
    ak_query_of(query, AK_API_KEY, index, owner->organization_id, length);
  else
    ak_query_any(query, AK_API_KEY, index);
  if (by_user) {
    ak_query_equal_text(query, owner->user_id, strlen(owner->user_id));
  } else {
    ak_query_equal_text(query, owner->organization_id, length);
    ak_query_equal_integer(query, owner->type);
  }
  ak_query_equal_integer(query, state);
}

/* -- Creating ---------------------------------------------------------------------------------- */

static int check_key_owner(struct ak_op *op, const apikeys_record *key) {
  size_t length;
  const char *organization_id = apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, &length);
  const char *user_id = apikeys_record_text(key, AK_API_KEY_USER_ID, NULL);
  int owner_type = (int)apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE);
  if (owner_type == 0)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "owner", "is not set");
  bool complete = owner_type == APIKEYS_OWNER_ENVIRONMENT ||
                  (ak_id_check(organization_id, length, "org") == 0 &&
                   (owner_type != APIKEYS_OWNER_MEMBER ||
                    ak_text_id_problem(user_id, strlen(user_id), 1, AK_USER_ID_MAX) == NULL));
  if (!complete)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "owner",
                        "is not an organization's or a member's id");
  int rc = ak_allow_keys(&op->power, AK_KEY_CREATE, owner_type, organization_id, user_id);
  if (rc == APIKEYS_OK && owner_type != APIKEYS_OWNER_ENVIRONMENT)
    rc = ak_organization_exists(&op->transaction, organization_id);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = ak_error_set(op->err, rc, "owner", "no such organization");
  return rc;
}

/* All keys that count against the owner's limit: those that are not revoked. */
static int check_limit(struct ak_op *op, const apikeys_record *key,
                       const apikeys_record *environment) {
  int64_t max = apikeys_record_integer(environment, AK_ENVIRONMENT_MAX_KEYS_PER_OWNER);
  int64_t owner_type = apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE);
  if (max <= 0 || owner_type == APIKEYS_OWNER_ENVIRONMENT)
    return APIKEYS_OK;
  struct ak_key_owner owner = {(int)owner_type,
                               apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL),
                               apikeys_record_text(key, AK_API_KEY_USER_ID, NULL)};
  apikeys_query query;
  ak_key_owner_query(&query, &owner, AK_KEY_ACTIVE);
  uint64_t count;
  int rc = ak_count(&op->transaction, &query, &count);
  if (rc == APIKEYS_OK && count >= (uint64_t)max)
    rc = ak_error_set(op->err, APIKEYS_ERROR_TOO_MANY_KEYS, "owner", NULL);
  return rc;
}

static int fill_new(const apikeys_key_spec *spec, apikeys_record *key) {
  ak_record_set_string(key, AK_API_KEY_ORGANIZATION_ID, "");
  ak_record_set_string(key, AK_API_KEY_PERMISSIONS, "");
  apikeys_record_set_integer(key, AK_API_KEY_STATE, AK_KEY_ACTIVE);
  apikeys_record_set_integer(key, AK_API_KEY_EXPIRES_AT, 0);
  apikeys_record_set_integer(key, AK_API_KEY_REVOKED_AT, 0);
  int rc = ak_object_apply(&spec->object, key);
  return rc == APIKEYS_OK ? ak_record_status(key) : rc;
}

static int check_key_new(struct ak_op *op, const apikeys_key_spec *spec, const apikeys_record *key,
                         const apikeys_record *environment) {
  int64_t expires_at = apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT);
  int rc = ak_key_spec_check(op, &spec->object, key, environment);
  enum ak_deadline kind = ak_deadline_of_owner(apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE));
  if (rc == APIKEYS_OK && ak_may_have_passed(&op->env->passed_times, kind, expires_at, op->now_ms))
    rc = ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "expires_at",
                      "must be in the future");
  return rc == APIKEYS_OK ? check_limit(op, key, environment) : rc;
}

static int create_new(struct ak_op *op, const apikeys_key_spec *spec,
                      const apikeys_record *environment, apikeys_record *key,
                      struct ak_secret_text *value) {
  int rc = check_key_new(op, spec, key, environment);
  if (rc == APIKEYS_OK)
    rc = ak_stamp_new(op, key, "api_key", AK_API_KEY_CREATED_AT, AK_API_KEY_UPDATED_AT);
  if (rc == APIKEYS_OK)
    rc = ak_key_value_make(op->env, key, environment, value);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&op->transaction, key);
  /* Ids and lookup ids are random: two alike are a random source that repeats itself. */
  if (rc == APIKEYS_ERROR_EXISTS)
    rc = ak_error_set(op->err, APIKEYS_ERROR_RANDOM, "", "the random source repeats itself");
  if (rc == APIKEYS_OK)
    rc = append_event(op, key, NULL, "created");
  return rc == APIKEYS_OK ? ak_idempotency_remember(op, spec, key) : rc;
}

/*
 * The same request came before: its answer was lost, so the value it gave is taken to be lost, and
 * the key gets a new one. A key that was used shows that somebody has the value.
 */
static int replace_value(struct ak_op *op, const apikeys_record *environment, apikeys_record *key,
                         struct ak_secret_text *value) {
  size_t id_length;
  const char *id = apikeys_record_text(key, AK_ID, &id_length);
  int64_t last_used;
  int rc = ak_key_last_used(op, key, &last_used);
  if (rc != APIKEYS_OK)
    return rc;
  if (last_used != 0 || ak_op_key_state(op, key) != APIKEYS_OK) {
    rc = ak_error_set(op->err, APIKEYS_ERROR_IDEMPOTENCY_USED, "idempotency_key", NULL);
    ak_error_set_subject(op->err, id, id_length);
    return rc;
  }
  apikeys_record before;
  ak_record_init(&before, AK_API_KEY);
  rc = apikeys_record_copy(&before, key);
  if (rc == APIKEYS_OK)
    rc = ak_key_value_make(op->env, key, environment, value);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_set_integer(key, AK_API_KEY_UPDATED_AT, op->now_ms);
  if (rc == APIKEYS_OK)
    rc = ak_update(&op->transaction, key);
  if (rc == APIKEYS_OK)
    rc = append_event(op, key, &before, "updated");
  ak_record_release(&before);
  return rc;
}

struct creation {
  const apikeys_key_spec *spec;
  apikeys_record key;
  struct ak_secret_text value;
  bool repeated;
};

/* A run before, whose transaction was rolled back, may have left a key and its value. */
static void start_anew(struct creation *creation) {
  apikeys_record_clear(&creation->key);
  ak_wipe(&creation->value, sizeof creation->value);
}

static int create_key(struct ak_op *op, void *data) {
  struct creation *creation = data;
  const apikeys_key_spec *spec = creation->spec;
  apikeys_record *key = &creation->key;
  start_anew(creation);
  int rc = fill_new(spec, key);
  if (rc == APIKEYS_OK)
    rc = check_key_owner(op, key);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  rc = ak_op_environment(op, &environment);
  creation->repeated = false;
  if (rc == APIKEYS_OK)
    rc = ak_idempotency_find(op, spec, key, &creation->repeated);
  if (rc == APIKEYS_OK)
    rc = creation->repeated ? replace_value(op, &environment, key, &creation->value)
                            : create_new(op, spec, &environment, key, &creation->value);
  ak_record_release(&environment);
  return rc;
}

static void become_key(apikeys_key *key, apikeys_record *record, int64_t last_used_at) {
  if (key == NULL)
    return;
  ak_object_swap_record(&key->object, record);
  key->last_used_at = last_used_at;
  key->value_replaced = false;
}

int apikeys_key_create(apikeys_env *env, const apikeys_actor *actor, const apikeys_key_spec *spec,
                       apikeys_key *key, char *value, size_t size, size_t *value_length,
                       apikeys_error *err) {
  if (spec == NULL || value == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, spec == NULL ? "spec" : "value",
                        "is NULL");
  if (size < APIKEYS_VALUE_MAX)
    return ak_error_set(err, APIKEYS_ERROR_BUFFER_TOO_SMALL, "value", "needs %d bytes",
                        APIKEYS_VALUE_MAX);
  int rc = ak_object_check(&spec->object, err);
  if (rc == APIKEYS_OK && spec->idempotency_key_fault != NULL)
    rc = ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "idempotency_key", "%s",
                      spec->idempotency_key_fault);
  if (rc != APIKEYS_OK)
    return rc;
  struct creation made = {.spec = spec};
  ak_record_init(&made.key, AK_API_KEY);
  rc = ak_group_op(env, actor, create_key, &made, err);
  if (rc == APIKEYS_OK) {
    memcpy(value, made.value.text, made.value.length + 1);
    if (value_length != NULL)
      *value_length = made.value.length;
    become_key(key, &made.key, 0);
    if (key != NULL)
      key->value_replaced = made.repeated;
  }
  ak_wipe(&made.value, sizeof made.value);
  ak_record_release(&made.key);
  return rc;
}

/* -- Finding one's own ------------------------------------------------------------------------- */

/* The key, if the actor may do this to it; others' keys are not found rather than forbidden. */
static int find_permitted_key(struct ak_op *op, const struct ak_text *id, enum ak_key_verb verb,
                              apikeys_record *key) {
  int rc = ak_allow_some_keys(&op->power);
  if (rc == APIKEYS_OK)
    rc = ak_check_lookup(op, id, "id");
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  ak_scope_query(&op->power, &query, AK_API_KEY, 0);
  ak_query_equal_text(&query, id->text, id->length);
  rc = ak_get(&op->transaction, &query, key);
  if (rc != APIKEYS_OK)
    return rc;
  int owner_type = (int)apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE);
  const char *organization_id = apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL);
  const char *user_id = apikeys_record_text(key, AK_API_KEY_USER_ID, NULL);
  rc = ak_allow_keys(&op->power, AK_KEY_SEE, owner_type, organization_id, user_id);
  if (rc == APIKEYS_ERROR_NOT_ALLOWED && verb != AK_KEY_SEE &&
      !ak_power_is_member(&op->power)) /* a scope to write need not come with one to read */
    rc = APIKEYS_OK;
  else if (rc == APIKEYS_ERROR_NOT_ALLOWED && ak_power_is_member(&op->power))
    rc = ak_error_code(op->err, APIKEYS_ERROR_NOT_FOUND);
  return rc == APIKEYS_OK ? ak_allow_keys(&op->power, verb, owner_type, organization_id, user_id)
                          : rc;
}

struct key_result {
  struct ak_text id;
  const apikeys_key_spec *spec;
  struct ak_text reason;
  apikeys_record record;
  int64_t last_used_at;
  bool found; /* record is the key as it is, whatever the call returns */
  struct ak_journal_entry revoked_before; /* for the revocation journal; number 0: nothing */
};

static int get_key(struct ak_op *op, void *data) {
  struct key_result *result = data;
  int rc = find_permitted_key(op, &result->id, AK_KEY_SEE, &result->record);
  if (rc == APIKEYS_OK)
    rc = ak_key_last_used(op, &result->record, &result->last_used_at);
  return rc;
}

static int read_alone(apikeys_env *env, const apikeys_actor *actor, ak_group_body body,
                      struct key_result *result, apikeys_error *err) {
  struct ak_op op;
  int rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_READ, err);
  return rc == APIKEYS_OK ? ak_op_end(&op, body(&op, result)) : rc;
}

/* The one frame around get, update and revoke. */
static int run_key_change(apikeys_env *env, const apikeys_actor *actor, int mode,
                          struct key_result *result, ak_group_body body, apikeys_key *key,
                          apikeys_error *err) {
  ak_record_init(&result->record, AK_API_KEY);
  int rc = mode == APIKEYS_TRANSACTION_WRITE ? ak_group_op(env, actor, body, result, err)
                                             : read_alone(env, actor, body, result, err);
  if (rc == APIKEYS_OK || (rc == APIKEYS_ERROR_ALREADY_REVOKED && result->found))
    become_key(key, &result->record, result->last_used_at);
  ak_record_release(&result->record);
  return rc;
}

int apikeys_key_get(apikeys_env *env, const apikeys_actor *actor, const char *id, size_t length,
                    apikeys_key *key, apikeys_error *err) {
  length = ak_text_length(id, length);
  if (key == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "key", "is NULL");
  struct key_result result = {.id = {id, length}};
  return run_key_change(env, actor, APIKEYS_TRANSACTION_READ, &result, get_key, key, err);
}

/* -- The last management key ------------------------------------------------------------------- */

static const char managing[] = "apikeys:management-keys:write";

/* May the key make other management keys? For how long does not matter to the first of these. */
static bool manages(struct ak_op *op, const apikeys_record *key) {
  size_t length;
  const char *scopes = apikeys_record_text(key, AK_API_KEY_PERMISSIONS, &length);
  return apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE) == APIKEYS_OWNER_ENVIRONMENT &&
         ak_op_key_state(op, key) == APIKEYS_OK &&
         ak_slugs_has(scopes, length, managing, sizeof managing - 1);
}

static bool manages_for_good(struct ak_op *op, const apikeys_record *key) {
  return manages(op, key) && apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT) == 0;
}

struct others {
  struct ak_op *op;
  const char *id;
  bool manage, for_good;
};

static int look_at_other(const apikeys_record *key, void *data) {
  struct others *others = data;
  if (strcmp(apikeys_record_text(key, AK_ID, NULL), others->id) == 0)
    return 0;
  others->manage = others->manage || manages(others->op, key);
  others->for_good = others->for_good || manages_for_good(others->op, key);
  return others->for_good;
}

/*
 * Without a management key that can make others nobody could manage the environment from outside.
 * So the last one is not let go of (revoked, made to expire, or its scope taken away) unless the
 * system does it, which can make a new one.
 */
static int check_not_last(struct ak_op *op, const apikeys_record *before,
                          const apikeys_record *after) {
  bool lost = manages(op, before) && !manages(op, after);
  bool lost_for_good = manages_for_good(op, before) && !manages_for_good(op, after);
  if ((!lost && !lost_for_good) || op->power.actor->type == APIKEYS_ACTOR_SYSTEM)
    return APIKEYS_OK;
  struct ak_key_owner owner = {APIKEYS_OWNER_ENVIRONMENT, "", ""};
  struct others others = {.op = op, .id = apikeys_record_text(before, AK_ID, NULL)};
  apikeys_query query;
  ak_key_owner_query(&query, &owner, AK_KEY_ACTIVE);
  int rc = ak_scan(&op->transaction, &query, look_at_other, &others);
  if (rc < 0 || others.for_good || (others.manage && !lost_for_good))
    return rc < 0 ? rc : APIKEYS_OK;
  rc = ak_error_set(op->err, APIKEYS_ERROR_LAST_MANAGEMENT_KEY, "id", NULL);
  ak_error_set_subject(op->err, others.id, strlen(others.id));
  return rc;
}

/* -- Changing ---------------------------------------------------------------------------------- */

static bool owner_was_set(const apikeys_key_spec *spec) {
  return ak_object_changed(&spec->object, AK_API_KEY_OWNER_TYPE);
}

static int check_change(struct ak_op *op, const apikeys_key_spec *spec,
                        const apikeys_record *before, const apikeys_record *key) {
  if (ak_object_changed(&spec->object, AK_API_KEY_EXPIRES_AT) &&
      ak_op_key_state(op, before) == APIKEYS_EXPIRED)
    return ak_error_set(op->err, APIKEYS_ERROR_ALREADY_EXPIRED, "expires_at", NULL);
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_op_environment(op, &environment);
  if (rc == APIKEYS_OK)
    rc = ak_key_spec_check(op, &spec->object, key, &environment);
  ak_record_release(&environment);
  return rc;
}

/*
 * A time in the past means "now". By the clock alone: what this process remembers of deadlines does
 * not change what is stored for the others.
 */
static int hold_expiry(struct ak_op *op, const apikeys_key_spec *spec, apikeys_record *key) {
  int64_t expires_at = apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT);
  if (!ak_object_changed(&spec->object, AK_API_KEY_EXPIRES_AT) || expires_at <= 0 ||
      expires_at > op->now_ms)
    return APIKEYS_OK;
  return apikeys_record_set_integer(key, AK_API_KEY_EXPIRES_AT, op->now_ms);
}

static int change_key(struct ak_op *op, const apikeys_key_spec *spec, apikeys_record *before,
                      apikeys_record *key) {
  int rc = apikeys_record_copy(before, key);
  if (rc == APIKEYS_OK)
    rc = ak_object_apply(&spec->object, key);
  if (rc == APIKEYS_OK)
    rc = hold_expiry(op, spec, key);
  if (rc == APIKEYS_OK)
    rc = check_change(op, spec, before, key);
  if (rc != APIKEYS_OK || ak_records_equal(before, key))
    return rc;
  rc = check_not_last(op, before, key);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_set_integer(key, AK_API_KEY_UPDATED_AT, op->now_ms);
  if (rc == APIKEYS_OK)
    rc = ak_update(&op->transaction, key);
  return rc == APIKEYS_OK ? append_event(op, key, before, "updated") : rc;
}

static int update_key(struct ak_op *op, void *data) {
  struct key_result *result = data;
  int rc = find_permitted_key(op, &result->id, AK_KEY_CHANGE, &result->record);
  if (rc != APIKEYS_OK)
    return rc;
  if (apikeys_record_integer(&result->record, AK_API_KEY_STATE) != AK_KEY_ACTIVE)
    return ak_error_code(op->err, APIKEYS_ERROR_ALREADY_REVOKED);
  apikeys_record before;
  ak_record_init(&before, AK_API_KEY);
  rc = change_key(op, result->spec, &before, &result->record);
  ak_record_release(&before);
  return rc == APIKEYS_OK ? ak_key_last_used(op, &result->record, &result->last_used_at) : rc;
}

int apikeys_key_update(apikeys_env *env, const apikeys_actor *actor, const char *id, size_t length,
                       const apikeys_key_spec *spec, apikeys_key *key, apikeys_error *err) {
  length = ak_text_length(id, length);
  if (spec == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "spec", "is NULL");
  if (owner_was_set(spec) || spec->idempotency_key[0] != '\0')
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT,
                        owner_was_set(spec) ? "owner" : "idempotency_key",
                        "can be set at creation only");
  int rc = ak_object_check(&spec->object, err);
  if (rc != APIKEYS_OK)
    return rc;
  struct key_result result = {.id = {id, length}, .spec = spec};
  return run_key_change(env, actor, APIKEYS_TRANSACTION_WRITE, &result, update_key, key, err);
}

/* -- Revoking ---------------------------------------------------------------------------------- */

int ak_key_revoke_record(struct ak_op *op, apikeys_record *key, const char *reason,
                         size_t reason_length) {
  apikeys_record_set_integer(key, AK_API_KEY_STATE, AK_KEY_REVOKED);
  apikeys_record_set_integer(key, AK_API_KEY_REVOKED_AT, op->now_ms);
  apikeys_record_set_integer(key, AK_API_KEY_UPDATED_AT, op->now_ms);
  if (reason_length > 0)
    apikeys_record_set_text(key, AK_API_KEY_REVOKED_REASON, reason, reason_length);
  int rc = ak_record_status(key);
  if (rc == APIKEYS_OK)
    rc = ak_update(&op->transaction, key);
  if (rc == APIKEYS_OK)
    rc = append_event(op, key, NULL, "revoked");
  return rc == APIKEYS_OK ? ak_op_note_revoked(op, key) : rc;
}

static int check_revocation(struct ak_op *op, const apikeys_record *key) {
  apikeys_record gone;
  ak_record_init(&gone, AK_API_KEY);
  apikeys_record_set_integer(&gone, AK_API_KEY_STATE, AK_KEY_REVOKED);
  int rc = check_not_last(op, key, &gone);
  ak_record_release(&gone);
  return rc;
}

static int keep_newest(const apikeys_record *event, void *data) {
  struct ak_journal_entry *entry = data;
  size_t length;
  const char *id = apikeys_record_text(event, AK_ID, &length);
  entry->event_number = apikeys_record_integer(event, AK_NUMBER);
  entry->at_ms = apikeys_record_integer(event, AK_EVENT_CREATED_AT);
  ak_ulid_pack(entry->event, id, length);
  return 1;
}

/*
 * The process that revoked it may have died before the revocation was in the journal: whoever is told
 * "revoked before" may rely on that, so the journal gets it now, beside the newest event.
 */
static int note_revoked_before(struct ak_op *op, const apikeys_record *key,
                               struct ak_journal_entry *entry) {
  size_t length;
  const char *id = apikeys_record_text(key, AK_ID, &length);
  memset(entry, 0, sizeof *entry);
  if (!op->env->journal.started || ak_ulid_pack(entry->key, id, length) != 0)
    return APIKEYS_OK;
  apikeys_query query;
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  query.descending = true;
  query.limit = 1;
  int rc = ak_scan(&op->transaction, &query, keep_newest, entry);
  return rc < 0 ? rc : APIKEYS_OK;
}

static int revoke_key(struct ak_op *op, void *data) {
  struct key_result *result = data;
  result->found = false;
  int rc = find_permitted_key(op, &result->id, AK_KEY_REVOKE, &result->record);
  if (rc == APIKEYS_OK)
    rc = ak_key_last_used(op, &result->record, &result->last_used_at);
  if (rc != APIKEYS_OK)
    return rc;
  result->found = true;
  if (apikeys_record_integer(&result->record, AK_API_KEY_STATE) != AK_KEY_ACTIVE) {
    rc = note_revoked_before(op, &result->record, &result->revoked_before);
    return rc == APIKEYS_OK ? ak_error_code(op->err, APIKEYS_ERROR_ALREADY_REVOKED) : rc;
  }
  rc = check_revocation(op, &result->record);
  return rc == APIKEYS_OK
             ? ak_key_revoke_record(op, &result->record, result->reason.text, result->reason.length)
             : rc;
}

int apikeys_key_revoke(apikeys_env *env, const apikeys_actor *actor, const char *id, size_t length,
                       const char *reason, size_t reason_length, apikeys_key *key,
                       apikeys_error *err) {
  length = ak_text_length(id, length);
  reason_length = ak_text_length(reason, reason_length);
  if ((reason == NULL && reason_length > 0) ||
      (reason_length > 0 && ak_text_form_problem(reason, reason_length, 1, AK_CONTEXT_MAX) != NULL))
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "reason",
                        "must be up to 255 bytes of text");
  char masked[AK_CONTEXT_MAX + 1];
  if (reason_length > 0)
    memcpy(masked, reason, reason_length);
  struct key_result result = {.id = {id, length},
                              .reason = {masked, ak_mask_secrets(masked, reason_length)}};
  int rc = run_key_change(env, actor, APIKEYS_TRANSACTION_WRITE, &result, revoke_key, key, err);
  if (rc == APIKEYS_ERROR_ALREADY_REVOKED && result.revoked_before.event_number > 0) {
    ak_journal_queue(&env->journal, &result.revoked_before, 1, true);
    ak_op_append_journal(env, true);
  }
  return rc;
}
