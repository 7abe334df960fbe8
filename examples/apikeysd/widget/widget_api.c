/* SPDX-License-Identifier: MIT */
/* Routes of the widgets: /_widgets/ApiKeys/… for an organization's keys, /_widgets/UserApiKeys/…
 * for its members' own. Organization and user come from the token, never from the request. */
#include "authenticate.h"
#include "http/body.h"
#include "http/reply.h"
#include "http/timestamp.h"
#include "rest/key_replies.h"
#include "routes.h"
#include "service.h"
#include "widget/widget_json.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* -- Lists ------------------------------------------------------------------------------------- */

enum { PAGE_DEFAULT = 10, PAGE_MAX = 100 };

static bool read_limit(struct exchange *x, int *limit) {
  const char *text = exchange_parameter(x, "limit", NULL);
  char *end = NULL;
  long value = text != NULL ? strtol(text, &end, 10) : PAGE_DEFAULT;
  if (text != NULL && (end == text || *end != '\0' || value < 1 || value > PAGE_MAX)) {
    reply_invalid(x, "invalid", "limit");
    return false;
  }
  *limit = (int)value;
  return true;
}

/* The widgets turn pages the other way round: "before" asks for older ones. */
static int set_paging(struct exchange *x, apikeys_filter *filter, int limit) {
  size_t length;
  int rc = apikeys_filter_set_limit(filter, limit);
  const char *text = exchange_parameter(x, "before", &length);
  if (rc == APIKEYS_OK && text != NULL)
    rc = apikeys_filter_set_after(filter, text, length);
  text = exchange_parameter(x, "after", &length);
  if (rc == APIKEYS_OK && text != NULL)
    rc = apikeys_filter_set_before(filter, text, length);
  text = exchange_parameter(x, "search", &length);
  if (rc == APIKEYS_OK && text != NULL)
    rc = apikeys_filter_set_search(filter, text, length);
  return rc;
}

static json_t *cursor_json(const char *cursor) {
  return cursor[0] != '\0' ? json_string(cursor) : json_null();
}

static void reply_rows(struct exchange *x, json_t *rows, const apikeys_page *page) {
  reply_json(x, 200,
             json_pack("{s:o,s:{s:o,s:o}}", "data", rows, "list_metadata", "before",
                       cursor_json(apikeys_page_after(page, NULL)), "after",
                       cursor_json(apikeys_page_before(page, NULL))));
}

static int set_organization(struct exchange *x, apikeys_filter *filter, int owner_type) {
  size_t length;
  const char *id = apikeys_actor_organization_id(x->actor, &length);
  int rc = apikeys_filter_set_organization_id(filter, id, length);
  return rc == APIKEYS_OK ? apikeys_filter_set_owner_type(filter, owner_type) : rc;
}

/* A user who may not see every member's keys sees their own. */
static int list_keys(struct exchange *x, int owner_type, apikeys_filter *filter,
                     apikeys_page *page) {
  size_t length;
  int rc = apikeys_key_list(x->service->env, x->actor, filter, page, x->err);
  const char *user_id = apikeys_actor_user_id(x->actor, &length);
  if (rc != APIKEYS_ERROR_NOT_ALLOWED || owner_type != APIKEYS_OWNER_MEMBER || length == 0)
    return rc;
  rc = apikeys_filter_set_user_id(filter, user_id, length);
  return rc == APIKEYS_OK ? apikeys_key_list(x->service->env, x->actor, filter, page, x->err) : rc;
}

static json_t *organization_rows(const apikeys_page *page) {
  json_t *rows = json_array();
  for (size_t i = 0; rows != NULL && i < apikeys_page_count(page); i++)
    json_array_append_new(rows, widget_key_json(apikeys_page_key(page, i)));
  return rows;
}

/* Adds the owners' names to listed keys. The service reads them as the system, because the token
 * may not. */
static json_t *user_rows(struct exchange *x, const apikeys_page *page) {
  json_t *rows = json_array();
  apikeys_actor *system = apikeys_actor_new();
  apikeys_member *member = apikeys_member_new();
  bool good = rows != NULL && system != NULL && member != NULL &&
              apikeys_actor_set_system(system, "names of owners", 15) == APIKEYS_OK;
  for (size_t i = 0; good && i < apikeys_page_count(page); i++) {
    const apikeys_key *key = apikeys_page_key(page, i);
    const char *user_id = apikeys_key_user_id(key, NULL);
    const char *organization_id = apikeys_key_organization_id(key, NULL);
    int rc = apikeys_member_get(x->service->env, system, organization_id, strlen(organization_id),
                                user_id, strlen(user_id), member, NULL);
    json_t *row = widget_key_json(key);
    json_object_set_new(row, "owner", widget_owner_json(user_id, rc == APIKEYS_OK ? member : NULL));
    good = json_array_append_new(rows, row) == 0;
  }
  apikeys_member_free(member);
  apikeys_actor_free(system);
  if (!good) {
    json_decref(rows);
    rows = NULL;
  }
  return rows;
}

