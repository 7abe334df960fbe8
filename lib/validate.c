/* SPDX-License-Identifier: MIT */
/* Validation, top to bottom: each step either refuses, or hands on to the next. */
#include "authority.h"
#include "call.h"
#include "flush.h"
#include "key_state.h"
#include "key_value.h"
#include "keys.h"
#include "membership.h"
#include "text.h"
#include "token.h"

#include <apikeys/validate.h>

#include <stdlib.h>
#include <string.h>

struct apikeys_requirement {
  struct ak_slugs permissions;
  int accept_management_keys;
  int problem;
  _Atomic int *frozen; /* apart from the rest, which no use changes; its owner's alone to free */
};

struct apikeys_request {
  int64_t time_ms;
  char address[AK_CONTEXT_MAX + 1];
  char request_id[AK_CONTEXT_MAX + 1];
};

/* -- Requirements and requests ----------------------------------------------------------------- */

apikeys_requirement *apikeys_requirement_new(void) {
  apikeys_requirement *requirement = calloc(1, sizeof *requirement);
  if (requirement != NULL &&
      (requirement->frozen = calloc(1, sizeof *requirement->frozen)) == NULL) {
    free(requirement);
    return NULL;
  }
  return requirement;
}

void apikeys_requirement_free(apikeys_requirement *requirement) {
  if (requirement == NULL)
    return;
  ak_slugs_release(&requirement->permissions);
  free(requirement->frozen);
  free(requirement);
}

/* A requirement that could not be set as wanted must not pass for a weaker one. */
static int note(apikeys_requirement *requirement, int problem) {
  if (problem != APIKEYS_OK && requirement->problem == APIKEYS_OK)
    requirement->problem = problem;
  return problem;
}

int apikeys_requirement_add_permission(apikeys_requirement *requirement, const char *slug,
                                       size_t length) {
  if (requirement == NULL || atomic_load(requirement->frozen))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (slug == NULL || ak_slug_check(slug, length) != 0)
    return note(requirement, APIKEYS_ERROR_INVALID_ARGUMENT);
  ak_slugs_add(&requirement->permissions, slug, length);
  return note(requirement, requirement->permissions.failed ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK);
}

int apikeys_requirement_set_accept_management_keys(apikeys_requirement *requirement, int accept) {
  if (requirement == NULL || atomic_load(requirement->frozen))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (accept != 0 && accept != 1)
    return note(requirement, APIKEYS_ERROR_INVALID_ARGUMENT);
  requirement->accept_management_keys = accept;
  return APIKEYS_OK;
}

apikeys_request *apikeys_request_new(void) {
  return calloc(1, sizeof(apikeys_request));
}

void apikeys_request_free(apikeys_request *request) {
  free(request);
}

int apikeys_request_set_time_ms(apikeys_request *request, int64_t unix_ms) {
  if (request == NULL || unix_ms < 0)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  request->time_ms = unix_ms;
  return APIKEYS_OK;
}

static int set_context(char *to, const char *text, size_t length) {
  if (to == NULL || (text == NULL && length > 0) ||
      (length > 0 && ak_text_problem(text, length, 1, AK_CONTEXT_MAX) != NULL))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (length > 0)
    memcpy(to, text, length);
  to[length] = '\0';
  return APIKEYS_OK;
}

int apikeys_request_set_address(apikeys_request *request, const char *text, size_t length) {
  return set_context(request != NULL ? request->address : NULL, text, length);
}

int apikeys_request_set_request_id(apikeys_request *request, const char *text, size_t length) {
  return set_context(request != NULL ? request->request_id : NULL, text, length);
}

/* -- The steps --------------------------------------------------------------------------------- */

/* What a validation has found out so far. */
struct validation {
  struct ak_call *call;
  const char *value;
  size_t length;
  struct ak_token token;
  const apikeys_requirement *requirement;
  apikeys_record environment;
  apikeys_record key;
  int64_t now_ms;
  int64_t last_used_at;
};

static int check_prefix(struct validation *validation) {
  int rc = ak_call_environment(validation->call, &validation->environment);
  if (rc != APIKEYS_OK)
    return rc;
  size_t length;
  const char *accepted =
      apikeys_record_text(&validation->environment, AK_ENVIRONMENT_ACCEPTED_PREFIXES, &length);
  return ak_slugs_has(accepted, length, validation->token.prefix, validation->token.prefix_length)
             ? APIKEYS_OK
             : APIKEYS_MALFORMED;
}

static int find_key(struct validation *validation) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
  ak_query_equal_text(&query, validation->token.lookup_id, AK_LOOKUP_ID_LENGTH);
  int rc = ak_get(&validation->call->transaction, &query, &validation->key);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_UNKNOWN : rc;
}

