/* SPDX-License-Identifier: MIT */
/* Roles of the environment and of organizations. */
#include "domain/roles.h"

#include "access/authority.h"
#include "access/effective_permissions.h"
#include "base/text.h"
#include "domain/permissions.h"
#include "objects/accessors.h"
#include "operation/crud.h"
#include "operation/events.h"

#include <apikeys/role.h>

#include <string.h>

enum { ROLE_NAME_MAX_BYTES = 48, ROLE_DESCRIPTION_MAX_BYTES = 150, PRIORITY_MAX = 1000000 };

/* Which role: an organization's, or with an empty id the environment's. */
struct role_name {
  struct ak_text organization_id;
  struct ak_text slug;
};

static bool is_system(const apikeys_record *role) {
  return ak_record_text_is(role, AK_ROLE_ORGANIZATION_ID, "", 0) &&
         (ak_record_text_is(role, AK_ROLE_SLUG, AK_ROLE_ADMIN, strlen(AK_ROLE_ADMIN)) ||
          ak_record_text_is(role, AK_ROLE_SLUG, AK_ROLE_DEFAULT, strlen(AK_ROLE_DEFAULT)));
}

/* The role of exactly this owner; the query is made of the caller's own text. */
static int find_role(struct ak_op *op, const struct role_name *name, apikeys_record *stored) {
  int rc = ak_check_lookup(op, &name->slug, "slug");
  if (rc == APIKEYS_OK && name->organization_id.length > 0)
    rc = ak_check_lookup(op, &name->organization_id, "organization_id");
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  const struct ak_text *owner = &name->organization_id;
  if (owner->length > 0)
    ak_query_of(&query, AK_ROLE, AK_ROLE_BY_SLUG, owner->text, owner->length);
  else
    ak_query_environment(&query, AK_ROLE, AK_ROLE_BY_SLUG);
  ak_query_equal_text(&query, owner->length > 0 ? owner->text : "", owner->length);
  ak_query_equal_text(&query, name->slug.text, name->slug.length);
  return ak_get(&op->transaction, &query, stored);
}

static struct role_name name_role_of(const apikeys_record *role) {
  struct role_name name;
  name.organization_id.text =
      apikeys_record_text(role, AK_ROLE_ORGANIZATION_ID, &name.organization_id.length);
  name.slug.text = apikeys_record_text(role, AK_ROLE_SLUG, &name.slug.length);
  return name;
}

/* -- Creating ---------------------------------------------------------------------------------- */

static int check_role_contents(struct ak_op *op, const struct ak_object *given) {
  int rc = ak_object_check_text(given, AK_ROLE_DESCRIPTION, 0, ROLE_DESCRIPTION_MAX_BYTES, op->err);
  if (rc != APIKEYS_OK)
    return rc;
  int64_t priority = apikeys_record_integer(&given->record, AK_ROLE_PRIORITY);
  if (priority < -PRIORITY_MAX || priority > PRIORITY_MAX)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "priority",
                        "must be -1000000 to 1000000");
  size_t length;
  const char *permissions = apikeys_record_text(&given->record, AK_ROLE_PERMISSIONS, &length);
  return ak_permissions_exist(op, permissions, length);
}

static int check_role_name(struct ak_op *op, const struct role_name *name) {
  if (ak_slug_check(name->slug.text, name->slug.length) != 0)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "slug",
                        "must be 1 to 48 of a-z 0-9 - _ : . *");
  bool organizations = name->organization_id.length > 0;
  if (organizations != ak_role_is_organizations(name->slug.text, name->slug.length))
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "slug",
                        organizations ? "of an organization's role must begin with org-"
                                      : "of the environment's role must not begin with org-");
  return organizations ? ak_organization_exists(&op->transaction, name->organization_id.text)
                       : APIKEYS_OK;
}

