/* SPDX-License-Identifier: MIT */
/*
 * One environment, many threads. What must hold however they interleave: a validation that starts
 * after a revocation was acknowledged never gives 0, and one of a key that is good all the while
 * always does.
 *
 * Threads of a test must not assert (Check would jump off their stacks): they note what went wrong,
 * and the test's own thread asserts that nothing was noted.
 */
#include "support/suite.h"
#include "support/world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITERS = 2, VALIDATORS = 2, KEYS_PER_WRITER = 40, KEYS = WRITERS * KEYS_PER_WRITER };

/* A key only ever goes forward through these, so what is true before and after a validation was
 * true all through it. */
enum key_state { NOT_MADE, GOOD, BEING_REVOKED, REVOKED };

struct shared_key {
  struct made_key made; /* written before `state` leaves NOT_MADE, never again */
  _Atomic int state;
};

struct stage {
  struct world world;
  char organization[64];
  struct shared_key keys[KEYS];
  _Atomic int writers_left;
  _Atomic int next_writer;
  _Atomic int violations;
  char violation[256]; /* the first one */
  _Atomic int revoked_events, created_events;
  _Atomic int subscribed, destroyed;
  _Atomic int validated;
};

static void note(struct stage *stage, const char *what, int rc, const apikeys_error *err) {
  if (atomic_fetch_add(&stage->violations, 1) == 0)
    snprintf(stage->violation, sizeof stage->violation, "%s: %s (%s)", what,
             apikeys_result_name(rc), err == NULL ? "" : apikeys_error_message(err));
}

static void expect_ok(struct stage *stage, const char *what, int rc, const apikeys_error *err) {
  if (rc != APIKEYS_OK)
    note(stage, what, rc, err);
}

static int writing_goes_on(struct stage *stage) {
  return atomic_load(&stage->writers_left) > 0;
}

/* -- The threads ------------------------------------------------------------------------------- */

static void create(struct stage *stage, struct shared_key *key, apikeys_error *err) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key *object = apikeys_key_new();
  apikeys_key_spec_set_organization(spec, S(stage->organization));
  apikeys_key_spec_set_name(spec, S("k"));
  int rc = apikeys_key_create(stage->world.env, stage->world.system, spec, object, key->made.value,
                              sizeof key->made.value, NULL, err);
  expect_ok(stage, "create", rc, err);
  if (rc == APIKEYS_OK) {
    snprintf(key->made.id, sizeof key->made.id, "%s", apikeys_key_id(object, NULL));
    atomic_store(&key->state, GOOD);
  }
  apikeys_key_free(object);
  apikeys_key_spec_free(spec);
}

static void revoke(struct stage *stage, struct shared_key *key, apikeys_error *err) {
  if (atomic_load(&key->state) != GOOD)
    return;
  atomic_store(&key->state, BEING_REVOKED);
  int rc = apikeys_key_revoke(stage->world.env, stage->world.system, S(key->made.id), NULL, 0, NULL,
                              err);
  expect_ok(stage, "revoke", rc, err);
  if (rc == APIKEYS_OK)
    atomic_store(&key->state, REVOKED);
}

/* Creates its share of the keys and revokes every second one a little later. */
static void *write_keys(void *argument) {
  struct stage *stage = argument;
  apikeys_error *err = apikeys_error_new();
  struct shared_key *mine =
      stage->keys + (ptrdiff_t)atomic_fetch_add(&stage->next_writer, 1) * KEYS_PER_WRITER;
  for (int i = 0; i < KEYS_PER_WRITER; i++) {
    create(stage, &mine[i], err);
    if (i % 2 == 1)
      revoke(stage, &mine[i - 1], err);
  }
  atomic_fetch_sub(&stage->writers_left, 1);
  apikeys_error_free(err);
  return NULL;
}

static void validate_one(struct stage *stage, struct shared_key *key, apikeys_key *object,
                         apikeys_error *err) {
  int before = atomic_load(&key->state);
  if (before == NOT_MADE)
    return;
  int rc = apikeys_validate(stage->world.env, S(key->made.value), NULL, NULL, object, err);
  int after = atomic_load(&key->state);
  if (rc < 0)
    note(stage, "a validation failed", rc, err);
  if (before == REVOKED && rc == APIKEYS_OK)
    note(stage, "a revoked key was good", rc, err);
  if (after == GOOD && rc != APIKEYS_OK)
    note(stage, "a good key was refused", rc, err);
  if (rc == APIKEYS_OK && strcmp(apikeys_key_id(object, NULL), key->made.id) != 0)
    note(stage, "a value was taken for another key", rc, err);
  atomic_fetch_add(&stage->validated, 1);
}

static void *validate_keys(void *argument) {
  struct stage *stage = argument;
  apikeys_error *err = apikeys_error_new();
  apikeys_key *object = apikeys_key_new();
  int last_round;
  do { /* one more round after the last write: then every answer is certain */
    last_round = !writing_goes_on(stage);
    for (size_t i = 0; i < KEYS; i++)
      validate_one(stage, &stage->keys[i], object, err);
  } while (!last_round);
  apikeys_key_free(object);
  apikeys_error_free(err);
  return NULL;
}