static void show_keys(struct exchange *x, int owner_type) {
  int limit;
  if (!read_limit(x, &limit))
    return;
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  int rc = filter == NULL || page == NULL ? APIKEYS_ERROR_NO_MEMORY : set_paging(x, filter, limit);
  if (rc == APIKEYS_OK)
    rc = set_organization(x, filter, owner_type);
  if (rc == APIKEYS_OK)
    rc = list_keys(x, owner_type, filter, page);
  if (rc != APIKEYS_OK)
    reply_failure(x, rc, "API Keys", "");
  else if (owner_type == APIKEYS_OWNER_MEMBER)
    reply_rows(x, user_rows(x, page), page);
  else
    reply_rows(x, organization_rows(page), page);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
}

static void show_permissions(struct exchange *x, int owner_type) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  int rc =
      filter == NULL || page == NULL ? APIKEYS_ERROR_NO_MEMORY : set_paging(x, filter, PAGE_MAX);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_available_to(filter, owner_type);
  if (rc == APIKEYS_OK)
    rc = apikeys_permission_list(x->service->env, x->actor, filter, page, x->err);
  if (rc == APIKEYS_OK) {
    json_t *rows = json_array();
    for (size_t i = 0; rows != NULL && i < apikeys_page_count(page); i++)
      json_array_append_new(rows, widget_permission_json(apikeys_page_permission(page, i)));
    reply_rows(x, rows, page);
  } else {
    reply_failure(x, rc, "Permissions", "");
  }
  apikeys_page_free(page);
  apikeys_filter_free(filter);
}

/* -- Creating ---------------------------------------------------------------------------------- */

static int set_owner(struct exchange *x, apikeys_key_spec *spec, int owner_type) {
  size_t organization_length, user_length;
  const char *organization_id = apikeys_actor_organization_id(x->actor, &organization_length);
  const char *user_id = apikeys_actor_user_id(x->actor, &user_length);
  if (owner_type == APIKEYS_OWNER_MEMBER)
    return user_length == 0 ? APIKEYS_ERROR_NOT_ALLOWED
                            : apikeys_key_spec_set_member(
                                  spec, organization_id, organization_length, user_id, user_length);
  return apikeys_key_spec_set_organization(spec, organization_id, organization_length);
}

static int set_permissions(apikeys_key_spec *spec, json_t *permissions) {
  json_t *slug;
  size_t i;
  int rc = APIKEYS_OK;
  json_array_foreach(permissions, i, slug) if (rc == APIKEYS_OK) rc =
      apikeys_key_spec_add_permission(spec, json_string_value(slug), json_string_length(slug));
  return rc;
}

static int create(struct exchange *x, apikeys_key_spec *spec, apikeys_key *key) {
  char value[APIKEYS_VALUE_MAX];
  size_t length;
  int rc = apikeys_key_create(x->service->env, x->actor, spec, key, value, sizeof value, &length,
                              x->err);
  if (rc == APIKEYS_OK) {
    json_t *created = widget_key_json(key);
    json_object_set_new(created, "value", json_stringn(value, length));
    if (apikeys_key_value_replaced(key))
      json_object_set_new(created, "replaced", json_true());
    reply_json(x, 201, created);
  }
  sodium_memzero(value, sizeof value);
  return rc;
}

/* Reads the form's fields; wrong ones are errors of the form. */
static int set_asked(struct form *form, int owner_type, apikeys_key_spec *spec) {
  size_t length;
  const char *name = form_text(form, "name", FORM_REQUIRED, &length);
  json_t *permissions = form_texts(form, "permissions");
  int64_t expires_at_ms = form_time_ms(form, "expiresAt");
  int rc = set_owner(form->x, spec, owner_type);
  if (rc == APIKEYS_OK && name != NULL)
    rc = apikeys_key_spec_set_name(spec, name, length);
  if (rc == APIKEYS_OK)
    rc = set_permissions(spec, permissions);
  if (rc == APIKEYS_OK && expires_at_ms != 0)
    rc = apikeys_key_spec_set_expires_at_ms(spec, expires_at_ms);
  return rc == APIKEYS_OK ? key_set_idempotency_key(form, spec) : rc;
}

