/* SPDX-License-Identifier: MIT */
#include "conformance_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct storage_under_test *cf_given;
apikeys_storage cf_store;

static void open_store(void) {
  memset(&cf_store, 0, sizeof cf_store);
  ck_assert_int_eq(cf_given->open(&cf_store), APIKEYS_OK);
}

static void close_store(void) {
  cf_store.destroy(cf_store.self);
  if (cf_given->cleanup != NULL)
    cf_given->cleanup();
}

TCase *cf_new_case(Suite *suite, const char *name) {
  TCase *tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, open_store, close_store);
  suite_add_tcase(suite, tcase);
  return tcase;
}

int cf_rounds(int usual) {
  return getenv("APIKEYS_SOAK") != NULL ? 20 * usual : usual;
}

/* ------------------------------------------------------------------- the slots, in short ------ */

/* A store may be busy for a moment with another thread's work: who asks again gets in. */
int cf_try_begin(apikeys_storage *storage, int mode, apikeys_transaction **transaction) {
  int rc = APIKEYS_ERROR_BUSY;
  for (int i = 0; i < 1000 && rc == APIKEYS_ERROR_BUSY; i++)
    rc = storage->begin(storage->self, mode, transaction);
  return rc;
}

apikeys_transaction *cf_begin_in(apikeys_storage *storage, int mode) {
  apikeys_transaction *transaction = NULL;
  ck_assert_int_eq(cf_try_begin(storage, mode, &transaction), APIKEYS_OK);
  ck_assert_ptr_nonnull(transaction);
  return transaction;
}

apikeys_transaction *cf_begin_read(void) {
  return cf_begin_in(&cf_store, APIKEYS_TRANSACTION_READ);
}

apikeys_transaction *cf_begin_write(void) {
  return cf_begin_in(&cf_store, APIKEYS_TRANSACTION_WRITE);
}

void cf_commit(apikeys_transaction *transaction) {
  ck_assert_int_eq(cf_store.commit(cf_store.self, transaction), APIKEYS_OK);
}

int cf_insert(apikeys_transaction *transaction, apikeys_record *record) {
  return cf_store.insert(cf_store.self, transaction, record);
}

int cf_update(apikeys_transaction *transaction, const apikeys_record *record) {
  return cf_store.update(cf_store.self, transaction, record);
}

int cf_remove_number(apikeys_transaction *transaction, int kind, int64_t number) {
  return cf_store.remove(cf_store.self, transaction, kind, number);
}

int cf_get(apikeys_transaction *transaction, const apikeys_query *query, apikeys_record *out) {
  return cf_store.get(cf_store.self, transaction, query, out);
}

uint64_t cf_count(apikeys_transaction *transaction, const apikeys_query *query) {
  uint64_t counted = UINT64_MAX;
  ck_assert_int_eq(cf_store.count(cf_store.self, transaction, query, &counted), APIKEYS_OK);
  return counted;
}

/* -------------------------------------------------------------------------- records ----------- */

apikeys_record *cf_new_record(int kind) {
  apikeys_record *record = apikeys_record_new(kind);
  REQUIRE(record != NULL);
  return record;
}

apikeys_record *cf_copy_of(const apikeys_record *record) {
  apikeys_record *copy = cf_new_record(apikeys_record_kind(record));
  REQUIRE(apikeys_record_copy(copy, record) == APIKEYS_OK);
  return copy;
}

int64_t cf_number_of(const apikeys_record *record) {
  return apikeys_record_integer(record, NUMBER);
}

bool cf_is_indexed(int kind, int field) {
  for (int i = 0; i < apikeys_schema_index_count(kind); i++)
    for (int j = 0; j < apikeys_schema_index_field_count(kind, i); j++)
      if (apikeys_schema_index_field(kind, i, j) == field)
        return true;
  return false;
}

/* The last field of a unique index: records that differ there do not collide. */
bool cf_tells_apart(int kind, int field) {
  for (int i = 0; i < apikeys_schema_index_count(kind); i++) {
    int last = apikeys_schema_index_field_count(kind, i) - 1;
    if (apikeys_schema_index_unique(kind, i) && last >= 0 &&
        apikeys_schema_index_field(kind, i, last) == field)
      return true;
  }
  return false;
}

void cf_set_any_text(apikeys_record *record, int field, const char *text) {
  REQUIRE(apikeys_record_set_text(record, field, text, strlen(text)) == APIKEYS_OK);
}

