/* SPDX-License-Identifier: MIT */
/*
 * The owner of a key that was found somewhere: our own route, not the contract's. A value comes in a
 * body, never in a path, because paths are logged.
 */
#include "http/body.h"
#include "http/reply.h"
#include "rest/key_replies.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"

/* Includes revoked keys, which say that they are. */
static void reply_keys(struct list *list) {
  json_t *values = json_array();
  for (size_t i = 0; i < apikeys_page_count(list->page); i++)
    json_array_append_new(values, key_json(apikeys_page_key(list->page, i)));
  list_reply_values(list, values);
  json_decref(values);
}

/* {"value":"sk_9fQ2"}: a value, its visible beginning, or its obfuscated form, "sk_...E3mB". */
static void look_up(struct exchange *x) {
  struct form form;
  struct list list;
  size_t length;
  if (!form_open(&form, x))
    return;
  const char *value = form_text(&form, "value", FORM_REQUIRED, &length);
  if (form_good(&form) && list_open(&list, x)) {
    int rc = apikeys_key_find(x->service->env, x->actor, value, length, list.page, x->err);
    if (rc == APIKEYS_OK)
      reply_keys(&list);
    else
      reply_failure(x, rc, "API Key", "");
    list_close(&list);
  }
  form_close(&form);
}

const struct route key_lookup_routes[] = {
    {METHOD_POST, "/api_keys/lookups", ACCESS_MANAGEMENT, look_up},
    {0},
};
