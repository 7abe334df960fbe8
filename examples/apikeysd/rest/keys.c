/* SPDX-License-Identifier: MIT */
/* Organizations' API keys: create, list, show, expire, revoke. The last three serve users' keys,
 * too. */
#include "http/body.h"
#include "http/reply.h"
#include "rest/key_actions.h"
#include "rest/key_replies.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"

#include <string.h>

static void create_key(struct exchange *x) {
  struct form form;
  size_t length;
  const char *organization_id = exchange_argument(x, "organization", &length);
  if (!form_open(&form, x))
    return;
  apikeys_key_spec *spec = apikeys_key_spec_new();
  int rc = spec == NULL ? APIKEYS_ERROR_NO_MEMORY
                        : apikeys_key_spec_set_organization(spec, organization_id, length);
  if (rc == APIKEYS_OK)
    key_create(&form, spec, "Organization", organization_id, 422);
  else
    reply_failure(x, rc, "Organization", organization_id);
  apikeys_key_spec_free(spec);
  form_close(&form);
}

/* Looks for the organization first, because an empty list would say that it exists. */
static int check_organization(struct exchange *x, const char *id, size_t length) {
  apikeys_organization *organization = apikeys_organization_new();
  int rc = organization == NULL ? APIKEYS_ERROR_NO_MEMORY
                                : apikeys_organization_get(x->service->env, x->actor, id, length,
                                                           organization, x->err);
  apikeys_organization_free(organization);
  return rc == APIKEYS_ERROR_NOT_ALLOWED ? APIKEYS_OK : rc; /* the list's own right decides */
}

static void list_keys(struct exchange *x) {
  struct list list;
  size_t length;
  const char *id = exchange_argument(x, "organization", &length);
  if (!list_open(&list, x))
    return;
  int rc = check_organization(x, id, length);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_organization_id(list.filter, id, length);
  key_list(&list, rc, "Organization", id);
  list_close(&list);
}

static void show_key(struct exchange *x) {
  key_show(x, CUSTOMER_KEY);
}

static void expire_key(struct exchange *x) {
  key_expire(x, CUSTOMER_KEY);
}

static void revoke_key(struct exchange *x) {
  key_revoke(x, CUSTOMER_KEY);
}

const struct route key_routes[] = {
    {METHOD_POST, "/organizations/:organization/api_keys", ACCESS_MANAGEMENT, create_key},
    {METHOD_GET, "/organizations/:organization/api_keys", ACCESS_MANAGEMENT, list_keys},
    {METHOD_GET, "/api_keys/:id", ACCESS_MANAGEMENT, show_key},
    {METHOD_DELETE, "/api_keys/:id", ACCESS_MANAGEMENT, revoke_key},
    {METHOD_POST, "/api_keys/:id/expire", ACCESS_MANAGEMENT, expire_key},
    {0},
};
