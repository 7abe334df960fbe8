/* SPDX-License-Identifier: MIT */
/* Permissions of the environment: create, read, change, delete, list. */
#include "domain/permissions.h"

#include "access/authority.h"
#include "base/arithmetic.h"
#include "base/text.h"
#include "domain/key_walk.h"
#include "objects/accessors.h"
#include "operation/crud.h"
#include "operation/deleted_cursors.h"
#include "operation/events.h"

#include <apikeys/permission.h>

#include <stdlib.h>
#include <string.h>

enum { PERMISSION_NAME_MAX_BYTES = 48, PERMISSION_DESCRIPTION_MAX_BYTES = 150 };

int ak_permission_find(struct ak_transaction *transaction, const char *slug, size_t length,
                       apikeys_record *out) {
  apikeys_query query;
  ak_query_environment(&query, AK_PERMISSION, AK_PERMISSION_BY_SLUG);
  ak_query_equal_text(&query, slug, length);
  return ak_get(transaction, &query, out);
}

static int refuse_slug(struct ak_op *op, int code, const char *slug, size_t length) {
  int rc = ak_error_set(op->err, code, "permissions", "%.*s: %s", (int)length, slug,
                        apikeys_result_text(code));
  ak_error_set_subject(op->err, slug, length);
  return rc;
}

/* owner_type 0: existing is enough. */
static int check_slugs(struct ak_op *op, int owner_type, const char *set, size_t length) {
  apikeys_record permission;
  ak_record_init(&permission, AK_PERMISSION);
  size_t at = 0, slug_length;
  const char *slug;
  int rc = APIKEYS_OK;
  int flag = owner_type == APIKEYS_OWNER_MEMBER ? AK_PERMISSION_FOR_USER_KEYS
                                                : AK_PERMISSION_FOR_ORGANIZATION_KEYS;
  while (rc == APIKEYS_OK && ak_slugs_next(set, length, &at, &slug, &slug_length)) {
    rc = ak_permission_find(&op->transaction, slug, slug_length, &permission);
    if (rc == APIKEYS_ERROR_NOT_FOUND)
      rc = refuse_slug(op, APIKEYS_ERROR_UNKNOWN_PERMISSION, slug, slug_length);
    else if (rc == APIKEYS_OK && owner_type != 0 && apikeys_record_integer(&permission, flag) != 1)
      rc = refuse_slug(op, APIKEYS_ERROR_PERMISSION_NOT_AVAILABLE, slug, slug_length);
  }
  ak_record_release(&permission);
  return rc;
}

int ak_permissions_exist(struct ak_op *op, const char *set, size_t length) {
  return check_slugs(op, 0, set, length);
}

int ak_permissions_available(struct ak_op *op, int owner_type, const char *set, size_t length) {
  return check_slugs(op, owner_type, set, length);
}

/* -- Creating ---------------------------------------------------------------------------------- */

static int check_texts(struct ak_op *op, const struct ak_object *permission) {
  int rc =
      ak_object_check_name(permission, AK_PERMISSION_NAME, 1, PERMISSION_NAME_MAX_BYTES, op->err);
  if (rc == APIKEYS_OK)
    rc = ak_object_check_text(permission, AK_PERMISSION_DESCRIPTION, 0,
                              PERMISSION_DESCRIPTION_MAX_BYTES, op->err);
  return rc;
}

static int check_permission_new(struct ak_op *op, const struct ak_object *given) {
  size_t length;
  const char *slug = apikeys_record_text(&given->record, AK_PERMISSION_SLUG, &length);
  if (ak_slug_check(slug, length) != 0)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "slug",
                        "must be 1 to 48 of a-z 0-9 - _ : . *");
  if (ak_slug_reserved(slug, length))
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "slug",
                        "must not begin with widgets: or apikeys:");
  return check_texts(op, given);
}

static int insert_permission(struct ak_op *op, apikeys_record *stored) {
  int rc = ak_stamp_new(op, stored, "perm", AK_PERMISSION_CREATED_AT, AK_PERMISSION_UPDATED_AT);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&op->transaction, stored);
  if (rc == APIKEYS_ERROR_EXISTS)
    rc = ak_error_set(op->err, rc, "slug", "a permission with this slug exists");
  return rc == APIKEYS_OK ? ak_event_append(op, "permission.created", "", stored, NULL, NULL) : rc;
}

