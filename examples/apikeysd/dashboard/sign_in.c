/* SPDX-License-Identifier: MIT */
/* Routes to sign in to the dashboard, to see the session, and to sign out. */
#include "authenticate.h"
#include "config.h"
#include "dashboard/origin_check.h"
#include "dashboard/sessions.h"
#include "http/body.h"
#include "http/reply.h"
#include "http/timestamp.h"
#include "routes.h"
#include "service.h"

#include <string.h>

static json_t *split(const char *slugs) {
  json_t *array = json_array();
  while (*slugs != '\0') {
    size_t length = strcspn(slugs, " ");
    json_array_append_new(array, json_stringn(slugs, length));
    slugs += length + (slugs[length] == ' ');
  }
  return array;
}

/* A signed-in operator may see their own key, whatever its scopes. */
static int get_own_key(struct exchange *x, apikeys_key *key) {
  apikeys_actor *service = apikeys_actor_new();
  const char *id = x->session->key_id;
  int rc = service == NULL || key == NULL
               ? APIKEYS_ERROR_NO_MEMORY
               : apikeys_actor_set_system(service, "dashboard session", 17);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_get(x->service->env, service, id, strlen(id), key, x->err);
  apikeys_actor_free(service);
  return rc;
}

static void describe(struct exchange *x, int status) {
  apikeys_key *key = apikeys_key_new();
  int rc = get_own_key(x, key);
  if (rc == APIKEYS_OK)
    reply_json(x, status,
               json_pack("{s:{s:s,s:s,s:s,s:o,s:o},s:s,s:o,s:i,s:b}", "key", "id",
                         apikeys_key_id(key, NULL), "name", apikeys_key_name(key, NULL),
                         "obfuscated_value", apikeys_key_obfuscated_value(key, NULL), "permissions",
                         split(apikeys_key_permissions(key, NULL)), "expires_at",
                         timestamp_json(apikeys_key_expires_at_ms(key)), "csrf_token",
                         x->session->csrf_token, "ends_at", timestamp_json(session_ends_ms(x)),
                         "idle_seconds", x->service->config->session_idle_seconds, "demo",
                         x->service->config->demo));
  else
    reply_failure(x, rc, "Session", "");
  apikeys_key_free(key);
}

static void sign_in(struct exchange *x) {
  struct form form;
  size_t length;
  if (!origin_check_origin(x) || !form_open(&form, x))
    return;
  const char *value = form_text(&form, "key", FORM_REQUIRED, &length);
  if (form_good(&form) && authenticate_sign_in(x, value, length) && sessions_start(x))
    describe(x, 201);
  form_close(&form);
}

static void show_session(struct exchange *x) {
  describe(x, 200);
}

const struct route sign_in_routes[] = {
    {METHOD_POST, "/dashboard/session", ACCESS_PUBLIC, sign_in},
    {METHOD_GET, "/dashboard/session", ACCESS_SESSION, show_session},
    {METHOD_DELETE, "/dashboard/session", ACCESS_SESSION, sessions_end},
    {0},
};
