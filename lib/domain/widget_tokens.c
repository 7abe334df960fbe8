/* SPDX-License-Identifier: MIT */
/* Widget tokens: minting them, and making an actor of one that was presented. */
#include "access/authority.h"

#include "access/effective_permissions.h"
#include "base/arithmetic.h"
#include "base/setter_faults.h"
#include "base/text.h"
#include "crypto/widget_token_text.h"
#include "domain/token_keys.h"
#include "operation/crud.h"
#include "operation/root_key_follow.h"

#include <apikeys/widget_token.h>

#include <stdlib.h>
#include <string.h>

_Static_assert(APIKEYS_WIDGET_TOKEN_MAX > AK_WIDGET_TEXT_MAX, "the public bound holds every token");

enum { LIFETIME_MIN_MS = 1000, LIFETIME_MAX_MS = 3600000, ISSUED_LEEWAY_MS = 60000 };

struct apikeys_widget_token_spec {
  char organization_id[AK_ID_MAX];
  char user_id[AK_USER_ID_MAX + 1];
  struct ak_slugs scopes;
  int64_t lifetime_ms;
  struct ak_setter_faults faults;
};

apikeys_widget_token_spec *apikeys_widget_token_spec_new(void) {
  apikeys_widget_token_spec *spec = calloc(1, sizeof *spec);
  if (spec != NULL)
    spec->lifetime_ms = LIFETIME_MAX_MS;
  return spec;
}

void apikeys_widget_token_spec_free(apikeys_widget_token_spec *spec) {
  if (spec == NULL)
    return;
  ak_slugs_release(&spec->scopes);
  free(spec);
}

enum widget_spec_field {
  WIDGET_SPEC_ORGANIZATION_ID,
  WIDGET_SPEC_USER_ID,
  WIDGET_SPEC_SCOPES,
  WIDGET_SPEC_LIFETIME_MS
};

