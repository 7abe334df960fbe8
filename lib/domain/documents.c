/* SPDX-License-Identifier: MIT */
/* Documents: small JSON objects that a service built on the library keeps in the store. */
#include "domain/documents.h"

#include "access/authority.h"
#include "base/arithmetic.h"
#include "base/text.h"
#include "domain/document_secret.h"
#include "objects/accessors.h"
#include "operation/crud.h"

#include <apikeys/document.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX = AK_CURSOR_MAX, PATH_MAX_BYTES = AK_SLUG_MAX + 1 + ID_MAX };

/* -- The place of a document ------------------------------------------------------------------- */

struct document_place {
  struct ak_text collection;
  struct ak_text id;
  int64_t version; /* of what is to be deleted */
};

static struct document_place place_document_of(const struct ak_object *given) {
  struct document_place place = {.version = 0};
  place.collection.text =
      apikeys_record_text(&given->record, AK_DOCUMENT_COLLECTION, &place.collection.length);
  place.id.text = apikeys_record_text(&given->record, AK_DOCUMENT_ID, &place.id.length);
  return place;
}

static int write_path(struct ak_op *op, const struct document_place *place,
                      char path[PATH_MAX_BYTES + 1]) {
  const struct ak_text *collection = &place->collection, *id = &place->id;
  if (collection->text == NULL || ak_slug_check(collection->text, collection->length) != 0)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "collection",
                        "must be 1 to 48 of a-z 0-9 - _ : . *");
  const char *problem =
      id->text != NULL ? ak_text_id_form_problem(id->text, id->length, 1, ID_MAX) : "is NULL";
  if (problem != NULL)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "id", "%s", problem);
  memcpy(path, collection->text, collection->length);
  path[collection->length] = '/';
  memcpy(path + collection->length + 1, id->text, id->length);
  path[collection->length + 1 + id->length] = '\0';
  return APIKEYS_OK;
}

static bool has_expired(const struct ak_op *op, const apikeys_record *document) {
  int64_t expires_at = apikeys_record_integer(document, AK_DOCUMENT_EXPIRES_AT);
  size_t length;
  const char *collection = apikeys_record_text(document, AK_DOCUMENT_COLLECTION, &length);
  return ak_passed(&op->env->passed_times, ak_deadline_of_collection(collection, length),
                   expires_at, op->now_ms, false);
}

/* What is stored under the path, expired or not. */
static int find_any(struct ak_op *op, const char *path, apikeys_record *stored) {
  apikeys_query query;
  ak_query_environment(&query, AK_DOCUMENT, 0);
  ak_query_equal_text(&query, path, strlen(path));
  return ak_get(&op->transaction, &query, stored);
}

static int find_document(struct ak_op *op, const struct document_place *place,
                         apikeys_record *stored) {
  char path[PATH_MAX_BYTES + 1];
  int rc = write_path(op, place, path);
  if (rc == APIKEYS_OK)
    rc = find_any(op, path, stored);
  return rc == APIKEYS_OK && has_expired(op, stored) ? APIKEYS_ERROR_NOT_FOUND : rc;
}

/* -- Creating and putting ---------------------------------------------------------------------- */

static bool is_utf8(const char *text, size_t length) {
  size_t width;
  for (size_t i = 0; i < length; i += width) {
    uint32_t code;
    width = ak_utf8_decode(text + i, length - i, &code);
    if (width == 0)
      return false;
  }
  return true;
}

static int check_time(struct ak_op *op, const apikeys_record *document, int field) {
  int64_t time = apikeys_record_integer(document, field);
  if (time >= 0 && time < INT64_MAX)
    return APIKEYS_OK;
  return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT,
                      apikeys_schema_field_name(AK_DOCUMENT, field), "is no time");
}

static int check_document(struct ak_op *op, const struct ak_object *given) {
  size_t length;
  int rc = APIKEYS_OK;
  const char *group = apikeys_record_text(&given->record, AK_DOCUMENT_GROUP, &length);
  const char *problem = ak_text_form_problem(group, length, 0, AK_GROUP_MAX);
  if (problem != NULL)
    rc = ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "group", "%s", problem);
  const char *body = apikeys_record_text(&given->record, AK_DOCUMENT_BODY, &length);
  if (rc == APIKEYS_OK && !is_utf8(body, length))
    rc = ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "body", "must be valid UTF-8");
  if (rc == APIKEYS_OK)
    rc = check_time(op, &given->record, AK_DOCUMENT_DUE_AT);
  return rc == APIKEYS_OK ? check_time(op, &given->record, AK_DOCUMENT_EXPIRES_AT) : rc;
}

