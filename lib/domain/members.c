/* SPDX-License-Identifier: MIT */
/* Members: create, read, change, delete, list. */
#include "domain/members.h"

#include "access/authority.h"
#include "access/effective_permissions.h"
#include "base/text.h"
#include "domain/keys.h"
#include "domain/roles.h"
#include "objects/accessors.h"
#include "operation/crud.h"
#include "operation/deleted_cursors.h"
#include "operation/events.h"

#include <apikeys/member.h>

#include <string.h>

enum { SHOWN_TEXT_MAX_BYTES = 255 };

/* One user in one organization. */
struct member_name {
  struct ak_text organization_id;
  struct ak_text user_id;
};

static int find_member(struct ak_op *op, const struct member_name *name, apikeys_record *stored) {
  const struct ak_text *organization_id = &name->organization_id, *user_id = &name->user_id;
  int rc = ak_check_lookup(op, organization_id, "organization_id");
  if (rc == APIKEYS_OK)
    rc = ak_check_lookup(op, user_id, "user_id");
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  ak_query_of(&query, AK_MEMBER, AK_MEMBER_BY_USER, organization_id->text, organization_id->length);
  ak_query_equal_text(&query, organization_id->text, organization_id->length);
  ak_query_equal_text(&query, user_id->text, user_id->length);
  return ak_get(&op->transaction, &query, stored);
}

static struct member_name name_member_of(const apikeys_record *member) {
  struct member_name name;
  name.organization_id.text =
      apikeys_record_text(member, AK_MEMBER_ORGANIZATION_ID, &name.organization_id.length);
  name.user_id.text = apikeys_record_text(member, AK_MEMBER_USER_ID, &name.user_id.length);
  return name;
}

/* -- Creating ---------------------------------------------------------------------------------- */

static int check_roles(struct ak_op *op, const struct ak_object *given,
                       const char *organization_id) {
  apikeys_record role;
  ak_record_init(&role, AK_ROLE);
  size_t length, at = 0, slug_length;
  const char *roles = apikeys_record_text(&given->record, AK_MEMBER_ROLES, &length), *slug;
  int rc = APIKEYS_OK;
  while (rc == APIKEYS_OK && ak_slugs_next(roles, length, &at, &slug, &slug_length)) {
    rc = ak_role_find(&op->transaction, organization_id, slug, slug_length, &role);
    if (rc == APIKEYS_ERROR_NOT_FOUND) {
      ak_error_set(op->err, rc, "roles", "%.*s: no such role", (int)slug_length, slug);
      ak_error_set_subject(op->err, slug, slug_length);
    }
  }
  ak_record_release(&role);
  return rc;
}

static int check_member_contents(struct ak_op *op, const struct ak_object *given,
                                 const char *organization_id) {
  int64_t status = apikeys_record_integer(&given->record, AK_MEMBER_STATUS);
  if (ak_object_changed(given, AK_MEMBER_STATUS) &&
      (status < APIKEYS_MEMBER_ACTIVE || status > APIKEYS_MEMBER_PENDING))
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "status",
                        "must be active, inactive or pending");
  int rc = ak_object_check_text(given, AK_MEMBER_EMAIL, 0, SHOWN_TEXT_MAX_BYTES, op->err);
  if (rc == APIKEYS_OK)
    rc = ak_object_check_name(given, AK_MEMBER_DISPLAY_NAME, 0, SHOWN_TEXT_MAX_BYTES, op->err);
  return rc == APIKEYS_OK ? check_roles(op, given, organization_id) : rc;
}

static int check_member_name(struct ak_op *op, const struct member_name *name) {
  const char *problem =
      ak_text_id_problem(name->user_id.text, name->user_id.length, 1, AK_USER_ID_MAX);
  if (problem != NULL)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "user_id", "%s", problem);
  int rc = ak_check_lookup(op, &name->organization_id, "organization_id");
  if (rc == APIKEYS_OK)
    rc = ak_organization_exists(&op->transaction, name->organization_id.text);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = ak_error_set(op->err, rc, "organization_id", "no such organization");
  return rc;
}

