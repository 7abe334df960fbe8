/* SPDX-License-Identifier: MIT */
/* Routes for users: create, list, show, change, delete. */
#include "rest/users.h"

#include "http/body.h"
#include "http/reply.h"
#include "http/timestamp.h"
#include "new_id.h"
#include "rest/filtered_list.h"
#include "rest/idempotent_post.h"
#include "rest/list.h"
#include "rest/user_external_ids.h"
#include "routes.h"
#include "service.h"

#include <apikeys/document.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The document of a user. Id: the user's. Group: the address, so that lists can filter by it. Body:
 * the fields below as JSON. */
#define COLLECTION "users", 5

static const char *const text_fields[] = {"email", "first_name", "last_name", "external_id"};
enum {
  TEXT_FIELDS = sizeof text_fields / sizeof text_fields[0],
  EMAIL_MAX = 128,
  /* As with organizations. */
  METADATA_MAX = 50,
  METADATA_KEY_MAX = 40,
  METADATA_TEXT_MAX = 600
};

/* -- A user as JSON ---------------------------------------------------------------------------- */

static json_t *fields_of(const apikeys_document *document) {
  size_t length;
  const char *body = apikeys_document_body(document, &length);
  json_t *fields = json_loadb(body, length, 0, NULL);
  return fields != NULL ? fields : json_object();
}

static json_t *write_user(const char *id, const json_t *fields, int64_t created_at_ms,
                          int64_t updated_at_ms) {
  json_t *user = json_pack("{s:s,s:s,s:b,s:n,s:n,s:n}", "object", "user", "id", id,
                           "email_verified", 0, "profile_picture_url", "last_sign_in_at", "locale");
  if (user == NULL)
    return NULL;
  for (size_t i = 0; i < TEXT_FIELDS; i++) {
    json_t *value = json_object_get(fields, text_fields[i]);
    json_object_set(user, text_fields[i], value != NULL ? value : json_null());
  }
  json_t *metadata = json_object_get(fields, "metadata");
  json_object_set_new(user, "metadata", metadata != NULL ? json_incref(metadata) : json_object());
  json_object_set_new(user, "created_at", timestamp_json(created_at_ms));
  json_object_set_new(user, "updated_at", timestamp_json(updated_at_ms));
  return user;
}

static json_t *user_json(const apikeys_document *document) {
  json_t *fields = fields_of(document);
  json_t *user = write_user(apikeys_document_id(document, NULL), fields,
                            apikeys_document_created_at_ms(document),
                            apikeys_document_updated_at_ms(document));
  json_decref(fields);
  return user;
}

static void answer(struct exchange *x, int rc, int status, const apikeys_document *document,
                   const char *id) {
  if (rc == APIKEYS_OK)
    reply_json(x, status, user_json(document));
  else if (rc == APIKEYS_ERROR_EXISTS)
    reply_error(x, 409, "external_id_conflict", "Another user has this external id.");
  else
    reply_failure(x, rc, "User", id);
}

/* -- Reading and writing ----------------------------------------------------------------------- */

static int get(struct exchange *x, const char *id, size_t length, apikeys_document *document) {
  return document == NULL ? APIKEYS_ERROR_NO_MEMORY
                          : apikeys_document_get(x->service->env, x->actor, COLLECTION, id, length,
                                                 document, x->err);
}

/* A field of a wrong type was reported when it was read. */
static void check_email(struct form *form, const char *email) {
  if (email == NULL && json_array_size(form->errors) == 0)
    form_refuse(form, "required", "email");
  else if (email != NULL && (strchr(email, '@') == NULL || strlen(email) > EMAIL_MAX))
    form_refuse(form, "invalid", "email");
}

static bool set_pair(json_t *metadata, const char *key, json_t *value) {
  if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0)) {
    json_object_del(metadata, key);
    return true;
  }
  return json_is_string(value) && json_string_length(value) <= METADATA_TEXT_MAX &&
         key[0] != '\0' && strlen(key) <= METADATA_KEY_MAX &&
         json_object_set(metadata, key, value) == 0;
}

/* Merges {"key":"text"} into the stored pairs; null, or no text, removes a pair. */
static void set_metadata(struct form *form, json_t *fields) {
  json_t *given = json_object_get(form->object, "metadata"), *value;
  json_t *metadata = json_object_get(fields, "metadata");
  const char *key;
  if (given == NULL || json_is_null(given))
    return;
  if (metadata == NULL && json_object_set_new(fields, "metadata", json_object()) == 0)
    metadata = json_object_get(fields, "metadata");
  bool good = json_is_object(given) && metadata != NULL;
  json_object_foreach(given, key, value) good = good && set_pair(metadata, key, value);
  if (!good || json_object_size(metadata) > METADATA_MAX)
    form_refuse(form, "invalid", "metadata");
}