/* A list is one state: what was good before it began is in it. */
static void *list_keys(void *argument) {
  struct stage *stage = argument;
  apikeys_error *err = apikeys_error_new();
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_organization_id(filter, S(stage->organization));
  apikeys_filter_set_revoked(filter, 1);
  apikeys_filter_set_limit(filter, 100);
  while (writing_goes_on(stage)) {
    size_t made = 0;
    for (size_t i = 0; i < KEYS; i++)
      made += atomic_load(&stage->keys[i].state) != NOT_MADE;
    int rc = apikeys_key_list(stage->world.env, stage->world.system, filter, page, err);
    expect_ok(stage, "list", rc, err);
    if (rc == APIKEYS_OK && apikeys_page_count(page) < made)
      note(stage, "a list lacks a key that was made before", rc, err);
  }
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  apikeys_error_free(err);
  return NULL;
}

static void *maintain(void *argument) {
  struct stage *stage = argument;
  apikeys_error *err = apikeys_error_new();
  while (writing_goes_on(stage))
    expect_ok(stage, "maintain", apikeys_maintain(stage->world.env, err), err);
  apikeys_error_free(err);
  return NULL;
}

static void count_event(apikeys_event *event, void *user_data) {
  struct stage *stage = user_data;
  if (strcmp(apikeys_event_type(event, NULL), "api_key.created") == 0)
    atomic_fetch_add(&stage->created_events, 1);
  if (strcmp(apikeys_event_type(event, NULL), "api_key.revoked") == 0)
    atomic_fetch_add(&stage->revoked_events, 1);
}

static void ignore_event(apikeys_event *event, void *user_data) {
  (void)event;
  (void)user_data;
}

static void count_destroyed(void *user_data) {
  struct stage *stage = user_data;
  atomic_fetch_add(&stage->destroyed, 1);
}

static void *subscribe_and_leave(void *argument) {
  struct stage *stage = argument;
  apikeys_error *err = apikeys_error_new();
  while (writing_goes_on(stage)) {
    apikeys_subscription *subscription = NULL;
    int rc = apikeys_subscribe(stage->world.env, ignore_event, stage, count_destroyed,
                               &subscription, err);
    expect_ok(stage, "subscribe", rc, err);
    atomic_fetch_add(&stage->subscribed, 1);
    apikeys_subscription_free(subscription);
  }
  apikeys_error_free(err);
  return NULL;
}

/* -- The stage --------------------------------------------------------------------------------- */

static struct stage *set_up(int backend) {
  struct stage *stage = calloc(1, sizeof *stage);
  ck_assert_ptr_nonnull(stage);
  world_open(&stage->world, (enum backend)backend);
  make_organization(&stage->world, "Acme", stage->organization);
  atomic_store(&stage->writers_left, WRITERS);
  return stage;
}

static void run(struct stage *stage, void *(*const *threads)(void *), size_t count) {
  pthread_t started[16];
  ck_assert_uint_le(count, 16);
  for (size_t i = 0; i < count; i++)
    ck_assert_int_eq(pthread_create(&started[i], NULL, threads[i], stage), 0);
  for (size_t i = 0; i < count; i++)
    ck_assert_int_eq(pthread_join(started[i], NULL), 0);
  ck_assert_msg(atomic_load(&stage->violations) == 0, "%s", stage->violation);
}

static void tear_down(struct stage *stage) {
  world_close(&stage->world);
  free(stage);
}

START_TEST(a_revocation_is_seen_by_every_validation_after_it) {
  struct stage *stage = set_up(_i);
  apikeys_subscription *subscription;
  ck_assert_int_eq(apikeys_subscribe(stage->world.env, count_event, stage, NULL, &subscription,
                                     stage->world.err),
                   0);
  void *(*const threads[])(void *) = {write_keys, write_keys, validate_keys,      validate_keys,
                                      list_keys,  maintain,   subscribe_and_leave};
  run(stage, threads, sizeof threads / sizeof threads[0]);
  ck_assert_int_eq(atomic_load(&stage->created_events), KEYS);
  ck_assert_int_eq(atomic_load(&stage->revoked_events), KEYS / 2);
  ck_assert_int_eq(atomic_load(&stage->destroyed), atomic_load(&stage->subscribed));
  ck_assert_int_ge(atomic_load(&stage->validated), VALIDATORS * KEYS);
  apikeys_subscription_free(subscription);
  tear_down(stage);
}
END_TEST

/* Two threads want the same key revoked: one of them does it. */
struct race {
  struct stage *stage;
  pthread_barrier_t *start;
  int results[KEYS];
};

static void *revoke_all(void *argument) {
  struct race *race = argument;
  for (size_t i = 0; i < KEYS; i++) {
    pthread_barrier_wait(race->start);
    race->results[i] = apikeys_key_revoke(race->stage->world.env, race->stage->world.system,
                                          S(race->stage->keys[i].made.id), NULL, 0, NULL, NULL);
  }
  return NULL;
}

