/* SPDX-License-Identifier: MIT */
/* What goes in comes out, as it went, until it is changed or removed; and what is rolled back never
 * was. */
#include "conformance_model.h"

#include <stdlib.h>
#include <string.h>

START_TEST(the_struct_is_one) {
  ck_assert_uint_ge(cf_store.struct_size, sizeof cf_store.struct_size);
  ck_assert(cf_store.destroy != NULL && cf_store.begin != NULL && cf_store.commit != NULL &&
            cf_store.rollback != NULL && cf_store.get != NULL && cf_store.insert != NULL &&
            cf_store.update != NULL && cf_store.remove != NULL && cf_store.count != NULL &&
            cf_store.scan != NULL && cf_store.raise != NULL);
  if ((cf_store.capabilities & (APIKEYS_STORAGE_DURABLE | APIKEYS_STORAGE_MANY_PROCESSES)) != 0)
    ck_assert_msg(cf_given->reopen != NULL, "a promise that cannot be checked: give a reopen");
}
END_TEST

START_TEST(a_new_store_is_empty) {
  apikeys_transaction *transaction = cf_begin_read();
  apikeys_record *record = cf_new_record(_i);
  cf_fill(record, 1);
  cf_assert_absent(transaction, record);
  ck_assert_uint_eq(cf_count_all(transaction, _i), 0);
  cf_store.rollback(cf_store.self, transaction);
  apikeys_record_free(record);
}
END_TEST

START_TEST(a_record_comes_back_as_it_went) {
  apikeys_record *record = cf_new_record(_i);
  apikeys_transaction *transaction = cf_begin_write();
  cf_fill(record, 1);
  ck_assert_int_eq(apikeys_record_set_integer(record, NUMBER, 4711), APIKEYS_OK);
  ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
  ck_assert_msg(cf_number_of(record) > 0 && cf_number_of(record) != 4711,
                "the number is the store's to give");
  cf_assert_stored(transaction, record); /* its own change */
  cf_commit(transaction);

  transaction = cf_begin_read();
  cf_assert_stored(transaction, record);
  cf_commit(transaction);
  apikeys_record_free(record);
}
END_TEST

START_TEST(an_update_replaces_every_field) {
  apikeys_record *record = cf_new_record(_i);
  apikeys_record *other = cf_new_record(_i);
  apikeys_record *before;
  apikeys_transaction *transaction = cf_begin_write();
  cf_fill(record, 1);
  ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
  before = cf_copy_of(record);
  cf_fill(other, 3);
  ck_assert_int_eq(cf_insert(transaction, other), APIKEYS_OK);
  cf_fill(record, 2);
  apikeys_record_set_integer(record, NUMBER, cf_number_of(before));
  ck_assert_int_eq(cf_update(transaction, record), APIKEYS_OK);
  cf_assert_stored(transaction, record);
  cf_commit(transaction);

  transaction = cf_begin_read();
  cf_assert_stored(transaction, record);
  cf_assert_stored(transaction, other);
  cf_assert_absent(transaction, before);
  ck_assert_uint_eq(cf_count_all(transaction, _i), 2);
  cf_commit(transaction);
  apikeys_record_free(record);
  apikeys_record_free(other);
  apikeys_record_free(before);
}
END_TEST

START_TEST(what_is_removed_is_gone) {
  apikeys_record *record = cf_new_record(_i);
  apikeys_transaction *transaction = cf_begin_write();
  cf_fill(record, 1);
  ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
  cf_commit(transaction);

  transaction = cf_begin_write();
  ck_assert_int_eq(cf_remove_number(transaction, _i, cf_number_of(record)), APIKEYS_OK);
  cf_assert_absent(transaction, record);
  ck_assert_int_eq(cf_remove_number(transaction, _i, cf_number_of(record)),
                   APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(cf_update(transaction, record), APIKEYS_ERROR_NOT_FOUND);
  cf_commit(transaction);

  transaction = cf_begin_write();
  cf_assert_absent(transaction, record);
  ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK); /* its ids are free again */
  cf_commit(transaction);
  apikeys_record_free(record);
}
END_TEST

