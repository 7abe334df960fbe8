/* SPDX-License-Identifier: MIT */
/* A transaction sees one state: all of what was committed before it, nothing of what comes
 * later. */
#include "conformance_model.h"
#include "conformance_race.h"

#include <pthread.h>
#include <stdlib.h>

START_TEST(a_reader_keeps_its_state) {
  if (!cf_given->snapshots)
    return;
  struct model old = {.kind = _i}, new;
  cf_seed_random(600 + _i);
  cf_insert_many(&old, 1000, 20);
  cf_model_copy(&new, &old);
  apikeys_transaction *reader = cf_begin_read();
  cf_assert_holds(reader, &old);
  apikeys_transaction *writer = cf_begin_write();
  for (int i = 0; i < 20; i++) {
    cf_change_at_random(&new, writer, 1000);
    if (i % 10 == 0)
      cf_assert_holds(reader, &old);
  }
  cf_commit(writer);
  cf_assert_holds(reader, &old);
  apikeys_transaction *later = cf_begin_read();
  cf_assert_holds(later, &new);
  cf_assert_holds(reader, &old);
  cf_commit(reader);
  cf_commit(later);
  cf_model_free(&old);
  cf_model_free(&new);
}
END_TEST

START_TEST(threads_see_whole_commits_and_new_ones) {
  enum { WRITERS = 2, READERS = 3 };
  struct race race;
  pthread_t writers[WRITERS], readers[READERS];
  cf_race_init(&race, &cf_store);
  cf_race_insert(&race);
  for (int i = 0; i < READERS; i++)
    ck_assert_int_eq(pthread_create(&readers[i], NULL, cf_read_pairs, &race), 0);
  for (int i = 0; i < WRITERS; i++)
    ck_assert_int_eq(pthread_create(&writers[i], NULL, cf_write_pairs, &race), 0);
  for (int i = 0; i < WRITERS; i++)
    pthread_join(writers[i], NULL);
  cf_race_end(&race);
  for (int i = 0; i < READERS; i++)
    pthread_join(readers[i], NULL);
  ck_assert_int_ge(atomic_load(&race.reads), READERS);
  cf_assert_raised_to(&race, (int64_t)WRITERS * race.writes); /* and no write was lost */
}
END_TEST

/* A reader that began sees one state while others write, also where those have to wait for it. */
static void *write_while_read(void *argument) {
  struct race *race = argument;
  struct pair pair;
  cf_pair_init(&pair, race->kind);
  cf_raise_both(race, &pair, true);
  cf_pair_free(&pair);
  return NULL;
}

START_TEST(a_reader_sees_one_state_while_others_write) {
  struct race race;
  struct pair pair;
  cf_race_init(&race, &cf_store);
  cf_race_insert(&race);
  cf_pair_init(&pair, race.kind);
  for (int round = 0; round < cf_rounds(20); round++) {
    pthread_t writer;
    apikeys_transaction *reader = cf_begin_read();
    int64_t value = cf_read_one(&race, reader, pair.queries[0], pair.record);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_while_read, &race), 0);
    for (int i = 0; i < 50; i++)
      ck_assert_int_eq(cf_read_one(&race, reader, pair.queries[i % 2], pair.record), value);
    cf_commit(reader);
    pthread_join(writer, NULL);
    cf_assert_raised_to(&race, value + 1);
  }
  cf_pair_free(&pair);
}
END_TEST

void conformance_isolation(Suite *suite) {
  TCase *isolation = cf_new_case(suite, "isolation");
  tcase_add_loop_test(isolation, a_reader_keeps_its_state, 1, apikeys_schema_kind_count() + 1);
  tcase_add_test(isolation, threads_see_whole_commits_and_new_ones);
  tcase_add_test(isolation, a_reader_sees_one_state_while_others_write);
}