START_TEST(one_of_two_revocations_wins) {
  struct stage *stage = set_up(_i);
  pthread_barrier_t start;
  pthread_t threads[2];
  static struct race races[2];
  ck_assert_int_eq(pthread_barrier_init(&start, NULL, 2), 0);
  for (size_t i = 0; i < KEYS; i++)
    create(stage, &stage->keys[i], stage->world.err);
  for (size_t i = 0; i < 2; i++) {
    races[i].stage = stage;
    races[i].start = &start;
    ck_assert_int_eq(pthread_create(&threads[i], NULL, revoke_all, &races[i]), 0);
  }
  for (size_t i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  for (size_t i = 0; i < KEYS; i++) {
    int first = races[0].results[i], second = races[1].results[i];
    ck_assert_int_eq(first + second, APIKEYS_ERROR_ALREADY_REVOKED);
    ck_assert(first == APIKEYS_OK || second == APIKEYS_OK);
  }
  pthread_barrier_destroy(&start);
  tear_down(stage);
}
END_TEST

/* -- Backup and prune while others write ------------------------------------------------------- */

/* Removes every tombstone and event there is: a revoked key is unknown from then on. */
static void *prune(void *argument) {
  struct stage *stage = argument;
  apikeys_error *err = apikeys_error_new();
  int64_t before_ms = stage->world.now_ms + 1;
  while (writing_goes_on(stage))
    expect_ok(stage, "prune", apikeys_prune(stage->world.env, stage->world.system, before_ms, err),
              err);
  apikeys_error_free(err);
  return NULL;
}

/* What the table said before a backup began and still says after it was made is in the backup. */
static void check_backup(struct stage *stage, const char *path, const int *before, const int *after,
                         apikeys_error *err) {
  char root[128];
  apikeys_env *copy;
  apikeys_options *options = apikeys_options_new();
  snprintf(root, sizeof root, "%s.root", stage->world.path);
  apikeys_options_set_root_key_file(options, root);
  int rc = apikeys_open_sqlite(&copy, path, options, err);
  apikeys_options_free(options);
  expect_ok(stage, "open the backup", rc, err);
  if (rc != APIKEYS_OK)
    return;
  for (size_t i = 0; i < KEYS; i++) {
    if (before[i] == NOT_MADE)
      continue;
    rc = apikeys_validate(copy, S(stage->keys[i].made.value), NULL, NULL, NULL, err);
    if (before[i] == GOOD && after[i] == GOOD)
      expect_ok(stage, "a good key in the backup", rc, err);
    if (before[i] == REVOKED && rc <= 0)
      note(stage, "a revoked key in the backup", rc, err);
  }
  apikeys_close(copy);
}

static void read_states(struct stage *stage, int states[KEYS]) {
  for (size_t i = 0; i < KEYS; i++)
    states[i] = atomic_load(&stage->keys[i].state);
}

static void remove_database(const char *path) {
  static const char *const suffixes[] = {"", "-wal", "-shm"};
  for (size_t i = 0; i < 3; i++) {
    char file[160];
    snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
    unlink(file);
  }
}

static void *back_up(void *argument) {
  struct stage *stage = argument;
  apikeys_error *err = apikeys_error_new();
  int before[KEYS], after[KEYS];
  char path[128];
  snprintf(path, sizeof path, "%s/backup.db", stage->world.directory);
  do {
    read_states(stage, before);
    int rc = apikeys_backup(stage->world.env, stage->world.system, path, err);
    read_states(stage, after);
    expect_ok(stage, "backup", rc, err);
    if (rc == APIKEYS_OK)
      check_backup(stage, path, before, after, err);
    remove_database(path);
  } while (writing_goes_on(stage));
  apikeys_error_free(err);
  return NULL;
}

START_TEST(backup_and_prune_leave_writers_alone) {
  struct stage *stage = set_up(BACKEND_SQLITE);
  void *(*const threads[])(void *) = {write_keys, write_keys, validate_keys, prune, back_up};
  run(stage, threads, sizeof threads / sizeof threads[0]);
  tear_down(stage);
}
END_TEST

START_TEST(prune_in_memory_leaves_writers_alone) {
  struct stage *stage = set_up(BACKEND_MEMORY);
  void *(*const threads[])(void *) = {write_keys, write_keys, validate_keys, prune};
  run(stage, threads, sizeof threads / sizeof threads[0]);
  tear_down(stage);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("threads");
  TCase *tcase = tcase_create("on one environment");
  tcase_add_loop_test(tcase, a_revocation_is_seen_by_every_validation_after_it, 0, BACKEND_COUNT);
  tcase_add_loop_test(tcase, one_of_two_revocations_wins, 0, BACKEND_COUNT);
  tcase_add_test(tcase, backup_and_prune_leave_writers_alone);
  tcase_add_test(tcase, prune_in_memory_leaves_writers_alone);
  tcase_set_timeout(tcase, 240);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