static void copy_text_document(apikeys_record *to, const apikeys_record *from, int field) {
  size_t length;
  const char *text = apikeys_record_text(from, field, &length);
  apikeys_record_set_text(to, field, text, length);
}

static void copy_integer(apikeys_record *to, const apikeys_record *from, int field) {
  apikeys_record_set_integer(to, field, apikeys_record_integer(from, field));
}

/* Everything that the object says, whether it was set or got. */
static int fill_document(const apikeys_record *given, const char *path, apikeys_record *stored) {
  size_t length;
  ak_record_set_string(stored, AK_ID, path);
  copy_text_document(stored, given, AK_DOCUMENT_COLLECTION);
  copy_text_document(stored, given, AK_DOCUMENT_ID);
  copy_text_document(stored, given, AK_DOCUMENT_GROUP);
  copy_text_document(stored, given, AK_DOCUMENT_BODY);
  copy_integer(stored, given, AK_DOCUMENT_DUE_AT);
  copy_integer(stored, given, AK_DOCUMENT_EXPIRES_AT);
  const void *secret = apikeys_record_blob(given, AK_DOCUMENT_SECRET, &length);
  if (length > 0)
    apikeys_record_set_blob(stored, AK_DOCUMENT_SECRET, secret, length);
  else
    apikeys_record_set_null(stored, AK_DOCUMENT_SECRET);
  return ak_record_status(stored);
}

static int insert_new(struct ak_op *op, const struct ak_object *given, const char *path,
                      apikeys_record *stored) {
  apikeys_record_clear(stored);
  int rc = fill_document(&given->record, path, stored);
  apikeys_record_set_integer(stored, AK_DOCUMENT_VERSION, 1);
  apikeys_record_set_integer(stored, AK_DOCUMENT_CREATED_AT, op->now_ms);
  apikeys_record_set_integer(stored, AK_DOCUMENT_UPDATED_AT, op->now_ms);
  if (rc == APIKEYS_OK)
    rc = ak_document_secret_seal(op, stored);
  return rc == APIKEYS_OK ? ak_insert(&op->transaction, stored) : rc;
}

static int store_next(struct ak_op *op, int64_t version, apikeys_record *stored) {
  apikeys_record_set_integer(stored, AK_DOCUMENT_VERSION, ak_sum(version, 1));
  apikeys_record_set_integer(stored, AK_DOCUMENT_UPDATED_AT, op->now_ms);
  return ak_update(&op->transaction, stored);
}

/* What is there under the path, with one that has expired out of the way: it is not there. */
static int find_or_clear(struct ak_op *op, const char *path, apikeys_record *stored) {
  int rc = find_any(op, path, stored);
  if (rc != APIKEYS_OK || !has_expired(op, stored))
    return rc;
  rc = ak_remove(&op->transaction, AK_DOCUMENT, apikeys_record_integer(stored, AK_NUMBER));
  return rc == APIKEYS_OK ? APIKEYS_ERROR_NOT_FOUND : rc;
}

enum write { CREATE, PUT };

static int write_over(struct ak_op *op, const struct ak_object *given, const char *path,
                      apikeys_record *stored) {
  int64_t version = apikeys_record_integer(stored, AK_DOCUMENT_VERSION);
  int rc = fill_document(&given->record, path, stored);
  if (rc == APIKEYS_OK)
    rc = ak_document_secret_seal(op, stored);
  return rc == APIKEYS_OK ? store_next(op, version, stored) : rc;
}

static int write_document(struct ak_op *op, const struct ak_object *given, const void *arguments,
                          apikeys_record *stored) {
  const enum write *how = arguments;
  char path[PATH_MAX_BYTES + 1];
  struct document_place place = place_document_of(given);
  int rc = ak_allow(&op->power, "apikeys:documents:write");
  if (rc == APIKEYS_OK)
    rc = write_path(op, &place, path);
  if (rc == APIKEYS_OK)
    rc = check_document(op, given);
  if (rc != APIKEYS_OK)
    return rc;
  rc = find_or_clear(op, path, stored);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = insert_new(op, given, path, stored);
  else if (rc == APIKEYS_OK && *how == CREATE)
    rc = ak_error_set(op->err, APIKEYS_ERROR_EXISTS, "id", "there is such a document");
  else if (rc == APIKEYS_OK)
    rc = write_over(op, given, path, stored);
  return rc == APIKEYS_OK ? ak_document_secret_open(op, stored) : rc;
}