static int create_permission(struct ak_op *op, const struct ak_object *given, const void *arguments,
                             apikeys_record *stored) {
  (void)arguments;
  int rc = ak_allow(&op->power, "apikeys:permissions:write");
  if (rc == APIKEYS_OK)
    rc = check_permission_new(op, given);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_record_set_integer(stored, AK_PERMISSION_SYSTEM, 0);
  apikeys_record_set_integer(stored, AK_PERMISSION_FOR_ORGANIZATION_KEYS, 0);
  apikeys_record_set_integer(stored, AK_PERMISSION_FOR_USER_KEYS, 0);
  rc = ak_object_apply(given, stored);
  return rc == APIKEYS_OK ? insert_permission(op, stored) : rc;
}

int apikeys_permission_create(apikeys_env *env, const apikeys_actor *actor,
                              apikeys_permission *permission, apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                      permission != NULL ? &permission->object : NULL, create_permission, NULL,
                      err);
}

int ak_permissions_create_system(struct ak_op *op) {
  static const struct {
    const char *slug;
    const char *name;
    const char *description;
  } system[] = {
      {AK_MANAGE_KEYS, "Manage API keys", "Create, see, change and revoke the organization's keys"},
      {AK_MANAGE_OWN_KEYS, "Manage own API keys", "Create, see, change and revoke one's own keys"},
      {AK_MANAGE_ALL_USER_KEYS, "Manage all users' API keys",
       "The same, and see and revoke the keys of other members"},
  };
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < sizeof system / sizeof system[0]; i++) {
    apikeys_record stored;
    ak_record_init(&stored, AK_PERMISSION);
    ak_record_set_string(&stored, AK_PERMISSION_SLUG, system[i].slug);
    ak_record_set_string(&stored, AK_PERMISSION_NAME, system[i].name);
    ak_record_set_string(&stored, AK_PERMISSION_DESCRIPTION, system[i].description);
    apikeys_record_set_integer(&stored, AK_PERMISSION_SYSTEM, 1);
    apikeys_record_set_integer(&stored, AK_PERMISSION_FOR_ORGANIZATION_KEYS, 0);
    apikeys_record_set_integer(&stored, AK_PERMISSION_FOR_USER_KEYS, 0);
    rc = insert_permission(op, &stored);
    ak_record_release(&stored);
  }
  return rc;
}

/* -- Getting and listing ----------------------------------------------------------------------- */

static int get_permission(struct ak_op *op, const struct ak_object *given, const void *arguments,
                          apikeys_record *stored) {
  (void)given;
  const struct ak_text *slug = arguments;
  int rc = ak_allow(&op->power, "apikeys:permissions:read");
  if (rc == APIKEYS_OK)
    rc = ak_check_lookup(op, slug, "slug");
  return rc == APIKEYS_OK ? ak_permission_find(&op->transaction, slug->text, slug->length, stored)
                          : rc;
}

int apikeys_permission_get(apikeys_env *env, const apikeys_actor *actor, const char *slug,
                           size_t length, apikeys_permission *permission, apikeys_error *err) {
  length = ak_text_length(slug, length);
  struct ak_text arguments = {slug, length};
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_READ,
                      permission != NULL ? &permission->object : NULL, get_permission, &arguments,
                      err);
}

/* Members see what is available to the keys that they may manage. */
static int allow_list(struct ak_op *op, int available_to) {
  if (!ak_power_is_member(&op->power))
    return ak_allow(&op->power, "apikeys:permissions:read");
  const char *organization_id = op->power.actor->organization_id;
  if (available_to == APIKEYS_OWNER_MEMBER)
    return ak_allow_keys(&op->power, AK_KEY_SEE, APIKEYS_OWNER_MEMBER, organization_id,
                         op->power.actor->user_id);
  if (available_to == APIKEYS_OWNER_ORGANIZATION)
    return ak_allow_keys(&op->power, AK_KEY_SEE, APIKEYS_OWNER_ORGANIZATION, organization_id, "");
  return ak_allow(&op->power, "apikeys:permissions:read");
}

