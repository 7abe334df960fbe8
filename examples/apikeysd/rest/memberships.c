/* SPDX-License-Identifier: MIT */
/* Memberships: which users an organization has, with which roles. */
#include "http/body.h"
#include "http/reply.h"
#include "rest/filtered_list.h"
#include "rest/idempotent_post.h"
#include "rest/list.h"
#include "rest/users.h"
#include "routes.h"
#include "service.h"

#include <string.h>

/* "include=user" adds the member's user: an addition of ours. */
static json_t *member_json(struct exchange *x, apikeys_member *member) {
  size_t length = 0;
  const char *include = exchange_parameter(x, "include", NULL);
  const char *text = apikeys_member_json(member, &length);
  json_t *json = text != NULL ? json_loadb(text, length, 0, NULL) : NULL;
  json_t *user = users_json_of_member(x, member);
  if (include != NULL && strcmp(include, "user") == 0)
    json_object_set_new(user, "display_name",
                        json_string(apikeys_member_display_name(member, NULL)));
  if (json != NULL && json_object_set_new(json, "user", user) == 0)
    return json;
  json_decref(json);
  return NULL;
}

static void answer(struct exchange *x, int rc, int status, apikeys_member *member, const char *id) {
  if (rc == APIKEYS_OK) {
    reply_json(x, status, member_json(x, member));
  } else if (rc == APIKEYS_ERROR_EXISTS) {
    reply_error(x, 409, "organization_membership_already_exists",
                "The user is a member of this organization.");
  } else if (rc == APIKEYS_ERROR_NOT_FOUND && strcmp(apikeys_error_field(x->err), "roles") == 0) {
    reply_invalid(x, "role_not_found", "role_slug");
  } else {
    reply_failure(x, rc, "Organization membership", id);
  }
}

/* "role_slug", or several as "role_slugs"; neither leaves the roles as they are. */
static int set_roles(struct form *form, apikeys_member *member) {
  size_t length;
  const char *one = form_text(form, "role_slug", FORM_OPTIONAL, &length);
  const json_t *several = form_texts(form, "role_slugs");
  int rc = one != NULL || several != NULL ? apikeys_member_clear_roles(member) : APIKEYS_OK;
  if (rc == APIKEYS_OK && one != NULL)
    rc = apikeys_member_add_role(member, one, length);
  for (size_t i = 0; rc == APIKEYS_OK && i < json_array_size(several); i++) {
    const json_t *slug = json_array_get(several, i);
    rc = apikeys_member_add_role(member, json_string_value(slug), json_string_length(slug));
  }
  if (rc == APIKEYS_ERROR_INVALID_ARGUMENT) /* text that no slug can be */
    form_refuse(form, "role_not_found", "role_slug");
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_OK : rc;
}

/* Creating the membership of a suspended member reactivates it. */
static int activate(struct form *form, apikeys_member *member, const char *organization_id,
                    size_t organization_length, const char *user_id, size_t length) {
  struct exchange *x = form->x;
  int rc = apikeys_member_get(x->service->env, x->actor, organization_id, organization_length,
                              user_id, length, member, x->err);
  if (rc == APIKEYS_OK && apikeys_member_status(member) == APIKEYS_MEMBER_ACTIVE)
    return APIKEYS_ERROR_EXISTS;
  if (rc == APIKEYS_OK)
    rc = apikeys_member_set_status(member, APIKEYS_MEMBER_ACTIVE);
  if (rc == APIKEYS_OK)
    rc = set_roles(form, member);
  return rc == APIKEYS_OK ? apikeys_member_update(x->service->env, x->actor, member, x->err) : rc;
}

static int create(struct form *form, apikeys_member *member) {
  struct exchange *x = form->x;
  size_t organization_length, length;
  const char *organization_id =
      form_text(form, "organization_id", FORM_OPTIONAL, &organization_length);
  const char *user_id = form_text(form, "user_id", FORM_OPTIONAL, &length);
  int rc = apikeys_member_set_organization_id(member, organization_id, organization_length);
  if (rc == APIKEYS_OK)
    rc = apikeys_member_set_user_id(member, user_id, length);
  if (rc == APIKEYS_OK)
    rc = set_roles(form, member);
  if (rc == APIKEYS_OK)
    rc = users_describe_member(x, member, user_id, length);
  if (rc == APIKEYS_OK)
    rc = apikeys_member_create(x->service->env, x->actor, member, x->err);
  return rc == APIKEYS_ERROR_EXISTS
             ? activate(form, member, organization_id, organization_length, user_id, length)
             : rc;
}

static void make_membership(struct exchange *x) {
  struct form form;
  size_t length;
  if (!form_open(&form, x))
    return;
  const char *organization_id = form_text(&form, "organization_id", FORM_REQUIRED, &length);
  form_text(&form, "user_id", FORM_REQUIRED, &length);
  if (form_good(&form)) {
    apikeys_member *member = apikeys_member_new();
    int rc = member == NULL ? APIKEYS_ERROR_NO_MEMORY : create(&form, member);
    if (rc == APIKEYS_ERROR_NOT_FOUND && strcmp(apikeys_error_field(x->err), "roles") != 0)
      reply_failure(x, rc, "Organization", organization_id);
    else if (form_good(&form))
      answer(x, rc, 201, member, "");
    apikeys_member_free(member);
  }
  form_close(&form);
}

static void create_membership(struct exchange *x) {
  idempotent_post(x, make_membership);
}

static int get(struct exchange *x, apikeys_member *member) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  return member == NULL
             ? APIKEYS_ERROR_NO_MEMORY
             : apikeys_member_get_by_id(x->service->env, x->actor, id, length, member, x->err);
}