int apikeys_document_create(apikeys_env *env, const apikeys_actor *actor,
                            apikeys_document *document, apikeys_error *err) {
  enum write how = CREATE;
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                      document != NULL ? &document->object : NULL, write_document, &how, err);
}

int apikeys_document_put(apikeys_env *env, const apikeys_actor *actor, apikeys_document *document,
                         apikeys_error *err) {
  enum write how = PUT;
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                      document != NULL ? &document->object : NULL, write_document, &how, err);
}

/* -- Getting ----------------------------------------------------------------------------------- */

static int get_document(struct ak_op *op, const struct ak_object *given, const void *arguments,
                        apikeys_record *stored) {
  (void)given;
  int rc = ak_allow(&op->power, "apikeys:documents:read");
  if (rc == APIKEYS_OK)
    rc = find_document(op, arguments, stored);
  return rc == APIKEYS_OK ? ak_document_secret_open(op, stored) : rc;
}

int apikeys_document_get(apikeys_env *env, const apikeys_actor *actor, const char *collection,
                         size_t collection_length, const char *id, size_t id_length,
                         apikeys_document *document, apikeys_error *err) {
  collection_length = ak_text_length(collection, collection_length);
  id_length = ak_text_length(id, id_length);
  struct document_place place = {{collection, collection_length}, {id, id_length}, 0};
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_READ,
                      document != NULL ? &document->object : NULL, get_document, &place, err);
}

/* -- Updating and deleting --------------------------------------------------------------------- */

/* The number tells one that was made anew from the one that was got. */
static int check_unchanged(struct ak_op *op, const apikeys_record *given,
                           const apikeys_record *stored) {
  int64_t number = apikeys_record_integer(given, AK_NUMBER);
  bool same = number == 0 || number == apikeys_record_integer(stored, AK_NUMBER);
  if (same && apikeys_record_integer(given, AK_DOCUMENT_VERSION) ==
                  apikeys_record_integer(stored, AK_DOCUMENT_VERSION))
    return APIKEYS_OK;
  return ak_error_set(op->err, APIKEYS_ERROR_CHANGED, "version", NULL);
}

static int apply(struct ak_op *op, const struct ak_object *given, apikeys_record *stored) {
  int64_t version = apikeys_record_integer(stored, AK_DOCUMENT_VERSION);
  int rc = ak_object_apply(given, stored);
  if (rc == APIKEYS_OK && ak_object_changed(given, AK_DOCUMENT_SECRET))
    rc = ak_document_secret_seal(op, stored);
  return rc == APIKEYS_OK ? store_next(op, version, stored) : rc;
}

static int update_document(struct ak_op *op, const struct ak_object *given, const void *arguments,
                           apikeys_record *stored) {
  (void)arguments;
  struct document_place place = place_document_of(given);
  int rc = ak_allow(&op->power, "apikeys:documents:write");
  if (rc == APIKEYS_OK && apikeys_record_integer(&given->record, AK_DOCUMENT_VERSION) < 1)
    rc = ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "version",
                      "neither got nor set: which one is to be updated?");
  if (rc == APIKEYS_OK)
    rc = check_document(op, given);
  if (rc == APIKEYS_OK)
    rc = find_document(op, &place, stored);
  if (rc == APIKEYS_OK)
    rc = check_unchanged(op, &given->record, stored);
  if (rc == APIKEYS_OK)
    rc = apply(op, given, stored);
  return rc == APIKEYS_OK ? ak_document_secret_open(op, stored) : rc;
}

int apikeys_document_update(apikeys_env *env, const apikeys_actor *actor,
                            apikeys_document *document, apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                      document != NULL ? &document->object : NULL, update_document, NULL, err);
}

static int delete_document(struct ak_op *op, const void *arguments) {
  const struct document_place *place = arguments;
  apikeys_record stored;
  ak_record_init(&stored, AK_DOCUMENT);
  int rc = ak_allow(&op->power, "apikeys:documents:write");
  if (rc == APIKEYS_OK)
    rc = find_document(op, place, &stored);
  if (rc == APIKEYS_OK && place->version != 0 &&
      place->version != apikeys_record_integer(&stored, AK_DOCUMENT_VERSION))
    rc = ak_error_set(op->err, APIKEYS_ERROR_CHANGED, "version", NULL);
  if (rc == APIKEYS_OK)
    rc = ak_remove(&op->transaction, AK_DOCUMENT, apikeys_record_integer(&stored, AK_NUMBER));
  ak_record_release(&stored);
  return rc;
}