static int list_permissions(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page) {
  int rc = ak_filter_check(filter, AK_FILTER_PAGING | AK_FILTER_SEARCH | AK_FILTER_AVAILABLE_TO,
                           op->err);
  int available_to = filter != NULL ? filter->available_to : 0;
  if (rc == APIKEYS_OK)
    rc = allow_list(op, available_to);
  if (rc != APIKEYS_OK)
    return rc;
  struct ak_listing listing = {.op = op,
                               .filter = filter,
                               .kind = AK_PERMISSION,
                               .order = APIKEYS_ORDER_NEWEST_FIRST,
                               .query_count = 1};
  apikeys_query *query = &listing.queries[0];
  ak_query_environment(query, AK_PERMISSION, AK_PERMISSION_BY_NUMBER);
  if (available_to != 0)
    ak_query_where_integer(query, AK_CONDITION_EQUALS,
                           available_to == APIKEYS_OWNER_MEMBER
                               ? AK_PERMISSION_FOR_USER_KEYS
                               : AK_PERMISSION_FOR_ORGANIZATION_KEYS,
                           1);
  if (filter != NULL && filter->search_length > 0)
    ak_query_where_text(query, AK_CONDITION_CONTAINS, AK_PERMISSION_NAME, filter->search,
                        filter->search_length);
  return ak_list(&listing, page);
}

int apikeys_permission_list(apikeys_env *env, const apikeys_actor *actor,
                            const apikeys_filter *filter, apikeys_page *page, apikeys_error *err) {
  return ak_list_op(env, actor, filter, page, AK_PERMISSION, list_permissions, err);
}

/* -- Changing ---------------------------------------------------------------------------------- */

static int find_own(struct ak_op *op, const struct ak_text *slug, apikeys_record *stored) {
  int rc = ak_check_lookup(op, slug, "slug");
  if (rc == APIKEYS_OK)
    rc = ak_permission_find(&op->transaction, slug->text, slug->length, stored);
  if (rc == APIKEYS_OK && apikeys_record_integer(stored, AK_PERMISSION_SYSTEM) != 0)
    rc = ak_error_code(op->err, APIKEYS_ERROR_SYSTEM_OBJECT);
  return rc;
}

static int update_permission(struct ak_op *op, const struct ak_object *given, const void *arguments,
                             apikeys_record *stored) {
  (void)arguments;
  struct ak_text slug;
  slug.text = apikeys_record_text(&given->record, AK_PERMISSION_SLUG, &slug.length);
  int rc = ak_allow(&op->power, "apikeys:permissions:write");
  if (rc == APIKEYS_OK)
    rc = find_own(op, &slug, stored);
  if (rc == APIKEYS_OK && ak_object_changed(given, AK_PERMISSION_NAME))
    rc = ak_object_check_name(given, AK_PERMISSION_NAME, 1, PERMISSION_NAME_MAX_BYTES, op->err);
  if (rc == APIKEYS_OK)
    rc = ak_object_check_text(given, AK_PERMISSION_DESCRIPTION, 0, PERMISSION_DESCRIPTION_MAX_BYTES,
                              op->err);
  return rc == APIKEYS_OK ? ak_object_change(op, given, stored, AK_PERMISSION_UPDATED_AT,
                                             "permission.updated", "")
                          : rc;
}

int apikeys_permission_update(apikeys_env *env, const apikeys_actor *actor,
                              apikeys_permission *permission, apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                      permission != NULL ? &permission->object : NULL, update_permission, NULL,
                      err);
}

/* -- Deleting ---------------------------------------------------------------------------------- */

/*
 * Deleting a permission rewrites its holders, rather than having every validation ask whether a
 * permission still exists: were it made anew one day, no old key would have it back.
 *
 * Where there are few keys that is one transaction. Where there are many, looking at all of them in
 * a write transaction would keep other writers out for seconds. Then the permission first becomes
 * unavailable to keys, so that no key gets it any more; its holders are found in read transactions
 * and rewritten in bounded ones; at last it is deleted.
 */
enum { KEYS_AT_ONCE = 10000 };

struct permission_deletion {
  struct ak_text slug;
  const struct ak_key_numbers *keys; /* holders to rewrite; NULL: look at all */
};