static int insert_member(struct ak_op *op, const struct ak_object *given,
                         const char *organization_id, apikeys_record *stored) {
  apikeys_record_set_integer(stored, AK_MEMBER_STATUS, APIKEYS_MEMBER_ACTIVE);
  int rc = ak_object_apply(given, stored);
  if (rc == APIKEYS_OK && apikeys_record_text(stored, AK_MEMBER_ROLES, NULL)[0] == '\0')
    rc = ak_record_set_string(stored, AK_MEMBER_ROLES, AK_ROLE_DEFAULT);
  if (rc == APIKEYS_OK)
    rc = ak_stamp_new(op, stored, "om", AK_MEMBER_CREATED_AT, AK_MEMBER_UPDATED_AT);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&op->transaction, stored);
  if (rc == APIKEYS_ERROR_EXISTS)
    rc = ak_error_set(op->err, rc, "user_id", "is a member of the organization already");
  return rc == APIKEYS_OK ? ak_event_append(op, "organization_membership.created", organization_id,
                                            stored, NULL, NULL)
                          : rc;
}

static int create_member(struct ak_op *op, const struct ak_object *given, const void *arguments,
                         apikeys_record *stored) {
  (void)arguments;
  struct member_name name = name_member_of(&given->record);
  int rc = ak_allow(&op->power, "apikeys:members:write");
  if (rc == APIKEYS_OK)
    rc = check_member_name(op, &name);
  if (rc == APIKEYS_OK)
    rc = check_member_contents(op, given, name.organization_id.text);
  return rc == APIKEYS_OK ? insert_member(op, given, name.organization_id.text, stored) : rc;
}

int apikeys_member_create(apikeys_env *env, const apikeys_actor *actor, apikeys_member *member,
                          apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                      member != NULL ? &member->object : NULL, create_member, NULL, err);
}

/* -- Getting and listing ----------------------------------------------------------------------- */

static int get_member(struct ak_op *op, const struct ak_object *given, const void *arguments,
                      apikeys_record *stored) {
  (void)given;
  int rc = ak_allow(&op->power, "apikeys:members:read");
  return rc == APIKEYS_OK ? find_member(op, arguments, stored) : rc;
}

int apikeys_member_get(apikeys_env *env, const apikeys_actor *actor, const char *organization_id,
                       size_t organization_id_length, const char *user_id, size_t user_id_length,
                       apikeys_member *member, apikeys_error *err) {
  organization_id_length = ak_text_length(organization_id, organization_id_length);
  user_id_length = ak_text_length(user_id, user_id_length);
  struct member_name name = {{organization_id, organization_id_length}, {user_id, user_id_length}};
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_READ, member != NULL ? &member->object : NULL,
                      get_member, &name, err);
}

static int get_by_id(struct ak_op *op, const struct ak_object *given, const void *arguments,
                     apikeys_record *stored) {
  (void)given;
  const struct ak_text *id = arguments;
  int rc = ak_allow(&op->power, "apikeys:members:read");
  if (rc == APIKEYS_OK)
    rc = ak_check_lookup(op, id, "id");
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  ak_query_any(&query, AK_MEMBER, 0);
  ak_query_equal_text(&query, id->text, id->length);
  return ak_get(&op->transaction, &query, stored);
}

int apikeys_member_get_by_id(apikeys_env *env, const apikeys_actor *actor, const char *id,
                             size_t length, apikeys_member *member, apikeys_error *err) {
  length = ak_text_length(id, length);
  struct ak_text arguments = {id, length};
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_READ, member != NULL ? &member->object : NULL,
                      get_by_id, &arguments, err);
}

