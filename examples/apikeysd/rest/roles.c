/* SPDX-License-Identifier: MIT */
/*
 * Roles, of the environment and of one organization: the same handlers, told apart by the path's
 * organization, which is "" for the environment's.
 */
#include "http/body.h"
#include "http/reply.h"
#include "rest/idempotent_post.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"

#include <ctype.h>
#include <string.h>

static bool of_organization(const struct exchange *x) {
  return exchange_argument(x, "organization", NULL)[0] != '\0';
}

static void answer(struct exchange *x, int rc, int status, apikeys_role *role, const char *slug) {
  size_t length = 0;
  if (rc == APIKEYS_OK) {
    const char *json = apikeys_role_json(role, &length);
    reply_text(x, status, json, length);
  } else if (rc == APIKEYS_ERROR_EXISTS) {
    reply_error(x, 409,
                of_organization(x) ? "organization_role_slug_conflict" : "role_slug_conflict",
                "A role '%s' exists.", slug);
  } else if (rc == APIKEYS_ERROR_IN_USE) {
    reply_error(x, 409, "role_has_assignments", "Members have the role '%s'.", slug);
  } else {
    reply_failure(x, rc, "Role", slug);
  }
}

static int get(struct exchange *x, apikeys_role *role) {
  size_t organization_length, length;
  const char *organization_id = exchange_argument(x, "organization", &organization_length);
  const char *slug = exchange_argument(x, "slug", &length);
  return role == NULL ? APIKEYS_ERROR_NO_MEMORY
                      : apikeys_role_get(x->service->env, x->actor, organization_id,
                                         organization_length, slug, length, role, x->err);
}

static int set_texts(struct form *form, apikeys_role *role, enum presence name_needed) {
  size_t length;
  int rc = APIKEYS_OK;
  const char *text = form_text(form, "name", name_needed, &length);
  if (text != NULL)
    rc = apikeys_role_set_name(role, text, length);
  text = form_text(form, "description", FORM_OPTIONAL, &length);
  if (rc == APIKEYS_OK && form_has(form, "description"))
    rc = apikeys_role_set_description(role, text != NULL ? text : "", length);
  return rc;
}

/* "Billing Manager" becomes "org-billing-manager": organizations' roles may come without a slug. */
static const char *slug_of_name(struct exchange *x, const char *name, size_t length) {
  char *slug = exchange_format(x, "org-%.*s", (int)length, name);
  if (slug == NULL)
    return NULL;
  size_t used = strlen("org-");
  for (const char *c = slug + used; *c != '\0'; c++) {
    if (isalnum((unsigned char)*c) && (unsigned char)*c < 0x80)
      slug[used++] = (char)tolower((unsigned char)*c);
    else if (slug[used - 1] != '-')
      slug[used++] = '-';
  }
  while (used > 0 && slug[used - 1] == '-')
    used--;
  slug[used] = '\0';
  return slug;
}

static const char *read_slug(struct form *form, size_t *length) {
  bool optional = of_organization(form->x);
  const char *slug = form_text(form, "slug", optional ? FORM_OPTIONAL : FORM_REQUIRED, length);
  const json_t *name = json_object_get(form->object, "name");
  if (slug == NULL && optional && json_is_string(name)) {
    slug = slug_of_name(form->x, json_string_value(name), json_string_length(name));
    *length = slug != NULL ? strlen(slug) : 0;
  }
  return slug;
}

static void make_role(struct exchange *x) {
  struct form form;
  size_t length, organization_length;
  const char *organization_id = exchange_argument(x, "organization", &organization_length);
  if (!form_open(&form, x))
    return;
  apikeys_role *role = apikeys_role_new();
  const char *slug = read_slug(&form, &length);
  int rc = role == NULL ? APIKEYS_ERROR_NO_MEMORY : set_texts(&form, role, FORM_REQUIRED);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = apikeys_role_set_slug(role, slug, length);
    if (rc == APIKEYS_OK && organization_length > 0)
      rc = apikeys_role_set_organization_id(role, organization_id, organization_length);
    if (rc == APIKEYS_OK)
      rc = apikeys_role_create(x->service->env, x->actor, role, x->err);
    if (rc == APIKEYS_ERROR_NOT_FOUND)
      reply_failure(x, rc, "Organization", organization_id);
    else
      answer(x, rc, 201, role, slug != NULL ? slug : "");
  }
  apikeys_role_free(role);
  form_close(&form);
}

static void create_role(struct exchange *x) {
  idempotent_post(x, make_role);
}

static void show_role(struct exchange *x) {
  apikeys_role *role = apikeys_role_new();
  answer(x, get(x, role), 200, role, exchange_argument(x, "slug", NULL));
  apikeys_role_free(role);
}

/* Change the role of the path: it is got, set as the body says, and written. */
static void update(struct exchange *x, int (*set)(struct form *, apikeys_role *)) {
  struct form form;
  if (!form_open(&form, x))
    return;
  apikeys_role *role = apikeys_role_new();
  int rc = get(x, role);
  if (rc == APIKEYS_OK)
    rc = set(&form, role);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = apikeys_role_update(x->service->env, x->actor, role, x->err);
    answer(x, rc, 200, role, exchange_argument(x, "slug", NULL));
  }
  apikeys_role_free(role);
  form_close(&form);
}