static int check_state(struct validation *validation) {
  const apikeys_record *key = &validation->key;
  int rc = ak_key_state(key, validation->now_ms);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_key_last_used(validation->call, apikeys_record_text(key, AK_ID, NULL),
                        &validation->last_used_at);
  if (rc != APIKEYS_OK)
    return rc;
  int64_t idle_lifetime_ms =
      apikeys_record_integer(&validation->environment, AK_ENVIRONMENT_IDLE_LIFETIME_MS);
  bool customers = apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE) != APIKEYS_OWNER_ENVIRONMENT;
  bool idle =
      customers && ak_key_idle(key, validation->last_used_at, idle_lifetime_ms, validation->now_ms);
  return idle ? APIKEYS_REVOKED : APIKEYS_OK;
}

/* A member's key is worth what the member holds now. */
static int hold_to_member(struct validation *validation) {
  apikeys_record *key = &validation->key;
  struct ak_slugs held = {0};
  size_t length;
  int rc = ak_active_member_permissions(&validation->call->transaction,
                                        apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL),
                                        apikeys_record_text(key, AK_API_KEY_USER_ID, NULL), &held);
  if (rc == APIKEYS_OK) {
    const char *granted = apikeys_record_text(key, AK_API_KEY_PERMISSIONS, &length);
    ak_slugs_intersect(&held, granted, length);
    rc = held.failed ? APIKEYS_ERROR_NO_MEMORY
                     : apikeys_record_set_text(key, AK_API_KEY_PERMISSIONS, ak_slugs_text(&held),
                                               held.length);
  }
  ak_slugs_release(&held);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OWNER_INACTIVE : rc;
}

/* An organization's keys are revoked when it is deleted; that it is there is asked all the same,
 * for stores that were edited by hand. */
static int check_owner(struct validation *validation) {
  const apikeys_record *key = &validation->key;
  const char *organization_id = apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL);
  int rc;
  switch (apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE)) {
  case APIKEYS_OWNER_ENVIRONMENT:
    return APIKEYS_OK;
  case APIKEYS_OWNER_ORGANIZATION:
    rc = ak_organization_exists(&validation->call->transaction, organization_id);
    return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OWNER_INACTIVE : rc;
  case APIKEYS_OWNER_MEMBER:
    return hold_to_member(validation);
  default:
    return APIKEYS_ERROR_CORRUPT;
  }
}

static int require(const apikeys_record *key, const apikeys_requirement *requirement,
                   apikeys_error *err) {
  bool management = apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE) == APIKEYS_OWNER_ENVIRONMENT;
  if (management && (requirement == NULL || requirement->accept_management_keys != 1))
    return APIKEYS_MANAGEMENT_KEY;
  if (requirement == NULL)
    return APIKEYS_OK;
  if (requirement->problem != APIKEYS_OK)
    return ak_error_set(err, requirement->problem, "requirement",
                        "was set to something that it cannot be");
  size_t length, missing_length;
  const char *held = apikeys_record_text(key, AK_API_KEY_PERMISSIONS, &length), *missing;
  if (ak_slugs_include(held, length, ak_slugs_text(&requirement->permissions),
                       requirement->permissions.length, &missing, &missing_length))
    return APIKEYS_OK;
  int rc = ak_error_set(err, APIKEYS_NOT_PERMITTED, "permissions", "%.*s: %s", (int)missing_length,
                        missing, apikeys_result_text(APIKEYS_NOT_PERMITTED));
  ak_error_set_subject(err, missing, missing_length);
  return rc;
}

static int validate(struct validation *validation) {
  int rc = check_prefix(validation);
  if (rc == APIKEYS_OK)
    rc = find_key(validation);
  if (rc == APIKEYS_OK)
    rc = ak_key_value_verify(validation->call->env, &validation->key, validation->value,
                             validation->length);
  if (rc == APIKEYS_OK)
    rc = check_state(validation);
  if (rc == APIKEYS_OK)
    rc = check_owner(validation);
  if (rc == APIKEYS_OK)
    rc = require(&validation->key, validation->requirement, validation->call->err);
  return rc;
}

/* -- Around them ------------------------------------------------------------------------------- */

enum { SECURITY_LINES_A_SECOND = 10 };

/* How many lines were left out before this one; -1: leave this one out as well. */
static int64_t may_log(struct ak_log_limit *limit, int64_t now_ms) {
  int64_t left_out = -1;
  pthread_mutex_lock(&limit->lock);
  if (now_ms / 1000 != limit->second) {
    limit->second = now_ms / 1000;
    limit->lines = 0;
  }
  if (limit->lines < SECURITY_LINES_A_SECOND) {
    limit->lines++;
    left_out = limit->left_out;
    limit->left_out = 0;
  } else {
    limit->left_out++;
  }
  pthread_mutex_unlock(&limit->lock);
  return left_out;
}

static void log_refusal(apikeys_env *env, int rc, const struct ak_token *token,
                        const apikeys_request *request) {
  if (env->options.log == NULL)
    return;
  int64_t left_out = may_log(&env->security_log, ak_now_ms(&env->options));
  if (left_out < 0)
    return;
  if (left_out > 0)
    ak_log(&env->options, APIKEYS_LOG_SECURITY, "%lld refusals were left out of this log",
           (long long)left_out);
  ak_log(&env->options, APIKEYS_LOG_SECURITY,
         "validation refused: %s; lookup id %.*s; address %s; request %s", apikeys_result_name(rc),
         token->lookup_id != NULL ? AK_LOOKUP_ID_LENGTH : 1,
         token->lookup_id != NULL ? token->lookup_id : "-",
         request != NULL && request->address[0] != '\0' ? request->address : "-",
         request != NULL && request->request_id[0] != '\0' ? request->request_id : "-");
}

