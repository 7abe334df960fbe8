/* SPDX-License-Identifier: MIT */
/* Indexes, order, bounds, scopes, conditions and pages: what a query finds, and what it must
 * not. */
#include "conformance_model.h"

#include <limits.h>
#include <string.h>

START_TEST(every_index_finds_every_record) {
  apikeys_record *records[9];
  apikeys_record *found = cf_new_record(_i);
  apikeys_transaction *transaction = cf_begin_write();
  for (unsigned n = 0; n < 9; n++) {
    records[n] = cf_new_record(_i);
    cf_fill(records[n], n);
    ck_assert_int_eq(cf_insert(transaction, records[n]), APIKEYS_OK);
  }
  for (int index = 0; index < apikeys_schema_index_count(_i); index++)
    for (int n = 0; n < 9; n++) {
      int fields = apikeys_schema_index_field_count(_i, index);
      apikeys_query *query = cf_query_like(records[n], index, fields);
      if (fields == 0) /* the order of numbers: ask for those from this on */
        ck_assert_int_eq(apikeys_query_set_lower(query, records[n]), APIKEYS_OK);
      ck_assert_int_eq(cf_get(transaction, query, found), APIKEYS_OK);
      cf_assert_same(found, records[n]);
      ck_assert_uint_eq(cf_count(transaction, query), fields == 0 ? 9 - (uint64_t)n : 1);
      apikeys_query_free(query);
    }
  cf_commit(transaction);
  for (int n = 0; n < 9; n++)
    apikeys_record_free(records[n]);
  apikeys_record_free(found);
}
END_TEST

START_TEST(a_sparse_index_leaves_null_out) {
  apikeys_record *with = cf_new_record(_i);
  apikeys_record *without[2] = {cf_new_record(_i), cf_new_record(_i)};
  apikeys_transaction *transaction = cf_begin_write();
  cf_fill(with, 1);
  ck_assert_int_eq(cf_insert(transaction, with), APIKEYS_OK);
  for (int n = 0; n < 2; n++) {
    cf_fill(without[n], 2 + (unsigned)n);
    for (int index = 0; index < apikeys_schema_index_count(_i); index++)
      if (apikeys_schema_index_sparse(_i, index))
        apikeys_record_set_null(without[n], apikeys_schema_index_field(_i, index, 0));
    /* Two without a value do not collide where the index is unique. */
    ck_assert_int_eq(cf_insert(transaction, without[n]), APIKEYS_OK);
  }
  for (int index = 0; index < apikeys_schema_index_count(_i); index++) {
    apikeys_query *query = cf_new_query(_i, index);
    ck_assert_uint_eq(cf_count(transaction, query), apikeys_schema_index_sparse(_i, index) ? 1 : 3);
    apikeys_query_free(query);
  }
  cf_commit(transaction);
  apikeys_record_free(with);
  apikeys_record_free(without[0]);
  apikeys_record_free(without[1]);
}
END_TEST

/* --------------------------------------------------------------------- order and ranges ------- */

/* Every index, every number of values, no bound, one, or two, both directions, several limits. */
START_TEST(answers_come_in_order_and_in_bounds) {
  struct model model = {.kind = _i};
  cf_seed_random(100 + _i);
  cf_insert_many(&model, 1000, 60);
  apikeys_transaction *transaction = cf_begin_read();
  for (int index = 0; index < apikeys_schema_index_count(_i); index++)
    for (int equal = 0; equal <= apikeys_schema_index_field_count(_i, index); equal++)
      for (int shape = 0; shape < 4 * 2 * 3; shape++) {
        static const size_t limits[] = {0, 1, 7};
        const apikeys_record *one = model.records[cf_random_below((unsigned)model.count)];
        const apikeys_record *two = model.records[cf_random_below((unsigned)model.count)];
        apikeys_query *query = cf_new_query(_i, index);
        (void)apikeys_query_set_equal(query, one, equal); /* refused where the value is NULL */
        if ((shape & 1) != 0)
          (void)apikeys_query_set_lower(query, one);
        if ((shape & 2) != 0)
          (void)apikeys_query_set_upper(query, two);
        apikeys_query_set_descending(query, (shape & 4) != 0);
        apikeys_query_set_limit(query, limits[shape / 8]);
        cf_assert_answers(transaction, &model, query);
        apikeys_query_free(query);
      }
  cf_commit(transaction);
  cf_model_free(&model);
}
END_TEST

/* --------------------------------------------------------------------------- scopes ----------- */

static const char *scope_text(const apikeys_record *record) {
  int field = apikeys_schema_scope_field(apikeys_record_kind(record));
  return field < 0 ? "" : apikeys_record_text(record, field, NULL);
}

