/* SPDX-License-Identifier: MIT */
/* What the core makes of a back-end's answers: nothing that is wrong may read as good. */
#include "storage/storage.h"

#include "support/suite.h"

#include <check.h>
#include <string.h>

/* --------------------------------------------------- a back-end that does as it is told ------- */

static struct {
  int answer;                  /* of every slot that gives a code */
  int (*inside)(void);         /* called in the next slot */
  int inside_answered;         /* what it gave */
  const apikeys_record *shown; /* by get and scan */
  int shown_times;
  bool deaf; /* goes on when a visitor has enough */
  int handle_missing;
  int64_t number; /* that insert assigns */
  int ended;
} told;

static int slot_answer(void) {
  if (told.inside != NULL)
    told.inside_answered = told.inside();
  return told.answer;
}

static void do_destroy(void *self) {
  (void)self;
}

static int do_begin(void *self, int mode, apikeys_transaction **transaction) {
  (void)mode;
  if (!told.handle_missing)
    *transaction = self;
  return slot_answer();
}

static int do_commit(void *self, apikeys_transaction *transaction) {
  (void)self, (void)transaction;
  told.ended++;
  return slot_answer();
}

static void do_rollback(void *self, apikeys_transaction *transaction) {
  (void)self, (void)transaction;
  told.ended++;
  (void)slot_answer();
}

static int do_get(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                  apikeys_record *out) {
  (void)self, (void)transaction, (void)query;
  if (told.shown != NULL)
    ck_assert_int_eq(apikeys_record_copy(out, told.shown), 0);
  return slot_answer();
}

static int do_insert(void *self, apikeys_transaction *transaction, apikeys_record *record) {
  (void)self, (void)transaction;
  apikeys_record_set_integer(record, AK_NUMBER, told.number);
  return slot_answer();
}

static int do_update(void *self, apikeys_transaction *transaction, const apikeys_record *record) {
  (void)self, (void)transaction, (void)record;
  return slot_answer();
}

static int do_remove(void *self, apikeys_transaction *transaction, int kind, int64_t number) {
  (void)self, (void)transaction, (void)kind, (void)number;
  return slot_answer();
}

static int do_count(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                    uint64_t *count) {
  (void)self, (void)transaction, (void)query;
  *count = 3;
  return slot_answer();
}

static int do_scan(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                   apikeys_visitor visit, void *visit_data) {
  (void)self, (void)transaction, (void)query;
  for (int i = 0; i < told.shown_times; i++) {
    int rc = visit(told.shown, visit_data);
    if (rc != 0 && !told.deaf)
      return rc;
  }
  return slot_answer();
}

static int do_raise(void *self, apikeys_transaction *transaction, const apikeys_record *record,
                    int field) {
  (void)self, (void)transaction, (void)record, (void)field;
  return slot_answer();
}

static int do_backup(void *self, const char *path) {
  (void)self, (void)path;
  return slot_answer();
}

static int do_prepare_fork(void *self) {
  (void)self;
  return slot_answer();
}

static int self_of_all;
static const apikeys_storage storage = {.struct_size = sizeof storage,
                                        .self = &self_of_all,
                                        .destroy = do_destroy,
                                        .begin = do_begin,
                                        .commit = do_commit,
                                        .rollback = do_rollback,
                                        .get = do_get,
                                        .insert = do_insert,
                                        .update = do_update,
                                        .remove = do_remove,
                                        .count = do_count,
                                        .scan = do_scan,
                                        .raise = do_raise,
                                        .backup = do_backup,
                                        .prepare_fork = do_prepare_fork};

static struct ak_transaction transaction;
static apikeys_record key; /* complete, of organization org_a */
static apikeys_record out;
static apikeys_query query; /* for it */

static void make_key(void) {
  ak_record_init(&key, AK_API_KEY);
  for (int field = 0; field < apikeys_schema_field_count(AK_API_KEY); field++) {
    if (apikeys_schema_field_type(AK_API_KEY, field) == APIKEYS_TYPE_INTEGER)
      apikeys_record_set_integer(&key, field, 1);
    else if (apikeys_schema_field_type(AK_API_KEY, field) == APIKEYS_TYPE_TEXT)
      ak_record_set_string(&key, field, "text");
    else
      apikeys_record_set_blob(&key, field, "blob", 4);
  }
  ak_record_set_string(&key, AK_API_KEY_ORGANIZATION_ID, "org_a");
}