static int set_some_texts(struct form *form, apikeys_role *role) {
  return set_texts(form, role, FORM_OPTIONAL);
}

static int add(struct form *form, apikeys_role *role, const char *slug, size_t length,
               const char *field) {
  int rc = apikeys_role_add_permission(role, slug, length);
  if (rc == APIKEYS_ERROR_INVALID_ARGUMENT) /* text that no slug can be */
    form_refuse(form, "unknown_permission", field);
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_OK : rc;
}

static int set_permissions(struct form *form, apikeys_role *role) {
  const json_t *permissions = form_texts(form, "permissions");
  if (permissions == NULL) {
    if (json_array_size(form->errors) == 0) /* a wrong type was reported already */
      form_refuse(form, "required", "permissions");
    return APIKEYS_OK;
  }
  int rc = apikeys_role_clear_permissions(role);
  for (size_t i = 0; rc == APIKEYS_OK && i < json_array_size(permissions); i++) {
    const json_t *slug = json_array_get(permissions, i);
    rc = add(form, role, json_string_value(slug), json_string_length(slug), "permissions");
  }
  return rc;
}

static int add_permission(struct form *form, apikeys_role *role) {
  size_t length;
  const char *slug = form_text(form, "slug", FORM_REQUIRED, &length);
  return slug != NULL ? add(form, role, slug, length, "slug") : APIKEYS_OK;
}

static int remove_permission(struct form *form, apikeys_role *role) {
  size_t length;
  const char *slug = exchange_argument(form->x, "permission", &length);
  return apikeys_role_remove_permission(role, slug, length);
}

static void update_role(struct exchange *x) {
  update(x, set_some_texts);
}

static void replace_role_permissions(struct exchange *x) {
  update(x, set_permissions);
}

static void add_role_permission(struct exchange *x) {
  update(x, add_permission);
}

static void remove_role_permission(struct exchange *x) {
  update(x, remove_permission);
}

static void delete_role(struct exchange *x) {
  size_t organization_length, length;
  const char *organization_id = exchange_argument(x, "organization", &organization_length);
  const char *slug = exchange_argument(x, "slug", &length);
  int rc = apikeys_role_delete(x->service->env, x->actor, organization_id, organization_length,
                               slug, length, x->err);
  if (rc == APIKEYS_OK)
    reply_nothing(x);
  else
    answer(x, rc, 0, NULL, slug);
}

static void list_roles(struct exchange *x) {
  struct list list;
  size_t length;
  const char *organization_id = exchange_argument(x, "organization", &length);
  if (!list_open(&list, x))
    return;
  apikeys_filter_clear(list.filter); /* all of them, by priority, whatever the SDK adds */
  int rc = length > 0 ? apikeys_filter_set_organization_id(list.filter, organization_id, length)
                      : APIKEYS_OK;
  if (rc == APIKEYS_OK)
    rc = apikeys_role_list(x->service->env, x->actor, list.filter, list.page, x->err);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    reply_failure(x, rc, "Organization", organization_id);
  else
    list_reply_whole(&list, rc, list_role);
  list_close(&list);
}

#define ENVIRONMENT "/authorization/roles"
#define ORGANIZATION "/authorization/organizations/:organization/roles"

const struct route role_routes[] = {
    {METHOD_POST, ENVIRONMENT, ACCESS_MANAGEMENT, create_role},
    {METHOD_GET, ENVIRONMENT, ACCESS_MANAGEMENT, list_roles},
    {METHOD_GET, ENVIRONMENT "/:slug", ACCESS_MANAGEMENT, show_role},
    {METHOD_PATCH, ENVIRONMENT "/:slug", ACCESS_MANAGEMENT, update_role},
    {METHOD_DELETE, ENVIRONMENT "/:slug", ACCESS_MANAGEMENT, delete_role},
    {METHOD_PUT, ENVIRONMENT "/:slug/permissions", ACCESS_MANAGEMENT, replace_role_permissions},
    {METHOD_POST, ENVIRONMENT "/:slug/permissions", ACCESS_MANAGEMENT, add_role_permission},
    {METHOD_POST, ORGANIZATION, ACCESS_MANAGEMENT, create_role},
    {METHOD_GET, ORGANIZATION, ACCESS_MANAGEMENT, list_roles},
    {METHOD_GET, ORGANIZATION "/:slug", ACCESS_MANAGEMENT, show_role},
    {METHOD_PATCH, ORGANIZATION "/:slug", ACCESS_MANAGEMENT, update_role},
    {METHOD_DELETE, ORGANIZATION "/:slug", ACCESS_MANAGEMENT, delete_role},
    {METHOD_PUT, ORGANIZATION "/:slug/permissions", ACCESS_MANAGEMENT, replace_role_permissions},
    {METHOD_POST, ORGANIZATION "/:slug/permissions", ACCESS_MANAGEMENT, add_role_permission},
    {METHOD_DELETE, ORGANIZATION "/:slug/permissions/:permission", ACCESS_MANAGEMENT,
     remove_role_permission},
    {0},
};
