/* SPDX-License-Identifier: MIT */
/* Actors: setters and getters of who makes a call. What an actor may do is authority.c's. */
#include "access/actor.h"

#include "base/error.h"
#include "base/misplaced_secret.h"
#include "base/text.h"
#include "crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

apikeys_actor *apikeys_actor_new(void) {
  return calloc(1, sizeof(apikeys_actor));
}

void ak_actor_forget(apikeys_actor *actor) {
  ak_slugs_release(&actor->permissions);
  memset(actor, 0, sizeof *actor);
}

void apikeys_actor_free(apikeys_actor *actor) {
  if (actor == NULL)
    return;
  ak_slugs_release(&actor->permissions);
  free(actor);
}

enum actor_field {
  ACTOR_REASON,
  ACTOR_ORGANIZATION_ID,
  ACTOR_USER_ID,
  ACTOR_PERMISSIONS,
  ACTOR_REQUEST_ID,
  ACTOR_ADDRESS,
  ACTOR_USER_AGENT,
  ACTOR_SOURCE
};

int ak_actor_check(const apikeys_actor *actor, apikeys_error *err) {
  static const char *const names[] = {"reason",     "organization_id", "user_id",    "permissions",
                                      "request_id", "address",         "user_agent", "source"};
  const struct ak_setter_fault *fault = ak_setter_fault_first(&actor->faults);
  if (fault == NULL)
    return APIKEYS_OK;
  return ak_setter_fault_report(fault, fault->field >= 0 ? names[fault->field] : "", err);
}

