/* SPDX-License-Identifier: MIT */
#include "rest/one_key.h"

#include "http/body.h"
#include "http/reply.h"
#include "rest/key_answers.h"
#include "service.h"

static int get(struct exchange *x, enum key_kind kind, apikeys_key *key) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  int rc = key == NULL ? APIKEYS_ERROR_NO_MEMORY
                       : apikeys_key_get(x->service->env, x->actor, id, length, key, x->err);
  if (rc != APIKEYS_OK)
    return rc;
  bool management = apikeys_key_owner_type(key) == APIKEYS_OWNER_ENVIRONMENT;
  return management == (kind == MANAGEMENT_KEY) ? APIKEYS_OK : APIKEYS_ERROR_NOT_FOUND;
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

/* No date, or one that has passed, is now; null takes a planned expiry back. */
static int set_expiry(const struct form *form, enum key_kind kind, int64_t expires_at_ms,
                      apikeys_key *key) {
  struct exchange *x = form->x;
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  int rc = spec == NULL ? APIKEYS_ERROR_NO_MEMORY : get(x, kind, key);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_spec_set_expires_at_ms(spec, form_has(form, "expires_at") ? expires_at_ms : 1);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_update(x->service->env, x->actor, id, length, spec, key, x->err);
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
  apikeys_key *key = apikeys_key_new();
  int rc = get(x, kind, key);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_revoke(x->service->env, x->actor, id, length, reason, reason_length, NULL,
                            x->err);
  apikeys_key_free(key);
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