int apikeys_document_delete(apikeys_env *env, const apikeys_actor *actor, const char *collection,
                            size_t collection_length, const char *id, size_t id_length,
                            int64_t version, apikeys_error *err) {
  collection_length = ak_text_length(collection, collection_length);
  id_length = ak_text_length(id, id_length);
  struct document_place place = {{collection, collection_length}, {id, id_length}, version};
  return ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, delete_document, &place, err);
}

/* -- Many in one transaction -------------------------------------------------------------------- */

enum { DOCUMENTS_AT_ONCE = AK_BUDGET };

struct document_batch {
  ak_object_body body; /* of one document */
  enum write how;
  apikeys_document *const *documents;
  size_t count;
  bool all_or_nothing;
  apikeys_record *stored; /* `count` each: what the documents become, and what came of them */
  int *results;
};

/* 0 also for a refusal that left the transaction as it was: it does not concern the others. */
static int write_one_of_batch(struct ak_op *op, const struct document_batch *batch, size_t i) {
  size_t changes = op->transaction.changes;
  apikeys_record_clear(&batch->stored[i]); /* after a transaction that is repeated */
  int rc = batch->body(op, &batch->documents[i]->object, &batch->how, &batch->stored[i]);
  batch->results[i] = rc;
  bool refused = apikeys_result_category(rc) != APIKEYS_CATEGORY_UNAVAILABLE &&
                 op->transaction.changes == changes;
  return refused && !batch->all_or_nothing ? APIKEYS_OK : rc;
}

static int write_documents(struct ak_op *op, const void *arguments) {
  const struct document_batch *batch = arguments;
  int rc = ak_allow(&op->power, "apikeys:documents:write");
  for (size_t i = 0; rc == APIKEYS_OK && i < batch->count; i++)
    rc = write_one_of_batch(op, batch, i);
  return rc;
}

static int check_document_batch(const struct document_batch *batch, apikeys_error *err) {
  if (batch->count > DOCUMENTS_AT_ONCE)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "count", "must be at most %d",
                        DOCUMENTS_AT_ONCE);
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < batch->count; i++)
    rc = batch->documents == NULL || batch->documents[i] == NULL
             ? ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "documents", "one is NULL")
             : ak_object_check(&batch->documents[i]->object, err);
  return rc;
}

/* The objects become what was stored only once the commit has returned. */
static void keep_document_batch(const struct document_batch *batch, int *results) {
  for (size_t i = 0; i < batch->count; i++) {
    if (batch->results[i] == APIKEYS_OK)
      ak_object_swap_record(&batch->documents[i]->object, &batch->stored[i]);
    if (results != NULL)
      results[i] = batch->results[i];
  }
}

static int run_document_batch(apikeys_env *env, const apikeys_actor *actor,
                              struct document_batch *batch, int *results, apikeys_error *err) {
  int codes[DOCUMENTS_AT_ONCE];
  int rc = check_document_batch(batch, err);
  if (rc != APIKEYS_OK)
    return rc;
  batch->results = codes;
  batch->all_or_nothing = results == NULL;
  batch->stored = calloc(batch->count + 1, sizeof *batch->stored);
  if (batch->stored == NULL)
    return ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  for (size_t i = 0; i < batch->count; i++)
    ak_record_init(&batch->stored[i], AK_DOCUMENT);
  rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, write_documents, batch, err);
  if (rc == APIKEYS_OK)
    keep_document_batch(batch, results);
  for (size_t i = 0; i < batch->count; i++)
    ak_record_release(&batch->stored[i]);
  free(batch->stored);
  return rc;
}

int apikeys_document_create_many(apikeys_env *env, const apikeys_actor *actor,
                                 apikeys_document *const *documents, size_t count, int *results,
                                 apikeys_error *err) {
  struct document_batch batch = {
      .body = write_document, .how = CREATE, .documents = documents, .count = count};
  return run_document_batch(env, actor, &batch, results, err);
}