static void assert_scope(apikeys_transaction *transaction, const struct model *model, int index,
                         int scope, const char *organization) {
  int field = apikeys_schema_scope_field(model->kind);
  uint64_t expected = 0;
  for (int i = 0; i < model->count; i++) {
    struct index_key key;
    const char *text = scope_text(model->records[i]);
    bool in =
        scope == APIKEYS_SCOPE_ANY || (scope == APIKEYS_SCOPE_ENVIRONMENT && text[0] == '\0') ||
        (scope == APIKEYS_SCOPE_ORGANIZATION && field >= 0 && strcmp(text, organization) == 0);
    expected += in && cf_make_key(&key, model->records[i], index);
  }
  apikeys_query *query =
      apikeys_query_new(model->kind, index, scope, organization, strlen(organization));
  ck_assert_ptr_nonnull(query);
  ck_assert_uint_eq(cf_count(transaction, query), expected);
  cf_assert_answers(transaction, model, query);
  apikeys_query_free(query);
}

START_TEST(a_scope_shows_its_own_records_only) {
  struct model model = {.kind = _i};
  cf_seed_random(200 + _i);
  cf_insert_many(&model, 1000, 40);
  apikeys_transaction *transaction = cf_begin_read();
  for (int index = 0; index < apikeys_schema_index_count(_i); index++) {
    assert_scope(transaction, &model, index, APIKEYS_SCOPE_ANY, "");
    assert_scope(transaction, &model, index, APIKEYS_SCOPE_ENVIRONMENT, "");
    assert_scope(transaction, &model, index, APIKEYS_SCOPE_ORGANIZATION, "org_a");
    assert_scope(transaction, &model, index, APIKEYS_SCOPE_ORGANIZATION, "org_none");
    if (apikeys_schema_scope_field(_i) == ID)
      assert_scope(transaction, &model, index, APIKEYS_SCOPE_ORGANIZATION,
                   scope_text(model.records[0]));
  }
  cf_commit(transaction);
  cf_model_free(&model);
}
END_TEST

/* Somebody who knows a record's id does not get it under another organization's scope. */
START_TEST(a_known_id_does_not_open_another_scope) {
  int field = apikeys_schema_scope_field(_i);
  if (field < 0)
    return;
  apikeys_record *record = cf_new_record(_i), *found = cf_new_record(_i);
  apikeys_transaction *transaction = cf_begin_write();
  cf_fill(record, 1);
  cf_set_any_text(record, field, "org_owner");
  ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
  static const struct {
    int scope;
    const char *organization;
    int expected;
  } cases[] = {{APIKEYS_SCOPE_ORGANIZATION, "org_owner", APIKEYS_OK},
               {APIKEYS_SCOPE_ORGANIZATION, "org_other", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ORGANIZATION, "org_owne", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ORGANIZATION, "org_owner2", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ORGANIZATION, "ORG_OWNER", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ORGANIZATION, "org%", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ENVIRONMENT, "", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ANY, "", APIKEYS_OK}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    apikeys_query *query = apikeys_query_new(_i, 0, cases[i].scope, cases[i].organization,
                                             strlen(cases[i].organization));
    ck_assert_int_eq(apikeys_query_set_equal(query, record, 1), APIKEYS_OK);
    ck_assert_int_eq(cf_get(transaction, query, found), cases[i].expected);
    ck_assert_uint_eq(cf_count(transaction, query), cases[i].expected == APIKEYS_OK);
    apikeys_query_free(query);
  }
  cf_commit(transaction);
  apikeys_record_free(record);
  apikeys_record_free(found);
}
END_TEST

START_TEST(conditions_are_met) {
  struct model model = {.kind = _i};
  cf_seed_random(300 + _i);
  cf_insert_many(&model, 1000, 40);
  apikeys_transaction *transaction = cf_begin_read();
  for (int field = 0; field < apikeys_schema_field_count(_i); field++)
    for (int i = 0; i < (int)(sizeof cf_texts / sizeof cf_texts[0]); i++) {
      if (apikeys_schema_field_type(_i, field) != APIKEYS_TYPE_TEXT)
        continue;
      apikeys_query *query = cf_new_query(_i, (field + i) % apikeys_schema_index_count(_i));
      ck_assert_int_eq(apikeys_query_set_contains(query, field, cf_texts[i], strlen(cf_texts[i])),
                       APIKEYS_OK);
      apikeys_query_set_limit(query, (size_t)i % 3); /* of what meets it, not of what is seen */
      cf_assert_answers(transaction, &model, query);
      apikeys_query_free(query);
    }
  cf_commit(transaction);
  cf_model_free(&model);
}
END_TEST

/* ---------------------------------------------------------------------------- scans ----------- */

struct stop {
  int after;
  int with;
  int calls;
};

static int stop_after(const apikeys_record *record, void *visit_data) {
  struct stop *stop = visit_data;
  (void)record;
  return ++stop->calls >= stop->after ? stop->with : 0;
}

