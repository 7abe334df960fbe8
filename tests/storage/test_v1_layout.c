/* SPDX-License-Identifier: MIT */
/* A back-end of version 1.0, and those of versions to come, against the library as it is now. */
#include "storage_v1.h"

#include "storage/storage.h"

#include "support/suite.h"

#include <check.h>
#include <string.h>

#define SAME_PLACE(slot)                                                                           \
  _Static_assert(offsetof(apikeys_storage, slot) == offsetof(storage_v1, slot),                    \
                 #slot " has moved since 1.0")
SAME_PLACE(struct_size);
SAME_PLACE(capabilities);
SAME_PLACE(self);
SAME_PLACE(destroy);
SAME_PLACE(begin);
SAME_PLACE(commit);
SAME_PLACE(rollback);
SAME_PLACE(get);
SAME_PLACE(insert);
SAME_PLACE(update);
SAME_PLACE(remove);
SAME_PLACE(count);
SAME_PLACE(scan);
SAME_PLACE(raise);
SAME_PLACE(backup);
SAME_PLACE(prepare_fork);
_Static_assert(sizeof(apikeys_storage) >= sizeof(storage_v1), "slots are never removed");

/* ------------------------------------------------------ a back-end that notes its calls ------ */

static char calls[16];

static void note(char call) {
  size_t length = strlen(calls);
  ck_assert_uint_lt(length + 1, sizeof calls);
  calls[length] = call;
  calls[length + 1] = '\0';
}

static void v1_destroy(void *self) {
  (void)self;
  note('d');
}

static int v1_begin(void *self, int mode, apikeys_transaction **transaction) {
  (void)mode;
  *transaction = self;
  note('b');
  return 0;
}

static int v1_commit(void *self, apikeys_transaction *transaction) {
  ck_assert_ptr_eq(self, transaction);
  note('c');
  return 0;
}

static void v1_rollback(void *self, apikeys_transaction *transaction) {
  ck_assert_ptr_eq(self, transaction);
  note('r');
}

static int v1_get(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                  apikeys_record *out) {
  (void)self, (void)transaction, (void)query, (void)out;
  note('g');
  return APIKEYS_ERROR_NOT_FOUND;
}

static int v1_insert(void *self, apikeys_transaction *transaction, apikeys_record *record) {
  (void)self, (void)transaction;
  note('i');
  return apikeys_record_set_integer(record, 0, 1);
}

static int v1_update(void *self, apikeys_transaction *transaction, const apikeys_record *record) {
  (void)self, (void)transaction, (void)record;
  note('u');
  return 0;
}

static int v1_remove(void *self, apikeys_transaction *transaction, int kind, int64_t number) {
  (void)self, (void)transaction, (void)kind, (void)number;
  note('x');
  return 0;
}

static int v1_count(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                    uint64_t *count) {
  (void)self, (void)transaction, (void)query;
  note('n');
  *count = 42;
  return 0;
}

static int v1_scan(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                   apikeys_visitor visit, void *visit_data) {
  (void)self, (void)transaction, (void)query, (void)visit, (void)visit_data;
  note('s');
  return 0;
}

static int v1_raise(void *self, apikeys_transaction *transaction, const apikeys_record *record,
                    int field) {
  (void)self, (void)transaction, (void)record, (void)field;
  note('m');
  return 0;
}

static int v1_backup(void *self, const char *path) {
  (void)self, (void)path;
  note('k');
  return 0;
}

static int v1_prepare_fork(void *self) {
  (void)self;
  note('f');
  return 0;
}

static storage_v1 make_v1(void) {
  calls[0] = '\0';
  return (storage_v1){.struct_size = sizeof(storage_v1),
                      .self = calls,
                      .destroy = v1_destroy,
                      .begin = v1_begin,
                      .commit = v1_commit,
                      .rollback = v1_rollback,
                      .get = v1_get,
                      .insert = v1_insert,
                      .update = v1_update,
                      .remove = v1_remove,
                      .count = v1_count,
                      .scan = v1_scan,
                      .raise = v1_raise,
                      .backup = v1_backup,
                      .prepare_fork = v1_prepare_fork};
}

/* As a program hands its struct over: all that the two sides share is the address. */
static const apikeys_storage *as_given(const void *bytes) {
  return bytes;
}

static int nothing(const apikeys_record *record, void *visit_data) {
  (void)record, (void)visit_data;
  return 0;
}

/* ---------------------------------------------------------------------------- the tests ------ */

START_TEST(a_back_end_of_version_1_works) {
  storage_v1 mine = make_v1();
  apikeys_storage loaded;
  struct ak_transaction transaction;
  apikeys_query query;
  apikeys_record record;
  uint64_t count = 0;
  ck_assert_int_eq(ak_storage_load(&loaded, as_given(&mine), NULL), APIKEYS_OK);
  ak_query_any(&query, AK_API_KEY_USE, 0);
  ak_record_init(&record, AK_API_KEY_USE);
  ak_record_set_string(&record, AK_ID, "api_key_1");
  apikeys_record_set_integer(&record, AK_API_KEY_USE_LAST_USED_AT, 7);

  ck_assert_int_eq(ak_begin(&transaction, &loaded, APIKEYS_TRANSACTION_WRITE), 0);
  ck_assert_int_eq(ak_insert(&transaction, &record), 0);
  ck_assert_int_eq(ak_update(&transaction, &record), 0);
  ck_assert_int_eq(ak_store_max(&transaction, &record, AK_API_KEY_USE_LAST_USED_AT), 0);
  ck_assert_int_eq(ak_get(&transaction, &query, &record), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(ak_count(&transaction, &query, &count), 0);
  ck_assert_uint_eq(count, 42);
  ck_assert_int_eq(ak_scan(&transaction, &query, nothing, NULL), 0);
  ck_assert_int_eq(ak_remove(&transaction, AK_API_KEY_USE, 1), 0);
  ck_assert_int_eq(ak_commit(&transaction), 0);
  ck_assert_int_eq(ak_begin(&transaction, &loaded, APIKEYS_TRANSACTION_READ), 0);
  ak_rollback(&transaction);
  ck_assert_int_eq(ak_storage_backup(&loaded, "copy"), 0);
  ck_assert_int_eq(ak_storage_prepare_fork(&loaded), 0);
  ak_storage_destroy(&loaded);
  ck_assert_str_eq(calls, "biumgnsxcbrkfd");
  ak_record_release(&record);
}
END_TEST

/* What a later version of the header might look like. */
struct storage_later {
  storage_v1 known;
  int (*unknown_slot)(void *self);
  void *another[3];
};

START_TEST(a_later_one_loads_if_it_uses_nothing_new) {
  struct storage_later later;
  apikeys_storage loaded;
  memset(&later, 0, sizeof later);
  later.known = make_v1();
  later.known.struct_size = sizeof later;
  ck_assert_int_eq(ak_storage_load(&loaded, as_given(&later), NULL), APIKEYS_OK);
  ck_assert_uint_eq(loaded.struct_size, sizeof loaded);
  ck_assert(loaded.prepare_fork == v1_prepare_fork);
}
END_TEST

START_TEST(a_later_one_that_uses_something_new_is_refused) {
  struct storage_later later;
  apikeys_storage loaded, before;
  for (size_t i = sizeof(apikeys_storage); i < sizeof later; i++) {
    memset(&later, 0, sizeof later);
    later.known = make_v1();
    later.known.struct_size = sizeof later;
    ((unsigned char *)&later)[i] = 1;
    memset(&loaded, 0xa5, sizeof loaded);
    memcpy(&before, &loaded, sizeof before);
    ck_assert_int_eq(ak_storage_load(&loaded, as_given(&later), NULL), APIKEYS_ERROR_UNSUPPORTED);
    ck_assert_mem_eq(&loaded, &before, sizeof loaded);
  }
  ak_storage_destroy(as_given(&later)); /* it was taken over all the same */
  ck_assert_str_eq(calls, "d");
}
END_TEST

/* A struct that ends before the optional slots: what lies behind it is not looked at. */
START_TEST(an_earlier_one_has_no_optional_slots) {
  storage_v1 mine = make_v1();
  apikeys_storage loaded;
  mine.struct_size = (uint32_t)offsetof(storage_v1, backup);
  ck_assert_int_eq(ak_storage_load(&loaded, as_given(&mine), NULL), APIKEYS_OK);
  ck_assert(loaded.backup == NULL && loaded.prepare_fork == NULL);
  ck_assert_int_eq(ak_storage_backup(&loaded, "copy"), APIKEYS_ERROR_UNSUPPORTED);
  ck_assert_int_eq(ak_storage_prepare_fork(&loaded), APIKEYS_OK);
  ck_assert_str_eq(calls, "");
}
END_TEST

START_TEST(sizes_that_cannot_be_are_refused) {
  static const uint32_t sizes[] = {0, 1, 4, 8, sizeof(void *) + 7, 4097, 1U << 20, UINT32_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    storage_v1 mine = make_v1();
    apikeys_storage loaded;
    mine.struct_size = sizes[i];
    ck_assert_int_eq(ak_storage_load(&loaded, as_given(&mine), NULL),
                     APIKEYS_ERROR_INVALID_ARGUMENT);
    ak_storage_destroy(as_given(&mine)); /* nothing is called through it */
    ck_assert_str_eq(calls, "");
  }
  apikeys_storage loaded;
  ck_assert_int_eq(ak_storage_load(&loaded, NULL, NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
}
END_TEST

struct slot {
  const char *name;
  size_t offset;
};

static const struct slot required[] = {
    {"destroy", offsetof(storage_v1, destroy)}, {"begin", offsetof(storage_v1, begin)},
    {"commit", offsetof(storage_v1, commit)},   {"rollback", offsetof(storage_v1, rollback)},
    {"get", offsetof(storage_v1, get)},         {"insert", offsetof(storage_v1, insert)},
    {"update", offsetof(storage_v1, update)},   {"remove", offsetof(storage_v1, remove)},
    {"count", offsetof(storage_v1, count)},     {"scan", offsetof(storage_v1, scan)},
    {"raise", offsetof(storage_v1, raise)}};

START_TEST(an_absent_required_slot_is_refused_by_name) {
  const struct slot *slot = &required[_i];
  apikeys_error *err = apikeys_error_new();
  storage_v1 mine = make_v1();
  apikeys_storage loaded;
  memset((unsigned char *)&mine + slot->offset, 0, sizeof(void (*)(void)));
  ck_assert_int_eq(ak_storage_load(&loaded, as_given(&mine), err), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_str_eq(apikeys_error_field(err), slot->name);

  mine = make_v1(); /* and one that the struct is too short for is absent */
  mine.struct_size = (uint32_t)slot->offset;
  ck_assert_int_eq(ak_storage_load(&loaded, as_given(&mine), err), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_error_free(err);
}
END_TEST

START_TEST(optional_slots_may_be_absent) {
  storage_v1 mine = make_v1();
  apikeys_storage loaded;
  mine.backup = NULL;
  mine.prepare_fork = NULL;
  ck_assert_int_eq(ak_storage_load(&loaded, as_given(&mine), NULL), APIKEYS_OK);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("storage layout");
  TCase *tcase = tcase_create("layout");
  tcase_add_test(tcase, a_back_end_of_version_1_works);
  tcase_add_test(tcase, a_later_one_loads_if_it_uses_nothing_new);
  tcase_add_test(tcase, a_later_one_that_uses_something_new_is_refused);
  tcase_add_test(tcase, an_earlier_one_has_no_optional_slots);
  tcase_add_test(tcase, sizes_that_cannot_be_are_refused);
  tcase_add_loop_test(tcase, an_absent_required_slot_is_refused_by_name, 0,
                      (int)(sizeof required / sizeof required[0]));
  tcase_add_test(tcase, optional_slots_may_be_absent);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
