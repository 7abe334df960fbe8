/* SPDX-License-Identifier: MIT */
#include "conformance_race.h"

#include <stdio.h>
#include <string.h>

static void expect(struct race *race, bool good) {
  if (!good)
    atomic_fetch_add(&race->failures, 1);
}

static int integer_field(int kind) {
  for (int field = ID + 1; field < apikeys_schema_field_count(kind); field++)
    if (apikeys_schema_field_type(kind, field) == APIKEYS_TYPE_INTEGER &&
        !cf_is_indexed(kind, field))
      return field;
  return -1;
}

void cf_race_init(struct race *race, apikeys_storage *storage) {
  int index;
  *race = (struct race){.storage = storage, .kind = cf_kind_by_number(&index)};
  race->field = integer_field(race->kind);
  race->writes = cf_rounds(60);
  ck_assert_int_gt(race->field, 0);
  pthread_mutex_init(&race->lock, NULL);
  pthread_cond_init(&race->moved, NULL);
}

void cf_race_insert(struct race *race) {
  apikeys_record *record = cf_new_record(race->kind);
  apikeys_transaction *transaction = cf_begin_write();
  for (unsigned n = 0; n < 2; n++) {
    cf_fill(record, n);
    apikeys_record_set_integer(record, race->field, 0);
    ck_assert_int_eq(cf_insert(transaction, record), APIKEYS_OK);
  }
  cf_commit(transaction);
  apikeys_record_free(record);
}

void cf_race_end(struct race *race) {
  pthread_mutex_lock(&race->lock);
  race->done = true;
  pthread_cond_broadcast(&race->moved);
  pthread_mutex_unlock(&race->lock);
}

/* Reads one of the two by id, with what the thread prepared. */
int64_t cf_read_one(struct race *race, apikeys_transaction *transaction, const apikeys_query *query,
                    apikeys_record *out) {
  int rc = race->storage->get(race->storage->self, transaction, query, out);
  expect(race, rc == APIKEYS_OK);
  return rc == APIKEYS_OK ? apikeys_record_integer(out, race->field) : -1;
}

void cf_pair_init(struct pair *pair, int kind) {
  pair->record = apikeys_record_new(kind);
  for (unsigned n = 0; n < 2; n++) {
    char id[32];
    snprintf(id, sizeof id, "field %d of %06u", ID, n); /* as cf_fill() names them */
    (void)apikeys_record_set_text(pair->record, ID, id, strlen(id));
    pair->queries[n] = apikeys_query_new(kind, 0, APIKEYS_SCOPE_ANY, NULL, 0);
    (void)apikeys_query_set_equal(pair->queries[n], pair->record, 1);
  }
}

void cf_pair_free(struct pair *pair) {
  apikeys_record_free(pair->record);
  apikeys_query_free(pair->queries[0]);
  apikeys_query_free(pair->queries[1]);
}

static void acknowledge(struct race *race, int64_t value) {
  int64_t known = atomic_load(&race->committed);
  while (known < value && !atomic_compare_exchange_weak(&race->committed, &known, value))
    ;
  pthread_mutex_lock(&race->lock);
  pthread_cond_broadcast(&race->moved);
  pthread_mutex_unlock(&race->lock);
}

void cf_raise_both(struct race *race, struct pair *pair, bool keep) {
  apikeys_storage *storage = race->storage;
  apikeys_transaction *transaction = NULL;
  if (cf_try_begin(storage, APIKEYS_TRANSACTION_WRITE, &transaction) != APIKEYS_OK) {
    expect(race, false);
    return;
  }
  int64_t value = 0;
  for (int n = 0; n < 2; n++) {
    value = cf_read_one(race, transaction, pair->queries[n], pair->record) + 1;
    (void)apikeys_record_set_integer(pair->record, race->field, value);
    expect(race, storage->update(storage->self, transaction, pair->record) == APIKEYS_OK);
  }
  if (!keep) {
    storage->rollback(storage->self, transaction);
    return;
  }
  expect(race, storage->commit(storage->self, transaction) == APIKEYS_OK);
  acknowledge(race, value);
}

void *cf_write_pairs(void *argument) {
  struct race *race = argument;
  struct pair pair;
  cf_pair_init(&pair, race->kind);
  for (int i = 0; i < race->writes; i++) {
    cf_raise_both(race, &pair, true);
    cf_raise_both(race, &pair, false);
  }
  cf_pair_free(&pair);
  return NULL;
}

static void read_both(struct race *race, struct pair *pair) {
  apikeys_transaction *transaction = NULL;
  int64_t floor = atomic_load(&race->committed);
  if (cf_try_begin(race->storage, APIKEYS_TRANSACTION_READ, &transaction) != APIKEYS_OK) {
    expect(race, false);
    return;
  }
  int64_t first = cf_read_one(race, transaction, pair->queries[0], pair->record);
  int64_t second = cf_read_one(race, transaction, pair->queries[1], pair->record);
  int64_t again = cf_read_one(race, transaction, pair->queries[0], pair->record);
  expect(race, first >= floor && first == second && first == again);
  expect(race, race->storage->commit(race->storage->self, transaction) == APIKEYS_OK);
  atomic_fetch_add(&race->reads, 1);
}

/* False at the end of the race. */
static bool await_a_commit_after(struct race *race, int64_t known) {
  pthread_mutex_lock(&race->lock);
  while (!race->done && atomic_load(&race->committed) == known)
    pthread_cond_wait(&race->moved, &race->lock);
  bool go_on = !race->done;
  pthread_mutex_unlock(&race->lock);
  return go_on;
}

/* Readers get no further ahead of the writers than this, or a scheduler that is not fair (as that
 * of valgrind) lets nobody else run. */
enum { READS_A_COMMIT = 12 };

void *cf_read_pairs(void *argument) {
  struct race *race = argument;
  struct pair pair;
  int64_t known;
  cf_pair_init(&pair, race->kind);
  do {
    known = atomic_load(&race->committed);
    for (int i = 0; i < READS_A_COMMIT; i++)
      read_both(race, &pair);
  } while (await_a_commit_after(race, known));
  cf_pair_free(&pair);
  return NULL;
}

void cf_assert_raised_to(struct race *race, int64_t expected) {
  struct pair pair;
  cf_pair_init(&pair, race->kind);
  apikeys_transaction *transaction = cf_begin_read();
  for (int n = 0; n < 2; n++)
    ck_assert_int_eq(cf_read_one(race, transaction, pair.queries[n], pair.record), expected);
  cf_commit(transaction);
  cf_pair_free(&pair);
  ck_assert_int_eq(atomic_load(&race->failures), 0);
}