static void query_members(apikeys_query *query, const apikeys_filter *filter) {
  unsigned set = filter != NULL ? filter->set : 0;
  const char *organization_id = filter != NULL ? filter->organization_id : "";
  const char *user_id = filter != NULL ? filter->user_id : "";
  size_t length = strlen(organization_id);
  if ((set & AK_FILTER_USER) != 0) {
    if ((set & AK_FILTER_ORGANIZATION) != 0)
      ak_query_of(query, AK_MEMBER, AK_MEMBER_OF_USER, organization_id, length);
    else
      ak_query_any(query, AK_MEMBER, AK_MEMBER_OF_USER);
    ak_query_equal_text(query, user_id, strlen(user_id));
  } else if ((set & AK_FILTER_ORGANIZATION) != 0) {
    ak_query_of(query, AK_MEMBER, AK_MEMBER_BY_ORGANIZATION, organization_id, length);
    ak_query_equal_text(query, organization_id, length);
  } else {
    ak_query_any(query, AK_MEMBER, AK_MEMBER_BY_NUMBER);
  }
}

static int list_members(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page) {
  int rc =
      ak_filter_check(filter, AK_FILTER_PAGING | AK_FILTER_ORGANIZATION | AK_FILTER_USER, op->err);
  if (rc == APIKEYS_OK)
    rc = ak_allow(&op->power, "apikeys:members:read");
  if (rc == APIKEYS_OK && filter != NULL && (filter->set & AK_FILTER_ORGANIZATION) != 0)
    rc = ak_organization_exists(&op->transaction, filter->organization_id);
  if (rc != APIKEYS_OK)
    return rc;
  struct ak_listing listing = {.op = op,
                               .filter = filter,
                               .kind = AK_MEMBER,
                               .order = APIKEYS_ORDER_NEWEST_FIRST,
                               .query_count = 1};
  query_members(&listing.queries[0], filter);
  return ak_list(&listing, page);
}

int apikeys_member_list(apikeys_env *env, const apikeys_actor *actor, const apikeys_filter *filter,
                        apikeys_page *page, apikeys_error *err) {
  return ak_list_op(env, actor, filter, page, AK_MEMBER, list_members, err);
}

/* -- Changing and deleting --------------------------------------------------------------------- */

static int update_member(struct ak_op *op, const struct ak_object *given, const void *arguments,
                         apikeys_record *stored) {
  (void)arguments;
  struct member_name name = name_member_of(&given->record);
  int rc = ak_allow(&op->power, "apikeys:members:write");
  if (rc == APIKEYS_OK)
    rc = find_member(op, &name, stored);
  if (rc == APIKEYS_OK)
    rc = check_member_contents(op, given, name.organization_id.text);
  if (rc == APIKEYS_OK && ak_object_changed(given, AK_MEMBER_ROLES) &&
      apikeys_record_text(&given->record, AK_MEMBER_ROLES, NULL)[0] == '\0')
    rc = ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "roles", "must be one at least");
  return rc == APIKEYS_OK
             ? ak_object_change(op, given, stored, AK_MEMBER_UPDATED_AT,
                                "organization_membership.updated", name.organization_id.text)
             : rc;
}

int apikeys_member_update(apikeys_env *env, const apikeys_actor *actor, apikeys_member *member,
                          apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                      member != NULL ? &member->object : NULL, update_member, NULL, err);
}

static int remove_member(struct ak_op *op, const apikeys_record *member) {
  int rc = ak_remove_listed(op, member);
  const char *organization_id = apikeys_record_text(member, AK_MEMBER_ORGANIZATION_ID, NULL);
  return rc == APIKEYS_OK ? ak_event_append(op, "organization_membership.deleted", organization_id,
                                            member, NULL, NULL)
                          : rc;
}

/*
 * A member with many keys goes in several transactions: the keys first, so that none is left when a
 * crash comes between; the member with the last of them.
 */
struct member_deletion {
  struct member_name name;
  bool *done;
};

static int delete_some(struct ak_op *op, const apikeys_record *member, bool *done) {
  struct ak_budget budget = {.left = AK_BUDGET};
  int rc =
      ak_keys_revoke_of_member(op, apikeys_record_text(member, AK_MEMBER_ORGANIZATION_ID, NULL),
                               apikeys_record_text(member, AK_MEMBER_USER_ID, NULL), &budget);
  *done = budget.left > 0;
  return rc == APIKEYS_OK && *done ? remove_member(op, member) : rc;
}

