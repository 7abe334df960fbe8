/* SPDX-License-Identifier: MIT */
/* What the tests of the SQLite back-end share: a directory per test, records, raw SQL. */
#ifndef SQLITE_FIXTURE_H
#define SQLITE_FIXTURE_H

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/query.h"

#include "support/sql.h"

#include <apikeys/storage.h>

#define UNUSED __attribute__((unused))

static char directory[64];
static char path[128]; /* of the database, in the directory */
static apikeys_error *error;

UNUSED static void set_up(void) {
  const char *base = getenv("TMPDIR");
  if (base == NULL || strlen(base) > 30)
    base = "/tmp";
  snprintf(directory, sizeof directory, "%s/apikeys-XXXXXX", base);
  ck_assert_ptr_nonnull(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/keys.db", directory);
  error = apikeys_error_new();
}

UNUSED static const char *in_directory(const char *name) {
  static char names[4][512];
  static int next;
  char *text = names[next++ % 4];
  snprintf(text, sizeof names[0], "%s/%s", directory, name);
  return text;
}

UNUSED static void tear_down(void) {
  DIR *entries = opendir(directory);
  for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
    if (unlink(in_directory(entry->d_name)) != 0)
      rmdir(in_directory(entry->d_name));
  if (entries != NULL)
    closedir(entries);
  rmdir(directory);
  apikeys_error_free(error);
}

UNUSED static TCase *new_case(Suite *suite, const char *name) {
  TCase *tests = tcase_create(name);
  tcase_add_checked_fixture(tests, set_up, tear_down);
  suite_add_tcase(suite, tests);
  return tests;
}

/* Names of what is in the directory, for comparison: their number, and a sum over the letters. */
UNUSED static unsigned long listing(void) {
  unsigned long sum = 0;
  DIR *entries = opendir(directory);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    unsigned long word = 5381;
    for (const char *c = entry->d_name; *c != '\0'; c++)
      word = word * 33 + (unsigned char)*c;
    sum += word;
  }
  closedir(entries);
  return sum;
}

/* ------------------------------------------------------------------------- files and SQL ------ */

struct bytes {
  size_t length;
  unsigned char data[1 << 18];
};

/* Only while no connection of this process is open: closing the file drops its locks. */
UNUSED static void read_bytes(struct bytes *into, const char *name) {
  FILE *file = fopen(name, "rb");
  ck_assert_ptr_nonnull(file);
  into->length = fread(into->data, 1, sizeof into->data, file);
  ck_assert_uint_lt(into->length, sizeof into->data);
  fclose(file);
}

UNUSED static void write_bytes(const char *name, const void *bytes, size_t length) {
  FILE *file = fopen(name, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
  ck_assert_int_eq(fclose(file), 0);
}

UNUSED static void run_sql(const char *name, const char *sql) {
  ck_assert_int_eq(execute_sql(name, sql, NULL), SQLITE_OK);
}

/* The first column of the first row, as text. */
UNUSED static const char *ask_sql(const char *name, const char *sql) {
  static char answer[65536];
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  ck_assert_int_eq(sqlite3_open(name, &db), SQLITE_OK);
  sqlite3_busy_timeout(db, 5000);
  ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s",
                sqlite3_errmsg(db));
  ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
  const unsigned char *text = sqlite3_column_text(statement, 0);
  snprintf(answer, sizeof answer, "%s", text != NULL ? (const char *)text : "");
  sqlite3_finalize(statement);
  ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
  return answer;
}

/* ------------------------------------------------------------------------------- stores ------- */

UNUSED static int try_open(apikeys_storage *store, const char *name, int timeout_ms) {
  return apikeys_storage_sqlite(store, name, timeout_ms, error);
}

UNUSED static apikeys_storage open_at(const char *name) {
  apikeys_storage store;
  int rc = try_open(&store, name, -1);
  ck_assert_msg(rc == APIKEYS_OK, "%s: %d %s", name, rc, apikeys_error_message(error));
  return store;
}

UNUSED static apikeys_storage open_store(void) {
  return open_at(path);
}

UNUSED static void close_store(apikeys_storage *store) {
  store->destroy(store->self);
}

UNUSED static apikeys_transaction *start(const apikeys_storage *store, int mode) {
  apikeys_transaction *transaction = NULL;
  ck_assert_int_eq(store->begin(store->self, mode, &transaction), APIKEYS_OK);
  return transaction;
}

UNUSED static int finish(const apikeys_storage *store, apikeys_transaction *transaction) {
  return store->commit(store->self, transaction);
}