/* A copy in the exchange's memory; NULL: none. */
static const char *external_id_of(struct exchange *x, const apikeys_document *document) {
  json_t *fields = fields_of(document);
  const char *text = json_string_value(json_object_get(fields, "external_id"));
  const char *copy = text != NULL ? exchange_copy(x, text, strlen(text)) : NULL;
  json_decref(fields);
  return copy;
}

/* Applies the body's fields to the stored ones. */
static int set_fields(struct form *form, apikeys_document *document, enum presence email_needed) {
  size_t length;
  json_t *fields = fields_of(document);
  for (size_t i = 0; fields != NULL && i < TEXT_FIELDS; i++) {
    enum presence needed = i == 0 ? email_needed : FORM_OPTIONAL;
    const char *text = form_text(form, text_fields[i], needed, &length);
    if (form_has(form, text_fields[i]))
      json_object_set_new(fields, text_fields[i],
                          text != NULL ? json_stringn(text, length) : json_null());
  }
  set_metadata(form, fields);
  const char *email = json_string_value(json_object_get(fields, "email"));
  check_email(form, email);
  char *body = fields != NULL ? json_dumps(fields, JSON_COMPACT) : NULL;
  int rc = body == NULL ? APIKEYS_ERROR_NO_MEMORY
                        : apikeys_document_set_body(document, body, strlen(body));
  if (rc == APIKEYS_OK && email != NULL)
    rc = apikeys_document_set_group(document, email, strlen(email));
  free(body);
  json_decref(fields);
  return rc;
}

/* -- What memberships show of a user ----------------------------------------------------------- */

static int set_display_name(apikeys_member *member, const json_t *fields) {
  char name[256];
  const char *first = json_string_value(json_object_get(fields, "first_name"));
  const char *last = json_string_value(json_object_get(fields, "last_name"));
  int length = snprintf(name, sizeof name, "%s%s%s", first != NULL ? first : "",
                        first != NULL && last != NULL ? " " : "", last != NULL ? last : "");
  return length >= 0 && (size_t)length < sizeof name
             ? apikeys_member_set_display_name(member, name, (size_t)length)
             : APIKEYS_OK;
}

static int describe(apikeys_member *member, const apikeys_document *document) {
  json_t *fields = fields_of(document);
  const char *email = json_string_value(json_object_get(fields, "email"));
  int rc = email != NULL ? apikeys_member_set_email(member, email, strlen(email)) : APIKEYS_OK;
  if (rc == APIKEYS_OK)
    rc = set_display_name(member, fields);
  json_decref(fields);
  return rc;
}

int users_describe_member(struct exchange *x, apikeys_member *member, const char *user_id,
                          size_t length) {
  apikeys_document *document = apikeys_document_new();
  int rc = get(x, user_id, length, document);
  if (rc == APIKEYS_OK)
    rc = describe(member, document);
  apikeys_document_free(document);
  /* Reads as the system, because a key that may write members need not be allowed to read
   * documents. */
  return rc == APIKEYS_ERROR_NOT_FOUND || rc == APIKEYS_ERROR_NOT_ALLOWED ? APIKEYS_OK : rc;
}

/* A user that is kept elsewhere, or that the actor may not see: described by its membership. */
static json_t *stranger_json(const apikeys_member *member) {
  const char *name = apikeys_member_display_name(member, NULL);
  json_t *fields = json_pack("{s:s,s:s*}", "email", apikeys_member_email(member, NULL),
                             "first_name", name[0] != '\0' ? name : NULL);
  json_t *user =
      write_user(apikeys_member_user_id(member, NULL), fields, apikeys_member_created_at_ms(member),
                 apikeys_member_updated_at_ms(member));
  json_decref(fields);
  return user;
}

json_t *users_json_of_member(struct exchange *x, const apikeys_member *member) {
  size_t length;
  const char *user_id = apikeys_member_user_id(member, &length);
  apikeys_document *document = apikeys_document_new();
  int rc = get(x, user_id, length, document);
  json_t *user = rc == APIKEYS_OK ? user_json(document) : stranger_json(member);
  apikeys_document_free(document);
  return user;
}

/* Updates all memberships of the user, so that lists show a changed name and no longer one that was
 * removed. */
static int describe_memberships(struct exchange *x, const char *user_id, size_t length,
                                const apikeys_document *document) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  const char *after = "";
  size_t after_length = 0;
  int rc = filter == NULL || page == NULL ? APIKEYS_ERROR_NO_MEMORY
                                          : apikeys_filter_set_user_id(filter, user_id, length);
  do {
    if (rc == APIKEYS_OK)
      rc = apikeys_filter_set_after(filter, after, after_length);
    if (rc == APIKEYS_OK)
      rc = apikeys_member_list(x->service->env, x->actor, filter, page, x->err);
    for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(page); i++) {
      rc = describe(apikeys_page_member(page, i), document);
      if (rc == APIKEYS_OK)
        rc = apikeys_member_update(x->service->env, x->actor, apikeys_page_member(page, i), x->err);
    }
    after = rc == APIKEYS_OK ? apikeys_page_after(page, &after_length) : "";
  } while (*after != '\0');
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}

