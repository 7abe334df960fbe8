/* SPDX-License-Identifier: MIT */
/* POST /widgets/token. */
#include "http/body.h"
#include "http/reply.h"
#include "routes.h"
#include "service.h"

#include <sodium.h>

static int set_scopes(apikeys_widget_token_spec *spec, const json_t *scopes) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < json_array_size(scopes); i++) {
    const json_t *scope = json_array_get(scopes, i);
    rc = apikeys_widget_token_spec_add_scope(spec, json_string_value(scope),
                                             json_string_length(scope));
  }
  return rc;
}

static int create(struct exchange *x, const apikeys_widget_token_spec *spec) {
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  int rc = apikeys_widget_token_create(x->service->env, x->actor, spec, token, sizeof token, NULL,
                                       x->err);
  if (rc == APIKEYS_OK)
    reply_json(x, 201, json_pack("{s:s}", "token", token));
  sodium_memzero(token, sizeof token);
  return rc;
}

static void create_token(struct exchange *x) {
  struct form form;
  size_t organization_length, user_length;
  if (!form_open(&form, x))
    return;
  const char *organization_id =
      form_text(&form, "organization_id", FORM_REQUIRED, &organization_length);
  const char *user_id = form_text(&form, "user_id", FORM_OPTIONAL, &user_length);
  json_t *scopes = form_texts(&form, "scopes");
  if (form_good(&form)) {
    apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
    int rc = spec == NULL ? APIKEYS_ERROR_NO_MEMORY
                          : apikeys_widget_token_spec_set_organization(spec, organization_id,
                                                                       organization_length);
    if (rc == APIKEYS_OK && user_id != NULL)
      rc = apikeys_widget_token_spec_set_user(spec, user_id, user_length);
    if (rc == APIKEYS_OK)
      rc = set_scopes(spec, scopes);
    if (rc == APIKEYS_OK)
      rc = create(x, spec);
    if (rc == APIKEYS_ERROR_PERMISSION_NOT_HELD)
      reply_error(x, 403, "permission_not_held", "The user holds none of the scopes.");
    else if (rc != APIKEYS_OK)
      reply_failure(x, rc, user_id != NULL ? "Organization or member" : "Organization",
                    organization_id);
    apikeys_widget_token_spec_free(spec);
  }
  form_close(&form);
}

const struct route widget_token_routes[] = {
    {METHOD_POST, "/widgets/token", ACCESS_MANAGEMENT, create_token},
    {0},
};
