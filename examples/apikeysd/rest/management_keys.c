/* SPDX-License-Identifier: MIT */
/*
 * Management keys, with which hosts and operators use this API: our own routes. These keys are in
 * no other list, their events are not in /events unless asked for, and POST /api_keys/validations
 * refuses them.
 */
#include "http/body.h"
#include "http/reply.h"
#include "rest/key_actions.h"
#include "rest/key_replies.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"

/* "permissions" are the new key's scopes: "apikeys:keys:read". */
static void create_key(struct exchange *x) {
  struct form form;
  if (!form_open(&form, x))
    return;
  apikeys_key_spec *spec = apikeys_key_spec_new();
  int rc = spec == NULL ? APIKEYS_ERROR_NO_MEMORY : apikeys_key_spec_set_environment(spec);
  if (rc == APIKEYS_OK)
    key_create(&form, spec, "Environment", "", 422);
  else
    reply_failure(x, rc, "Environment", "");
  apikeys_key_spec_free(spec);
  form_close(&form);
}

static void list_keys(struct exchange *x) {
  struct list list;
  if (!list_open(&list, x))
    return;
  int rc = apikeys_filter_set_owner_type(list.filter, APIKEYS_OWNER_ENVIRONMENT);
  if (rc == APIKEYS_OK)
    rc = list_set(&list, apikeys_filter_set_search, "search");
  if (rc == APIKEYS_OK)
    rc = apikeys_key_list(x->service->env, x->actor, list.filter, list.page, x->err);
  list_reply(&list, rc, list_key);
  list_close(&list);
}

static void show_key(struct exchange *x) {
  key_show(x, MANAGEMENT_KEY);
}

static void expire_key(struct exchange *x) {
  key_expire(x, MANAGEMENT_KEY);
}

static void revoke_key(struct exchange *x) {
  key_revoke(x, MANAGEMENT_KEY);
}

const struct route management_key_routes[] = {
    {METHOD_POST, "/management_keys", ACCESS_MANAGEMENT, create_key},
    {METHOD_GET, "/management_keys", ACCESS_MANAGEMENT, list_keys},
    {METHOD_GET, "/management_keys/:id", ACCESS_MANAGEMENT, show_key},
    {METHOD_POST, "/management_keys/:id/expire", ACCESS_MANAGEMENT, expire_key},
    {METHOD_DELETE, "/management_keys/:id", ACCESS_MANAGEMENT, revoke_key},
    {0},
};