static int take_from(struct ak_op *op, apikeys_record *holder, int permissions_field,
                     int updated_field, const struct ak_text *slug) {
  struct ak_slugs set = {0};
  size_t length;
  const char *old = apikeys_record_text(holder, permissions_field, &length);
  ak_slugs_add_all(&set, old, length);
  ak_slugs_remove(&set, slug->text, slug->length);
  int rc = set.failed ? APIKEYS_ERROR_NO_MEMORY
                      : apikeys_record_set_text(holder, permissions_field, ak_slugs_text(&set),
                                                set.length);
  ak_slugs_release(&set);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_set_integer(holder, updated_field, op->now_ms);
  return rc == APIKEYS_OK ? ak_update(&op->transaction, holder) : rc;
}

/* All records of a kind that hold the slug; collected first, because a visitor makes no changes. */
static int remove_slug_everywhere(struct ak_op *op, int kind, int index_by_number,
                                  int permissions_field, int updated_field,
                                  const struct ak_text *slug) {
  int64_t from = 0;
  bool done = false;
  int rc = APIKEYS_OK;
  while (rc == APIKEYS_OK && !done) {
    apikeys_page page;
    apikeys_query query;
    ak_page_init(&page, kind);
    ak_query_any(&query, kind, index_by_number);
    ak_query_from(&query, from);
    ak_query_where_text(&query, AK_CONDITION_HAS_SLUG, permissions_field, slug->text, slug->length);
    query.limit = AK_BUDGET;
    rc = ak_scan(&op->transaction, &query, ak_page_visit, &page);
    done = page.count < AK_BUDGET;
    for (size_t i = 0; rc == APIKEYS_OK && i < page.count; i++) {
      apikeys_record *holder = &page.objects[i]->record;
      done = !ak_number_after(apikeys_record_integer(holder, AK_NUMBER), &from) || done;
      rc = take_from(op, holder, permissions_field, updated_field, slug);
    }
    ak_page_release(&page);
  }
  return rc;
}

/* Only what still holds it: the holders were found in another transaction. */
static int take_from_found(struct ak_op *op, const void *arguments) {
  const struct permission_deletion *deletion = arguments;
  const struct ak_text *slug = &deletion->slug;
  int rc = ak_allow(&op->power, "apikeys:permissions:write");
  for (size_t i = 0; rc == APIKEYS_OK && i < deletion->keys->count; i++) {
    apikeys_record key;
    size_t length;
    ak_record_init(&key, AK_API_KEY);
    rc = ak_key_of_number(op, deletion->keys->list[i], &key);
    const char *held = apikeys_record_text(&key, AK_API_KEY_PERMISSIONS, &length);
    if (rc == APIKEYS_OK && ak_slugs_has(held, length, slug->text, slug->length))
      rc = take_from(op, &key, AK_API_KEY_PERMISSIONS, AK_API_KEY_UPDATED_AT, slug);
    ak_record_release(&key);
    if (rc == APIKEYS_ERROR_NOT_FOUND)
      rc = APIKEYS_OK;
  }
  return rc;
}

static int delete_permission(struct ak_op *op, const void *arguments) {
  const struct permission_deletion *deletion = arguments;
  const struct ak_text *slug = &deletion->slug;
  apikeys_record stored;
  ak_record_init(&stored, AK_PERMISSION);
  int rc = ak_allow(&op->power, "apikeys:permissions:write");
  if (rc == APIKEYS_OK)
    rc = find_own(op, slug, &stored);
  if (rc == APIKEYS_OK)
    rc = remove_slug_everywhere(op, AK_ROLE, AK_ROLE_BY_NUMBER, AK_ROLE_PERMISSIONS,
                                AK_ROLE_UPDATED_AT, slug);
  if (rc == APIKEYS_OK && deletion->keys == NULL)
    rc = remove_slug_everywhere(op, AK_API_KEY, AK_API_KEY_BY_NUMBER, AK_API_KEY_PERMISSIONS,
                                AK_API_KEY_UPDATED_AT, slug);
  if (rc == APIKEYS_OK)
    rc = ak_remove_listed(op, &stored);
  if (rc == APIKEYS_OK)
    rc = ak_event_append(op, "permission.deleted", "", &stored, NULL, NULL);
  ak_record_release(&stored);
  return rc;
}