static int refuse_widget_spec(apikeys_widget_token_spec *spec, int field, const char *reason) {
  if (spec == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return ak_setter_fault_keep(&spec->faults, field, APIKEYS_ERROR_INVALID_ARGUMENT, reason);
}

static int check_widget_spec(const apikeys_widget_token_spec *spec, apikeys_error *err) {
  static const char *const names[] = {"organization_id", "user_id", "scopes", "lifetime_ms"};
  const struct ak_setter_fault *fault = ak_setter_fault_first(&spec->faults);
  if (fault == NULL)
    return APIKEYS_OK;
  return ak_setter_fault_report(fault, fault->field >= 0 ? names[fault->field] : "", err);
}

int apikeys_widget_token_spec_set_organization_id(apikeys_widget_token_spec *spec, const char *id,
                                                  size_t length) {
  length = ak_text_length(id, length);
  if (spec == NULL || id == NULL || ak_id_check(id, length, "org") != 0)
    return refuse_widget_spec(spec, WIDGET_SPEC_ORGANIZATION_ID, "must be an organization's id");
  memcpy(spec->organization_id, id, length);
  spec->organization_id[length] = '\0';
  return ak_setter_fault_clear(&spec->faults, WIDGET_SPEC_ORGANIZATION_ID);
}

int apikeys_widget_token_spec_set_user_id(apikeys_widget_token_spec *spec, const char *user_id,
                                          size_t length) {
  length = ak_text_length(user_id, length);
  const char *problem = user_id == NULL && length > 0 ? "is NULL" : NULL;
  if (problem == NULL && length > 0)
    problem = ak_text_id_problem(user_id, length, 1, AK_USER_ID_MAX);
  if (spec == NULL || problem != NULL)
    return refuse_widget_spec(spec, WIDGET_SPEC_USER_ID, problem);
  if (length > 0)
    memcpy(spec->user_id, user_id, length);
  spec->user_id[length] = '\0';
  return ak_setter_fault_clear(&spec->faults, WIDGET_SPEC_USER_ID);
}

int apikeys_widget_token_spec_add_scope(apikeys_widget_token_spec *spec, const char *slug,
                                        size_t length) {
  length = ak_text_length(slug, length);
  static const char start[] = "widgets:";
  if (spec == NULL || slug == NULL || ak_slug_check(slug, length) != 0 ||
      length <= sizeof start - 1 || memcmp(slug, start, sizeof start - 1) != 0)
    return refuse_widget_spec(spec, WIDGET_SPEC_SCOPES, "must be slugs that begin with widgets:");
  ak_slugs_add(&spec->scopes, slug, length);
  if (spec->scopes.failed)
    return ak_setter_fault_keep(&spec->faults, WIDGET_SPEC_SCOPES, APIKEYS_ERROR_NO_MEMORY, NULL);
  if (ak_slugs_count(ak_slugs_text(&spec->scopes), spec->scopes.length) > AK_WIDGET_PERMISSIONS_MAX)
    return refuse_widget_spec(spec, WIDGET_SPEC_SCOPES, "are too many");
  return APIKEYS_OK;
}

int apikeys_widget_token_spec_set_lifetime_ms(apikeys_widget_token_spec *spec,
                                              int64_t lifetime_ms) {
  if (spec == NULL || lifetime_ms < LIFETIME_MIN_MS || lifetime_ms > LIFETIME_MAX_MS)
    return refuse_widget_spec(spec, WIDGET_SPEC_LIFETIME_MS, "must be 1000 to 3600000");
  spec->lifetime_ms = lifetime_ms;
  return ak_setter_fault_clear(&spec->faults, WIDGET_SPEC_LIFETIME_MS);
}

size_t apikeys_widget_token_max(void) {
  return APIKEYS_WIDGET_TOKEN_MAX;
}

/* -- Making ------------------------------------------------------------------------------------ */

/* What is left of the scopes: with a user, those that they hold. */
static int grant(struct ak_op *op, const apikeys_widget_token_spec *spec,
                 struct ak_slugs *granted) {
  int rc = ak_organization_exists(&op->transaction, spec->organization_id);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    return ak_error_set(op->err, rc, "organization_id", "no such organization");
  const char *scopes = ak_slugs_text(&spec->scopes);
  if (rc == APIKEYS_OK && spec->user_id[0] == '\0')
    ak_slugs_add_all(granted, scopes, spec->scopes.length);
  else if (rc == APIKEYS_OK) {
    rc = ak_active_member_permissions(&op->transaction, spec->organization_id, spec->user_id,
                                      granted);
    if (rc == APIKEYS_ERROR_NOT_FOUND)
      return ak_error_set(op->err, rc, "user_id", "no such active member");
    ak_slugs_intersect(granted, scopes, spec->scopes.length);
  }
  if (rc == APIKEYS_OK && granted->failed)
    rc = APIKEYS_ERROR_NO_MEMORY;
  if (rc == APIKEYS_OK && spec->scopes.length > 0 && granted->length == 0)
    rc = ak_error_set(op->err, APIKEYS_ERROR_PERMISSION_NOT_HELD, "scopes",
                      "the user holds none of them");
  return rc;
}

static int claim_widget_token(struct ak_op *op, const apikeys_widget_token_spec *spec,
                              const struct ak_slugs *granted, struct ak_widget_claims *claims) {
  char id[AK_ID_MAX];
  struct ak_random random = ak_random_source(&op->env->options);
  int rc = ak_id_generate(id, "t", op->now_ms, &random);
  if (rc != APIKEYS_OK)
    return rc;
  memset(claims, 0, sizeof *claims);
  memcpy(claims->environment_id, op->env->id, sizeof claims->environment_id);
  memcpy(claims->organization_id, spec->organization_id, sizeof claims->organization_id);
  memcpy(claims->user_id, spec->user_id, sizeof claims->user_id);
  memcpy(claims->token_id, id + strlen("t_"), AK_ULID_LENGTH + 1);
  if (granted->length >= sizeof claims->permissions)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  memcpy(claims->permissions, ak_slugs_text(granted), granted->length);
  claims->issued_at = op->now_ms / 1000;
  claims->expires_at = claims->issued_at + spec->lifetime_ms / 1000;
  return APIKEYS_OK;
}

static int create_widget_token(struct ak_op *op, const apikeys_widget_token_spec *spec, char *token,
                               size_t *length) {
  struct ak_slugs granted = {0};
  struct ak_widget_claims claims;
  struct ak_secrets secrets;
  int rc = ak_allow(&op->power, "apikeys:widget-tokens:write");
  if (rc == APIKEYS_OK)
    rc = grant(op, spec, &granted);
  if (rc == APIKEYS_OK)
    rc = claim_widget_token(op, spec, &granted, &claims);
  ak_slugs_release(&granted);
  if (rc == APIKEYS_OK)
    rc = ak_env_secrets(op->env, 0, &secrets);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_widget_text_write(token, length, &claims, (uint32_t)secrets.version, secrets.token);
  ak_wipe(&secrets, sizeof secrets);
  return rc;
}

int apikeys_widget_token_create(apikeys_env *env, const apikeys_actor *actor,
                                const apikeys_widget_token_spec *spec, char *token, size_t size,
                                size_t *token_length, apikeys_error *err) {
  if (spec == NULL || token == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, spec == NULL ? "spec" : "token",
                        "is NULL");
  int rc = check_widget_spec(spec, err);
  if (rc != APIKEYS_OK)
    return rc;
  if (spec->organization_id[0] == '\0')
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "organization_id", "is not set");
  if (size < APIKEYS_WIDGET_TOKEN_MAX)
    return ak_error_set(err, APIKEYS_ERROR_BUFFER_TOO_SMALL, "token", "needs %d bytes",
                        APIKEYS_WIDGET_TOKEN_MAX);
  struct ak_op op;
  rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  char made[AK_WIDGET_TEXT_MAX + 1];
  size_t length = 0;
  rc = ak_op_end(&op, create_widget_token(&op, spec, made, &length));
  if (rc == APIKEYS_OK) {
    memcpy(token, made, length + 1);
    if (token_length != NULL)
      *token_length = length;
  }
  ak_wipe(made, sizeof made);
  return rc;
}