static void set_up(void) {
  memset(&told, 0, sizeof told);
  told.number = 1;
  make_key();
  ak_record_init(&out, AK_API_KEY);
  ak_query_of(&query, AK_API_KEY, 0, "org_a", 5);
  ak_query_equal_text(&query, "text", 4);
  told.shown = &key;
  told.shown_times = 1;
  ck_assert_int_eq(ak_begin(&transaction, &storage, APIKEYS_TRANSACTION_WRITE), 0);
}

static void tear_down(void) {
  ak_rollback(&transaction);
  ak_record_release(&key);
  ak_record_release(&out);
}

/* ------------------------------------------------------------------------ every slot ---------- */

static int no_visit(const apikeys_record *record, void *visit_data) {
  (void)record, (void)visit_data;
  return 0;
}

static int call_begin(void) {
  struct ak_transaction mine;
  int rc = ak_begin(&mine, &storage, APIKEYS_TRANSACTION_READ);
  ck_assert(rc == 0 || mine.handle == NULL);
  return rc;
}
static int call_commit(void) {
  struct ak_transaction mine = transaction;
  return ak_commit(&mine);
}
static int call_get(void) {
  return ak_get(&transaction, &query, &out);
}
static int call_insert(void) {
  return ak_insert(&transaction, &key);
}
static int call_update(void) {
  return ak_update(&transaction, &key);
}
static int call_remove(void) {
  return ak_remove(&transaction, AK_API_KEY, 1);
}
static int call_count(void) {
  uint64_t count = 99;
  int rc = ak_count(&transaction, &query, &count);
  ck_assert_uint_eq(count, rc == 0 ? 3 : 99); /* untouched where the call failed */
  return rc;
}
static int call_scan(void) {
  return ak_scan(&transaction, &query, no_visit, NULL);
}
static int call_raise(void) {
  return ak_store_max(&transaction, &key, AK_API_KEY_UPDATED_AT);
}
static int call_backup(void) {
  return ak_storage_backup(&storage, "copy");
}
static int call_prepare_fork(void) {
  return ak_storage_prepare_fork(&storage);
}

static const struct {
  const char *name;
  int (*call)(void);
  int special[2]; /* codes that only some slots may give */
} slots[] = {{"begin", call_begin, {0}},
             {"commit", call_commit, {APIKEYS_ERROR_OUTCOME_UNKNOWN}},
             {"get", call_get, {APIKEYS_ERROR_NOT_FOUND}},
             {"insert", call_insert, {APIKEYS_ERROR_EXISTS}},
             {"update", call_update, {APIKEYS_ERROR_NOT_FOUND, APIKEYS_ERROR_EXISTS}},
             {"remove", call_remove, {APIKEYS_ERROR_NOT_FOUND}},
             {"count", call_count, {0}},
             {"scan", call_scan, {0}},
             {"raise", call_raise, {APIKEYS_ERROR_EXISTS}},
             {"backup", call_backup, {APIKEYS_ERROR_EXISTS}},
             {"prepare_fork", call_prepare_fork, {0}}};

enum { SLOT_COUNT = sizeof slots / sizeof slots[0] };

START_TEST(good_is_passed_on) {
  ck_assert_msg(slots[_i].call() == APIKEYS_OK, "%s", slots[_i].name);
}
END_TEST

START_TEST(positive_numbers_never_read_as_good) {
  for (int code = 1; code < 300; code++) {
    told.answer = code;
    ck_assert_msg(slots[_i].call() == APIKEYS_ERROR_STORAGE_CONTRACT, "%s: %d", slots[_i].name,
                  code);
  }
  told.answer = INT32_MAX;
  ck_assert_int_eq(slots[_i].call(), APIKEYS_ERROR_STORAGE_CONTRACT);
}
END_TEST

