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

/* A setter that fails leaves nobody behind: an actor half set must not act. */
static int actor_refuse(apikeys_actor *actor) {
  if (actor != NULL)
    ak_actor_forget(actor);
  return APIKEYS_ERROR_INVALID_ARGUMENT;
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
  if (actor == NULL || reason == NULL ||
      ak_text_form_problem(reason, length, 1, AK_CONTEXT_MAX) != NULL)
    return actor_refuse(actor);
  ak_actor_forget(actor);
  actor->type = APIKEYS_ACTOR_SYSTEM;
  actor_copy_text(actor->reason, reason, length);
  ak_mask_secrets(actor->reason, length);
  return APIKEYS_OK;
}

static int set_member(apikeys_actor *actor, int type, const char *organization_id,
                      size_t organization_id_length, const char *user_id, size_t user_id_length) {
  if (actor == NULL || organization_id == NULL || user_id == NULL ||
      ak_id_check(organization_id, organization_id_length, "org") != 0 ||
      ak_text_id_problem(user_id, user_id_length, 1, AK_USER_ID_MAX) != NULL)
    return actor_refuse(actor);
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
  if (actor == NULL || actor->type != APIKEYS_ACTOR_VOUCHED_MEMBER || slug == NULL ||
      ak_slug_check(slug, length) != 0)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  ak_slugs_add(&actor->permissions, slug, length);
  return actor->permissions.failed ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
}

static int actor_set_context(apikeys_actor *actor, char *to, const char *text, size_t length) {
  if (actor == NULL || (text == NULL && length > 0) ||
      (length > 0 && ak_text_form_problem(text, length, 0, AK_CONTEXT_MAX) != NULL))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  actor_copy_text(to, length > 0 ? text : "", length);
  ak_mask_secrets(to, length);
  return APIKEYS_OK;
}

int apikeys_actor_set_request_id(apikeys_actor *actor, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return actor_set_context(actor, actor != NULL ? actor->request_id : NULL, text, length);
}

int apikeys_actor_set_address(apikeys_actor *actor, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return actor_set_context(actor, actor != NULL ? actor->address : NULL, text, length);
}

int apikeys_actor_set_user_agent(apikeys_actor *actor, const char *text, size_t length) {
  length = ak_text_length(text, length);
  return actor_set_context(actor, actor != NULL ? actor->user_agent : NULL, text, length);
}

int apikeys_actor_set_source(apikeys_actor *actor, int source) {
  if (actor == NULL || source < 0 || source > APIKEYS_SOURCE_SYSTEM)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  actor->source = source;
  return APIKEYS_OK;
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