static void show_membership(struct exchange *x) {
  apikeys_member *member = apikeys_member_new();
  answer(x, get(x, member), 200, member, exchange_argument(x, "id", NULL));
  apikeys_member_free(member);
}

static void update_membership(struct exchange *x) {
  struct form form;
  if (!form_open(&form, x))
    return;
  apikeys_member *member = apikeys_member_new();
  int rc = get(x, member);
  if (rc == APIKEYS_OK)
    rc = set_roles(&form, member);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = apikeys_member_update(x->service->env, x->actor, member, x->err);
    answer(x, rc, 200, member, exchange_argument(x, "id", NULL));
  }
  apikeys_member_free(member);
  form_close(&form);
}

static void change_status(struct exchange *x, int status) {
  apikeys_member *member = apikeys_member_new();
  int rc = get(x, member);
  if (rc == APIKEYS_OK)
    rc = apikeys_member_set_status(member, status);
  if (rc == APIKEYS_OK)
    rc = apikeys_member_update(x->service->env, x->actor, member, x->err);
  answer(x, rc, 200, member, exchange_argument(x, "id", NULL));
  apikeys_member_free(member);
}

static void deactivate_membership(struct exchange *x) {
  change_status(x, APIKEYS_MEMBER_INACTIVE);
}

static void reactivate_membership(struct exchange *x) {
  change_status(x, APIKEYS_MEMBER_ACTIVE);
}

static void delete_membership(struct exchange *x) {
  size_t organization_length, length;
  apikeys_member *member = apikeys_member_new();
  int rc = get(x, member);
  if (rc == APIKEYS_OK) {
    const char *organization_id = apikeys_member_organization_id(member, &organization_length);
    const char *user_id = apikeys_member_user_id(member, &length);
    rc = apikeys_member_delete(x->service->env, x->actor, organization_id, organization_length,
                               user_id, length, x->err);
  }
  if (rc == APIKEYS_OK)
    reply_nothing(x);
  else
    answer(x, rc, 0, NULL, exchange_argument(x, "id", NULL));
  apikeys_member_free(member);
}

static void reply_members(struct list *list) {
  json_t *values = json_array();
  for (size_t i = 0; i < apikeys_page_count(list->page); i++)
    json_array_append_new(values, member_json(list->x, apikeys_page_member(list->page, i)));
  list_reply_values(list, values);
  json_decref(values);
}

/* "statuses=active,inactive" as bits, all if there is none of that name. False: answered. */
static bool read_statuses(struct exchange *x, unsigned *statuses) {
  static const char *const names[] = {"active", "inactive", "pending"};
  static const int values[] = {APIKEYS_MEMBER_ACTIVE, APIKEYS_MEMBER_INACTIVE,
                               APIKEYS_MEMBER_PENDING};
  const char *text = exchange_parameter(x, "statuses", NULL);
  *statuses = text == NULL ? ~0U : 0;
  while (text != NULL) {
    size_t length = strcspn(text, ","), i = 0;
    while (i < 3 && (strlen(names[i]) != length || strncmp(text, names[i], length) != 0))
      i++;
    if (i == 3) {
      reply_invalid(x, "invalid", "statuses");
      return false;
    }
    *statuses |= 1U << values[i];
    text = text[length] == ',' ? text + length + 1 : NULL;
  }
  return true;
}

static int fetch(struct list *list) {
  return apikeys_member_list(list->x->service->env, list->x->actor, list->filter, list->page,
                             list->x->err);
}

static int look_for_status(const struct list *list, size_t i, json_t **value) {
  apikeys_member *member = apikeys_page_member(list->page, i);
  unsigned statuses;
  if (!read_statuses(list->x, &statuses) || (statuses >> apikeys_member_status(member) & 1) == 0)
    return APIKEYS_OK;
  *value = member_json(list->x, member);
  return *value != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
}

static void list_memberships(struct exchange *x) {
  static const struct filtered_list by_status = {fetch, look_for_status};
  struct list list;
  unsigned statuses;
  if (!read_statuses(x, &statuses) || !list_open(&list, x))
    return;
  int rc = list_set(&list, apikeys_filter_set_organization_id, "organization_id");
  if (rc == APIKEYS_OK)
    rc = list_set(&list, apikeys_filter_set_user_id, "user_id");
  if (rc == APIKEYS_OK && statuses == ~0U)
    rc = fetch(&list);
  if (rc != APIKEYS_OK)
    list_fail(&list, rc, "Organization or user", "");
  else if (statuses == ~0U)
    reply_members(&list);
  else
    filtered_list_reply(&list, &by_status, "Organization or user");
  list_close(&list);
}

#define MEMBERSHIPS "/user_management/organization_memberships"

const struct route membership_routes[] = {
    {METHOD_POST, MEMBERSHIPS, ACCESS_MANAGEMENT, create_membership},
    {METHOD_GET, MEMBERSHIPS, ACCESS_MANAGEMENT, list_memberships},
    {METHOD_GET, MEMBERSHIPS "/:id", ACCESS_MANAGEMENT, show_membership},
    {METHOD_PUT, MEMBERSHIPS "/:id", ACCESS_MANAGEMENT, update_membership},
    {METHOD_DELETE, MEMBERSHIPS "/:id", ACCESS_MANAGEMENT, delete_membership},
    {METHOD_PUT, MEMBERSHIPS "/:id/deactivate", ACCESS_MANAGEMENT, deactivate_membership},
    {METHOD_PUT, MEMBERSHIPS "/:id/reactivate", ACCESS_MANAGEMENT, reactivate_membership},
    {0},
};