START_TEST(the_stores_failures_are_passed_on) {
  static const int codes[] = {APIKEYS_ERROR_STORAGE,       APIKEYS_ERROR_BUSY,
                              APIKEYS_ERROR_STORAGE_FULL,  APIKEYS_ERROR_CORRUPT,
                              APIKEYS_ERROR_READ_ONLY,     APIKEYS_ERROR_NO_MEMORY,
                              APIKEYS_ERROR_STORE_REPLACED};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    told.answer = codes[i];
    ck_assert_msg(slots[_i].call() == codes[i], "%s: %d", slots[_i].name, codes[i]);
  }
}
END_TEST

/* "Not found" from a commit would send the caller of a revocation home content. */
START_TEST(codes_that_a_slot_may_not_give_are_a_breach) {
  static const int codes[] = {APIKEYS_ERROR_NOT_FOUND,
                              APIKEYS_ERROR_EXISTS,
                              APIKEYS_ERROR_OUTCOME_UNKNOWN,
                              APIKEYS_ERROR_NOT_ALLOWED,
                              APIKEYS_ERROR_ALREADY_REVOKED,
                              APIKEYS_ERROR_TOKEN_EXPIRED,
                              -1000,
                              INT32_MIN};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    bool may = codes[i] == slots[_i].special[0] || codes[i] == slots[_i].special[1];
    told.answer = codes[i];
    ck_assert_msg(slots[_i].call() == (may ? codes[i] : APIKEYS_ERROR_STORAGE_CONTRACT), "%s: %d",
                  slots[_i].name, codes[i]);
  }
}
END_TEST

/* Each slot, called from inside one. */
START_TEST(slots_cannot_call_back) {
  told.inside = slots[_i].call;
  ck_assert_int_eq(ak_remove(&transaction, AK_API_KEY, 1), APIKEYS_OK);
  ck_assert_msg(told.inside_answered == APIKEYS_ERROR_REENTERED, "%s", slots[_i].name);
  told.inside = NULL;
  ck_assert(!ak_inside_callback());
  ck_assert_int_eq(slots[_i].call(), APIKEYS_OK); /* afterwards it may be called again */
}
END_TEST

static int rollback_inside(void) {
  ak_rollback(&transaction);
  return 0;
}

START_TEST(a_rollback_from_inside_a_slot_does_nothing) {
  told.inside = rollback_inside;
  ck_assert_int_eq(ak_remove(&transaction, AK_API_KEY, 1), APIKEYS_OK);
  told.inside = NULL;
  ck_assert_int_eq(told.ended, 0);
  ck_assert_int_eq(ak_commit(&transaction), APIKEYS_OK);
  ck_assert_int_eq(told.ended, 1);
}
END_TEST

