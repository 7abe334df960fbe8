/* SPDX-License-Identifier: MIT */
/* Organizations: create, read, change, delete, list. */
#include "access/authority.h"
#include "base/metadata.h"
#include "base/slug_set.h"
#include "base/text.h"
#include "domain/keys.h"
#include "domain/members.h"
#include "domain/roles.h"
#include "domain/sweeps.h"
#include "objects/accessors.h"
#include "operation/crud.h"
#include "operation/deleted_cursors.h"
#include "operation/events.h"

#include <apikeys/organization.h>

#include <stdlib.h>
#include <string.h>

enum { ORGANIZATION_NAME_MAX_BYTES = 255, EXTERNAL_ID_MAX_BYTES = 128, DOMAINS_MAX = 100 };

/* -- Creating ---------------------------------------------------------------------------------- */

static int check_external_id(struct ak_op *op, const struct ak_object *given) {
  if (apikeys_record_type(&given->record, AK_ORGANIZATION_EXTERNAL_ID) == APIKEYS_TYPE_NULL)
    return APIKEYS_OK;
  return ak_object_check_text(given, AK_ORGANIZATION_EXTERNAL_ID, 1, EXTERNAL_ID_MAX_BYTES,
                              op->err);
}

static int external_id_taken(struct ak_op *op, int rc) {
  if (rc != APIKEYS_ERROR_EXISTS)
    return rc;
  return ak_error_set(op->err, rc, "external_id", "belongs to another organization");
}

static int create_organization(struct ak_op *op, const struct ak_object *given,
                               const void *arguments, apikeys_record *stored) {
  (void)arguments;
  int rc = ak_allow(&op->power, "apikeys:organizations:write");
  if (rc == APIKEYS_OK)
    rc = ak_object_check_name(given, AK_ORGANIZATION_NAME, 1, ORGANIZATION_NAME_MAX_BYTES, op->err);
  if (rc == APIKEYS_OK)
    rc = check_external_id(op, given);
  if (rc != APIKEYS_OK)
    return rc;
  ak_record_set_string(stored, AK_ORGANIZATION_DOMAINS, "");
  ak_record_set_string(stored, AK_ORGANIZATION_METADATA, "");
  rc = ak_object_apply(given, stored);
  if (rc == APIKEYS_OK)
    rc = ak_stamp_new(op, stored, "org", AK_ORGANIZATION_CREATED_AT, AK_ORGANIZATION_UPDATED_AT);
  if (rc == APIKEYS_OK)
    rc = external_id_taken(op, ak_insert(&op->transaction, stored));
  return rc == APIKEYS_OK
             ? ak_event_append(op, "organization.created", apikeys_record_text(stored, AK_ID, NULL),
                               stored, NULL, NULL)
             : rc;
}

int apikeys_organization_create(apikeys_env *env, const apikeys_actor *actor,
                                apikeys_organization *organization, apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                      organization != NULL ? &organization->object : NULL, create_organization,
                      NULL, err);
}

/* -- Getting and listing ----------------------------------------------------------------------- */

static int find_visible_organization(struct ak_op *op, const struct ak_text *id,
                                     apikeys_record *stored) {
  int rc = ak_check_lookup(op, id, "id");
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  ak_scope_query(&op->power, &query, AK_ORGANIZATION, 0);
  ak_query_equal_text(&query, id->text, id->length);
  return ak_get(&op->transaction, &query, stored);
}

static int get_organization(struct ak_op *op, const struct ak_object *given, const void *arguments,
                            apikeys_record *stored) {
  (void)given;
  const struct ak_text *id = arguments;
  int rc = ak_allow_in_organization(&op->power, "apikeys:organizations:read",
                                    id->text != NULL ? id->text : "", id->length);
  return rc == APIKEYS_OK ? find_visible_organization(op, id, stored) : rc;
}

int apikeys_organization_get(apikeys_env *env, const apikeys_actor *actor, const char *id,
                             size_t length, apikeys_organization *organization,
                             apikeys_error *err) {
  length = ak_text_length(id, length);
  struct ak_text arguments = {id, length};
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_READ,
                      organization != NULL ? &organization->object : NULL, get_organization,
                      &arguments, err);
}

/* A member's own organization or nothing: the scope of the query sees to that. */
static int get_by_external_id(struct ak_op *op, const struct ak_object *given,
                              const void *arguments, apikeys_record *stored) {
  (void)given;
  const struct ak_text *id = arguments;
  int rc = ak_power_is_member(&op->power) ? ak_allow_some_keys(&op->power)
                                          : ak_allow(&op->power, "apikeys:organizations:read");
  if (rc == APIKEYS_OK)
    rc = ak_check_lookup(op, id, "external_id");
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  ak_scope_query(&op->power, &query, AK_ORGANIZATION, AK_ORGANIZATION_BY_EXTERNAL_ID);
  ak_query_equal_text(&query, id->text, id->length);
  return ak_get(&op->transaction, &query, stored);
}