static void make_user(struct exchange *x) {
  struct form form;
  char id[NEW_ID_MAX];
  if (!form_open(&form, x))
    return;
  new_id("user", id);
  apikeys_document *document = apikeys_document_new();
  int rc = document == NULL ? APIKEYS_ERROR_NO_MEMORY
                            : apikeys_document_set_collection(document, COLLECTION);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_id(document, id, strlen(id));
  if (rc == APIKEYS_OK)
    rc = set_fields(&form, document, FORM_REQUIRED);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = user_external_id_take(x, external_id_of(x, document), id);
    if (rc == APIKEYS_OK)
      rc = apikeys_document_create(x->service->env, x->actor, document, x->err);
    answer(x, rc, 201, document, id);
  }
  apikeys_document_free(document);
  form_close(&form);
}

static void create_user(struct exchange *x) {
  idempotent_post(x, make_user);
}

/* Not found also if the user that took the external id no longer has it. */
static int get_by_external_id(struct exchange *x, const char *external_id,
                              apikeys_document *document) {
  const char *user_id;
  int rc = user_external_id_find(x, external_id, &user_id);
  if (rc == APIKEYS_OK)
    rc = get(x, user_id, strlen(user_id), document);
  const char *has = rc == APIKEYS_OK ? external_id_of(x, document) : NULL;
  if (rc == APIKEYS_OK && (has == NULL || strcmp(has, external_id) != 0))
    rc = APIKEYS_ERROR_NOT_FOUND;
  return rc;
}

static void show_by_external_id(struct exchange *x) {
  const char *external_id = exchange_argument(x, "external_id", NULL);
  apikeys_document *document = apikeys_document_new();
  int rc = get_by_external_id(x, external_id, document);
  answer(x, rc, 200, document, external_id);
  apikeys_document_free(document);
}

static void show_user(struct exchange *x) {
  size_t length;
  const char *id = exchange_argument(x, "user", &length);
  apikeys_document *document = apikeys_document_new();
  int rc = get(x, id, length, document);
  answer(x, rc, 200, document, id);
  apikeys_document_free(document);
}

static void update_user(struct exchange *x) {
  struct form form;
  size_t length;
  const char *id = exchange_argument(x, "user", &length);
  if (!form_open(&form, x))
    return;
  apikeys_document *document = apikeys_document_new();
  int rc = get(x, id, length, document);
  const char *before = rc == APIKEYS_OK ? external_id_of(x, document) : NULL;
  if (rc == APIKEYS_OK)
    rc = set_fields(&form, document, FORM_OPTIONAL);
  if (rc != APIKEYS_OK || form_good(&form)) {
    const char *now = rc == APIKEYS_OK ? external_id_of(x, document) : NULL;
    if (rc == APIKEYS_OK)
      rc = user_external_id_take(x, now, id);
    if (rc == APIKEYS_OK)
      rc = apikeys_document_update(x->service->env, x->actor, document, x->err);
    if (rc == APIKEYS_OK && before != NULL && (now == NULL || strcmp(before, now) != 0))
      rc = user_external_id_drop(x, before, id);
    if (rc == APIKEYS_OK)
      rc = describe_memberships(x, id, length, document);
    answer(x, rc, 200, document, id);
  }
  apikeys_document_free(document);
  form_close(&form);
}

static int fetch(struct list *list) {
  return apikeys_document_list(list->x->service->env, list->x->actor, list->filter, list->page,
                               list->x->err);
}

/* "organization" is the contract's older name. */
static const char *wanted_organization(const struct exchange *x, size_t *length) {
  const char *id = exchange_parameter(x, "organization_id", length);
  return id != NULL ? id : exchange_parameter(x, "organization", length);
}