/* -- Verifying --------------------------------------------------------------------------------- */

/* The key of this version: the current one, or, for an hour after a rotation, one of before. */
static int token_key(struct ak_op *op, uint32_t version, uint8_t key[AK_KEY_BYTES]) {
  apikeys_record environment;
  struct ak_secrets secrets;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_op_environment(op, &environment);
  int64_t current = apikeys_record_integer(&environment, AK_ENVIRONMENT_ROOT_VERSION);
  if (rc == APIKEYS_OK)
    rc = ak_env_secrets(op->env, current, &secrets);
  if (rc == APIKEYS_OK) {
    if ((int64_t)version == current)
      memcpy(key, secrets.token, AK_KEY_BYTES);
    else
      rc = ak_token_keys_find(op, &environment, &secrets, (int64_t)version, key);
    ak_wipe(&secrets, sizeof secrets);
  }
  ak_record_release(&environment);
  return rc;
}

static int verify_widget_token(struct ak_op *op, const char *token, size_t length,
                               struct ak_widget_claims *claims) {
  uint8_t key[AK_KEY_BYTES];
  uint32_t version;
  int rc = ak_widget_text_key_version(token, length, &version);
  if (rc == APIKEYS_OK)
    rc = token_key(op, version, key);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_widget_text_read(token, length, key, claims);
  ak_wipe(key, sizeof key);
  if (rc != APIKEYS_OK)
    return rc;
  int64_t issued = claims->issued_at, expires = claims->expires_at;
  if (strcmp(claims->environment_id, op->env->id) != 0 || expires <= issued ||
      expires - issued > LIFETIME_MAX_MS / 1000)
    return APIKEYS_ERROR_TOKEN_INVALID;
  /* One of our own is from the future where the clock was set back; a leeway for other clocks. */
  if (issued * 1000 > ak_sum(op->now_ms, ISSUED_LEEWAY_MS))
    return APIKEYS_ERROR_TOKEN_INVALID;
  return ak_passed(&op->env->passed_times, AK_DEADLINE_WIDGET_TOKEN, expires * 1000, op->now_ms,
                   false)
             ? APIKEYS_ERROR_TOKEN_EXPIRED
             : APIKEYS_OK;
}

static int become_widget_token(apikeys_actor *actor, const apikeys_env *env,
                               const struct ak_widget_claims *claims) {
  memcpy(actor->environment_id, env->id, AK_ID_MAX);
  memcpy(actor->organization_id, claims->organization_id, AK_ID_MAX);
  memcpy(actor->user_id, claims->user_id, sizeof claims->user_id);
  actor->expires_at_ms = claims->expires_at * 1000;
  ak_slugs_add_all(&actor->permissions, claims->permissions, strlen(claims->permissions));
  if (actor->permissions.failed) {
    ak_actor_forget(actor);
    return APIKEYS_ERROR_NO_MEMORY;
  }
  actor->type = APIKEYS_ACTOR_WIDGET_TOKEN;
  return APIKEYS_OK;
}

int apikeys_actor_set_widget_token(apikeys_env *env, apikeys_actor *actor, const char *token,
                                   size_t length, apikeys_error *err) {
  length = ak_text_length_to(token, length, AK_WIDGET_TEXT_MAX);
  if (actor == NULL || token == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, actor == NULL ? "actor" : "token",
                        "is NULL");
  ak_actor_forget(actor);
  struct ak_op op;
  struct ak_widget_claims claims;
  int tries = 0, rc;
  do {
    rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_READ, err);
    if (rc == APIKEYS_OK)
      rc = ak_op_end(&op, verify_widget_token(&op, token, length, &claims));
  } while (ak_should_repeat(env, rc, &tries, err));
  if (rc == APIKEYS_OK)
    rc = become_widget_token(actor, env, &claims);
  return rc == APIKEYS_OK ? rc : ak_error_code(err, rc);
}
