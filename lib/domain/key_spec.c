/* SPDX-License-Identifier: MIT */
/* The specification of a new key, and its checks against the environment's rules. */
#include "domain/key_spec.h"

#include "access/authority.h"
#include "access/effective_permissions.h"
#include "base/arithmetic.h"
#include "base/text.h"
#include "domain/permissions.h"
#include "objects/accessors.h"

#include <apikeys/key.h>

#include <string.h>

AK_NEW_AND_FREE(key_spec, AK_API_KEY)
AK_SET_TEXT(key_spec, name, AK_API_KEY_NAME)
AK_ADD_SLUG(key_spec, permission, AK_API_KEY_PERMISSIONS)
AK_CLEAR_SLUGS(key_spec, permissions, AK_API_KEY_PERMISSIONS)
AK_SET_SLUGS(key_spec, permissions, AK_API_KEY_PERMISSIONS)
AK_SET_INTEGER(key_spec, int64_t, expires_at_ms, AK_API_KEY_EXPIRES_AT)

static int set_owner(apikeys_key_spec *spec, int type, const char *organization_id,
                     size_t organization_id_length, const char *user_id, size_t user_id_length) {
  struct ak_object *object = spec != NULL ? &spec->object : NULL;
  int rc = ak_object_set_integer(object, AK_API_KEY_OWNER_TYPE, type);
  if (rc == APIKEYS_OK)
    rc = ak_object_set_text(object, AK_API_KEY_ORGANIZATION_ID, organization_id,
                            organization_id_length);
  if (rc == APIKEYS_OK)
    rc = ak_object_set_text(object, AK_API_KEY_USER_ID, user_id, user_id_length);
  return rc;
}

int apikeys_key_spec_set_organization(apikeys_key_spec *spec, const char *organization_id,
                                      size_t length) {
  length = ak_text_length(organization_id, length);
  return set_owner(spec, APIKEYS_OWNER_ORGANIZATION, organization_id, length, "", 0);
}

int apikeys_key_spec_set_member(apikeys_key_spec *spec, const char *organization_id,
                                size_t organization_id_length, const char *user_id,
                                size_t user_id_length) {
  organization_id_length = ak_text_length(organization_id, organization_id_length);
  user_id_length = ak_text_length(user_id, user_id_length);
  return set_owner(spec, APIKEYS_OWNER_MEMBER, organization_id, organization_id_length, user_id,
                   user_id_length);
}

int apikeys_key_spec_set_environment(apikeys_key_spec *spec) {
  return set_owner(spec, APIKEYS_OWNER_ENVIRONMENT, "", 0, "", 0);
}