/*
 * A whole record of any kind; two with different tags get in each other's way in no index. NULL: out
 * of memory. Children that are killed use it, so there is no ck_assert: one that holds writes to the
 * file that Check reads, too, and a kill in its middle fails the test.
 */
UNUSED static apikeys_record *make_record(int kind, const char *tag) {
  apikeys_record *record = apikeys_record_new(kind);
  for (int field = 1; record != NULL && field < apikeys_schema_field_count(kind); field++) {
    char text[128];
    int length = snprintf(text, sizeof text, "%s-%s", apikeys_schema_field_name(kind, field), tag);
    if (apikeys_schema_field_type(kind, field) == APIKEYS_TYPE_INTEGER)
      apikeys_record_set_integer(record, field, field);
    else if (apikeys_schema_field_type(kind, field) == APIKEYS_TYPE_TEXT)
      apikeys_record_set_text(record, field, text, (size_t)length);
    else
      apikeys_record_set_blob(record, field, text, (size_t)length);
  }
  return record;
}

UNUSED static int insert_into(const apikeys_storage *store, apikeys_transaction *transaction,
                              int kind, const char *tag) {
  apikeys_record *record = make_record(kind, tag);
  int rc =
      record != NULL ? store->insert(store->self, transaction, record) : APIKEYS_ERROR_NO_MEMORY;
  apikeys_record_free(record);
  return rc;
}

/* One permission in a transaction of its own. */
UNUSED static int add(const apikeys_storage *store, const char *tag) {
  apikeys_transaction *transaction = NULL;
  int rc = store->begin(store->self, APIKEYS_TRANSACTION_WRITE, &transaction);
  if (rc != APIKEYS_OK)
    return rc;
  rc = insert_into(store, transaction, AK_PERMISSION, tag);
  if (rc == APIKEYS_OK)
    return store->commit(store->self, transaction);
  store->rollback(store->self, transaction);
  return rc;
}

UNUSED static int find(const apikeys_storage *store, apikeys_transaction *transaction,
                       const char *tag) {
  char id[128];
  apikeys_query query;
  apikeys_record *record = apikeys_record_new(AK_PERMISSION);
  int length = snprintf(id, sizeof id, "id-%s", tag);
  ak_query_any(&query, AK_PERMISSION, 0);
  ak_query_equal_text(&query, id, (size_t)length);
  int rc = store->get(store->self, transaction, &query, record);
  apikeys_record_free(record);
  return rc;
}

/* Is there a permission of that tag? In a transaction of its own. */
UNUSED static int look_for(const apikeys_storage *store, const char *tag) {
  apikeys_transaction *transaction = NULL;
  int rc = store->begin(store->self, APIKEYS_TRANSACTION_READ, &transaction);
  if (rc != APIKEYS_OK)
    return rc;
  rc = find(store, transaction, tag);
  store->rollback(store->self, transaction);
  return rc;
}

UNUSED static int count_kind(const apikeys_storage *store, int kind) {
  apikeys_query query;
  uint64_t count = 0;
  apikeys_transaction *transaction = start(store, APIKEYS_TRANSACTION_READ);
  ak_query_any(&query, kind, 0);
  ck_assert_int_eq(store->count(store->self, transaction, &query, &count), APIKEYS_OK);
  ck_assert_int_eq(finish(store, transaction), APIKEYS_OK);
  return (int)count;
}

/* ------------------------------------------------------------------------------ children ------ */

/*
 * A forked child gives its result through a pipe and ends by SIGKILL: with all that it inherited,
 * it is not the one to be asked what it leaks. It must not use ck_assert.
 */
struct child {
  pid_t pid; /* 0: this is the child */
  int pipe_end;
};

UNUSED static struct child fork_child(void) {
  int ends[2];
  struct child child = {.pid = -1};
  fflush(NULL);
  if (pipe(ends) == 0 && (child.pid = fork()) >= 0) {
    child.pipe_end = ends[child.pid == 0];
    close(ends[child.pid != 0]);
  }
  return child;
}

UNUSED static void end_child(struct child child, int result) {
  if (write(child.pipe_end, &result, sizeof result) == sizeof result)
    kill(getpid(), SIGKILL);
  _exit(1);
}

/* Waits for the child; its result, or -9999 if it came to none. */
UNUSED static int result_of(struct child child) {
  int result = -9999, status;
  if (child.pid < 0)
    return result;
  if (read(child.pipe_end, &result, sizeof result) != sizeof result)
    result = -9999;
  close(child.pipe_end);
  waitpid(child.pid, &status, 0);
  return result;
}

UNUSED static int in_child(int (*work)(const char *), const char *data) {
  struct child child = fork_child();
  if (child.pid == 0)
    end_child(child, work(data));
  return result_of(child);
}

#endif