START_TEST(a_transaction_ends_once) {
  ck_assert_int_eq(ak_commit(&transaction), APIKEYS_OK);
  ck_assert_int_eq(ak_commit(&transaction), APIKEYS_ERROR_INVALID_ARGUMENT);
  ak_rollback(&transaction);
  ck_assert_int_eq(told.ended, 1);
  ck_assert_int_eq(call_get(), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(ak_begin(&transaction, &storage, APIKEYS_TRANSACTION_READ), APIKEYS_OK);
  told.answer = APIKEYS_ERROR_BUSY; /* also a commit that failed has ended it */
  ck_assert_int_eq(ak_commit(&transaction), APIKEYS_ERROR_BUSY);
  ak_rollback(&transaction);
  ck_assert_int_eq(told.ended, 2);
}
END_TEST

START_TEST(a_transaction_without_a_handle_is_a_breach) {
  struct ak_transaction mine;
  told.handle_missing = 1;
  ck_assert_int_eq(ak_begin(&mine, &storage, APIKEYS_TRANSACTION_READ),
                   APIKEYS_ERROR_STORAGE_CONTRACT);
  ak_rollback(&mine);
  ck_assert_int_eq(told.ended, 0);
}
END_TEST

/* ----------------------------------------------------------------- what comes back ------------ */

START_TEST(a_record_that_was_not_asked_for_is_a_breach) {
  static const char *const others[] = {"", "org_b", "org_", "org_aa", "ORG_A"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    ak_record_set_string(&key, AK_API_KEY_ORGANIZATION_ID, others[i]);
    ck_assert_int_eq(call_get(), APIKEYS_ERROR_STORAGE_CONTRACT);
    ck_assert_int_eq(call_scan(), APIKEYS_ERROR_STORAGE_CONTRACT);
  }
  ak_record_set_string(&key, AK_API_KEY_ORGANIZATION_ID, "org_a");
  ak_record_set_string(&key, AK_ID, "another");
  ck_assert_int_eq(call_get(), APIKEYS_ERROR_STORAGE_CONTRACT);
  ck_assert_int_eq(call_scan(), APIKEYS_ERROR_STORAGE_CONTRACT);
  apikeys_record_clear(&out);
  told.shown = &out;
  ck_assert_int_eq(call_scan(), APIKEYS_ERROR_CORRUPT);
  told.shown = NULL;
  ck_assert_int_eq(call_scan(), APIKEYS_ERROR_STORAGE_CONTRACT);
}
END_TEST

START_TEST(a_record_of_another_kind_is_a_breach) {
  apikeys_record event;
  ak_record_init(&event, AK_EVENT);
  told.shown = &event;
  ck_assert_int_eq(call_scan(), APIKEYS_ERROR_STORAGE_CONTRACT);
}
END_TEST

START_TEST(a_record_with_a_field_missing_is_corrupt) {
  apikeys_record_set_null(&key, AK_API_KEY_SEALED);
  ck_assert_int_eq(call_get(), APIKEYS_ERROR_CORRUPT);
  ck_assert_int_eq(call_scan(), APIKEYS_ERROR_CORRUPT);
}
END_TEST

START_TEST(more_records_than_the_limit_are_a_breach) {
  query.limit = 2;
  told.shown_times = 2;
  ck_assert_int_eq(call_scan(), APIKEYS_OK);
  told.shown_times = 3;
  ck_assert_int_eq(call_scan(), APIKEYS_ERROR_STORAGE_CONTRACT);
}
END_TEST

struct stop {
  int after;
  int with;
  int calls;
};

static int stop_after(const apikeys_record *record, void *visit_data) {
  struct stop *stop = visit_data;
  (void)record;
  ck_assert(ak_inside_callback());
  return ++stop->calls >= stop->after ? stop->with : 0;
}

START_TEST(a_visitors_number_comes_through) {
  static const int numbers[] = {1, 7, INT32_MAX, -7, APIKEYS_ERROR_NOT_FOUND, APIKEYS_REVOKED};
  told.shown_times = 5;
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    struct stop stop = {.after = 3, .with = numbers[i]};
    ck_assert_int_eq(ak_scan(&transaction, &query, stop_after, &stop), numbers[i]);
    ck_assert_int_eq(stop.calls, 3);
  }
  ck_assert(!ak_inside_callback());
}
END_TEST

START_TEST(a_store_that_ignores_a_stop_is_in_breach) {
  struct stop stop = {.after = 2, .with = 7};
  told.shown_times = 5;
  told.deaf = true;
  ck_assert_int_eq(ak_scan(&transaction, &query, stop_after, &stop),
                   APIKEYS_ERROR_STORAGE_CONTRACT);
  ck_assert_int_eq(stop.calls, 2); /* the visitor was left alone all the same */
  stop.calls = 0;
  told.answer = 8;
  ck_assert_int_eq(ak_scan(&transaction, &query, stop_after, &stop),
                   APIKEYS_ERROR_STORAGE_CONTRACT);
  told.answer = APIKEYS_ERROR_STORAGE;
  ck_assert_int_eq(ak_scan(&transaction, &query, stop_after, &stop), APIKEYS_ERROR_STORAGE);
}
END_TEST

/* -------------------------------------------------------------- what is not even asked -------- */