START_TEST(a_visitor_ends_the_scan_with_its_number) {
  static const int numbers[] = {
      1, 7, -7, APIKEYS_ERROR_NOT_FOUND, APIKEYS_ERROR_EXISTS, INT32_MAX, INT32_MIN};
  struct model model = {.kind = _i};
  cf_seed_random(400 + _i);
  cf_insert_many(&model, 1000, 10);
  apikeys_transaction *transaction = cf_begin_read();
  apikeys_query *query = cf_new_query(_i, 0);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    for (int after = 1; after <= model.count; after += model.count - 1) {
      struct stop stop = {.after = after, .with = numbers[i]};
      ck_assert_int_eq(cf_store.scan(cf_store.self, transaction, query, stop_after, &stop),
                       numbers[i]);
      ck_assert_int_eq(stop.calls, after);
    }
  cf_assert_answers(transaction, &model, query); /* nothing is left over */
  apikeys_query_free(query);
  cf_commit(transaction);
  cf_model_free(&model);
}
END_TEST

struct page {
  int64_t previous;
  int64_t last;
  int count;
  int descending;
};

static int turn_page(const apikeys_record *record, void *visit_data) {
  struct page *page = visit_data;
  page->previous = page->last;
  page->last = cf_number_of(record);
  page->count++;
  if (page->count == 1)
    return 0;
  return page->descending ? page->last >= page->previous : page->last <= page->previous;
}

enum { PAGE = 100 };

START_TEST(many_records_are_paged_through) {
  int index, kind = cf_kind_by_number(&index), descending = _i;
  unsigned many = cf_given->many_records > 0 ? cf_given->many_records : 10000;
  apikeys_record *record = cf_new_record(kind);
  apikeys_transaction *transaction = cf_begin_write();
  for (unsigned n = 0; n < many; n++) {
    cf_fill(record, n);
    REQUIRE(cf_insert(transaction, record) == APIKEYS_OK);
  }
  cf_commit(transaction);
  transaction = cf_begin_read();
  ck_assert_uint_eq(cf_count_all(transaction, kind), many);
  cf_commit(transaction);

  struct page page = {.descending = descending, .last = descending ? INT64_MAX : -1};
  int total = 0, pages = 0;
  do {
    apikeys_query *query = cf_new_query(kind, index);
    apikeys_record_set_integer(record, NUMBER, descending ? page.last : page.last + 1);
    ck_assert_int_eq(descending ? apikeys_query_set_upper(query, record)
                                : apikeys_query_set_lower(query, record),
                     APIKEYS_OK);
    apikeys_query_set_descending(query, descending);
    apikeys_query_set_limit(query, PAGE);
    page.count = 0;
    transaction = cf_begin_read(); /* pages are read in transactions of their own */
    ck_assert_int_eq(cf_store.scan(cf_store.self, transaction, query, turn_page, &page), 0);
    cf_commit(transaction);
    apikeys_query_free(query);
    total += page.count;
    pages += page.count > 0;
  } while (page.count > 0);
  ck_assert_uint_eq((unsigned)total, many);
  ck_assert_uint_eq((unsigned)pages, many / PAGE);
  apikeys_record_free(record);
}
END_TEST

/* -------------------------------------------------------------------- anything at all --------- */

START_TEST(random_changes_agree_with_a_model) {
  enum { DOMAIN = 40 };
  struct model model = {.kind = _i}, before;
  cf_seed_random(500 + _i);
  for (int round = 0; round < cf_rounds(12); round++) {
    cf_model_copy(&before, &model);
    apikeys_transaction *transaction = cf_begin_write();
    for (int i = 0; i < 12; i++) {
      cf_change_at_random(&model, transaction, DOMAIN);
      apikeys_query *query = cf_random_query(_i, DOMAIN);
      cf_assert_answers(transaction, &model, query);
      apikeys_query_free(query);
    }
    if (cf_random_below(3) == 0) {
      cf_store.rollback(cf_store.self, transaction);
      cf_model_free(&model);
      model = before;
    } else {
      cf_commit(transaction);
      cf_model_free(&before);
    }
    transaction = cf_begin_read();
    for (int i = 0; i < 12; i++) {
      apikeys_query *query = cf_random_query(_i, DOMAIN);
      cf_assert_answers(transaction, &model, query);
      apikeys_query_free(query);
    }
    cf_commit(transaction);
  }
  cf_model_free(&model);
}
END_TEST

void conformance_queries(Suite *suite) {
  int end = apikeys_schema_kind_count() + 1;
  TCase *queries = cf_new_case(suite, "queries");
  tcase_add_loop_test(queries, every_index_finds_every_record, 1, end);
  tcase_add_loop_test(queries, a_sparse_index_leaves_null_out, 1, end);
  tcase_add_loop_test(queries, answers_come_in_order_and_in_bounds, 1, end);
  tcase_add_loop_test(queries, a_scope_shows_its_own_records_only, 1, end);
  tcase_add_loop_test(queries, a_known_id_does_not_open_another_scope, 1, end);
  tcase_add_loop_test(queries, conditions_are_met, 1, end);
  tcase_add_loop_test(queries, a_visitor_ends_the_scan_with_its_number, 1, end);
  tcase_add_loop_test(queries, many_records_are_paged_through, 0, 2);
  tcase_add_loop_test(queries, random_changes_agree_with_a_model, 1, end);
}
