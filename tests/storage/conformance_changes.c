/* SPDX-License-Identifier: MIT */
/*
 * What a back-end tells of its changes, if it does: the generation moves with every change that
 * could alter a validation, before the change is acknowledged, and what was changed is told.
 * A back-end may always say that it does not know (APIKEYS_ERROR_UNSUPPORTED).
 */
#include "conformance_changes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct storage_under_test *under_test;
static apikeys_storage store;

static void open_store(void) {
  memset(&store, 0, sizeof store);
  ck_assert_int_eq(under_test->open(&store), APIKEYS_OK);
}

static void close_store(void) {
  store.destroy(store.self);
  if (under_test->cleanup != NULL)
    under_test->cleanup();
}

/* -- Records that validations depend on ---------------------------------------------------------- */

/* The kinds, and the field that names what was changed. */
static const struct {
  const char *kind, *identity;
} told_kinds[] = {{"environment", NULL},          {"permissions", NULL},
                  {"roles", "organization_id"},   {"organizations", "id"},
                  {"members", "organization_id"}, {"api_keys", "lookup_id"}};
enum { TOLD_KINDS = sizeof told_kinds / sizeof told_kinds[0] };

static int kind_named(const char *name) {
  for (int kind = 1; kind <= apikeys_schema_kind_count(); kind++)
    if (strcmp(apikeys_schema_kind_name(kind), name) == 0)
      return kind;
  ck_abort_msg("no kind %s", name);
  return 0;
}

static int field_named(int kind, const char *name) {
  for (int field = 0; name != NULL && field < apikeys_schema_field_count(kind); field++)
    if (strcmp(apikeys_schema_field_name(kind, field), name) == 0)
      return field;
  return -1;
}

static void fill(apikeys_record *record, int n) {
  int kind = apikeys_record_kind(record);
  for (int field = 1; field < apikeys_schema_field_count(kind); field++) {
    char text[32];
    size_t length = (size_t)snprintf(text, sizeof text, "%d of %d", field, n);
    int rc = APIKEYS_OK;
    switch (apikeys_schema_field_type(kind, field)) {
    case APIKEYS_TYPE_INTEGER:
      rc = apikeys_record_set_integer(record, field, n * 100 + field);
      break;
    case APIKEYS_TYPE_TEXT:
      rc = apikeys_record_set_text(record, field, text, length);
      break;
    default:
      rc = apikeys_record_set_blob(record, field, text, length);
    }
    ck_assert_int_eq(rc, APIKEYS_OK);
  }
}

/* -- The slots ------------------------------------------------------------------------------------ */

static bool tells_generation(apikeys_storage *storage, uint64_t *generation) {
  if (storage->generation == NULL)
    return false;
  int rc = storage->generation(storage->self, generation);
  ck_assert(rc == APIKEYS_OK || rc == APIKEYS_ERROR_UNSUPPORTED);
  return rc == APIKEYS_OK;
}

static apikeys_transaction *begin(apikeys_storage *storage, int mode) {
  apikeys_transaction *transaction = NULL;
  ck_assert_int_eq(storage->begin(storage->self, mode, &transaction), APIKEYS_OK);
  return transaction;
}

enum change { INSERT, UPDATE, REMOVE };

static void make_change(apikeys_storage *storage, enum change change, apikeys_record *record) {
  apikeys_transaction *transaction = begin(storage, APIKEYS_TRANSACTION_WRITE);
  int rc = change == INSERT ? storage->insert(storage->self, transaction, record)
           : change == UPDATE
               ? storage->update(storage->self, transaction, record)
               : storage->remove(storage->self, transaction, apikeys_record_kind(record),
                                 apikeys_record_integer(record, 0));
  ck_assert_int_eq(rc, APIKEYS_OK);
  ck_assert_int_eq(storage->commit(storage->self, transaction), APIKEYS_OK);
}

struct awaited {
  int kind;
  const char *identity;
  int seen;
};

static int await(int kind, const char *identity, size_t length, void *data) {
  struct awaited *awaited = data;
  ck_assert_ptr_nonnull(identity);
  awaited->seen += kind == awaited->kind && length == strlen(awaited->identity) &&
                   memcmp(identity, awaited->identity, length) == 0;
  return APIKEYS_OK;
}

