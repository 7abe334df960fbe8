/* SPDX-License-Identifier: MIT */
/* The SQLite back-end among threads and processes, killed, forked, and out of room. */
#define _GNU_SOURCE /* unshare() */
#include "sqlite_fixture.h"

#include "support/suite.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

enum { BUSY_TIMEOUT_MS = 50 };

/* -------------------------------------------------------------------------- side by side ------ */

/* `count` children that run `work` at the same moment; how many of them returned 0. */
static int at_once(int count, int (*work)(int)) {
  int gate[2], good = 0;
  char byte;
  struct child children[16];
  ck_assert_int_eq(pipe(gate), 0);
  for (int i = 0; i < count; i++) {
    children[i] = fork_child();
    if (children[i].pid == 0) {
      close(gate[1]);
      end_child(children[i], read(gate[0], &byte, 1) == 0 ? work(i) : 1); /* until it is closed */
    }
  }
  close(gate[1]);
  close(gate[0]);
  for (int i = 0; i < count; i++)
    good += result_of(children[i]) == 0;
  return good;
}

static int open_and_add(int number) {
  char tag[16];
  apikeys_storage store;
  snprintf(tag, sizeof tag, "p%d", number);
  int rc = apikeys_storage_sqlite(&store, path, -1, NULL);
  if (rc == APIKEYS_OK) {
    rc = add(&store, tag);
    store.destroy(store.self);
  }
  return rc;
}

static int open_and_add_1(int number) {
  return open_and_add(number + 1);
}

static void remove_database(void) {
  unlink(path);
  unlink(in_directory("keys.db-journal"));
  unlink(in_directory("keys.db-wal"));
  unlink(in_directory("keys.db-shm"));
}

static void read_schema_1(struct bytes *text) {
  read_bytes(text, TEST_DATA_DIR "/storage/schema_1.sql");
  text->data[text->length] = '\0';
}

START_TEST(processes_make_one_database_together) {
  for (int round = 0; round < 10; round++) {
    ck_assert_int_eq(at_once(5, open_and_add), 5);
    apikeys_storage store = open_store();
    ck_assert_int_eq(count_kind(&store, AK_PERMISSION), 5);
    close_store(&store);
    remove_database();
  }
}
END_TEST

START_TEST(processes_upgrade_one_database_together) {
  static struct bytes schema_1;
  read_schema_1(&schema_1);
  for (int round = 0; round < 10; round++) {
    run_sql(path, (const char *)schema_1.data);
    ck_assert_int_eq(at_once(5, open_and_add), 5);
    ck_assert_str_eq(ask_sql(path, "SELECT count(*) FROM permissions"), "7");
    remove_database();
  }
}
END_TEST

enum { INSERTS = 500 };

static int add_many(int number) {
  apikeys_storage store;
  int rc = apikeys_storage_sqlite(&store, path, -1, NULL);
  for (int i = 0; i < INSERTS && rc == APIKEYS_OK; i++) {
    char tag[32];
    snprintf(tag, sizeof tag, "p%d-%d", number, i);
    rc = add(&store, tag);
  }
  if (rc == APIKEYS_OK)
    store.destroy(store.self);
  return rc;
}

START_TEST(two_processes_write_and_nothing_is_lost) {
  ck_assert_int_eq(at_once(2, add_many), 2);
  apikeys_storage store = open_store();
  ck_assert_int_eq(count_kind(&store, AK_PERMISSION), 2 * INSERTS);
  for (int i = 0; i < 2 * INSERTS; i++) {
    char tag[32];
    snprintf(tag, sizeof tag, "p%d-%d", i % 2, i / 2);
    ck_assert_int_eq(look_for(&store, tag), APIKEYS_OK);
  }
  close_store(&store);
  ck_assert_str_eq(ask_sql(path, "PRAGMA integrity_check"), "ok");
}
END_TEST

struct worker {
  const apikeys_storage *store;
  int number;
  int rc;
};

static void *work(void *data) {
  struct worker *worker = data;
  for (int i = 0; i < 25 && worker->rc == APIKEYS_OK; i++) {
    char tag[32];
    snprintf(tag, sizeof tag, "t%d-%d", worker->number, i);
    worker->rc = add(worker->store, tag);
    if (worker->rc == APIKEYS_OK) /* what was acknowledged is there, from any connection */
      worker->rc = look_for(worker->store, tag);
  }
  return NULL;
}