int apikeys_document_update_many(apikeys_env *env, const apikeys_actor *actor,
                                 apikeys_document *const *documents, size_t count, int *results,
                                 apikeys_error *err) {
  struct document_batch batch = {.body = update_document, .documents = documents, .count = count};
  return run_document_batch(env, actor, &batch, results, err);
}

/* -- Listing and counting ---------------------------------------------------------------------- */

static void query_documents(struct ak_op *op, const apikeys_filter *filter, apikeys_query *query) {
  bool due = (filter->set & AK_FILTER_DUE) != 0, of_group = filter->group_length > 0;
  ak_query_environment(query, AK_DOCUMENT,
                       due        ? AK_DOCUMENT_BY_DUE_TIME
                       : of_group ? AK_DOCUMENT_BY_GROUP
                                  : AK_DOCUMENT_BY_COLLECTION);
  ak_query_equal_text(query, filter->collection, strlen(filter->collection));
  if (due) {
    ak_query_from(query, 1);
    ak_query_until(query, ak_sum(filter->due_until_ms, 1));
  }
  if (of_group && due)
    ak_query_where_text(query, AK_CONDITION_EQUALS, AK_DOCUMENT_GROUP, filter->group,
                        filter->group_length);
  else if (of_group)
    ak_query_equal_text(query, filter->group, filter->group_length);
  enum ak_deadline kind = ak_deadline_of_collection(filter->collection, strlen(filter->collection));
  ak_query_where_integer(query, AK_CONDITION_NOT_OVER, AK_DOCUMENT_EXPIRES_AT,
                         ak_sum(ak_passed_until(&op->env->passed_times, kind, op->now_ms), 1));
}

static int check_filter(struct ak_op *op, const apikeys_filter *filter, unsigned paging) {
  if (filter != NULL && (filter->set & AK_FILTER_DUE) != 0)
    paging &= ~(unsigned)(AK_FILTER_AFTER | AK_FILTER_BEFORE);
  int rc = ak_filter_check(filter, paging | AK_FILTER_COLLECTION | AK_FILTER_GROUP | AK_FILTER_DUE,
                           op->err);
  if (rc == APIKEYS_OK && (filter == NULL || filter->collection[0] == '\0'))
    rc = ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "collection", "is not set");
  return rc == APIKEYS_OK ? ak_allow(&op->power, "apikeys:documents:read") : rc;
}

static int list_due(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page) {
  apikeys_query query;
  query_documents(op, filter, &query);
  query.limit = filter->limit > 0 ? (size_t)filter->limit : AK_LIMIT_DEFAULT;
  query.descending = filter->order == APIKEYS_ORDER_NEWEST_FIRST;
  return ak_scan(&op->transaction, &query, ak_page_visit, page);
}

static int list_all(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page) {
  struct ak_listing listing = {.op = op,
                               .filter = filter,
                               .kind = AK_DOCUMENT,
                               .order = APIKEYS_ORDER_NEWEST_FIRST,
                               .query_count = 1,
                               .collection = filter->collection};
  query_documents(op, filter, &listing.queries[0]);
  return ak_list(&listing, page);
}

static int list_documents(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page) {
  int rc = check_filter(op, filter, AK_FILTER_PAGING);
  if (rc != APIKEYS_OK)
    return rc;
  rc = (filter->set & AK_FILTER_DUE) != 0 ? list_due(op, filter, page) : list_all(op, filter, page);
  for (size_t i = 0; rc == APIKEYS_OK && i < page->count; i++)
    apikeys_record_set_null(&page->objects[i]->record, AK_DOCUMENT_SECRET);
  return rc;
}

int apikeys_document_list(apikeys_env *env, const apikeys_actor *actor,
                          const apikeys_filter *filter, apikeys_page *page, apikeys_error *err) {
  return ak_list_op(env, actor, filter, page, AK_DOCUMENT, list_documents, err);
}

struct document_counting {
  const apikeys_filter *filter;
  uint64_t *count;
};

static int count_documents(struct ak_op *op, const void *arguments) {
  const struct document_counting *counting = arguments;
  int rc = check_filter(op, counting->filter, 0);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  query_documents(op, counting->filter, &query);
  return ak_count(&op->transaction, &query, counting->count);
}

int apikeys_document_count(apikeys_env *env, const apikeys_actor *actor,
                           const apikeys_filter *filter, uint64_t *count, apikeys_error *err) {
  if (count == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "count", "is NULL");
  uint64_t counted = 0;
  struct document_counting counting = {filter, &counted};
  int rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_READ, count_documents, &counting, err);
  if (rc == APIKEYS_OK)
    *count = counted;
  return rc;
}