/* Told, or not known at all. */
static void assert_told(apikeys_storage *storage, uint64_t since, int kind, const char *identity) {
  struct awaited awaited = {kind, identity, 0};
  if (storage->changes == NULL)
    return;
  apikeys_transaction *transaction = begin(storage, APIKEYS_TRANSACTION_READ);
  int rc = storage->changes(storage->self, transaction, since, await, &awaited);
  ck_assert_int_eq(storage->commit(storage->self, transaction), APIKEYS_OK);
  ck_assert(rc == APIKEYS_ERROR_UNSUPPORTED || (rc == APIKEYS_OK && awaited.seen > 0));
}

static const char *identity_in(const apikeys_record *record, int number) {
  int field = field_named(apikeys_record_kind(record), told_kinds[number].identity);
  return field >= 0 ? apikeys_record_text(record, field, NULL) : "";
}

/* -- The tests ------------------------------------------------------------------------------------ */

/* An update of every field, and a removal: each moves the generation, and is told by old name and
 * new. */
START_TEST(a_change_moves_the_generation_and_is_told) {
  int kind = kind_named(told_kinds[_i].kind);
  apikeys_record *record = apikeys_record_new(kind), *old = apikeys_record_new(kind);
  uint64_t before, after, last;
  fill(record, 1);
  make_change(&store, INSERT, record);
  ck_assert_int_eq(apikeys_record_copy(old, record), APIKEYS_OK);
  if (tells_generation(&store, &before)) {
    fill(record, 2);
    make_change(&store, UPDATE, record);
    ck_assert(!tells_generation(&store, &after) || after != before);
    assert_told(&store, before, kind, identity_in(old, _i));
    assert_told(&store, before, kind, identity_in(record, _i));
    after = before;
    tells_generation(&store, &after);
    make_change(&store, REMOVE, record);
    ck_assert(!tells_generation(&store, &last) || (last != after && last != before));
    assert_told(&store, after, kind, identity_in(record, _i));
    assert_told(&store, before, kind, identity_in(old, _i));
  }
  apikeys_record_free(record);
  apikeys_record_free(old);
}
END_TEST

static int never(int kind, const char *identity, size_t length, void *data) {
  (void)kind, (void)identity, (void)length, (void)data;
  ck_abort_msg("nothing had been changed");
  return 0;
}

START_TEST(nothing_is_told_where_nothing_was_changed) {
  uint64_t before, after;
  if (!tells_generation(&store, &before))
    return;
  store.rollback(store.self, begin(&store, APIKEYS_TRANSACTION_WRITE));
  ck_assert_int_eq(store.commit(store.self, begin(&store, APIKEYS_TRANSACTION_WRITE)), APIKEYS_OK);
  ck_assert(!tells_generation(&store, &after) || after == before);
  if (store.changes == NULL)
    return;
  apikeys_transaction *transaction = begin(&store, APIKEYS_TRANSACTION_READ);
  int rc = store.changes(store.self, transaction, before, never, NULL);
  ck_assert(rc == APIKEYS_OK || rc == APIKEYS_ERROR_UNSUPPORTED);
  ck_assert_int_eq(store.commit(store.self, transaction), APIKEYS_OK);
}
END_TEST

static int stop(int kind, const char *identity, size_t length, void *data) {
  (void)kind, (void)identity, (void)length;
  int *calls = data;
  ++*calls;
  return APIKEYS_ERROR_NO_MEMORY;
}

START_TEST(a_visitor_ends_the_telling_with_its_number) {
  int calls = 0;
  uint64_t before;
  apikeys_record *record = apikeys_record_new(kind_named("api_keys"));
  fill(record, 1);
  make_change(&store, INSERT, record);
  if (tells_generation(&store, &before) && store.changes != NULL) {
    fill(record, 2);
    make_change(&store, UPDATE, record);
    apikeys_transaction *transaction = begin(&store, APIKEYS_TRANSACTION_READ);
    int rc = store.changes(store.self, transaction, before, stop, &calls);
    ck_assert(calls == 0 ? rc == APIKEYS_ERROR_UNSUPPORTED : rc == APIKEYS_ERROR_NO_MEMORY);
    ck_assert_int_le(calls, 1);
    store.rollback(store.self, transaction);
  }
  apikeys_record_free(record);
}
END_TEST