static void succeed(struct validation *validation, apikeys_key *key) {
  apikeys_env *env = validation->call->env;
  const char *id = apikeys_record_text(&validation->key, AK_ID, NULL);
  if (ak_usage_record(&env->usage, id, validation->now_ms))
    ak_flush_usage(env);
  if (key == NULL)
    return;
  ak_object_become(&key->object, &validation->key);
  key->last_used_at = validation->last_used_at;
}

static int validate_in_call(apikeys_env *env, struct validation *validation,
                            const apikeys_request *request, apikeys_key *key, apikeys_error *err) {
  struct ak_call call;
  int rc = ak_call_begin_internal(&call, env, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  validation->call = &call;
  validation->now_ms = request != NULL && request->time_ms > 0 ? request->time_ms : call.now_ms;
  ak_record_init(&validation->environment, AK_ENVIRONMENT);
  ak_record_init(&validation->key, AK_API_KEY);
  rc = ak_call_end(&call, validate(validation));
  if (rc == APIKEYS_OK)
    succeed(validation, key);
  ak_record_release(&validation->key);
  ak_record_release(&validation->environment);
  return rc;
}

/* A refusal with the error object saying so. */
static int refuse(apikeys_env *env, int rc, const struct ak_token *token,
                  const apikeys_request *request, apikeys_error *err) {
  if (rc > 0)
    log_refusal(env, rc, token, request);
  if (err != NULL && apikeys_error_code(err) != rc)
    ak_error_code(err, rc);
  return rc;
}

/* Threads share it: it is written once, and only read ever after. */
static void freeze(const apikeys_requirement *requirement) {
  if (requirement != NULL && atomic_load_explicit(requirement->frozen, memory_order_relaxed) == 0)
    atomic_store_explicit(requirement->frozen, 1, memory_order_relaxed);
}

int apikeys_validate(apikeys_env *env, const char *value, size_t length,
                     const apikeys_requirement *requirement, const apikeys_request *request,
                     apikeys_key *key, apikeys_error *err) {
  int rc = ak_env_enter(env);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  if (value == NULL && length > 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "value", "is NULL");
  struct validation validation = {.value = value, .length = length, .requirement = requirement};
  freeze(requirement);
  rc = length < AK_TOKEN_MIN || length > AK_TOKEN_MAX
           ? APIKEYS_MALFORMED
           : ak_token_parse(&validation.token, value, length);
  if (rc == APIKEYS_OK)
    rc = validate_in_call(env, &validation, request, key, err);
  return rc == APIKEYS_OK ? ak_error_clear(err) : refuse(env, rc, &validation.token, request, err);
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
  *value_length = length - SCHEME_LENGTH;
  return header + SCHEME_LENGTH;
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

/* -- Holding a validated key against more ------------------------------------------------------ */

int apikeys_key_require(const apikeys_key *key, const apikeys_requirement *requirement) {
  if (key == NULL || apikeys_key_id(key, NULL)[0] == '\0')
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return require(&key->object.record, requirement, NULL);
}

int apikeys_key_require_permission(const apikeys_key *key, const char *slug, size_t length) {
  if (key == NULL || apikeys_key_id(key, NULL)[0] == '\0' || slug == NULL ||
      ak_slug_check(slug, length) != 0)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  size_t set_length;
  const char *set = apikeys_key_permissions(key, &set_length);
  return ak_slugs_has(set, set_length, slug, length) ? APIKEYS_OK : APIKEYS_NOT_PERMITTED;
}

/* -- Management keys as actors ----------------------------------------------------------------- */

int apikeys_actor_set_management_key(apikeys_actor *actor, apikeys_env *env, const char *value,
                                     size_t length, apikeys_error *err) {
  if (actor == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "actor", "is NULL");
  ak_actor_forget(actor);
  _Atomic int frozen = 1;
  const apikeys_requirement management = {.accept_management_keys = 1, .frozen = &frozen};
  apikeys_key *key = apikeys_key_new();
  if (key == NULL)
    return ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  int rc = apikeys_validate(env, value, length, &management, NULL, key, err);
  if (rc > 0 || (rc == APIKEYS_OK && apikeys_key_owner_type(key) != APIKEYS_OWNER_ENVIRONMENT))
    rc = ak_error_code(err, APIKEYS_ERROR_ACTOR_UNKNOWN);
  size_t id_length;
  const char *id = apikeys_key_id(key, &id_length);
  if (rc == APIKEYS_OK && id_length < AK_ID_MAX) {
    actor->type = APIKEYS_ACTOR_MANAGEMENT_KEY;
    memcpy(actor->environment_id, env->id, AK_ID_MAX);
    memcpy(actor->key_id, id, id_length + 1);
  }
  apikeys_key_free(key);
  return rc;
}
