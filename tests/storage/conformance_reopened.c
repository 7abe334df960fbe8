/* SPDX-License-Identifier: MIT */
/* What the capabilities promise: a store that is closed and opened again, or opened twice. */
#include "conformance_model.h"
#include "conformance_race.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

START_TEST(what_was_committed_survives) {
  if ((cf_store.capabilities & APIKEYS_STORAGE_DURABLE) == 0)
    return;
  struct model model = {.kind = _i};
  cf_seed_random(700 + _i);
  cf_insert_many(&model, 1000, 30);
  apikeys_transaction *transaction = cf_begin_write();
  for (int i = 0; i < 30; i++)
    cf_change_at_random(&model, transaction, 1000);
  cf_commit(transaction);

  int64_t highest = 0; /* remove the newest: its number must not come again */
  int before = model.count;
  cf_insert_many(&model, 100000, 1);
  ck_assert_int_eq(model.count, before + 1);
  apikeys_record *newest = model.records[model.count - 1];
  highest = cf_number_of(newest);
  transaction = cf_begin_write();
  ck_assert_int_eq(cf_remove_number(transaction, _i, highest), APIKEYS_OK);
  cf_commit(transaction);
  apikeys_record_free(newest);
  model.count--;

  cf_store.destroy(cf_store.self);
  ck_assert_int_eq(cf_given->reopen(&cf_store), APIKEYS_OK);
  transaction = cf_begin_write();
  cf_assert_holds(transaction, &model);
  apikeys_record *next = cf_new_record(_i);
  cf_fill(next, 999999);
  ck_assert_int_eq(cf_insert(transaction, next), APIKEYS_OK);
  ck_assert_int_gt(cf_number_of(next), highest);
  cf_commit(transaction);
  apikeys_record_free(next);
  cf_model_free(&model);
}
END_TEST

START_TEST(what_was_not_committed_does_not_survive) {
  if ((cf_store.capabilities & APIKEYS_STORAGE_DURABLE) == 0)
    return;
  apikeys_record *record = cf_new_record(_i);
  cf_fill(record, 1);
  apikeys_transaction *transaction = cf_begin_write();
  ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
  cf_store.rollback(cf_store.self, transaction);
  cf_store.destroy(cf_store.self);
  ck_assert_int_eq(cf_given->reopen(&cf_store), APIKEYS_OK);
  transaction = cf_begin_read();
  ck_assert_uint_eq(cf_count_all(transaction, _i), 0);
  cf_commit(transaction);
  apikeys_record_free(record);
}
END_TEST

static bool two_handles(apikeys_storage *other) {
  if ((cf_store.capabilities & APIKEYS_STORAGE_MANY_PROCESSES) == 0)
    return false;
  memset(other, 0, sizeof *other);
  ck_assert_int_eq(cf_given->reopen(other), APIKEYS_OK);
  return true;
}

START_TEST(two_handles_share_one_store) {
  apikeys_storage other;
  if (!two_handles(&other))
    return;
  apikeys_record *record = cf_new_record(_i), *found = cf_new_record(_i);
  apikeys_query *query = cf_new_query(_i, 0);
  int64_t last = 0;
  for (unsigned n = 0; n < 10; n++) { /* by turns; each sees at once what the other did */
    apikeys_storage *writer = n % 2 == 0 ? &cf_store : &other;
    apikeys_storage *reader = n % 2 == 0 ? &other : &cf_store;
    apikeys_transaction *transaction = cf_begin_in(writer, APIKEYS_TRANSACTION_WRITE);
    cf_fill(record, n);
    ck_assert_int_eq(writer->insert(writer->self, transaction, record), APIKEYS_OK);
    ck_assert_int_gt(cf_number_of(record), last);
    last = cf_number_of(record);
    ck_assert_int_eq(writer->commit(writer->self, transaction), APIKEYS_OK);

    transaction = cf_begin_in(reader, APIKEYS_TRANSACTION_WRITE);
    ck_assert_int_eq(apikeys_query_set_equal(query, record, 1), APIKEYS_OK);
    ck_assert_int_eq(reader->get(reader->self, transaction, query, found), APIKEYS_OK);
    cf_assert_same(found, record);
    ck_assert_int_eq(reader->insert(reader->self, transaction, record), APIKEYS_ERROR_EXISTS);
    reader->rollback(reader->self, transaction);
  }
  apikeys_query_free(query);
  apikeys_record_free(record);
  apikeys_record_free(found);
  other.destroy(other.self);
}
END_TEST

START_TEST(two_handles_write_by_turns) {
  apikeys_storage other;
  if (!two_handles(&other))
    return;
  struct race here, there;
  pthread_t threads[2];
  cf_race_init(&here, &cf_store);
  cf_race_init(&there, &other);
  cf_race_insert(&here);
  ck_assert_int_eq(pthread_create(&threads[0], NULL, cf_write_pairs, &here), 0);
  ck_assert_int_eq(pthread_create(&threads[1], NULL, cf_write_pairs, &there), 0);
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  ck_assert_int_eq(atomic_load(&there.failures), 0);
  cf_assert_raised_to(&here, 2 * (int64_t)here.writes);
  other.destroy(other.self);
}
END_TEST

void conformance_reopened(Suite *suite) {
  int end = apikeys_schema_kind_count() + 1;
  TCase *reopened = cf_new_case(suite, "reopened");
  tcase_add_loop_test(reopened, what_was_committed_survives, 1, end);
  tcase_add_loop_test(reopened, what_was_not_committed_does_not_survive, 1, end);
  tcase_add_loop_test(reopened, two_handles_share_one_store, 1, end);
  tcase_add_test(reopened, two_handles_write_by_turns);
}