int apikeys_organization_get_by_external_id(apikeys_env *env, const apikeys_actor *actor,
                                            const char *id, size_t length,
                                            apikeys_organization *organization,
                                            apikeys_error *err) {
  length = ak_text_length(id, length);
  struct ak_text arguments = {id, length};
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_READ,
                      organization != NULL ? &organization->object : NULL, get_by_external_id,
                      &arguments, err);
}

static int list_organizations(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page) {
  int rc = ak_filter_check(filter, AK_FILTER_PAGING | AK_FILTER_SEARCH, op->err);
  if (rc == APIKEYS_OK)
    rc = ak_allow(&op->power, "apikeys:organizations:read");
  if (rc != APIKEYS_OK)
    return rc;
  struct ak_listing listing = {.op = op,
                               .filter = filter,
                               .kind = AK_ORGANIZATION,
                               .order = APIKEYS_ORDER_NEWEST_FIRST,
                               .query_count = 1};
  ak_query_any(&listing.queries[0], AK_ORGANIZATION, AK_ORGANIZATION_BY_NUMBER);
  if (filter != NULL && filter->search_length > 0)
    ak_query_where_text(&listing.queries[0], AK_CONDITION_CONTAINS, AK_ORGANIZATION_NAME,
                        filter->search, filter->search_length);
  return ak_list(&listing, page);
}

int apikeys_organization_list(apikeys_env *env, const apikeys_actor *actor,
                              const apikeys_filter *filter, apikeys_page *page,
                              apikeys_error *err) {
  return ak_list_op(env, actor, filter, page, AK_ORGANIZATION, list_organizations, err);
}

/* -- Changing and deleting --------------------------------------------------------------------- */

static int update_organization(struct ak_op *op, const struct ak_object *given,
                               const void *arguments, apikeys_record *stored) {
  (void)arguments;
  struct ak_text id;
  id.text = apikeys_record_text(&given->record, AK_ID, &id.length);
  int rc = ak_allow(&op->power, "apikeys:organizations:write");
  if (rc == APIKEYS_OK)
    rc = find_visible_organization(op, &id, stored);
  if (rc == APIKEYS_OK && ak_object_changed(given, AK_ORGANIZATION_NAME))
    rc = ak_object_check_name(given, AK_ORGANIZATION_NAME, 1, ORGANIZATION_NAME_MAX_BYTES, op->err);
  if (rc == APIKEYS_OK)
    rc = check_external_id(op, given);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_object_change(op, given, stored, AK_ORGANIZATION_UPDATED_AT, "organization.updated",
                        id.text);
  return external_id_taken(op, rc);
}

int apikeys_organization_update(apikeys_env *env, const apikeys_actor *actor,
                                apikeys_organization *organization, apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                      organization != NULL ? &organization->object : NULL, update_organization,
                      NULL, err);
}

/* From its commit on the organization is not found and its keys are refused; the rest is swept
 * up. */
static int delete_found(struct ak_op *op, const apikeys_record *organization) {
  const char *id = apikeys_record_text(organization, AK_ID, NULL);
  int rc = ak_remove_listed(op, organization);
  if (rc == APIKEYS_OK)
    rc = ak_sweep_record(op, id);
  return rc == APIKEYS_OK
             ? ak_event_append(op, "organization.deleted", id, organization, NULL, NULL)
             : rc;
}

static int delete_organization(struct ak_op *op, const void *arguments) {
  apikeys_record stored;
  ak_record_init(&stored, AK_ORGANIZATION);
  int rc = ak_allow(&op->power, "apikeys:organizations:write");
  if (rc == APIKEYS_OK)
    rc = find_visible_organization(op, arguments, &stored);
  if (rc == APIKEYS_OK)
    rc = delete_found(op, &stored);
  ak_record_release(&stored);
  return rc;
}

int apikeys_organization_delete(apikeys_env *env, const apikeys_actor *actor, const char *id,
                                size_t length, apikeys_error *err) {
  length = ak_text_length(id, length);
  struct ak_text arguments = {id, length};
  int rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, delete_organization, &arguments, err);
  if (rc != APIKEYS_OK)
    return rc;
  /* It is deleted, whatever becomes of this: maintenance goes on with what is left. */
  char swept[AK_ID_MAX];
  if (length < sizeof swept) {
    memcpy(swept, id, length);
    swept[length] = '\0';
    ak_sweep_run(env, actor, swept);
  }
  return APIKEYS_OK;
}

/* -- The organization object ------------------------------------------------------------------- */

