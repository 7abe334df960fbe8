/* SPDX-License-Identifier: MIT */
/* The environment's permissions, and which of them keys may be given (the latter is an addition of
 * ours). */
#include "http/body.h"
#include "http/reply.h"
#include "rest/idempotent_post.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"

#include <string.h>

/* A system permission exists, although its slug is reserved and cannot be created. */
static bool is_system(struct exchange *x, int rc, const char *slug) {
  if (rc != APIKEYS_ERROR_INVALID_ARGUMENT || strcmp(apikeys_error_field(x->err), "slug") != 0)
    return false;
  apikeys_permission *found = apikeys_permission_new();
  apikeys_error *err = apikeys_error_new(); /* x->err still says what was wrong, if it was that */
  bool exists = found != NULL && err != NULL &&
                apikeys_permission_get(x->service->env, x->actor, slug, strlen(slug), found, err) ==
                    APIKEYS_OK;
  apikeys_error_free(err);
  apikeys_permission_free(found);
  return exists;
}

/* Answers with the permission as it is now, or with the failure. */
static void answer(struct exchange *x, int rc, int status, apikeys_permission *permission,
                   const char *slug) {
  size_t length = 0;
  if (rc == APIKEYS_OK) {
    const char *json = apikeys_permission_json(permission, &length);
    reply_text(x, status, json, length);
  } else if (rc == APIKEYS_ERROR_EXISTS || (status == 201 && is_system(x, rc, slug))) {
    reply_error(x, 409, "permission_slug_conflict", "A permission '%s' exists.", slug);
  } else {
    reply_failure(x, rc, "Permission", slug);
  }
}

static int set_texts(struct form *form, apikeys_permission *permission, enum presence name_needed) {
  size_t length;
  int rc = APIKEYS_OK;
  const char *text = form_text(form, "name", name_needed, &length);
  if (text != NULL)
    rc = apikeys_permission_set_name(permission, text, length);
  text = form_text(form, "description", FORM_OPTIONAL, &length);
  if (rc == APIKEYS_OK && form_has(form, "description"))
    rc = apikeys_permission_set_description(permission, text != NULL ? text : "", length);
  return rc;
}

static void make_permission(struct exchange *x) {
  struct form form;
  size_t length;
  if (!form_open(&form, x))
    return;
  apikeys_permission *permission = apikeys_permission_new();
  const char *slug = form_text(&form, "slug", FORM_REQUIRED, &length);
  int rc =
      permission == NULL ? APIKEYS_ERROR_NO_MEMORY : set_texts(&form, permission, FORM_REQUIRED);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = apikeys_permission_set_slug(permission, slug, length);
    if (rc == APIKEYS_OK)
      rc = apikeys_permission_create(x->service->env, x->actor, permission, x->err);
    answer(x, rc, 201, permission, slug != NULL ? slug : "");
  }
  apikeys_permission_free(permission);
  form_close(&form);
}

static void create_permission(struct exchange *x) {
  idempotent_post(x, make_permission);
}

static int get(struct exchange *x, apikeys_permission *permission) {
  size_t length;
  const char *slug = exchange_argument(x, "slug", &length);
  return permission == NULL
             ? APIKEYS_ERROR_NO_MEMORY
             : apikeys_permission_get(x->service->env, x->actor, slug, length, permission, x->err);
}

static void show_permission(struct exchange *x) {
  apikeys_permission *permission = apikeys_permission_new();
  answer(x, get(x, permission), 200, permission, exchange_argument(x, "slug", NULL));
  apikeys_permission_free(permission);
}

/* Change the permission of the path by what the body says. */
static void update(struct exchange *x, int (*set)(struct form *, apikeys_permission *)) {
  struct form form;
  size_t length;
  const char *slug = exchange_argument(x, "slug", &length);
  if (!form_open(&form, x))
    return;
  apikeys_permission *permission = apikeys_permission_new();
  int rc = permission == NULL ? APIKEYS_ERROR_NO_MEMORY
                              : apikeys_permission_set_slug(permission, slug, length);
  if (rc == APIKEYS_OK)
    rc = set(&form, permission);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = apikeys_permission_update(x->service->env, x->actor, permission, x->err);
    answer(x, rc, 200, permission, slug);
  }
  apikeys_permission_free(permission);
  form_close(&form);
}

static int set_some_texts(struct form *form, apikeys_permission *permission) {
  return set_texts(form, permission, FORM_OPTIONAL);
}

static void update_permission(struct exchange *x) {
  update(x, set_some_texts);
}

static void delete_permission(struct exchange *x) {
  size_t length;
  const char *slug = exchange_argument(x, "slug", &length);
  int rc = apikeys_permission_delete(x->service->env, x->actor, slug, length, x->err);
  if (rc == APIKEYS_OK)
    reply_nothing(x);
  else
    reply_failure(x, rc, "Permission", slug);
}

static void list_permissions(struct exchange *x) {
  struct list list;
  if (!list_open(&list, x))
    return;
  int rc = list_set(&list, apikeys_filter_set_search, "search");
  if (rc == APIKEYS_OK)
    rc = apikeys_permission_list(x->service->env, x->actor, list.filter, list.page, x->err);
  list_reply(&list, rc, list_permission);
  list_close(&list);
}

/* -- Availability: {"organization_keys":true,"user_keys":false} -------------------------------- */

static void read_switch(struct form *form, const char *field, apikeys_permission *permission,
                        int (*set)(apikeys_permission *, int)) {
  const json_t *value = json_object_get(form->object, field);
  if (value != NULL && !json_is_boolean(value))
    form_refuse(form, "invalid", field);
  else if (value != NULL)
    set(permission, json_is_true(value));
}

static int set_availability(struct form *form, apikeys_permission *permission) {
  read_switch(form, "organization_keys", permission,
              apikeys_permission_set_available_to_organization_keys);
  read_switch(form, "user_keys", permission, apikeys_permission_set_available_to_user_keys);
  return APIKEYS_OK;
}

static void answer_availability(struct exchange *x, const apikeys_permission *permission) {
  reply_json(x, 200,
             json_pack("{s:s,s:b,s:b}", "slug", apikeys_permission_slug(permission, NULL),
                       "organization_keys",
                       apikeys_permission_available_to_organization_keys(permission), "user_keys",
                       apikeys_permission_available_to_user_keys(permission)));
}

static void show_availability(struct exchange *x) {
  apikeys_permission *permission = apikeys_permission_new();
  int rc = get(x, permission);
  if (rc == APIKEYS_OK)
    answer_availability(x, permission);
  else
    reply_failure(x, rc, "Permission", exchange_argument(x, "slug", NULL));
  apikeys_permission_free(permission);
}

static void update_availability(struct exchange *x) {
  update(x, set_availability);
  if (x->status == 200)
    show_availability(x);
}

#define ONE "/authorization/permissions/:slug"

const struct route permission_routes[] = {
    {METHOD_POST, "/authorization/permissions", ACCESS_MANAGEMENT, create_permission},
    {METHOD_GET, "/authorization/permissions", ACCESS_MANAGEMENT, list_permissions},
    {METHOD_GET, ONE, ACCESS_MANAGEMENT, show_permission},
    {METHOD_PATCH, ONE, ACCESS_MANAGEMENT, update_permission},
    {METHOD_DELETE, ONE, ACCESS_MANAGEMENT, delete_permission},
    {METHOD_GET, ONE "/availability", ACCESS_MANAGEMENT, show_availability},
    {METHOD_PUT, ONE "/availability", ACCESS_MANAGEMENT, update_availability},
    {0},
};