START_TEST(what_is_not_there_is_not_found) {
  apikeys_record *record = cf_new_record(_i);
  apikeys_transaction *transaction = cf_begin_write();
  cf_fill(record, 1);
  ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
  int64_t number = cf_number_of(record);
  cf_fill(record, 2);
  apikeys_record_set_integer(record, NUMBER, number + 1);
  ck_assert_int_eq(cf_update(transaction, record), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(cf_remove_number(transaction, _i, number + 1), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(cf_remove_number(transaction, _i, 0), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(cf_remove_number(transaction, _i, -number), APIKEYS_ERROR_NOT_FOUND);
  cf_assert_absent(transaction, record);
  ck_assert_uint_eq(cf_count_all(transaction, _i), 1); /* the transaction goes on */
  cf_commit(transaction);
  apikeys_record_free(record);
}
END_TEST

/* NULL is not "", and "" is not NULL. */
START_TEST(empty_values_are_not_null) {
  apikeys_record *null = cf_new_record(_i);
  apikeys_record *empty = cf_new_record(_i);
  cf_fill(null, 1);
  cf_fill(empty, 2);
  for (int field = ID + 1; field < apikeys_schema_field_count(_i); field++) {
    if (apikeys_schema_field_nullable(_i, field))
      apikeys_record_set_null(null, field);
    if (!cf_tells_apart(_i, field))
      cf_set_value(empty, field, "", 0);
  }
  apikeys_transaction *transaction = cf_begin_write();
  ck_assert_int_eq(cf_insert(transaction, null), APIKEYS_OK);
  ck_assert_int_eq(cf_insert(transaction, empty), APIKEYS_OK);
  cf_commit(transaction);
  transaction = cf_begin_read();
  cf_assert_stored(transaction, null);
  cf_assert_stored(transaction, empty);
  cf_commit(transaction);
  apikeys_record_free(null);
  apikeys_record_free(empty);
}
END_TEST

enum { LONG = 70001 };

static void set_long(apikeys_record *record, int field, unsigned char *bytes) {
  if (apikeys_schema_field_type(apikeys_record_kind(record), field) == APIKEYS_TYPE_BLOB) {
    for (size_t i = 0; i < LONG; i++)
      bytes[i] = (unsigned char)(i * 7); /* every byte, NUL too */
    ck_assert_int_eq(apikeys_record_set_blob(record, field, bytes, LONG), APIKEYS_OK);
  } else if (apikeys_schema_field_type(apikeys_record_kind(record), field) == APIKEYS_TYPE_TEXT) {
    for (size_t i = 0; i < LONG; i++)
      bytes[i] = (unsigned char)('!' + i % 90);
    ck_assert_int_eq(apikeys_record_set_text(record, field, (const char *)bytes, LONG), APIKEYS_OK);
  } else {
    ck_assert_int_eq(apikeys_record_set_integer(record, field, INT64_MIN), APIKEYS_OK);
  }
}

START_TEST(long_values_are_kept_whole) {
  unsigned char *bytes = malloc(LONG);
  apikeys_record *record = cf_new_record(_i);
  ck_assert_ptr_nonnull(bytes);
  cf_fill(record, 1);
  for (int field = ID + 1; field < apikeys_schema_field_count(_i); field++)
    if (!cf_is_indexed(_i, field))
      set_long(record, field, bytes);
  apikeys_transaction *transaction = cf_begin_write();
  ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
  cf_commit(transaction);
  transaction = cf_begin_read();
  cf_assert_stored(transaction, record);
  cf_commit(transaction);
  apikeys_record_free(record);
  free(bytes);
}
END_TEST

/* -------------------------------------------------------------------------- unique ------------ */

/* `record` gets the values that `other` has in the index. */
static void take_values(apikeys_record *record, const apikeys_record *other, int index) {
  int kind = apikeys_record_kind(record);
  for (int i = 0; i < apikeys_schema_index_field_count(kind, index); i++) {
    int field = apikeys_schema_index_field(kind, index, i);
    if (apikeys_schema_field_type(kind, field) == APIKEYS_TYPE_INTEGER)
      apikeys_record_set_integer(record, field, apikeys_record_integer(other, field));
    else
      cf_set_any_text(record, field, apikeys_record_text(other, field, NULL));
  }
}

START_TEST(a_collision_changes_nothing) {
  for (int index = 0; index < apikeys_schema_index_count(_i); index++) {
    if (!apikeys_schema_index_unique(_i, index))
      continue;
    unsigned base = 10 * (unsigned)index;
    apikeys_record *first = cf_new_record(_i), *second = cf_new_record(_i),
                   *third = cf_new_record(_i);
    apikeys_transaction *transaction = cf_begin_write();
    uint64_t before = cf_count_all(transaction, _i);
    cf_fill(first, base + 1);
    ck_assert_int_eq(cf_insert(transaction, first), APIKEYS_OK);
    cf_fill(second, base + 2);
    take_values(second, first, index);
    ck_assert_int_eq(cf_insert(transaction, second), APIKEYS_ERROR_EXISTS);
    cf_assert_stored(transaction, first);
    ck_assert_uint_eq(cf_count_all(transaction, _i), before + 1);

    cf_fill(second, base + 2); /* as it should be; then it tries to become the first */
    ck_assert_int_eq(cf_insert(transaction, second), APIKEYS_OK);
    apikeys_record *changed = cf_copy_of(second);
    take_values(changed, first, index);
    ck_assert_int_eq(cf_update(transaction, changed), APIKEYS_ERROR_EXISTS);
    cf_assert_stored(transaction, first);
    cf_assert_stored(transaction, second);

    cf_fill(third, base + 3);
    ck_assert_int_eq(cf_insert(transaction, third), APIKEYS_OK);
    ck_assert_int_eq(cf_update(transaction, third), APIKEYS_OK); /* with itself nothing collides */
    cf_commit(transaction);

    transaction = cf_begin_read();
    cf_assert_stored(transaction, first);
    cf_assert_stored(transaction, second);
    cf_assert_stored(transaction, third);
    ck_assert_uint_eq(cf_count_all(transaction, _i), before + 3);
    cf_commit(transaction);
    apikeys_record_free(first);
    apikeys_record_free(second);
    apikeys_record_free(third);
    apikeys_record_free(changed);
  }
}
END_TEST

/* -------------------------------------------------------------------------- numbers ----------- */

START_TEST(numbers_ascend_and_are_not_used_again) {
  apikeys_record *record = cf_new_record(_i);
  int64_t last = 0;
  for (unsigned n = 0; n < 12; n++) {
    apikeys_transaction *transaction = cf_begin_write();
    cf_fill(record, n);
    ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
    if (n % 4 == 3) { /* what is rolled back never was, and takes nothing back */
      cf_store.rollback(cf_store.self, transaction);
      continue;
    }
    ck_assert_int_gt(cf_number_of(record), last);
    last = cf_number_of(record);
    if (n % 4 == 1) /* removed where it was made */
      ck_assert_int_eq(cf_remove_number(transaction, _i, last), APIKEYS_OK);
    cf_commit(transaction);
    if (n % 4 == 2) { /* removed later, as the highest there is */
      transaction = cf_begin_write();
      ck_assert_int_eq(cf_remove_number(transaction, _i, last), APIKEYS_OK);
      cf_commit(transaction);
    }
  }
  apikeys_record_free(record);
}
END_TEST

START_TEST(a_rollback_restores_everything) {
  struct model kept = {.kind = _i}, changed;
  cf_seed_random(_i);
  cf_insert_many(&kept, 1000, 25);
  for (int round = 0; round < 4; round++) {
    cf_model_copy(&changed, &kept);
    apikeys_transaction *transaction = cf_begin_write();
    for (int i = 0; i < 30; i++)
      cf_change_at_random(&changed, transaction, 40);
    cf_assert_holds(transaction, &changed);
    cf_store.rollback(cf_store.self, transaction);
    transaction = cf_begin_read();
    cf_assert_holds(transaction, &kept);
    cf_commit(transaction);
    cf_model_free(&changed);
  }
  cf_model_free(&kept);
}
END_TEST

/* ---------------------------------------------------------------------------- raise ----------- */

START_TEST(raise_never_goes_back) {
  for (int field = ID + 1; field < apikeys_schema_field_count(_i); field++) {
    if (apikeys_schema_field_type(_i, field) != APIKEYS_TYPE_INTEGER)
      continue;
    static const struct {
      int64_t given, expected;
    } steps[] = {{100, 100}, {50, 100}, {100, 100}, {101, 101}, {-1, 101}, {INT64_MAX, INT64_MAX}};
    apikeys_record *record = cf_new_record(_i), *expected = cf_new_record(_i);
    apikeys_transaction *transaction = cf_begin_write();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
      /* Only the id and the field count, once it is there: the rest is another each time. */
      cf_fill(record, 1000 * (unsigned)field + (unsigned)i);
      if (i > 0)
        cf_set_any_text(record, ID, apikeys_record_text(expected, ID, NULL));
      apikeys_record_set_integer(record, field, steps[i].given);
      ck_assert_int_eq(cf_store.raise(cf_store.self, transaction, record, field), APIKEYS_OK);
      if (i == 0) {
        ck_assert_int_eq(cf_get_id(transaction, record, expected),
                         APIKEYS_OK); /* it was inserted */
        ck_assert_int_gt(cf_number_of(expected), 0);
        apikeys_record_set_integer(record, NUMBER, cf_number_of(expected));
        cf_assert_same(expected, record);
      }
      apikeys_record_set_integer(expected, field, steps[i].expected);
      cf_assert_stored(transaction, expected);
    }
    cf_commit(transaction);
    transaction = cf_begin_read();
    cf_assert_stored(transaction, expected);
    cf_commit(transaction);
    apikeys_record_free(record);
    apikeys_record_free(expected);
  }
}
END_TEST

START_TEST(a_raise_is_rolled_back) {
  apikeys_record *record = cf_new_record(_i);
  int field = apikeys_schema_field_count(_i) - 1;
  while (field > ID && apikeys_schema_field_type(_i, field) != APIKEYS_TYPE_INTEGER)
    field--;
  if (field > ID) {
    apikeys_transaction *transaction = cf_begin_write();
    cf_fill(record, 1);
    ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
    cf_commit(transaction);
    apikeys_record *higher = cf_copy_of(record);
    apikeys_record_set_integer(higher, field, INT64_MAX);
    transaction = cf_begin_write();
    ck_assert_int_eq(cf_store.raise(cf_store.self, transaction, higher, field), APIKEYS_OK);
    cf_assert_stored(transaction, higher);
    cf_store.rollback(cf_store.self, transaction);
    transaction = cf_begin_read();
    cf_assert_stored(transaction, record);
    cf_commit(transaction);
    apikeys_record_free(higher);
  }
  apikeys_record_free(record);
}
END_TEST

void conformance_records(Suite *suite) {
  int end = apikeys_schema_kind_count() + 1;
  TCase *records = cf_new_case(suite, "records");
  tcase_add_test(records, the_struct_is_one);
  tcase_add_loop_test(records, a_new_store_is_empty, 1, end);
  tcase_add_loop_test(records, a_record_comes_back_as_it_went, 1, end);
  tcase_add_loop_test(records, an_update_replaces_every_field, 1, end);
  tcase_add_loop_test(records, what_is_removed_is_gone, 1, end);
  tcase_add_loop_test(records, what_is_not_there_is_not_found, 1, end);
  tcase_add_loop_test(records, empty_values_are_not_null, 1, end);
  tcase_add_loop_test(records, long_values_are_kept_whole, 1, end);
  tcase_add_loop_test(records, a_collision_changes_nothing, 1, end);
  tcase_add_loop_test(records, numbers_ascend_and_are_not_used_again, 1, end);
  tcase_add_loop_test(records, a_rollback_restores_everything, 1, end);
  tcase_add_loop_test(records, raise_never_goes_back, 1, end);
  tcase_add_loop_test(records, a_raise_is_rolled_back, 1, end);
}
