/* SPDX-License-Identifier: MIT */
/* Shows, expires and revokes one key, a customer's or a management key. */
#include "rest/key_actions.h"

#include "http/body.h"
#include "http/reply.h"
#include "rest/key_replies.h"
#include "service.h"

#include <stdio.h>
#include <string.h>

static int get_as(struct exchange *x, const apikeys_actor *actor, enum key_kind kind,
                  apikeys_key *key) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  int rc = key == NULL ? APIKEYS_ERROR_NO_MEMORY
                       : apikeys_key_get(x->service->env, actor, id, length, key, x->err);
  if (rc != APIKEYS_OK)
    return rc;
  bool management = apikeys_key_owner_type(key) == APIKEYS_OWNER_ENVIRONMENT;
  return management == (kind == MANAGEMENT_KEY) ? APIKEYS_OK : APIKEYS_ERROR_NOT_FOUND;
}

static int get(struct exchange *x, enum key_kind kind, apikeys_key *key) {
  return get_as(x, x->actor, kind, key);
}

/* Finds the key's kind as the system, because an actor that may change a key need not be allowed to
 * read it. */
static int check_kind(struct exchange *x, enum key_kind kind) {
  static const char reason[] = "which kind of key";
  apikeys_actor *system = apikeys_actor_new();
  apikeys_key *key = apikeys_key_new();
  int rc = system == NULL ? APIKEYS_ERROR_NO_MEMORY
                          : apikeys_actor_set_system(system, reason, sizeof reason - 1);
  if (rc == APIKEYS_OK)
    rc = get_as(x, system, kind, key);
  apikeys_key_free(key);
  apikeys_actor_free(system);
  return rc;
}

/*
 * With "force=true" the last management key that can make others may go: then the system acts, and
 * the reason names the actor. The actor's own attempt comes first, because it must be allowed to.
 */
static bool is_forced(const struct exchange *x, enum key_kind kind, int rc) {
  const char *force = exchange_parameter(x, "force", NULL);
  return rc == APIKEYS_ERROR_LAST_MANAGEMENT_KEY && kind == MANAGEMENT_KEY && force != NULL &&
         strcmp(force, "true") == 0;
}

static apikeys_actor *system_for(const struct exchange *x) {
  char reason[128];
  apikeys_actor *system = apikeys_actor_new();
  int length =
      snprintf(reason, sizeof reason, "forced by %s", apikeys_actor_key_id(x->actor, NULL));
  if (system != NULL && apikeys_actor_set_system(system, reason, (size_t)length) == APIKEYS_OK)
    return system;
  apikeys_actor_free(system);
  return NULL;
}

static void refuse(struct exchange *x, enum key_kind kind, int rc) {
  reply_failure(x, rc, kind == MANAGEMENT_KEY ? "Management key" : "API Key",
                exchange_argument(x, "id", NULL));
}

void key_show(struct exchange *x, enum key_kind kind) {
  apikeys_key *key = apikeys_key_new();
  int rc = get(x, kind, key);
  if (rc == APIKEYS_OK)
    reply_json(x, 200, key_json(key));
  else
    refuse(x, kind, rc);
  apikeys_key_free(key);
}

/* No date, or a past one, means now; null removes a planned expiry. */
static int set_expiry(const struct form *form, enum key_kind kind, int64_t expires_at_ms,
                      apikeys_key *key) {
  struct exchange *x = form->x;
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  int rc = spec == NULL || key == NULL ? APIKEYS_ERROR_NO_MEMORY : check_kind(x, kind);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_spec_set_expires_at_ms(spec, form_has(form, "expires_at") ? expires_at_ms : 1);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_update(x->service->env, x->actor, id, length, spec, key, x->err);
  apikeys_actor *system = is_forced(x, kind, rc) ? system_for(x) : NULL;
  if (system != NULL)
    rc = apikeys_key_update(x->service->env, system, id, length, spec, key, x->err);
  apikeys_actor_free(system);
  apikeys_key_spec_free(spec);
  return rc;
}

void key_expire(struct exchange *x, enum key_kind kind) {
  struct form form;
  if (!form_open(&form, x))
    return;
  int64_t expires_at_ms = form_time_ms(&form, "expires_at");
  if (form_good(&form)) {
    apikeys_key *key = apikeys_key_new();
    int rc = set_expiry(&form, kind, expires_at_ms, key);
    if (rc == APIKEYS_OK)
      key_reply(x, 200, key, NULL);
    else if (rc == APIKEYS_ERROR_ALREADY_EXPIRED)
      reply_error(x, 409, "api_key_already_expired", "API key is already expired");
    else
      refuse(x, kind, rc);
    apikeys_key_free(key);
  }
  form_close(&form);
}

/* The body may say {"reason":"leaked"}; clients of the contract send none. */
static int revoke(struct exchange *x, enum key_kind kind, const char *reason,
                  size_t reason_length) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  apikeys_env *env = x->service->env;
  int rc = check_kind(x, kind);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_revoke(env, x->actor, id, length, reason, reason_length, NULL, x->err);
  apikeys_actor *system = is_forced(x, kind, rc) ? system_for(x) : NULL;
  if (system != NULL)
    rc = apikeys_key_revoke(env, system, id, length, reason, reason_length, NULL, x->err);
  apikeys_actor_free(system);
  return rc;
}

void key_revoke(struct exchange *x, enum key_kind kind) {
  struct form form;
  size_t length;
  if (!form_open(&form, x))
    return;
  const char *reason = form_text(&form, "reason", FORM_OPTIONAL, &length);
  if (form_good(&form)) {
    int rc = revoke(x, kind, reason, length);
    if (rc == APIKEYS_OK)
      reply_nothing(x);
    else
      refuse(x, kind, rc);
  }
  form_close(&form);
}