START_TEST(more_threads_than_connections_share_a_store) {
  enum { THREADS = 24 };
  apikeys_storage store = open_store();
  pthread_t threads[THREADS];
  struct worker workers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (struct worker){.store = &store, .number = i};
    ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(workers[i].rc, APIKEYS_OK);
  }
  ck_assert_int_eq(count_kind(&store, AK_PERMISSION), THREADS * 25);
  close_store(&store);
}
END_TEST

/* -------------------------------------------------------------------------------- waiting ----- */

static apikeys_storage open_impatient(void) {
  apikeys_storage store;
  ck_assert_int_eq(try_open(&store, path, BUSY_TIMEOUT_MS), APIKEYS_OK);
  return store;
}

START_TEST(another_connection_s_lock_is_busy) {
  apikeys_storage store = open_impatient();
  sqlite3 *db = NULL;
  apikeys_transaction *transaction = NULL;
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  ck_assert_int_eq(store.begin(store.self, APIKEYS_TRANSACTION_WRITE, &transaction),
                   APIKEYS_ERROR_BUSY);
  ck_assert_ptr_null(transaction);
  ck_assert_int_eq(look_for(&store, "one"), APIKEYS_OK);
  ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
  ck_assert_int_eq(add(&store, "two"), APIKEYS_OK);
  ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
  close_store(&store);
}
END_TEST

START_TEST(a_writer_of_this_process_is_busy) {
  apikeys_storage store = open_impatient();
  apikeys_transaction *second = NULL;
  apikeys_transaction *first = start(&store, APIKEYS_TRANSACTION_WRITE);
  ck_assert_int_eq(store.begin(store.self, APIKEYS_TRANSACTION_WRITE, &second), APIKEYS_ERROR_BUSY);
  ck_assert_int_eq(insert_into(&store, first, AK_PERMISSION, "one"), APIKEYS_OK);
  ck_assert_int_eq(finish(&store, first), APIKEYS_OK);
  ck_assert_int_eq(add(&store, "two"), APIKEYS_OK);
  close_store(&store);
}
END_TEST

START_TEST(readers_beyond_the_bound_are_busy) {
  enum { MANY = 16 };
  apikeys_storage store = open_impatient();
  apikeys_transaction *readers[MANY], *more = NULL;
  for (int i = 0; i < MANY; i++)
    readers[i] = start(&store, APIKEYS_TRANSACTION_READ);
  ck_assert_int_eq(store.begin(store.self, APIKEYS_TRANSACTION_READ, &more), APIKEYS_ERROR_BUSY);
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK); /* readers hinder no writer */
  ck_assert_int_eq(finish(&store, readers[3]), APIKEYS_OK);
  more = start(&store, APIKEYS_TRANSACTION_READ);
  ck_assert_int_eq(find(&store, more, "one"), APIKEYS_OK);
  readers[3] = more;
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(finish(&store, readers[i]), APIKEYS_OK);
  close_store(&store);
}
END_TEST

START_TEST(an_unknown_mode_begins_nothing) {
  apikeys_storage store = open_impatient();
  apikeys_transaction *transaction = NULL;
  ck_assert_int_eq(store.begin(store.self, 7, &transaction), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_ptr_null(transaction);
  ck_assert_int_eq(store.prepare_fork(store.self), APIKEYS_OK); /* none is open */
  close_store(&store);
}
END_TEST

/* -------------------------------------------------------------------------- transactions ------ */

static int stop(const apikeys_record *record, void *data) {
  (void)record;
  (void)data;
  return 42;
}

/* One statement left in the middle of its rows would keep the connection in its old snapshot. */
START_TEST(a_connection_used_again_sees_what_is_new) {
  apikeys_storage store = open_store();
  apikeys_query query;
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  ck_assert_int_eq(add(&store, "two"), APIKEYS_OK);
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_READ);
  ak_query_any(&query, AK_PERMISSION, 0);
  ck_assert_int_eq(store.scan(store.self, transaction, &query, stop, NULL), 42);
  ck_assert_int_eq(find(&store, transaction, "one"), APIKEYS_OK);
  ck_assert_int_eq(finish(&store, transaction), APIKEYS_OK);
  ck_assert_int_eq(open_and_add(3), 0);
  ck_assert_int_eq(look_for(&store, "p3"), APIKEYS_OK);
  ck_assert_int_eq(count_kind(&store, AK_PERMISSION), 3);
  close_store(&store);
}
END_TEST