AK_NEW_AND_FREE(organization, AK_ORGANIZATION)
AK_GET_TEXT(organization, id, AK_ID)
AK_SET_TEXT(organization, id, AK_ID)
AK_GET_TEXT(organization, name, AK_ORGANIZATION_NAME)
AK_SET_TEXT(organization, name, AK_ORGANIZATION_NAME)
AK_GET_TEXT(organization, external_id, AK_ORGANIZATION_EXTERNAL_ID)
AK_SET_TEXT(organization, external_id, AK_ORGANIZATION_EXTERNAL_ID)
AK_GET_TEXT(organization, domains, AK_ORGANIZATION_DOMAINS)
AK_CLEAR_SLUGS(organization, domains, AK_ORGANIZATION_DOMAINS)
AK_GET_INTEGER(organization, int64_t, created_at_ms, AK_ORGANIZATION_CREATED_AT)
AK_GET_INTEGER(organization, int64_t, updated_at_ms, AK_ORGANIZATION_UPDATED_AT)
AK_JSON(organization)

/* The domains with one more; a phrase that says what is wrong with that, or NULL, in *problem. */
static int add_domain(struct ak_object *object, const char *domain, size_t length,
                      const char **problem) {
  struct ak_slugs set = {0};
  size_t old_length;
  const char *old = apikeys_record_text(&object->record, AK_ORGANIZATION_DOMAINS, &old_length);
  ak_slugs_add_all(&set, old, old_length);
  ak_slugs_add(&set, domain, length);
  const char *text = ak_slugs_text(&set);
  bool many = !set.failed && ak_slugs_count(text, set.length) > DOMAINS_MAX;
  *problem = many ? "must be at most 100" : NULL;
  int rc = set.failed ? APIKEYS_ERROR_NO_MEMORY
           : many     ? APIKEYS_ERROR_INVALID_ARGUMENT
                      : ak_object_extend_text(object, AK_ORGANIZATION_DOMAINS, text, set.length);
  ak_slugs_release(&set);
  return rc;
}

/* Domains that are stored stay as they are, whatever they are: this is asked of new ones alone. */
int apikeys_organization_add_domain(apikeys_organization *organization, const char *domain,
                                    size_t length) {
  length = ak_text_length(domain, length);
  if (organization == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  const char *problem = ak_text_domain_problem(domain, domain != NULL ? length : 0);
  int rc = problem == NULL ? add_domain(&organization->object, domain, length, &problem)
                           : APIKEYS_ERROR_INVALID_ARGUMENT;
  return rc == APIKEYS_OK
             ? rc
             : ak_object_set_error(&organization->object, AK_ORGANIZATION_DOMAINS, rc, problem);
}

static bool metadata_at(const apikeys_organization *organization, size_t i, struct ak_pair *pair) {
  size_t length, at = 0;
  const char *text = ak_object_text(organization != NULL ? &organization->object : NULL,
                                    AK_ORGANIZATION_METADATA, &length);
  bool found;
  do
    found = ak_metadata_next(text, length, &at, pair);
  while (found && i-- > 0);
  return found;
}

size_t apikeys_organization_metadata_count(const apikeys_organization *organization) {
  struct ak_pair pair;
  size_t count = 0;
  while (metadata_at(organization, count, &pair))
    count++;
  return count;
}

int apikeys_organization_metadata_at(const apikeys_organization *organization, size_t i,
                                     const char **key, size_t *key_length, const char **value,
                                     size_t *value_length) {
  struct ak_pair pair;
  if (key == NULL || key_length == NULL || value == NULL || value_length == NULL ||
      !metadata_at(organization, i, &pair))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  *key = pair.key;
  *key_length = pair.key_length;
  *value = pair.value;
  *value_length = pair.value_length;
  return APIKEYS_OK;
}

static int set_pair(struct ak_object *object, const struct ak_pair *pair) {
  size_t length, new_length, pairs = 0;
  const char *old = apikeys_record_text(&object->record, AK_ORGANIZATION_METADATA, &length);
  char *text = ak_metadata_set(old, length, pair, &new_length);
  if (text == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  for (size_t i = 0; i < new_length; i++)
    pairs += text[i] == '\n';
  int rc = pairs > AK_METADATA_PAIRS_MAX
               ? APIKEYS_ERROR_INVALID_ARGUMENT
               : ak_object_extend_text(object, AK_ORGANIZATION_METADATA, text, new_length);
  free(text);
  return rc;
}

int apikeys_organization_set_metadata(apikeys_organization *organization, const char *key,
                                      size_t key_length, const char *value, size_t value_length) {
  key_length = ak_text_length(key, key_length);
  value_length = ak_text_length(value, value_length);
  if (organization == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  const char *problem = key != NULL && (value != NULL || value_length == 0)
                            ? ak_text_id_problem(key, key_length, 1, AK_METADATA_KEY_MAX)
                            : "is NULL";
  if (problem == NULL && value_length > 0)
    problem = ak_text_problem(value, value_length, 1, AK_METADATA_VALUE_MAX);
  struct ak_pair pair = {key, key_length, value_length > 0 ? value : "", value_length};
  int rc =
      problem == NULL ? set_pair(&organization->object, &pair) : APIKEYS_ERROR_INVALID_ARGUMENT;
  return rc == APIKEYS_OK
             ? rc
             : ak_object_set_error(&organization->object, AK_ORGANIZATION_METADATA, rc, problem);
}