/* As the wire contract has it: an organization's roles have event types of their own. */
static const char *event_type(const apikeys_record *role, const char *action) {
  bool own = apikeys_record_text(role, AK_ROLE_ORGANIZATION_ID, NULL)[0] != '\0';
  if (strcmp(action, "created") == 0)
    return own ? "organization_role.created" : "role.created";
  if (strcmp(action, "updated") == 0)
    return own ? "organization_role.updated" : "role.updated";
  return own ? "organization_role.deleted" : "role.deleted";
}

static int insert_role(struct ak_op *op, apikeys_record *stored) {
  int rc = ak_stamp_new(op, stored, "role", AK_ROLE_CREATED_AT, AK_ROLE_UPDATED_AT);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&op->transaction, stored);
  if (rc == APIKEYS_ERROR_EXISTS)
    rc = ak_error_set(op->err, rc, "slug", "a role with this slug exists");
  return rc == APIKEYS_OK
             ? ak_event_append(op, event_type(stored, "created"),
                               apikeys_record_text(stored, AK_ROLE_ORGANIZATION_ID, NULL), stored,
                               NULL, NULL)
             : rc;
}

static void set_role_defaults(apikeys_record *stored) {
  ak_record_set_string(stored, AK_ROLE_ORGANIZATION_ID, "");
  apikeys_record_set_integer(stored, AK_ROLE_PRIORITY, 0);
  ak_record_set_string(stored, AK_ROLE_PERMISSIONS, "");
}

static int create_role(struct ak_op *op, const struct ak_object *given, const void *arguments,
                       apikeys_record *stored) {
  (void)arguments;
  struct role_name name = name_role_of(&given->record);
  int rc = ak_allow(&op->power, "apikeys:roles:write");
  if (rc == APIKEYS_OK)
    rc = check_role_name(op, &name);
  if (rc == APIKEYS_OK)
    rc = ak_object_check_name(given, AK_ROLE_NAME, 1, ROLE_NAME_MAX_BYTES, op->err);
  if (rc == APIKEYS_OK)
    rc = check_role_contents(op, given);
  if (rc != APIKEYS_OK)
    return rc;
  set_role_defaults(stored);
  rc = ak_object_apply(given, stored);
  return rc == APIKEYS_OK ? insert_role(op, stored) : rc;
}

int apikeys_role_create(apikeys_env *env, const apikeys_actor *actor, apikeys_role *role,
                        apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE, role != NULL ? &role->object : NULL,
                      create_role, NULL, err);
}

static int create_system(struct ak_op *op, const char *slug, const char *name,
                         const char *description, const char *permissions) {
  apikeys_record stored;
  ak_record_init(&stored, AK_ROLE);
  set_role_defaults(&stored);
  ak_record_set_string(&stored, AK_ROLE_SLUG, slug);
  ak_record_set_string(&stored, AK_ROLE_NAME, name);
  ak_record_set_string(&stored, AK_ROLE_DESCRIPTION, description);
  ak_record_set_string(&stored, AK_ROLE_PERMISSIONS, permissions);
  int rc = insert_role(op, &stored);
  ak_record_release(&stored);
  return rc;
}

int ak_roles_create_system(struct ak_op *op) {
  /* Sorted, as every set is. */
  int rc = create_system(op, AK_ROLE_ADMIN, "Admin", "Manages API keys",
                         AK_MANAGE_KEYS " " AK_MANAGE_ALL_USER_KEYS " " AK_MANAGE_OWN_KEYS);
  if (rc == APIKEYS_OK)
    rc = create_system(op, AK_ROLE_DEFAULT, "Member", "What a member is unless told otherwise", "");
  return rc;
}

/* -- Getting and listing ----------------------------------------------------------------------- */

static int get_role(struct ak_op *op, const struct ak_object *given, const void *arguments,
                    apikeys_record *stored) {
  (void)given;
  int rc = ak_allow(&op->power, "apikeys:roles:read");
  return rc == APIKEYS_OK ? find_role(op, arguments, stored) : rc;
}