START_TEST(a_taken_entry_leaves_the_transaction_usable) {
  apikeys_storage store = open_store();
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_WRITE);
  ck_assert_int_eq(insert_into(&store, transaction, AK_PERMISSION, "one"), APIKEYS_OK);
  ck_assert_int_eq(insert_into(&store, transaction, AK_PERMISSION, "one"), APIKEYS_ERROR_EXISTS);
  ck_assert_int_eq(insert_into(&store, transaction, AK_PERMISSION, "two"), APIKEYS_OK);
  ck_assert_int_eq(finish(&store, transaction), APIKEYS_OK);
  ck_assert_int_eq(count_kind(&store, AK_PERMISSION), 2);
  close_store(&store);
}
END_TEST

START_TEST(a_read_transaction_takes_no_writes) {
  apikeys_storage store = open_store();
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_READ);
  ck_assert_int_eq(insert_into(&store, transaction, AK_PERMISSION, "one"), APIKEYS_ERROR_READ_ONLY);
  ck_assert_int_eq(store.remove(store.self, transaction, AK_PERMISSION, 1),
                   APIKEYS_ERROR_READ_ONLY);
  ck_assert_int_eq(finish(&store, transaction), APIKEYS_OK);
  ck_assert_int_eq(count_kind(&store, AK_PERMISSION), 0);
  close_store(&store);
}
END_TEST

