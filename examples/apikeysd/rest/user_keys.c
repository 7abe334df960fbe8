/* SPDX-License-Identifier: MIT */
/* Members' own keys: create and list. keys.c has the other routes. */
#include "http/body.h"
#include "http/reply.h"
#include "rest/key_replies.h"
#include "rest/list.h"
#include "rest/users.h"
#include "routes.h"
#include "service.h"

static void create_key(struct exchange *x) {
  struct form form;
  size_t organization_length, length;
  const char *user_id = exchange_argument(x, "user", &length);
  if (!form_open(&form, x))
    return;
  const char *organization_id =
      form_text(&form, "organization_id", FORM_REQUIRED, &organization_length);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  int rc = spec == NULL ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
  if (rc == APIKEYS_OK && organization_id != NULL)
    rc = apikeys_key_spec_set_member(spec, organization_id, organization_length, user_id, length);
  if (rc == APIKEYS_OK)
    key_create(&form, spec, "Organization membership of user", user_id, 400);
  else
    reply_failure(x, rc, "User", user_id);
  apikeys_key_spec_free(spec);
  form_close(&form);
}

static void list_keys(struct exchange *x) {
  struct list list;
  size_t length;
  const char *user_id = exchange_argument(x, "user", &length);
  if (!list_open(&list, x))
    return;
  int rc = users_check(x, user_id, length);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_user_id(list.filter, user_id, length);
  if (rc == APIKEYS_OK)
    rc = list_set(&list, apikeys_filter_set_organization_id, "organization_id");
  key_list(&list, rc, "User", user_id);
  list_close(&list);
}

const struct route user_key_routes[] = {
    {METHOD_POST, "/user_management/users/:user/api_keys", ACCESS_MANAGEMENT, create_key},
    {METHOD_GET, "/user_management/users/:user/api_keys", ACCESS_MANAGEMENT, list_keys},
    {0},
};