/* -- All of them together ---------------------------------------------------------------------- */

int ak_documents_drop_expired(struct ak_op *op, struct ak_budget *budget) {
  apikeys_query query;
  ak_query_environment(&query, AK_DOCUMENT, AK_DOCUMENT_BY_EXPIRY);
  ak_query_from(&query, 1);
  ak_query_until(&query, ak_sum(op->now_ms, 1));
  return ak_remove_some(&op->transaction, &query, budget);
}

enum { DOCUMENT_RESEAL_AT_ONCE = 100 };

/* Each one that is sealed again leaves the range, which is of one root version. */
int ak_documents_reseal(struct ak_op *op, const struct ak_secrets *from,
                        const struct ak_secrets *to) {
  int rc;
  size_t seen;
  do {
    apikeys_page page;
    apikeys_query query;
    ak_page_init(&page, AK_DOCUMENT);
    ak_query_environment(&query, AK_DOCUMENT, AK_DOCUMENT_BY_ROOT_VERSION);
    ak_query_equal_integer(&query, from->version);
    query.limit = DOCUMENT_RESEAL_AT_ONCE;
    rc = ak_scan(&op->transaction, &query, ak_page_visit, &page);
    seen = page.count;
    for (size_t i = 0; rc == APIKEYS_OK && i < page.count; i++) {
      apikeys_record *document = &page.objects[i]->record;
      rc = ak_document_secret_reseal(op, document, from, to);
      if (rc == APIKEYS_OK)
        rc = ak_update(&op->transaction, document);
    }
    ak_page_release(&page);
  } while (rc == APIKEYS_OK && seen > 0);
  return rc;
}

/* -- The document object ----------------------------------------------------------------------- */

AK_NEW_AND_FREE(document, AK_DOCUMENT)
AK_GET_TEXT(document, collection, AK_DOCUMENT_COLLECTION)
AK_SET_TEXT(document, collection, AK_DOCUMENT_COLLECTION)
AK_GET_TEXT(document, id, AK_DOCUMENT_ID)
AK_SET_TEXT(document, id, AK_DOCUMENT_ID)
AK_GET_TEXT(document, group, AK_DOCUMENT_GROUP)
AK_SET_TEXT(document, group, AK_DOCUMENT_GROUP)
AK_GET_TEXT(document, body, AK_DOCUMENT_BODY)
AK_SET_TEXT(document, body, AK_DOCUMENT_BODY)
AK_GET_INTEGER(document, int64_t, due_at_ms, AK_DOCUMENT_DUE_AT)
AK_SET_INTEGER(document, int64_t, due_at_ms, AK_DOCUMENT_DUE_AT)
AK_GET_INTEGER(document, int64_t, expires_at_ms, AK_DOCUMENT_EXPIRES_AT)
AK_SET_INTEGER(document, int64_t, expires_at_ms, AK_DOCUMENT_EXPIRES_AT)
AK_GET_INTEGER(document, int64_t, version, AK_DOCUMENT_VERSION)
AK_SET_INTEGER(document, int64_t, version, AK_DOCUMENT_VERSION)
AK_GET_INTEGER(document, int64_t, created_at_ms, AK_DOCUMENT_CREATED_AT)
AK_GET_INTEGER(document, int64_t, updated_at_ms, AK_DOCUMENT_UPDATED_AT)
AK_JSON(document)

int apikeys_document_set_secret(apikeys_document *document, const void *secret, size_t length) {
  return ak_object_set_blob(document != NULL ? &document->object : NULL, AK_DOCUMENT_SECRET, secret,
                            length, AK_DOCUMENT_SECRET_MAX);
}

int apikeys_document_secret(const apikeys_document *document, void *buffer, size_t size,
                            size_t *length) {
  if (document == NULL || (buffer == NULL && size > 0))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  size_t needed;
  const void *secret = apikeys_record_blob(&document->object.record, AK_DOCUMENT_SECRET, &needed);
  if (needed == 0)
    return APIKEYS_ERROR_NOT_FOUND;
  if (length != NULL)
    *length = needed;
  if (size < needed)
    return APIKEYS_ERROR_BUFFER_TOO_SMALL;
  memcpy(buffer, secret, needed);
  return APIKEYS_OK;
}