START_TEST(a_query_without_a_scope_is_no_query) {
  apikeys_storage store = open_store();
  apikeys_query query;
  uint64_t count = 77;
  apikeys_record *record = apikeys_record_new(AK_ROLE);
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_WRITE);
  ck_assert_int_eq(insert_into(&store, transaction, AK_ROLE, "one"), APIKEYS_OK);
  ak_query_of(&query, AK_ROLE, 0, "", 0);
  ck_assert_int_eq(store.count(store.self, transaction, &query, &count),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(store.get(store.self, transaction, &query, record),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(store.scan(store.self, transaction, &query, stop, NULL),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_uint_eq(count, 77);
  store.rollback(store.self, transaction);
  apikeys_record_free(record);
  close_store(&store);
}
END_TEST

/* ---------------------------------------------------------------------------- kill -9 --------- */

/* Adds records one by one, and tells the number of each that is acknowledged. */
static void acknowledge_for_ever(int first, int pipe_end) {
  apikeys_storage store;
  if (apikeys_storage_sqlite(&store, path, -1, NULL) != APIKEYS_OK)
    _exit(1);
  for (int number = first;; number++) {
    char tag[32];
    snprintf(tag, sizeof tag, "%d", number);
    if (add(&store, tag) != APIKEYS_OK || write(pipe_end, &number, sizeof number) != sizeof number)
      _exit(2);
  }
}

/*
 * For children that are killed. What Check has buffered is written first, and the child uses none of
 * its asserts: the child has a copy of the buffer, and a kill between two writes of it would leave
 * half a message in the file that Check reads.
 */
static pid_t fork_without_check(void) {
  fflush(NULL);
  return fork();
}

/* Kills a writer after some acknowledgements; how many records were acknowledged, also late. */
static int kill_a_writer(int first, int cycle) {
  int ends[2], number, acknowledged = 0;
  ck_assert_int_eq(pipe(ends), 0);
  pid_t child = fork_without_check();
  if (child == 0) {
    close(ends[0]);
    acknowledge_for_ever(first, ends[1]);
  }
  ck_assert_int_gt(child, 0);
  close(ends[1]);
  for (int i = 0; i <= cycle % 3; i++) {
    ck_assert_int_eq(read(ends[0], &number, sizeof number), sizeof number);
    acknowledged++;
  }
  for (int i = 0; i < cycle * 7 % 200; i++) /* not always at the same point of the next one */
    sched_yield();
  ck_assert_int_eq(kill(child, SIGKILL), 0);
  ck_assert_int_eq(waitpid(child, NULL, 0), child);
  while (read(ends[0], &number, sizeof number) == sizeof number)
    acknowledged++;
  close(ends[0]);
  return acknowledged;
}

START_TEST(what_was_acknowledged_survives_kill_9) {
  enum { CYCLES = 200, GAP = 100000 };
  static int acknowledged[20 * CYCLES];
  int cycles = rounds_of(CYCLES);
  fflush(NULL);
  for (int cycle = 0; cycle < cycles; cycle++)
    acknowledged[cycle] = kill_a_writer(cycle * GAP, cycle);
  apikeys_storage store = open_store();
  for (int cycle = 0; cycle < cycles; cycle++)
    for (int i = 0; i < acknowledged[cycle]; i++) {
      char tag[32];
      snprintf(tag, sizeof tag, "%d", cycle * GAP + i);
      ck_assert_msg(look_for(&store, tag) == APIKEYS_OK, "lost: %s", tag);
    }
  close_store(&store);
  ck_assert_str_eq(ask_sql(path, "PRAGMA integrity_check"), "ok");
}
END_TEST

/* Kills a process that opens the store, at a point that moves from cycle to cycle. */
static void kill_an_opener(int cycle) {
  pid_t child = fork_without_check();
  if (child == 0) {
    open_and_add(0);
    kill(getpid(), SIGKILL);
  }
  ck_assert_int_gt(child, 0);
  for (int i = 0; i < cycle * 37 % 3000; i++)
    sched_yield();
  kill(child, SIGKILL);
  ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(a_kill_while_a_database_is_made_does_no_harm) {
  fflush(NULL);
  for (int cycle = 0; cycle < rounds_of(100); cycle++) {
    kill_an_opener(cycle);
    ck_assert_int_eq(at_once(1, open_and_add_1), 1);
    remove_database();
  }
}
END_TEST

START_TEST(a_kill_while_a_database_is_upgraded_does_no_harm) {
  static struct bytes schema_1;
  read_schema_1(&schema_1);
  for (int cycle = 0; cycle < rounds_of(100); cycle++) {
    run_sql(path, (const char *)schema_1.data);
    fflush(NULL);
    kill_an_opener(cycle);
    ck_assert_int_eq(at_once(1, open_and_add_1), 1);
    ck_assert_int_ge(atoi(ask_sql(path, "SELECT count(*) FROM permissions")), 3);
    ck_assert_str_eq(ask_sql(path, "SELECT count(*) FROM events"), "2");
    remove_database();
  }
}
END_TEST

/* -------------------------------------------------------------------------------- fork -------- */

static apikeys_storage inherited;
static apikeys_transaction *inherited_transaction;

#define EXPECT(condition)                                                                          \
  do {                                                                                             \
    if (!(condition))                                                                              \
      return __LINE__;                                                                             \
  } while (0)

static int use_what_was_not_prepared(const char *name) {
  apikeys_storage again;
  apikeys_transaction *transaction = NULL;
  const int forked = APIKEYS_ERROR_FORKED;
  EXPECT(inherited.begin(inherited.self, APIKEYS_TRANSACTION_READ, &transaction) == forked);
  EXPECT(inherited.begin(inherited.self, APIKEYS_TRANSACTION_WRITE, &transaction) == forked);
  EXPECT(inherited.prepare_fork(inherited.self) == forked);
  EXPECT(inherited.backup(inherited.self, in_directory("copy.db")) == forked);
  EXPECT(access(in_directory("copy.db"), F_OK) != 0);
  EXPECT(apikeys_storage_sqlite(&again, name, 0, error) == forked);
  EXPECT(strstr(apikeys_error_message(error), "parent process") != NULL);
  inherited.destroy(inherited.self);
  EXPECT(apikeys_storage_sqlite(&again, name, 0, NULL) == forked);
  EXPECT(apikeys_storage_sqlite(&again, in_directory("other.db"), 0, NULL) == APIKEYS_OK);
  EXPECT(add(&again, "child's own") == APIKEYS_OK);
  again.destroy(again.self);
  return 0;
}

START_TEST(an_unprepared_store_is_of_no_use_in_a_child) {
  inherited = open_store();
  ck_assert_int_eq(add(&inherited, "before"), APIKEYS_OK);
  ck_assert_int_eq(look_for(&inherited, "before"), APIKEYS_OK);
  ck_assert_int_eq(in_child(use_what_was_not_prepared, path), 0);
  /* Nothing that the child did took the parent's log or locks away. */
  ck_assert_int_eq(access(in_directory("keys.db-wal"), F_OK), 0);
  ck_assert_int_eq(add(&inherited, "after"), APIKEYS_OK);
  ck_assert_int_eq(look_for(&inherited, "before"), APIKEYS_OK);
  close_store(&inherited);
  inherited = open_store();
  ck_assert_int_eq(count_kind(&inherited, AK_PERMISSION), 2);
  close_store(&inherited);
}
END_TEST

static int use_a_transaction(const char *name) {
  (void)name;
  const int forked = APIKEYS_ERROR_FORKED;
  EXPECT(find(&inherited, inherited_transaction, "one") == forked);
  EXPECT(insert_into(&inherited, inherited_transaction, AK_PERMISSION, "two") == forked);
  EXPECT(inherited.remove(inherited.self, inherited_transaction, AK_PERMISSION, 1) == forked);
  EXPECT(inherited.commit(inherited.self, inherited_transaction) == forked);
  inherited.destroy(inherited.self);
  return 0;
}

START_TEST(a_transaction_is_of_no_use_in_a_child) {
  inherited = open_store();
  inherited_transaction = start(&inherited, APIKEYS_TRANSACTION_WRITE);
  ck_assert_int_eq(insert_into(&inherited, inherited_transaction, AK_PERMISSION, "one"),
                   APIKEYS_OK);
  ck_assert_int_eq(in_child(use_a_transaction, path), 0);
  ck_assert_int_eq(find(&inherited, inherited_transaction, "one"), APIKEYS_OK);
  ck_assert_int_eq(finish(&inherited, inherited_transaction), APIKEYS_OK);
  ck_assert_int_eq(count_kind(&inherited, AK_PERMISSION), 1);
  close_store(&inherited);
}
END_TEST

static int go_on(const char *name) {
  apikeys_storage again;
  EXPECT(look_for(&inherited, "before") == APIKEYS_OK);
  for (int i = 0; i < 50; i++) {
    char tag[32];
    snprintf(tag, sizeof tag, "child-%d", i);
    EXPECT(add(&inherited, tag) == APIKEYS_OK);
  }
  EXPECT(apikeys_storage_sqlite(&again, name, -1, NULL) == APIKEYS_OK);
  again.destroy(again.self);
  EXPECT(inherited.prepare_fork(inherited.self) == APIKEYS_OK); /* for children of its own */
  struct child grandchild = fork_child();
  if (grandchild.pid == 0)
    end_child(grandchild, add(&inherited, "grandchild"));
  EXPECT(result_of(grandchild) == APIKEYS_OK);
  EXPECT(look_for(&inherited, "grandchild") == APIKEYS_OK);
  inherited.destroy(inherited.self);
  return 0;
}

START_TEST(parent_and_child_go_on_with_a_prepared_store) {
  inherited = open_store();
  ck_assert_int_eq(add(&inherited, "before"), APIKEYS_OK);
  ck_assert_int_eq(inherited.prepare_fork(inherited.self), APIKEYS_OK);
  ck_assert_int_eq(inherited.prepare_fork(inherited.self), APIKEYS_OK); /* twice is nothing more */
  struct child child = fork_child();
  if (child.pid == 0)
    end_child(child, go_on(path));
  for (int i = 0; i < 50; i++) {
    char tag[32];
    snprintf(tag, sizeof tag, "parent-%d", i);
    ck_assert_int_eq(add(&inherited, tag), APIKEYS_OK);
  }
  ck_assert_int_eq(result_of(child), 0);
  ck_assert_int_eq(count_kind(&inherited, AK_PERMISSION), 102);
  close_store(&inherited);
}
END_TEST

static int find_it_forked(const char *name) {
  apikeys_storage again;
  apikeys_transaction *transaction = NULL;
  EXPECT(inherited.begin(inherited.self, APIKEYS_TRANSACTION_READ, &transaction) ==
         APIKEYS_ERROR_FORKED);
  EXPECT(apikeys_storage_sqlite(&again, name, 0, NULL) == APIKEYS_ERROR_FORKED);
  inherited.destroy(inherited.self);
  return 0;
}

START_TEST(every_store_on_a_file_must_be_prepared) {
  inherited = open_store();
  apikeys_storage other = open_store();
  ck_assert_int_eq(inherited.prepare_fork(inherited.self), APIKEYS_OK);
  ck_assert_int_eq(in_child(find_it_forked, path), 0);
  ck_assert_int_eq(add(&other, "one"), APIKEYS_OK);
  ck_assert_int_eq(look_for(&inherited, "one"), APIKEYS_OK);
  close_store(&other);
  close_store(&inherited);
}
END_TEST

START_TEST(a_store_in_use_again_is_no_longer_prepared) {
  inherited = open_store();
  ck_assert_int_eq(inherited.prepare_fork(inherited.self), APIKEYS_OK);
  ck_assert_int_eq(look_for(&inherited, "one"), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(in_child(find_it_forked, path), 0);
  close_store(&inherited);
}
END_TEST

static int open_it_and_fork(const char *name) {
  inherited = open_store();
  EXPECT(in_child(find_it_forked, name) == 0);
  inherited.destroy(inherited.self);
  return 0;
}

START_TEST(generations_are_told_apart) {
  ck_assert_int_eq(in_child(open_it_and_fork, path), 0);
}
END_TEST

static int open_and_close(const char *name) {
  apikeys_storage store;
  EXPECT(apikeys_storage_sqlite(&store, name, -1, NULL) == APIKEYS_OK);
  store.destroy(store.self);
  return 0;
}

START_TEST(a_file_that_was_closed_can_be_opened_in_a_child) {
  char sql[64];
  apikeys_storage store = open_store();
  close_store(&store);
  ck_assert_int_eq(try_open(&store, directory, 0), APIKEYS_ERROR_CANNOT_OPEN);
  run_sql(path, "PRAGMA user_version=99");
  ck_assert_int_eq(try_open(&store, path, 0), APIKEYS_ERROR_SCHEMA_NEWER);
  snprintf(sql, sizeof sql, "PRAGMA user_version=%d", apikeys_schema_version());
  run_sql(path, sql);
  ck_assert_int_eq(in_child(open_and_close, path), 0); /* failed opens left nothing either */
}
END_TEST

START_TEST(open_transactions_keep_a_store_from_being_prepared) {
  apikeys_storage store = open_store();
  for (int mode = APIKEYS_TRANSACTION_READ; mode <= APIKEYS_TRANSACTION_WRITE; mode++) {
    apikeys_transaction *transaction = start(&store, mode);
    ck_assert_int_eq(store.prepare_fork(store.self), APIKEYS_ERROR_BUSY);
    ck_assert_int_eq(find(&store, transaction, "one"), APIKEYS_ERROR_NOT_FOUND);
    store.rollback(store.self, transaction);
    ck_assert_int_eq(store.prepare_fork(store.self), APIKEYS_OK);
  }
  close_store(&store);
}
END_TEST

/* ------------------------------------------------------------------------------ no room ------- */

static void limit_files(rlim_t size) {
  struct rlimit limit = {.rlim_cur = size, .rlim_max = RLIM_INFINITY};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
}

/* Adds until nothing fits, makes room, goes on; all that was acknowledged is there, no more. */
static int fill_up(apikeys_storage *store, void (*make_room)(void)) {
  int added = 0;
  int rc = APIKEYS_OK;
  char tag[32];
  while (rc == APIKEYS_OK && added < 100000) {
    snprintf(tag, sizeof tag, "%d", added);
    rc = add(store, tag);
    added += rc == APIKEYS_OK;
  }
  EXPECT(rc == APIKEYS_ERROR_STORAGE_FULL);
  EXPECT(look_for(store, tag) == APIKEYS_ERROR_NOT_FOUND);
  EXPECT(look_for(store, "0") == APIKEYS_OK);
  make_room();
  EXPECT(add(store, tag) == APIKEYS_OK);
  EXPECT(count_kind(store, AK_PERMISSION) == added + 1);
  store->destroy(store->self);
  EXPECT(apikeys_storage_sqlite(store, path, -1, NULL) == APIKEYS_OK);
  EXPECT(count_kind(store, AK_PERMISSION) == added + 1);
  store->destroy(store->self);
  return 0;
}

static void lift_the_limit(void) {
  limit_files(RLIM_INFINITY);
}

static int fill_up_to_a_limit(const char *name) {
  apikeys_storage store;
  EXPECT(apikeys_storage_sqlite(&store, name, -1, NULL) == APIKEYS_OK);
  limit_files(400000);
  return fill_up(&store, lift_the_limit);
}

START_TEST(a_store_at_its_limit_is_full_until_there_is_room) {
  ck_assert_int_eq(in_child(fill_up_to_a_limit, path), 0);
}
END_TEST

static void drop_the_ballast(void) {
  unlink(in_directory("ballast"));
}

enum { NOT_POSSIBLE = -1 };

/* A file system of 1 MiB that this process alone sees, where it may make one. */
static int fill_a_disk(const char *name) {
  static const char ballast[300000];
  apikeys_storage store;
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
      mount("none", directory, "tmpfs", 0, "size=1m") != 0)
    return NOT_POSSIBLE;
  int fd = open(in_directory("ballast"), O_WRONLY | O_CREAT, 0600);
  EXPECT(fd >= 0 && write(fd, ballast, sizeof ballast) == sizeof ballast && close(fd) == 0);
  EXPECT(apikeys_storage_sqlite(&store, name, -1, NULL) == APIKEYS_OK);
  return fill_up(&store, drop_the_ballast);
}

START_TEST(a_full_disk_is_full_until_there_is_room) {
  int result = in_child(fill_a_disk, path);
  ck_assert_msg(result == 0 || result == NOT_POSSIBLE, "line %d", result);
}
END_TEST

static int create_on_a_full_disk(const char *name) {
  static const char block[4096];
  apikeys_storage store;
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
      mount("none", directory, "tmpfs", 0, "size=128k") != 0)
    return NOT_POSSIBLE;
  int fd = open(in_directory("ballast"), O_WRONLY | O_CREAT, 0600);
  while (write(fd, block, sizeof block) == sizeof block)
    ;
  close(fd);
  EXPECT(apikeys_storage_sqlite(&store, name, -1, NULL) == APIKEYS_ERROR_STORAGE_FULL);
  EXPECT(mount("none", directory, "tmpfs", MS_REMOUNT, "size=1m") == 0);
  EXPECT(apikeys_storage_sqlite(&store, name, -1, NULL) == APIKEYS_OK);
  EXPECT(add(&store, "one") == APIKEYS_OK);
  store.destroy(store.self);
  return 0;
}

START_TEST(no_database_is_made_on_a_full_disk) {
  int result = in_child(create_on_a_full_disk, path);
  ck_assert_msg(result == 0 || result == NOT_POSSIBLE, "line %d", result);
}
END_TEST

static int add_large(const apikeys_storage *store, apikeys_transaction *transaction, int number) {
  static char text[100000];
  char tag[32];
  snprintf(tag, sizeof tag, "large-%d", number);
  memset(text, 'x', sizeof text);
  apikeys_record *record = make_record(AK_PERMISSION, tag);
  apikeys_record_set_text(record, AK_PERMISSION_DESCRIPTION, text, sizeof text);
  int rc = store->insert(store->self, transaction, record);
  apikeys_record_free(record);
  return rc;
}

/* SQLite ends such a transaction by itself: what follows must not be committed on its own. */
static int outgrow_a_transaction(const char *name) {
  apikeys_storage store;
  int rc = APIKEYS_OK;
  EXPECT(apikeys_storage_sqlite(&store, name, -1, NULL) == APIKEYS_OK);
  EXPECT(add(&store, "before") == APIKEYS_OK);
  limit_files(400000);
  apikeys_transaction *transaction = start(&store, APIKEYS_TRANSACTION_WRITE);
  for (int i = 0; i < 100 && rc == APIKEYS_OK; i++)
    rc = add_large(&store, transaction, i);
  EXPECT(rc == APIKEYS_ERROR_STORAGE_FULL);
  lift_the_limit();
  EXPECT(insert_into(&store, transaction, AK_PERMISSION, "behind") != APIKEYS_OK);
  EXPECT(find(&store, transaction, "before") != APIKEYS_OK);
  EXPECT(store.commit(store.self, transaction) == APIKEYS_ERROR_STORAGE_FULL);
  EXPECT(look_for(&store, "behind") == APIKEYS_ERROR_NOT_FOUND);
  EXPECT(look_for(&store, "large-0") == APIKEYS_ERROR_NOT_FOUND);
  EXPECT(look_for(&store, "before") == APIKEYS_OK);
  EXPECT(add(&store, "after") == APIKEYS_OK);
  EXPECT(count_kind(&store, AK_PERMISSION) == 2);
  store.destroy(store.self);
  return 0;
}

START_TEST(a_failed_transaction_only_fails) {
  ck_assert_int_eq(in_child(outgrow_a_transaction, path), 0);
}
END_TEST

/* ---------------------------------------------------------------------- unknown outcomes ------ */

/* The system's file layer, with logs whose syncs fail when asked to. */
static sqlite3_vfs *real_layer;
static const sqlite3_io_methods *real_methods;
static sqlite3_io_methods faulty_methods;
static int syncs_fail;

static int sync_or_fail(sqlite3_file *file, int flags) {
  return syncs_fail ? SQLITE_IOERR_FSYNC : real_methods->xSync(file, flags);
}

static int open_faulty(sqlite3_vfs *layer, const char *name, sqlite3_file *file, int flags,
                       int *out) {
  (void)layer;
  int rc = real_layer->xOpen(real_layer, name, file, flags, out);
  if (rc == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
    real_methods = file->pMethods;
    faulty_methods = *real_methods;
    faulty_methods.xSync = sync_or_fail;
    file->pMethods = &faulty_methods;
  }
  return rc;
}

START_TEST(a_commit_whose_sync_failed_may_have_happened) {
  real_layer = sqlite3_vfs_find(NULL);
  sqlite3_vfs layer = *real_layer;
  layer.zName = "faulty";
  layer.pNext = NULL;
  layer.xOpen = open_faulty;
  ck_assert_int_eq(sqlite3_vfs_register(&layer, 1), SQLITE_OK);
  apikeys_storage store = open_store();
  ck_assert_int_eq(add(&store, "one"), APIKEYS_OK);
  syncs_fail = 1;
  ck_assert_int_eq(add(&store, "two"), APIKEYS_ERROR_OUTCOME_UNKNOWN);
  syncs_fail = 0;
  ck_assert_int_eq(look_for(&store, "one"), APIKEYS_OK);
  ck_assert_int_eq(add(&store, "three"), APIKEYS_OK);
  ck_assert_int_eq(look_for(&store, "three"), APIKEYS_OK);
  close_store(&store);
  ck_assert_int_eq(sqlite3_vfs_register(real_layer, 1), SQLITE_OK);
  ck_assert_int_eq(sqlite3_vfs_unregister(&layer), SQLITE_OK);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sqlite_processes");
  TCase *together = new_case(suite, "together");
  tcase_add_test(together, processes_make_one_database_together);
  tcase_add_test(together, processes_upgrade_one_database_together);
  tcase_add_test(together, two_processes_write_and_nothing_is_lost);
  tcase_add_test(together, more_threads_than_connections_share_a_store);
  TCase *waiting = new_case(suite, "waiting");
  tcase_add_test(waiting, another_connection_s_lock_is_busy);
  tcase_add_test(waiting, a_writer_of_this_process_is_busy);
  tcase_add_test(waiting, readers_beyond_the_bound_are_busy);
  tcase_add_test(waiting, an_unknown_mode_begins_nothing);
  TCase *transactions = new_case(suite, "transactions");
  tcase_add_test(transactions, a_connection_used_again_sees_what_is_new);
  tcase_add_test(transactions, a_taken_entry_leaves_the_transaction_usable);
  tcase_add_test(transactions, a_read_transaction_takes_no_writes);
  tcase_add_test(transactions, a_query_without_a_scope_is_no_query);
  TCase *killed = new_case(suite, "killed");
  tcase_add_test(killed, what_was_acknowledged_survives_kill_9);
  tcase_add_test(killed, a_kill_while_a_database_is_made_does_no_harm);
  tcase_add_test(killed, a_kill_while_a_database_is_upgraded_does_no_harm);
  TCase *forked = new_case(suite, "forked");
  tcase_add_test(forked, an_unprepared_store_is_of_no_use_in_a_child);
  tcase_add_test(forked, a_transaction_is_of_no_use_in_a_child);
  tcase_add_test(forked, parent_and_child_go_on_with_a_prepared_store);
  tcase_add_test(forked, every_store_on_a_file_must_be_prepared);
  tcase_add_test(forked, a_store_in_use_again_is_no_longer_prepared);
  tcase_add_test(forked, generations_are_told_apart);
  tcase_add_test(forked, a_file_that_was_closed_can_be_opened_in_a_child);
  tcase_add_test(forked, open_transactions_keep_a_store_from_being_prepared);
  TCase *full = new_case(suite, "full");
  tcase_add_test(full, a_store_at_its_limit_is_full_until_there_is_room);
  tcase_add_test(full, a_full_disk_is_full_until_there_is_room);
  tcase_add_test(full, no_database_is_made_on_a_full_disk);
  tcase_add_test(full, a_failed_transaction_only_fails);
  TCase *unknown = new_case(suite, "unknown");
  tcase_add_test(unknown, a_commit_whose_sync_failed_may_have_happened);
  return run_suite(suite);
}