int apikeys_role_get(apikeys_env *env, const apikeys_actor *actor, const char *organization_id,
                     size_t organization_id_length, const char *slug, size_t length,
                     apikeys_role *role, apikeys_error *err) {
  organization_id_length = ak_text_length(organization_id, organization_id_length);
  length = ak_text_length(slug, length);
  struct role_name name = {{organization_id, organization_id_length}, {slug, length}};
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_READ, role != NULL ? &role->object : NULL,
                      get_role, &name, err);
}

static int list_roles(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page) {
  int rc = ak_filter_check(filter, AK_FILTER_ORGANIZATION, op->err);
  if (rc == APIKEYS_OK)
    rc = ak_allow(&op->power, "apikeys:roles:read");
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  const char *owner = filter != NULL ? filter->organization_id : "";
  if (owner[0] != '\0') {
    rc = ak_organization_exists(&op->transaction, owner);
    ak_query_of(&query, AK_ROLE, AK_ROLE_BY_PRIORITY, owner, strlen(owner));
  } else {
    ak_query_environment(&query, AK_ROLE, AK_ROLE_BY_PRIORITY);
  }
  ak_query_equal_text(&query, owner, strlen(owner));
  return rc == APIKEYS_OK ? ak_scan(&op->transaction, &query, ak_page_visit, page) : rc;
}

int apikeys_role_list(apikeys_env *env, const apikeys_actor *actor, const apikeys_filter *filter,
                      apikeys_page *page, apikeys_error *err) {
  return ak_list_op(env, actor, filter, page, AK_ROLE, list_roles, err);
}

/* -- Changing and deleting --------------------------------------------------------------------- */

static int update_role(struct ak_op *op, const struct ak_object *given, const void *arguments,
                       apikeys_record *stored) {
  (void)arguments;
  struct role_name name = name_role_of(&given->record);
  int rc = ak_allow(&op->power, "apikeys:roles:write");
  if (rc == APIKEYS_OK)
    rc = find_role(op, &name, stored);
  if (rc == APIKEYS_OK && ak_object_changed(given, AK_ROLE_NAME))
    rc = ak_object_check_name(given, AK_ROLE_NAME, 1, ROLE_NAME_MAX_BYTES, op->err);
  if (rc == APIKEYS_OK)
    rc = check_role_contents(op, given);
  return rc == APIKEYS_OK
             ? ak_object_change(op, given, stored, AK_ROLE_UPDATED_AT,
                                event_type(stored, "updated"), name.organization_id.text)
             : rc;
}

int apikeys_role_update(apikeys_env *env, const apikeys_actor *actor, apikeys_role *role,
                        apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE, role != NULL ? &role->object : NULL,
                      update_role, NULL, err);
}

/* An organization's role is in use in its organization, the environment's anywhere. */
static int check_unused(struct ak_op *op, const struct role_name *name) {
  apikeys_query query;
  apikeys_record member;
  const struct ak_text *owner = &name->organization_id;
  if (owner->length > 0) {
    ak_query_of(&query, AK_MEMBER, AK_MEMBER_BY_ORGANIZATION, owner->text, owner->length);
    ak_query_equal_text(&query, owner->text, owner->length);
  } else {
    ak_query_any(&query, AK_MEMBER, AK_MEMBER_BY_NUMBER);
  }
  ak_query_where_text(&query, AK_CONDITION_HAS_SLUG, AK_MEMBER_ROLES, name->slug.text,
                      name->slug.length);
  query.limit = 1;
  ak_record_init(&member, AK_MEMBER);
  int rc = ak_get(&op->transaction, &query, &member);
  ak_record_release(&member);
  if (rc == APIKEYS_OK)
    return ak_error_set(op->err, APIKEYS_ERROR_IN_USE, "slug", "a member has this role");
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static int remove_role(struct ak_op *op, const apikeys_record *role) {
  int rc = ak_remove(&op->transaction, AK_ROLE, apikeys_record_integer(role, AK_NUMBER));
  const char *owner = apikeys_record_text(role, AK_ROLE_ORGANIZATION_ID, NULL);
  return rc == APIKEYS_OK
             ? ak_event_append(op, event_type(role, "deleted"), owner, role, NULL, NULL)
             : rc;
}

static int delete_role(struct ak_op *op, const void *arguments) {
  const struct role_name *name = arguments;
  apikeys_record stored;
  ak_record_init(&stored, AK_ROLE);
  int rc = ak_allow(&op->power, "apikeys:roles:write");
  if (rc == APIKEYS_OK)
    rc = find_role(op, name, &stored);
  if (rc == APIKEYS_OK && is_system(&stored))
    rc = ak_error_code(op->err, APIKEYS_ERROR_SYSTEM_OBJECT);
  if (rc == APIKEYS_OK)
    rc = check_unused(op, name);
  if (rc == APIKEYS_OK)
    rc = remove_role(op, &stored);
  ak_record_release(&stored);
  return rc;
}

int apikeys_role_delete(apikeys_env *env, const apikeys_actor *actor, const char *organization_id,
                        size_t organization_id_length, const char *slug, size_t length,
                        apikeys_error *err) {
  organization_id_length = ak_text_length(organization_id, organization_id_length);
  length = ak_text_length(slug, length);
  struct role_name name = {{organization_id, organization_id_length}, {slug, length}};
  return ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, delete_role, &name, err);
}