static void create_key(struct exchange *x, int owner_type) {
  struct form form;
  if (!form_open(&form, x))
    return;
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key *key = apikeys_key_new();
  int rc =
      spec == NULL || key == NULL ? APIKEYS_ERROR_NO_MEMORY : set_asked(&form, owner_type, spec);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = create(x, spec, key);
    if (rc != APIKEYS_OK)
      reply_failure(x, rc, "Organization", apikeys_actor_organization_id(x->actor, NULL));
  }
  apikeys_key_free(key);
  apikeys_key_spec_free(spec);
  form_close(&form);
}

/* -- One key ----------------------------------------------------------------------------------- */

/* The key of the path, if its kind is the path's. */
static int get_key(struct exchange *x, int owner_type, apikeys_key *key) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  int rc = key == NULL ? APIKEYS_ERROR_NO_MEMORY
                       : apikeys_key_get(x->service->env, x->actor, id, length, key, x->err);
  return rc == APIKEYS_OK && apikeys_key_owner_type(key) != owner_type ? APIKEYS_ERROR_NOT_FOUND
                                                                       : rc;
}

static void revoke_key(struct exchange *x, int owner_type) {
  static const char success[] = "{\"success\":true}";
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  apikeys_key *key = apikeys_key_new();
  int rc = get_key(x, owner_type, key);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_revoke(x->service->env, x->actor, id, length, NULL, 0, NULL, x->err);
  if (rc == APIKEYS_OK)
    reply_text(x, 200, success, sizeof success - 1);
  else
    reply_failure(x, rc, "API Key", id);
  apikeys_key_free(key);
}

static int set_expiry(struct exchange *x, int owner_type, const struct form *form,
                      int64_t expires_at_ms, apikeys_key *key) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  int rc = spec == NULL ? APIKEYS_ERROR_NO_MEMORY : get_key(x, owner_type, key);
  /* No date means now, as in the API; null removes an expiry. */
  if (rc == APIKEYS_OK)
    rc = apikeys_key_spec_set_expires_at_ms(spec, form_has(form, "expiresAt") ? expires_at_ms : 1);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_update(x->service->env, x->actor, id, length, spec, key, x->err);
  apikeys_key_spec_free(spec);
  return rc;
}

static void expire_key(struct exchange *x, int owner_type) {
  struct form form;
  if (!form_open(&form, x))
    return;
  int64_t expires_at_ms = form_time_ms(&form, "expiresAt");
  if (form_good(&form)) {
    apikeys_key *key = apikeys_key_new();
    int rc = set_expiry(x, owner_type, &form, expires_at_ms, key);
    if (rc == APIKEYS_OK)
      reply_json(x, 200, widget_key_json(key));
    else
      reply_failure(x, rc, "API Key", exchange_argument(x, "id", NULL));
    apikeys_key_free(key);
  }
  form_close(&form);
}

/* -- Routes: each for both kinds of keys ------------------------------------------------------- */

#define BOTH(action)                                                                               \
  static void organization_##action(struct exchange *x) {                                          \
    action(x, APIKEYS_OWNER_ORGANIZATION);                                                         \
  }                                                                                                \
  static void user_##action(struct exchange *x) {                                                  \
    action(x, APIKEYS_OWNER_MEMBER);                                                               \
  }
BOTH(show_keys)
BOTH(show_permissions)
BOTH(create_key)
BOTH(revoke_key)
BOTH(expire_key)

#define ORGANIZATION "/_widgets/ApiKeys"
#define USER "/_widgets/UserApiKeys"

const struct route widget_routes[] = {
    {METHOD_GET, ORGANIZATION "/organization-api-keys", ACCESS_WIDGET, organization_show_keys},
    {METHOD_POST, ORGANIZATION "/organization-api-keys", ACCESS_WIDGET, organization_create_key},
    {METHOD_GET, ORGANIZATION "/permissions", ACCESS_WIDGET, organization_show_permissions},
    {METHOD_DELETE, ORGANIZATION "/:id", ACCESS_WIDGET, organization_revoke_key},
    {METHOD_POST, ORGANIZATION "/:id/expire", ACCESS_WIDGET, organization_expire_key},
    {METHOD_GET, USER "/api-keys", ACCESS_WIDGET, user_show_keys},
    {METHOD_POST, USER "/api-keys", ACCESS_WIDGET, user_create_key},
    {METHOD_GET, USER "/permissions", ACCESS_WIDGET, user_show_permissions},
    {METHOD_DELETE, USER "/:id", ACCESS_WIDGET, user_revoke_key},
    {METHOD_POST, USER "/:id/expire", ACCESS_WIDGET, user_expire_key},
    {0},
};