static int make_unavailable(struct ak_op *op, const void *arguments) {
  const struct permission_deletion *deletion = arguments;
  apikeys_record stored, before;
  ak_record_init(&stored, AK_PERMISSION);
  ak_record_init(&before, AK_PERMISSION);
  int rc = ak_allow(&op->power, "apikeys:permissions:write");
  if (rc == APIKEYS_OK)
    rc = find_own(op, &deletion->slug, &stored);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_copy(&before, &stored);
  apikeys_record_set_integer(&stored, AK_PERMISSION_FOR_ORGANIZATION_KEYS, 0);
  apikeys_record_set_integer(&stored, AK_PERMISSION_FOR_USER_KEYS, 0);
  if (rc == APIKEYS_OK && !ak_records_equal(&before, &stored)) {
    apikeys_record_set_integer(&stored, AK_PERMISSION_UPDATED_AT, op->now_ms);
    rc = ak_update(&op->transaction, &stored);
    if (rc == APIKEYS_OK)
      rc = ak_event_append(op, "permission.updated", "", &stored, &before, NULL);
  }
  ak_record_release(&before);
  ak_record_release(&stored);
  return rc;
}

static int take_from_keys_in_steps(apikeys_env *env, const apikeys_actor *actor,
                                   struct permission_deletion *deletion,
                                   struct ak_key_numbers *numbers, apikeys_error *err) {
  apikeys_query query;
  int64_t from = 0;
  bool done = false;
  int rc = APIKEYS_OK;
  deletion->keys = numbers;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_where_text(&query, AK_CONDITION_HAS_SLUG, AK_API_KEY_PERMISSIONS, deletion->slug.text,
                      deletion->slug.length);
  while (rc == APIKEYS_OK && !done) {
    rc = ak_keys_collect(env, &query, NULL, NULL, &from, numbers, &done);
    rc = rc != APIKEYS_OK
             ? ak_error_code(err, rc)
             : ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, take_from_found, deletion, err);
    if (!done)
      ak_budget_pause();
  }
  return rc;
}

static int count_keys_with_permission(apikeys_env *env, uint64_t *count, apikeys_error *err) {
  struct ak_op op;
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_READ, err);
  return rc == APIKEYS_OK ? ak_op_end(&op, ak_count(&op.transaction, &query, count)) : rc;
}

int apikeys_permission_delete(apikeys_env *env, const apikeys_actor *actor, const char *slug,
                              size_t length, apikeys_error *err) {
  length = ak_text_length(slug, length);
  struct permission_deletion deletion = {.slug = {slug, length}};
  struct ak_key_numbers numbers;
  uint64_t keys = 0;
  int rc = count_keys_with_permission(env, &keys, err);
  if (rc == APIKEYS_OK && keys > KEYS_AT_ONCE) {
    rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, make_unavailable, &deletion, err);
    if (rc == APIKEYS_OK)
      rc = take_from_keys_in_steps(env, actor, &deletion, &numbers, err);
  }
  return rc == APIKEYS_OK
             ? ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, delete_permission, &deletion, err)
             : rc;
}

/* -- The permission object --------------------------------------------------------------------- */

AK_NEW_AND_FREE(permission, AK_PERMISSION)
AK_GET_TEXT(permission, id, AK_ID)
AK_GET_TEXT(permission, slug, AK_PERMISSION_SLUG)
AK_SET_TEXT(permission, slug, AK_PERMISSION_SLUG)
AK_GET_TEXT(permission, name, AK_PERMISSION_NAME)
AK_SET_TEXT(permission, name, AK_PERMISSION_NAME)
AK_GET_TEXT(permission, description, AK_PERMISSION_DESCRIPTION)
AK_SET_TEXT(permission, description, AK_PERMISSION_DESCRIPTION)
AK_GET_INTEGER(permission, int, available_to_organization_keys, AK_PERMISSION_FOR_ORGANIZATION_KEYS)
AK_SET_FLAG(permission, available_to_organization_keys, AK_PERMISSION_FOR_ORGANIZATION_KEYS)
AK_GET_INTEGER(permission, int, available_to_user_keys, AK_PERMISSION_FOR_USER_KEYS)
AK_SET_FLAG(permission, available_to_user_keys, AK_PERMISSION_FOR_USER_KEYS)
AK_GET_INTEGER(permission, int, system, AK_PERMISSION_SYSTEM)
AK_GET_INTEGER(permission, int64_t, created_at_ms, AK_PERMISSION_CREATED_AT)
AK_GET_INTEGER(permission, int64_t, updated_at_ms, AK_PERMISSION_UPDATED_AT)
AK_JSON(permission)