/* A setter that fails leaves nobody behind: an actor half set must not act. */
static int actor_refuse(apikeys_actor *actor, int field, const char *reason) {
  if (actor == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  ak_actor_forget(actor);
  ak_setter_fault_keep(&actor->faults, field, APIKEYS_ERROR_ACTOR_UNKNOWN, reason);
  return APIKEYS_ERROR_INVALID_ARGUMENT;
}

static int actor_keep_fault(apikeys_actor *actor, int field, const char *reason) {
  return ak_setter_fault_keep(&actor->faults, field, APIKEYS_ERROR_INVALID_ARGUMENT, reason);
}

static void actor_copy_text(char *to, const char *text, size_t length) {
  memcpy(to, text, length);
  to[length] = '\0';
}

int apikeys_actor_set_nobody(apikeys_actor *actor) {
  if (actor == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  ak_actor_forget(actor);
  return APIKEYS_OK;
}

int apikeys_actor_set_system(apikeys_actor *actor, const char *reason, size_t length) {
  length = ak_text_length(reason, length);
  const char *problem =
      reason != NULL ? ak_text_form_problem(reason, length, 1, AK_CONTEXT_MAX) : "is NULL";
  if (actor == NULL || problem != NULL)
    return actor_refuse(actor, ACTOR_REASON, problem);
  ak_actor_forget(actor);
  actor->type = APIKEYS_ACTOR_SYSTEM;
  actor_copy_text(actor->reason, reason, length);
  ak_mask_secrets(actor->reason, length);
  return APIKEYS_OK;
}

static int set_member(apikeys_actor *actor, int type, const char *organization_id,
                      size_t organization_id_length, const char *user_id, size_t user_id_length) {
  if (actor == NULL || organization_id == NULL ||
      ak_id_check(organization_id, organization_id_length, "org") != 0)
    return actor_refuse(actor, ACTOR_ORGANIZATION_ID, "must be an organization's id");
  const char *problem =
      user_id != NULL ? ak_text_id_problem(user_id, user_id_length, 1, AK_USER_ID_MAX) : "is NULL";
  if (problem != NULL)
    return actor_refuse(actor, ACTOR_USER_ID, problem);
  ak_actor_forget(actor);
  actor->type = type;
  actor_copy_text(actor->organization_id, organization_id, organization_id_length);
  actor_copy_text(actor->user_id, user_id, user_id_length);
  return APIKEYS_OK;
}

int apikeys_actor_set_member(apikeys_actor *actor, const char *organization_id,
                             size_t organization_id_length, const char *user_id,
                             size_t user_id_length) {
  organization_id_length = ak_text_length(organization_id, organization_id_length);
  user_id_length = ak_text_length(user_id, user_id_length);
  return set_member(actor, APIKEYS_ACTOR_MEMBER, organization_id, organization_id_length, user_id,
                    user_id_length);
}

int apikeys_actor_set_vouched_member(apikeys_actor *actor, const char *organization_id,
                                     size_t organization_id_length, const char *user_id,
                                     size_t user_id_length) {
  organization_id_length = ak_text_length(organization_id, organization_id_length);
  user_id_length = ak_text_length(user_id, user_id_length);
  return set_member(actor, APIKEYS_ACTOR_VOUCHED_MEMBER, organization_id, organization_id_length,
                    user_id, user_id_length);
}

int apikeys_actor_add_permission(apikeys_actor *actor, const char *slug, size_t length) {
  length = ak_text_length(slug, length);
  if (actor == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (actor->type != APIKEYS_ACTOR_VOUCHED_MEMBER)
    return actor_keep_fault(actor, ACTOR_PERMISSIONS, "are a vouched member's alone to be given");
  if (slug == NULL || ak_slug_check(slug, length) != 0)
    return actor_keep_fault(actor, ACTOR_PERMISSIONS, AK_SLUG_REASON);
  ak_slugs_add(&actor->permissions, slug, length);
  return actor->permissions.failed ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
}

static int actor_set_context(apikeys_actor *actor, int field, char *to, const char *text,
                             size_t length) {
  const char *problem = text == NULL && length > 0 ? "is NULL" : NULL;
  if (problem == NULL && length > 0)
    problem = ak_text_form_problem(text, length, 0, AK_CONTEXT_MAX);
  if (problem != NULL)
    return actor_keep_fault(actor, field, problem);
  actor_copy_text(to, length > 0 ? text : "", length);
  ak_mask_secrets(to, length);
  return ak_setter_fault_clear(&actor->faults, field);
}

int apikeys_actor_set_request_id(apikeys_actor *actor, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return actor != NULL ? actor_set_context(actor, ACTOR_REQUEST_ID, actor->request_id, text, length)
                       : APIKEYS_ERROR_INVALID_ARGUMENT;
}

int apikeys_actor_set_address(apikeys_actor *actor, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return actor != NULL ? actor_set_context(actor, ACTOR_ADDRESS, actor->address, text, length)
                       : APIKEYS_ERROR_INVALID_ARGUMENT;
}

int apikeys_actor_set_user_agent(apikeys_actor *actor, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return actor != NULL ? actor_set_context(actor, ACTOR_USER_AGENT, actor->user_agent, text, length)
                       : APIKEYS_ERROR_INVALID_ARGUMENT;
}

int apikeys_actor_set_source(apikeys_actor *actor, int source) {
  if (actor == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (source < 0 || source > APIKEYS_SOURCE_SYSTEM)
    return actor_keep_fault(actor, ACTOR_SOURCE, "must be an APIKEYS_SOURCE_ constant");
  actor->source = source;
  return ak_setter_fault_clear(&actor->faults, ACTOR_SOURCE);
}

int apikeys_actor_type(const apikeys_actor *actor) {
  return actor != NULL ? actor->type : APIKEYS_ACTOR_NOBODY;
}

static const char *actor_lend(const char *text, size_t *length) {
  if (length != NULL)
    *length = strlen(text);
  return text;
}

const char *apikeys_actor_organization_id(const apikeys_actor *actor, size_t *length) {
  return actor_lend(actor != NULL ? actor->organization_id : "", length);
}

const char *apikeys_actor_user_id(const apikeys_actor *actor, size_t *length) {
  return actor_lend(actor != NULL ? actor->user_id : "", length);
}

const char *apikeys_actor_key_id(const apikeys_actor *actor, size_t *length) {
  return actor_lend(actor != NULL ? actor->key_id : "", length);
}