static int delete_member(struct ak_op *op, const void *arguments) {
  const struct member_deletion *deletion = arguments;
  apikeys_record stored;
  ak_record_init(&stored, AK_MEMBER);
  int rc = ak_allow(&op->power, "apikeys:members:write");
  if (rc == APIKEYS_OK)
    rc = find_member(op, &deletion->name, &stored);
  if (rc == APIKEYS_OK)
    rc = delete_some(op, &stored, deletion->done);
  ak_record_release(&stored);
  return rc;
}

int apikeys_member_delete(apikeys_env *env, const apikeys_actor *actor, const char *organization_id,
                          size_t organization_id_length, const char *user_id, size_t user_id_length,
                          apikeys_error *err) {
  organization_id_length = ak_text_length(organization_id, organization_id_length);
  user_id_length = ak_text_length(user_id, user_id_length);
  bool done = false;
  struct member_deletion deletion = {
      {{organization_id, organization_id_length}, {user_id, user_id_length}}, &done};
  int rc;
  do
    rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, delete_member, &deletion, err);
  while (rc == APIKEYS_OK && !done);
  return rc;
}

int ak_members_delete_of(struct ak_op *op, const char *organization_id, struct ak_budget *budget) {
  apikeys_page page;
  apikeys_query query;
  if (budget->left == 0)
    return APIKEYS_OK;
  ak_page_init(&page, AK_MEMBER);
  ak_query_of(&query, AK_MEMBER, AK_MEMBER_BY_ORGANIZATION, organization_id,
              strlen(organization_id));
  ak_query_equal_text(&query, organization_id, strlen(organization_id));
  query.limit = budget->left;
  int rc = ak_scan(&op->transaction, &query, ak_page_visit, &page);
  for (size_t i = 0; rc == APIKEYS_OK && i < page.count; i++)
    rc = remove_member(op, &page.objects[i]->record);
  budget->left -= page.count;
  ak_page_release(&page);
  return rc;
}

/* -- The member object ------------------------------------------------------------------------- */

AK_NEW_AND_FREE(member, AK_MEMBER)
AK_GET_TEXT(member, id, AK_ID)
AK_GET_TEXT(member, organization_id, AK_MEMBER_ORGANIZATION_ID)
AK_SET_TEXT(member, organization_id, AK_MEMBER_ORGANIZATION_ID)
AK_GET_TEXT(member, user_id, AK_MEMBER_USER_ID)
AK_SET_TEXT(member, user_id, AK_MEMBER_USER_ID)
AK_GET_INTEGER(member, int, status, AK_MEMBER_STATUS)
AK_SET_INTEGER(member, int, status, AK_MEMBER_STATUS)
AK_GET_TEXT(member, roles, AK_MEMBER_ROLES)
AK_ADD_SLUG(member, role, AK_MEMBER_ROLES)
AK_REMOVE_SLUG(member, role, AK_MEMBER_ROLES)
AK_CLEAR_SLUGS(member, roles, AK_MEMBER_ROLES)
AK_SET_SLUGS(member, roles, AK_MEMBER_ROLES)
AK_GET_SLUGS(member, role, AK_MEMBER_ROLES)
AK_GET_TEXT(member, email, AK_MEMBER_EMAIL)
AK_SET_TEXT(member, email, AK_MEMBER_EMAIL)
AK_GET_TEXT(member, display_name, AK_MEMBER_DISPLAY_NAME)
AK_SET_TEXT(member, display_name, AK_MEMBER_DISPLAY_NAME)
AK_GET_INTEGER(member, int64_t, created_at_ms, AK_MEMBER_CREATED_AT)
AK_GET_INTEGER(member, int64_t, updated_at_ms, AK_MEMBER_UPDATED_AT)
AK_JSON(member)