int apikeys_key_spec_set_idempotency_key(apikeys_key_spec *spec, const char *text, size_t length) {
  length = ak_text_length(text, length);
  if (spec == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  const char *problem = text == NULL && length > 0 ? "is NULL" : NULL;
  if (problem == NULL && length > 0)
    problem = ak_text_form_problem(text, length, 1, AK_CONTEXT_MAX);
  spec->idempotency_key_fault = problem;
  if (problem != NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (length > 0)
    memcpy(spec->idempotency_key, text, length);
  spec->idempotency_key[length] = '\0';
  return APIKEYS_OK;
}

/* -- The ceiling ------------------------------------------------------------------------------- */

static int refuse_key_spec(struct ak_op *op, int code, const char *slug, size_t length) {
  int rc = ak_error_set(op->err, code, "permissions", "%.*s: %s", (int)length, slug,
                        apikeys_result_text(code));
  ak_error_set_subject(op->err, slug, length);
  return rc;
}

static int check_held(struct ak_op *op, const struct ak_slugs *held, const char *set,
                      size_t length) {
  const char *missing;
  size_t missing_length;
  if (ak_slugs_include(ak_slugs_text(held), held->length, set, length, &missing, &missing_length))
    return APIKEYS_OK;
  return refuse_key_spec(op, APIKEYS_ERROR_PERMISSION_NOT_HELD, missing, missing_length);
}

/* Scopes come from a fixed list, and a management key grants none that it lacks. */
static int check_scopes(struct ak_op *op, const char *set, size_t length) {
  size_t at = 0, slug_length;
  const char *slug;
  while (ak_slugs_next(set, length, &at, &slug, &slug_length))
    if (!ak_scope_known(slug, slug_length))
      return refuse_key_spec(op, APIKEYS_ERROR_UNKNOWN_PERMISSION, slug, slug_length);
  if (op->power.actor->type == APIKEYS_ACTOR_SYSTEM)
    return APIKEYS_OK;
  return check_held(op, &op->power.held, set, length);
}

/* A member's own key: what the member, as stored, holds, and, if they act, what they act with. */
static int check_member_ceiling(struct ak_op *op, const apikeys_record *key, const char *set,
                                size_t length) {
  struct ak_slugs held = {0};
  int rc = ak_active_member_permissions(&op->transaction,
                                        apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL),
                                        apikeys_record_text(key, AK_API_KEY_USER_ID, NULL), &held);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = ak_error_set(op->err, rc, "owner", "no such active member");
  if (rc == APIKEYS_OK)
    rc = check_held(op, &held, set, length);
  ak_slugs_release(&held);
  if (rc == APIKEYS_OK && op->power.actor->type == APIKEYS_ACTOR_VOUCHED_MEMBER)
    rc = check_held(op, &op->power.held, set, length);
  return rc;
}

/* An acting member's own permissions: all of them, not only a widget token's scopes. */
static int check_grants_are_held(struct ak_op *op, const char *set, size_t length) {
  const apikeys_actor *actor = op->power.actor;
  if (actor->type != APIKEYS_ACTOR_WIDGET_TOKEN)
    return check_held(op, &op->power.held, set, length);
  struct ak_slugs held = {0};
  int rc = APIKEYS_OK;
  if (actor->user_id[0] != '\0')
    rc = ak_active_member_permissions(&op->transaction, actor->organization_id, actor->user_id,
                                      &held);
  if (rc == APIKEYS_OK)
    rc = check_held(op, &held, set, length);
  ak_slugs_release(&held);
  return rc;
}

static int check_permissions(struct ak_op *op, const apikeys_record *key,
                             const apikeys_record *environment) {
  size_t length;
  const char *set = apikeys_record_text(key, AK_API_KEY_PERMISSIONS, &length);
  int owner_type = (int)apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE);
  if (owner_type == APIKEYS_OWNER_ENVIRONMENT)
    return check_scopes(op, set, length);
  int rc = ak_permissions_available(op, owner_type, set, length);
  if (rc == APIKEYS_OK && owner_type == APIKEYS_OWNER_MEMBER)
    return check_member_ceiling(op, key, set, length);
  bool must_be_held = apikeys_record_integer(environment, AK_ENVIRONMENT_GRANTS_MUST_BE_HELD) != 0;
  if (rc == APIKEYS_OK && must_be_held && ak_power_is_member(&op->power))
    rc = check_grants_are_held(op, set, length);
  return rc;
}

/* Policies are for customers' keys. */
static int check_expiry(struct ak_op *op, const apikeys_record *key,
                        const apikeys_record *environment) {
  if (apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE) == APIKEYS_OWNER_ENVIRONMENT)
    return APIKEYS_OK;
  int64_t expires_at = apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT);
  int64_t max = apikeys_record_integer(environment, AK_ENVIRONMENT_MAX_LIFETIME_MS);
  bool required = apikeys_record_integer(environment, AK_ENVIRONMENT_EXPIRY_REQUIRED) != 0;
  if (expires_at == 0 && (required || max > 0))
    return ak_error_set(op->err, APIKEYS_ERROR_EXPIRY_REQUIRED, "expires_at", NULL);
  if (max > 0 && ak_difference(expires_at, op->now_ms) > max)
    return ak_error_set(op->err, APIKEYS_ERROR_LIFETIME_TOO_LONG, "expires_at", NULL);
  return APIKEYS_OK;
}

int ak_key_spec_check(struct ak_op *op, const struct ak_object *given, const apikeys_record *key,
                      const apikeys_record *environment) {
  int rc = APIKEYS_OK;
  bool is_new = apikeys_record_integer(key, AK_NUMBER) == 0;
  if (is_new || ak_object_changed(given, AK_API_KEY_NAME))
    rc = ak_object_check_name(given, AK_API_KEY_NAME, 1, AK_KEY_NAME_MAX, op->err);
  if (rc == APIKEYS_OK && apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT) < 0)
    rc =
        ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "expires_at", "must not be negative");
  if (rc == APIKEYS_OK && (is_new || ak_object_changed(given, AK_API_KEY_EXPIRES_AT)))
    rc = check_expiry(op, key, environment);
  if (rc == APIKEYS_OK && (is_new || ak_object_changed(given, AK_API_KEY_PERMISSIONS)))
    rc = check_permissions(op, key, environment);
  return rc;
}