void cf_set_value(apikeys_record *record, int field, const char *text, int64_t integer) {
  switch (apikeys_schema_field_type(apikeys_record_kind(record), field)) {
  case APIKEYS_TYPE_INTEGER:
    REQUIRE(apikeys_record_set_integer(record, field, integer) == APIKEYS_OK);
    break;
  case APIKEYS_TYPE_TEXT:
    cf_set_any_text(record, field, text);
    break;
  default:
    REQUIRE(apikeys_record_set_blob(record, field, text, strlen(text)) == APIKEYS_OK);
  }
}

/* Every field set, differently in every field, and differently for every n. */
void cf_fill(apikeys_record *record, unsigned n) {
  int kind = apikeys_record_kind(record);
  apikeys_record_clear(record);
  for (int field = ID; field < apikeys_schema_field_count(kind); field++) {
    char text[64];
    snprintf(text, sizeof text, "field %d of %06u", field, n);
    cf_set_value(record, field, text, (int64_t)n * 100 + field);
  }
}

static bool same_bytes(const void *a, size_t a_length, const void *b, size_t b_length) {
  return a_length == b_length && memcmp(a, b, a_length) == 0;
}

static bool same_field(const apikeys_record *a, const apikeys_record *b, int field) {
  size_t a_length, b_length;
  const char *a_text = apikeys_record_text(a, field, &a_length);
  const char *b_text = apikeys_record_text(b, field, &b_length);
  if (!same_bytes(a_text, a_length, b_text, b_length))
    return false;
  const void *a_blob = apikeys_record_blob(a, field, &a_length);
  const void *b_blob = apikeys_record_blob(b, field, &b_length);
  return same_bytes(a_blob, a_length, b_blob, b_length) &&
         apikeys_record_type(a, field) == apikeys_record_type(b, field) &&
         apikeys_record_integer(a, field) == apikeys_record_integer(b, field);
}

void cf_assert_same(const apikeys_record *a, const apikeys_record *b) {
  int kind = apikeys_record_kind(a);
  REQUIRE(kind == apikeys_record_kind(b));
  for (int field = 0; field < apikeys_schema_field_count(kind); field++)
    if (!same_field(a, b, field))
      ck_abort_msg("%s.%s differs: type %d, %lld, \"%.40s\"; type %d, %lld, \"%.40s\"",
                   apikeys_schema_kind_name(kind), apikeys_schema_field_name(kind, field),
                   apikeys_record_type(a, field), (long long)apikeys_record_integer(a, field),
                   apikeys_record_text(a, field, NULL), apikeys_record_type(b, field),
                   (long long)apikeys_record_integer(b, field),
                   apikeys_record_text(b, field, NULL));
}

/* -------------------------------------------------------------------------- queries ----------- */

apikeys_query *cf_new_query(int kind, int index) {
  apikeys_query *query = apikeys_query_new(kind, index, APIKEYS_SCOPE_ANY, NULL, 0);
  REQUIRE(query != NULL);
  return query;
}

/* For the records that have the first `count` values of `like` in the index. */
apikeys_query *cf_query_like(const apikeys_record *like, int index, int equal_count) {
  apikeys_query *query = cf_new_query(apikeys_record_kind(like), index);
  ck_assert_int_eq(apikeys_query_set_equal(query, like, equal_count), APIKEYS_OK);
  return query;
}

int cf_get_id(apikeys_transaction *transaction, const apikeys_record *like, apikeys_record *out) {
  apikeys_query *query = cf_query_like(like, 0, 1);
  int rc = cf_get(transaction, query, out);
  apikeys_query_free(query);
  return rc;
}

void cf_assert_stored(apikeys_transaction *transaction, const apikeys_record *expected) {
  apikeys_record *found = cf_new_record(apikeys_record_kind(expected));
  ck_assert_int_eq(cf_get_id(transaction, expected, found), APIKEYS_OK);
  cf_assert_same(found, expected);
  apikeys_record_free(found);
}

void cf_assert_absent(apikeys_transaction *transaction, const apikeys_record *record) {
  apikeys_record *found = cf_new_record(apikeys_record_kind(record));
  ck_assert_int_eq(cf_get_id(transaction, record, found), APIKEYS_ERROR_NOT_FOUND);
  apikeys_record_free(found);
}

uint64_t cf_count_all(apikeys_transaction *transaction, int kind) {
  apikeys_query *query = cf_new_query(kind, 0);
  uint64_t counted = cf_count(transaction, query);
  apikeys_query_free(query);
  return counted;
}

/* The kind that pages by number: with an index of no fields. */
int cf_kind_by_number(int *index) {
  for (int kind = 1; kind <= apikeys_schema_kind_count(); kind++)
    for (*index = 0; *index < apikeys_schema_index_count(kind); (*index)++)
      if (apikeys_schema_index_field_count(kind, *index) == 0)
        return kind;
  ck_abort_msg("no kind has an order of numbers");
  return 0;
}