/* However long ago: all of it is told, or that it is not known. */
START_TEST(of_many_changes_none_is_left_out) {
  enum { MANY = 3000 };
  uint64_t before;
  apikeys_record *record = apikeys_record_new(kind_named("api_keys"));
  fill(record, 0);
  make_change(&store, INSERT, record);
  char *first = strdup(identity_in(record, TOLD_KINDS - 1));
  if (tells_generation(&store, &before)) {
    for (int round = 0; round < 3; round++) {
      apikeys_transaction *transaction = begin(&store, APIKEYS_TRANSACTION_WRITE);
      for (int i = 1; i <= MANY / 3; i++) {
        fill(record, round * MANY + i);
        ck_assert_int_eq(store.update(store.self, transaction, record), APIKEYS_OK);
      }
      ck_assert_int_eq(store.commit(store.self, transaction), APIKEYS_OK);
    }
    assert_told(&store, before, apikeys_record_kind(record), first);
    assert_told(&store, before, apikeys_record_kind(record), identity_in(record, TOLD_KINDS - 1));
  }
  free(first);
  apikeys_record_free(record);
}
END_TEST

START_TEST(what_another_handle_changes_is_told) {
  apikeys_storage other;
  uint64_t before, after;
  if ((store.capabilities & APIKEYS_STORAGE_MANY_PROCESSES) == 0 || under_test->reopen == NULL)
    return;
  ck_assert_int_eq(under_test->reopen(&other), APIKEYS_OK);
  apikeys_record *record = apikeys_record_new(kind_named("api_keys"));
  fill(record, 1);
  make_change(&other, INSERT, record);
  for (int i = 2; i < 50 && tells_generation(&store, &before); i++) {
    char *old = strdup(identity_in(record, TOLD_KINDS - 1));
    fill(record, i);
    make_change(&other, UPDATE, record);
    ck_assert(!tells_generation(&store, &after) || after != before);
    assert_told(&store, before, apikeys_record_kind(record), old);
    free(old);
  }
  apikeys_record_free(record);
  other.destroy(other.self);
}
END_TEST

/* -- While others write --------------------------------------------------------------------------- */

enum { COMMITS = 400 };

static _Atomic int acknowledged;

static void *write_on(void *data) {
  apikeys_record *record = data;
  for (int i = 1; i <= COMMITS; i++) {
    fill(record, i + 1);
    make_change(&store, UPDATE, record);
    atomic_store(&acknowledged, i);
  }
  return NULL;
}

/*
 * Two calls that give the same number have no whole commit between them. Where two more were
 * acknowledged from behind the first call to before the second, the later of them began between.
 */
START_TEST(the_generation_is_never_late) {
  pthread_t writer;
  uint64_t first, second;
  apikeys_record *record = apikeys_record_new(kind_named("api_keys"));
  fill(record, 1);
  make_change(&store, INSERT, record);
  atomic_store(&acknowledged, 0);
  ck_assert_int_eq(pthread_create(&writer, NULL, write_on, record), 0);
  int late = 0;
  while (atomic_load(&acknowledged) < COMMITS) {
    bool told = tells_generation(&store, &first);
    int then = atomic_load(&acknowledged), now = then;
    while (told && now < then + 2 && now < COMMITS)
      now = atomic_load(&acknowledged);
    late += told && now >= then + 2 && tells_generation(&store, &second) && first == second;
  }
  pthread_join(writer, NULL);
  ck_assert_int_eq(late, 0);
  apikeys_record_free(record);
}
END_TEST

void storage_conformance_changes(Suite *suite, const struct storage_under_test *given) {
  under_test = given;
  TCase *changes = tcase_create("changes");
  tcase_add_checked_fixture(changes, open_store, close_store);
  tcase_add_loop_test(changes, a_change_moves_the_generation_and_is_told, 0, TOLD_KINDS);
  tcase_add_test(changes, nothing_is_told_where_nothing_was_changed);
  tcase_add_test(changes, a_visitor_ends_the_telling_with_its_number);
  tcase_add_test(changes, of_many_changes_none_is_left_out);
  tcase_add_test(changes, what_another_handle_changes_is_told);
  tcase_add_test(changes, the_generation_is_never_late);
  suite_add_tcase(suite, changes);
}