/* "organization_id=" lists the organization's members. */
static int look_for_member(const struct list *list, size_t i, json_t **value) {
  struct exchange *x = list->x;
  const apikeys_document *user = apikeys_page_document(list->page, i);
  size_t organization_length, length;
  const char *organization_id = wanted_organization(x, &organization_length);
  const char *user_id = apikeys_document_id(user, &length);
  apikeys_member *member = apikeys_member_new();
  int rc = member == NULL
               ? APIKEYS_ERROR_NO_MEMORY
               : apikeys_member_get(x->service->env, x->actor, organization_id, organization_length,
                                    user_id, length, member, x->err);
  apikeys_member_free(member);
  if (rc == APIKEYS_OK && (*value = user_json(user)) == NULL)
    rc = APIKEYS_ERROR_NO_MEMORY;
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static void reply_users(struct list *list) {
  json_t *users = json_array();
  for (size_t i = 0; i < apikeys_page_count(list->page); i++)
    json_array_append_new(users, user_json(apikeys_page_document(list->page, i)));
  list_reply_values(list, users);
  json_decref(users);
}

static void list_users(struct exchange *x) {
  static const struct filtered_list by_organization = {fetch, look_for_member};
  struct list list;
  bool sifted = wanted_organization(x, NULL) != NULL;
  if (!list_open(&list, x))
    return;
  int rc = apikeys_filter_set_collection(list.filter, COLLECTION);
  if (rc == APIKEYS_OK)
    rc = list_set(&list, apikeys_filter_set_group, "email");
  if (rc == APIKEYS_OK && !sifted)
    rc = fetch(&list);
  if (rc != APIKEYS_OK)
    list_fail(&list, rc, "List", "");
  else if (sifted)
    filtered_list_reply(&list, &by_organization, "Organization");
  else
    reply_users(&list);
  list_close(&list);
}

/* -- Deleting ---------------------------------------------------------------------------------- */

/* Deletes the memberships first, with their keys: a deleted user must leave nothing that works. */
static int delete_memberships(struct exchange *x, const char *user_id, size_t length) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  int rc = filter == NULL || page == NULL ? APIKEYS_ERROR_NO_MEMORY
                                          : apikeys_filter_set_user_id(filter, user_id, length);
  do {
    if (rc == APIKEYS_OK)
      rc = apikeys_member_list(x->service->env, x->actor, filter, page, x->err);
    for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(page); i++) {
      size_t organization_length;
      const char *organization_id =
          apikeys_member_organization_id(apikeys_page_member(page, i), &organization_length);
      rc = apikeys_member_delete(x->service->env, x->actor, organization_id, organization_length,
                                 user_id, length, x->err);
    }
  } while (rc == APIKEYS_OK && apikeys_page_count(page) > 0);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}

static void delete_user(struct exchange *x) {
  size_t length;
  const char *id = exchange_argument(x, "user", &length);
  apikeys_document *document = apikeys_document_new();
  int rc = get(x, id, length, document);
  if (rc == APIKEYS_OK)
    rc = delete_memberships(x, id, length);
  const char *external_id = rc == APIKEYS_OK ? external_id_of(x, document) : NULL;
  if (rc == APIKEYS_OK)
    rc = apikeys_document_delete(x->service->env, x->actor, COLLECTION, id, length, 0, x->err);
  if (rc == APIKEYS_OK)
    rc = user_external_id_drop(x, external_id, id);
  if (rc == APIKEYS_OK)
    reply_nothing(x);
  else
    reply_failure(x, rc, "User", id);
  apikeys_document_free(document);
}

/* -- For keys ---------------------------------------------------------------------------------- */

static int check_is_member(struct exchange *x, const char *user_id, size_t length) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  int rc = filter == NULL || page == NULL ? APIKEYS_ERROR_NO_MEMORY
                                          : apikeys_filter_set_user_id(filter, user_id, length);
  if (rc == APIKEYS_OK)
    rc = apikeys_member_list(x->service->env, x->actor, filter, page, x->err);
  if (rc == APIKEYS_OK && apikeys_page_count(page) == 0)
    rc = APIKEYS_ERROR_NOT_FOUND;
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}

int users_check(struct exchange *x, const char *user_id, size_t length) {
  apikeys_document *document = apikeys_document_new();
  int rc = get(x, user_id, length, document);
  apikeys_document_free(document);
  if (rc == APIKEYS_ERROR_NOT_FOUND || rc == APIKEYS_ERROR_NOT_ALLOWED)
    rc = check_is_member(x, user_id, length);
  return rc == APIKEYS_ERROR_NOT_ALLOWED ? APIKEYS_OK : rc; /* the list's own right decides */
}

#define USERS "/user_management/users"

const struct route user_routes[] = {
    {METHOD_POST, USERS, ACCESS_MANAGEMENT, create_user},
    {METHOD_GET, USERS, ACCESS_MANAGEMENT, list_users},
    {METHOD_GET, USERS "/external_id/:external_id", ACCESS_MANAGEMENT, show_by_external_id},
    {METHOD_GET, USERS "/:user", ACCESS_MANAGEMENT, show_user},
    {METHOD_PUT, USERS "/:user", ACCESS_MANAGEMENT, update_user},
    {METHOD_DELETE, USERS "/:user", ACCESS_MANAGEMENT, delete_user},
    {0},
};
