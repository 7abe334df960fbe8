/* SPDX-License-Identifier: MIT */
/*
 * What an operator asks about keys: whose is this one that was found somewhere, and how many does
 * an organization have? Ours alone. A value comes in a body, never in a path, which is logged.
 */
#include "http/body.h"
#include "http/reply.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"

/* {"value":"sk_9fQ2"}: a value, or its visible beginning. */
static void look_up(struct exchange *x) {
  struct form form;
  struct list list;
  size_t length;
  if (!form_open(&form, x))
    return;
  const char *value = form_text(&form, "value", FORM_REQUIRED, &length);
  if (form_good(&form) && list_open(&list, x)) {
    int rc = apikeys_key_find(x->service->env, x->actor, value, length, list.page, x->err);
    list_reply_whole(&list, rc, list_key);
    list_close(&list);
  }
  form_close(&form);
}

static int count(struct exchange *x, apikeys_filter *filter, int owner_type, uint64_t *out) {
  size_t length;
  const char *id = exchange_argument(x, "organization", &length);
  int rc = apikeys_filter_set_organization(filter, id, length);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_owner_type(filter, owner_type);
  return rc == APIKEYS_OK ? apikeys_key_count(x->service->env, x->actor, filter, out, x->err) : rc;
}

static void count_keys(struct exchange *x) {
  apikeys_filter *filter = apikeys_filter_new();
  uint64_t own = 0, members = 0;
  int rc =
      filter == NULL ? APIKEYS_ERROR_NO_MEMORY : count(x, filter, APIKEYS_OWNER_ORGANIZATION, &own);
  if (rc == APIKEYS_OK)
    rc = count(x, filter, APIKEYS_OWNER_MEMBER, &members);
  if (rc == APIKEYS_OK)
    reply_json(x, 200,
               json_pack("{s:I,s:I}", "organization_keys", (json_int_t)own, "user_keys",
                         (json_int_t)members));
  else
    reply_failure(x, rc, "Organization", exchange_argument(x, "organization", NULL));
  apikeys_filter_free(filter);
}

const struct route key_lookup_routes[] = {
    {METHOD_POST, "/api_keys/lookups", ACCESS_MANAGEMENT, look_up},
    {METHOD_GET, "/organizations/:organization/api_key_counts", ACCESS_MANAGEMENT, count_keys},
    {0},
};
