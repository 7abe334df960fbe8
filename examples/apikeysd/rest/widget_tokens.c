/* SPDX-License-Identifier: MIT */
/* POST /widgets/token: a signed token for the widget. */
#include "http/body.h"
#include "http/reply.h"
#include "routes.h"
#include "service.h"

#include <sodium.h>

static int set_scopes(struct form *form, apikeys_widget_token_spec *spec) {
  const json_t *scopes = form_texts(form, "scopes");
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < json_array_size(scopes); i++) {
    const json_t *scope = json_array_get(scopes, i);
    rc = apikeys_widget_token_spec_add_scope(spec, json_string_value(scope),
                                             json_string_length(scope));
  }
  if (rc == APIKEYS_ERROR_INVALID_ARGUMENT)
    form_refuse(form, "invalid", "scopes");
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_OK : rc;
}

/* Text that can be no id matches nothing. */
static int set_organization(apikeys_widget_token_spec *spec, const char *id, size_t length) {
  int rc = apikeys_widget_token_spec_set_organization_id(spec, id, length);
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_ERROR_NOT_FOUND : rc;
}

static int set_user(struct form *form, apikeys_widget_token_spec *spec) {
  size_t length;
  const char *id = form_text(form, "user_id", FORM_OPTIONAL, &length);
  int rc = id != NULL ? apikeys_widget_token_spec_set_user_id(spec, id, length) : APIKEYS_OK;
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_ERROR_NOT_FOUND : rc;
}

/* Without an organization: uses the only one of which the user is an active member. If there are
 * none or several: APIKEYS_OK without an organization, and the form says which field is wanted. */
static int find_organization(struct form *form, apikeys_page *page, apikeys_filter *filter,
                             const char **id, size_t *length) {
  struct exchange *x = form->x;
  size_t user_length, active = 0;
  const char *user_id = form_text(form, "user_id", FORM_OPTIONAL, &user_length);
  if (user_id == NULL)
    return APIKEYS_OK;
  int rc = page == NULL || filter == NULL
               ? APIKEYS_ERROR_NO_MEMORY
               : apikeys_filter_set_user_id(filter, user_id, user_length);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_limit(filter, 100);
  if (rc == APIKEYS_OK)
    rc = apikeys_member_list(x->service->env, x->actor, filter, page, x->err);
  for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(page); i++) {
    const apikeys_member *member = apikeys_page_member(page, i);
    if (apikeys_member_status(member) == APIKEYS_MEMBER_ACTIVE && active++ == 0)
      *id = apikeys_member_organization_id(member, length);
  }
  /*
   * More than a page: several, or so many ended ones that the client should name the organization.
   */
  if (active != 1 || apikeys_page_after(page, NULL)[0] != '\0')
    *id = NULL;
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_ERROR_NOT_FOUND : rc;
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

static void refuse(struct exchange *x, int rc, bool has_user, const char *organization_id) {
  if (rc == APIKEYS_ERROR_PERMISSION_NOT_HELD)
    reply_error(x, 403, "permission_not_held", "The user holds none of the scopes.");
  else
    reply_failure(x, rc, has_user ? "Organization or member" : "Organization", organization_id);
}

static void create_token(struct exchange *x) {
  struct form form;
  size_t length;
  if (!form_open(&form, x))
    return;
  const char *organization_id = form_text(&form, "organization_id", FORM_OPTIONAL, &length);
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  int rc = spec == NULL ? APIKEYS_ERROR_NO_MEMORY : set_scopes(&form, spec);
  if (rc == APIKEYS_OK && organization_id == NULL && json_array_size(form.errors) == 0)
    rc = find_organization(&form, page, filter, &organization_id, &length);
  if (rc == APIKEYS_OK && organization_id == NULL && json_array_size(form.errors) == 0)
    form_refuse(&form, "required", "organization_id");
  if (rc == APIKEYS_OK && organization_id != NULL)
    rc = set_organization(spec, organization_id, length);
  if (rc == APIKEYS_OK)
    rc = set_user(&form, spec);
  if (form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = create(x, spec);
    if (rc != APIKEYS_OK)
      refuse(x, rc, form_has(&form, "user_id"), organization_id != NULL ? organization_id : "");
  }
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  apikeys_widget_token_spec_free(spec);
  form_close(&form);
}

const struct route widget_token_routes[] = {
    {METHOD_POST, "/widgets/token", ACCESS_MANAGEMENT, create_token},
    {0},
};
