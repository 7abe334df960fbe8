/* SPDX-License-Identifier: MIT */
/* Organizations' API keys: create, list, show, expire, revoke; the last three are users' keys', too. */
#include "http/body.h"
#include "http/reply.h"
#include "rest/key_answers.h"
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

/* Whether there is such an organization is asked first: an empty list would say that there is. */
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
    rc = apikeys_filter_set_organization(list.filter, id, length);
  if (rc == APIKEYS_OK)
    rc = list_set(&list, apikeys_filter_set_search, "search");
  if (rc == APIKEYS_OK && exchange_parameter(x, "revoked", NULL) != NULL)
    rc = apikeys_filter_set_revoked(list.filter, 1);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_list(x->service->env, x->actor, list.filter, list.page, x->err);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    reply_failure(x, rc, "Organization", id);
  else
    list_reply(&list, rc, list_key);
  list_close(&list);
}

/* Management keys have routes of their own; here they are not found. */
static int get_key(struct exchange *x, apikeys_key *key) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  int rc = key == NULL ? APIKEYS_ERROR_NO_MEMORY
                       : apikeys_key_get(x->service->env, x->actor, id, length, key, x->err);
  if (rc == APIKEYS_OK && apikeys_key_owner_type(key) == APIKEYS_OWNER_ENVIRONMENT)
    return APIKEYS_ERROR_NOT_FOUND;
  return rc;
}

static void show_key(struct exchange *x) {
  apikeys_key *key = apikeys_key_new();
  int rc = get_key(x, key);
  if (rc == APIKEYS_OK)
    key_reply(x, 200, key, NULL);
  else
    reply_failure(x, rc, "API Key", exchange_argument(x, "id", NULL));
  apikeys_key_free(key);
}

static void revoke_key(struct exchange *x) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  apikeys_key *key = apikeys_key_new();
  int rc = get_key(x, key);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_revoke(x->service->env, x->actor, id, length, NULL, 0, NULL, x->err);
  if (rc == APIKEYS_OK)
    reply_nothing(x);
  else
    reply_failure(x, rc, "API Key", id);
  apikeys_key_free(key);
}

/* No date, or one that has passed, is now; null takes a planned expiry back. */
static int set_expiry(struct exchange *x, const struct form *form, int64_t expires_at_ms,
                      apikeys_key *key) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  int rc = spec == NULL ? APIKEYS_ERROR_NO_MEMORY : get_key(x, key);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_spec_set_expires_at_ms(spec, form_has(form, "expires_at") ? expires_at_ms : 1);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_update(x->service->env, x->actor, id, length, spec, key, x->err);
  apikeys_key_spec_free(spec);
  return rc;
}

static void expire_key(struct exchange *x) {
  struct form form;
  if (!form_open(&form, x))
    return;
  int64_t expires_at_ms = form_time_ms(&form, "expires_at");
  if (form_good(&form)) {
    apikeys_key *key = apikeys_key_new();
    int rc = set_expiry(x, &form, expires_at_ms, key);
    if (rc == APIKEYS_OK)
      key_reply(x, 200, key, NULL);
    else if (rc == APIKEYS_ERROR_ALREADY_EXPIRED)
      reply_error(x, 409, "api_key_already_expired", "API key is already expired");
    else
      reply_failure(x, rc, "API Key", exchange_argument(x, "id", NULL));
    apikeys_key_free(key);
  }
  form_close(&form);
}

const struct route key_routes[] = {
    {METHOD_POST, "/organizations/:organization/api_keys", ACCESS_MANAGEMENT, create_key},
    {METHOD_GET, "/organizations/:organization/api_keys", ACCESS_MANAGEMENT, list_keys},
    {METHOD_GET, "/api_keys/:id", ACCESS_MANAGEMENT, show_key},
    {METHOD_DELETE, "/api_keys/:id", ACCESS_MANAGEMENT, revoke_key},
    {METHOD_POST, "/api_keys/:id/expire", ACCESS_MANAGEMENT, expire_key},
    {0},
};