int ak_roles_delete_of(struct ak_op *op, const char *organization_id, struct ak_budget *budget) {
  apikeys_page page;
  apikeys_query query;
  if (budget->left == 0)
    return APIKEYS_OK;
  ak_page_init(&page, AK_ROLE);
  ak_query_of(&query, AK_ROLE, AK_ROLE_BY_PRIORITY, organization_id, strlen(organization_id));
  ak_query_equal_text(&query, organization_id, strlen(organization_id));
  query.limit = budget->left;
  int rc = ak_scan(&op->transaction, &query, ak_page_visit, &page);
  for (size_t i = 0; rc == APIKEYS_OK && i < page.count; i++)
    rc = remove_role(op, &page.objects[i]->record);
  budget->left -= page.count;
  ak_page_release(&page);
  return rc;
}

/* -- The role object --------------------------------------------------------------------------- */

AK_NEW_AND_FREE(role, AK_ROLE)
AK_GET_TEXT(role, id, AK_ID)
AK_GET_TEXT(role, organization_id, AK_ROLE_ORGANIZATION_ID)
AK_SET_TEXT(role, organization_id, AK_ROLE_ORGANIZATION_ID)
AK_GET_TEXT(role, slug, AK_ROLE_SLUG)
AK_SET_TEXT(role, slug, AK_ROLE_SLUG)
AK_GET_TEXT(role, name, AK_ROLE_NAME)
AK_SET_TEXT(role, name, AK_ROLE_NAME)
AK_GET_TEXT(role, description, AK_ROLE_DESCRIPTION)
AK_SET_TEXT(role, description, AK_ROLE_DESCRIPTION)
AK_GET_INTEGER(role, int64_t, priority, AK_ROLE_PRIORITY)
AK_SET_INTEGER(role, int64_t, priority, AK_ROLE_PRIORITY)
AK_GET_TEXT(role, permissions, AK_ROLE_PERMISSIONS)
AK_ADD_SLUG(role, permission, AK_ROLE_PERMISSIONS)
AK_REMOVE_SLUG(role, permission, AK_ROLE_PERMISSIONS)
AK_CLEAR_SLUGS(role, permissions, AK_ROLE_PERMISSIONS)
AK_SET_SLUGS(role, permissions, AK_ROLE_PERMISSIONS)
AK_GET_SLUGS(role, permission, AK_ROLE_PERMISSIONS)
AK_GET_INTEGER(role, int64_t, created_at_ms, AK_ROLE_CREATED_AT)
AK_GET_INTEGER(role, int64_t, updated_at_ms, AK_ROLE_UPDATED_AT)
AK_JSON(role)