START_TEST(records_that_lack_something_are_not_stored) {
  apikeys_record_set_null(&key, AK_API_KEY_USER_ID); /* may be NULL */
  apikeys_record_set_null(&key, AK_NUMBER);          /* is the store's */
  ck_assert_int_eq(call_raise(), APIKEYS_OK);
  ck_assert_int_eq(call_update(), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(call_insert(), APIKEYS_OK);
  apikeys_record_set_null(&key, AK_API_KEY_NAME);
  ck_assert_int_eq(call_insert(), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(call_update(), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(call_raise(), APIKEYS_ERROR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(entries_that_are_too_long_are_not_stored) {
  char text[APIKEYS_INDEX_KEY_MAX];
  memset(text, 'x', sizeof text);
  apikeys_record_set_text(&key, AK_API_KEY_NAME, text, sizeof text); /* in no index */
  ck_assert_int_eq(call_insert(), APIKEYS_OK);
  apikeys_record_set_text(&key, AK_API_KEY_USER_ID, text, sizeof text);
  ck_assert_int_eq(call_insert(), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(call_update(), APIKEYS_ERROR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(records_that_ran_out_of_memory_are_not_stored) {
  key.failed = true;
  ck_assert_int_eq(call_insert(), APIKEYS_ERROR_NO_MEMORY);
  ck_assert_int_eq(call_update(), APIKEYS_ERROR_NO_MEMORY);
  ck_assert_int_eq(call_raise(), APIKEYS_ERROR_NO_MEMORY);
}
END_TEST

START_TEST(only_integers_are_raised) {
  ck_assert_int_eq(ak_store_max(&transaction, &key, AK_API_KEY_NAME),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(ak_store_max(&transaction, &key, AK_NUMBER), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(ak_store_max(&transaction, &key, 99), APIKEYS_ERROR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(queries_without_scope_are_not_asked) {
  memset(&query, 0, sizeof query);
  query.kind = AK_API_KEY;
  ck_assert_int_eq(call_get(), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(call_count(), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(call_scan(), APIKEYS_ERROR_INVALID_ARGUMENT);
  ak_query_of(&query, AK_API_KEY, 0, "", 0); /* nobody's: not the environment's */
  ck_assert_int_eq(call_scan(), APIKEYS_ERROR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(a_number_that_is_none_is_a_breach) {
  told.number = 0;
  ck_assert_int_eq(call_insert(), APIKEYS_ERROR_STORAGE_CONTRACT);
  told.number = -1;
  ck_assert_int_eq(call_insert(), APIKEYS_ERROR_STORAGE_CONTRACT);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("storage");
  TCase *tcase = tcase_create("contract");
  tcase_add_checked_fixture(tcase, set_up, tear_down);
  tcase_add_loop_test(tcase, good_is_passed_on, 0, SLOT_COUNT);
  tcase_add_loop_test(tcase, positive_numbers_never_read_as_good, 0, SLOT_COUNT);
  tcase_add_loop_test(tcase, the_stores_failures_are_passed_on, 0, SLOT_COUNT);
  tcase_add_loop_test(tcase, codes_that_a_slot_may_not_give_are_a_breach, 0, SLOT_COUNT);
  tcase_add_loop_test(tcase, slots_cannot_call_back, 0, SLOT_COUNT);
  tcase_add_test(tcase, a_rollback_from_inside_a_slot_does_nothing);
  tcase_add_test(tcase, a_transaction_ends_once);
  tcase_add_test(tcase, a_transaction_without_a_handle_is_a_breach);
  tcase_add_test(tcase, a_record_that_was_not_asked_for_is_a_breach);
  tcase_add_test(tcase, a_record_of_another_kind_is_a_breach);
  tcase_add_test(tcase, a_record_with_a_field_missing_is_corrupt);
  tcase_add_test(tcase, more_records_than_the_limit_are_a_breach);
  tcase_add_test(tcase, a_visitors_number_comes_through);
  tcase_add_test(tcase, a_store_that_ignores_a_stop_is_in_breach);
  tcase_add_test(tcase, records_that_lack_something_are_not_stored);
  tcase_add_test(tcase, entries_that_are_too_long_are_not_stored);
  tcase_add_test(tcase, records_that_ran_out_of_memory_are_not_stored);
  tcase_add_test(tcase, only_integers_are_raised);
  tcase_add_test(tcase, queries_without_scope_are_not_asked);
  tcase_add_test(tcase, a_number_that_is_none_is_a_breach);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
