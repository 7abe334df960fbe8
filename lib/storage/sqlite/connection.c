/* SPDX-License-Identifier: MIT */
/* One SQLite connection: opening, settings, closing. */
#include "storage/sqlite/private.h"

#include "base/error.h"
#include "base/monotonic.h"

#include <stdlib.h>
#include <time.h>

/* ------------------------------------------------------------------------------ waiting ------- */

void ak_sqlite_pause(int attempts) {
  int64_t nanoseconds = INT64_C(100000) << (attempts < 5 ? attempts : 5);
  struct timespec pause = {.tv_nsec = (long)nanoseconds};
  nanosleep(&pause, NULL);
}

/*
 * SQLite's own handler naps for up to 100 ms, and a writer that naps misses the moments between a
 * busy neighbour's transactions: it starves. This one looks again after at most 3 ms.
 */
static int wait_for_lock(void *data, int attempts) {
  struct ak_sqlite_connection *connection = data;
  int64_t now = ak_monotonic_ms();
  if (connection->busy_until == 0)
    connection->busy_until = now + connection->busy_timeout_ms;
  if (now >= connection->busy_until)
    return 0;
  ak_sqlite_pause(attempts);
  return 1;
}

/* ------------------------------------------------------------------------ opening, closing ---- */

/* A row larger than this is damage: the library stores nothing near it. */
enum { ROW_BYTES_MAX = 64 * 1024 * 1024 };

/*
 * Pages: 8 MiB at the most hold the upper levels of every index of a large store, and all of a
 * small one; four times as much made no difference that could be measured. The file is not mapped:
 * an error of the disk would then be a signal, which ends the application.
 */
static int configure(struct ak_sqlite_connection *connection) {
  sqlite3 *db = connection->db;
  sqlite3_extended_result_codes(db, 1);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX);
  int rc = sqlite3_busy_handler(db, wait_for_lock, connection);
  if (rc == SQLITE_OK)
    rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_exec(db,
                      "PRAGMA trusted_schema=OFF;"
                      "PRAGMA cell_size_check=ON;"
                      "PRAGMA foreign_keys=ON;"
                      "PRAGMA synchronous=FULL;"
                      "PRAGMA cache_size=-8192;"
                      "PRAGMA journal_size_limit=8388608;", /* AK_SQLITE_LOG_BYTES */
                      NULL, NULL, NULL);
  return rc;
}

/* Prepared in advance: ending a transaction must not need memory. */
static int prepare_control(struct ak_sqlite_connection *connection) {
  static const char *const texts[AK_SQLITE_CONTROL_END] = {
      [AK_SQLITE_BEGIN_READ] = "BEGIN",
      [AK_SQLITE_BEGIN_WRITE] = "BEGIN IMMEDIATE",
      [AK_SQLITE_COMMIT] = "COMMIT",
      [AK_SQLITE_ROLLBACK] = "ROLLBACK",
      [AK_SQLITE_READ_VERSION] = "PRAGMA user_version",
  };
  int rc = SQLITE_OK;
  for (int i = 0; i < AK_SQLITE_CONTROL_END && rc == SQLITE_OK; i++)
    rc = sqlite3_prepare_v3(connection->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                            &connection->control[i], NULL);
  return rc;
}

static int open_database(struct ak_sqlite_connection *connection, const char *path) {
  int rc = sqlite3_open_v2(path, &connection->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                               SQLITE_OPEN_NOFOLLOW,
                           NULL);
  if (rc == SQLITE_OK)
    rc = configure(connection);
  else if (connection->db != NULL)
    rc = sqlite3_extended_errcode(connection->db);
  if (rc == SQLITE_OK && sqlite3_db_readonly(connection->db, "main") == 1)
    rc = SQLITE_READONLY; /* opened all the same where the file may only be read */
  return rc == SQLITE_OK ? prepare_control(connection) : rc;
}

/* The only journal in which readers and a writer go side by side, and which SQLite may refuse. */
static int require_wal(struct ak_sqlite_connection *connection, apikeys_error *err) {
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(connection->db, "PRAGMA journal_mode=WAL", -1, &statement, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_step(statement);
  bool wal = rc == SQLITE_ROW &&
             sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
  int code = APIKEYS_OK;
  if (rc != SQLITE_ROW)
    code = ak_sqlite_report(err, connection->db, rc, "cannot use write-ahead logging");
  else if (!wal)
    code = ak_error_set(err, APIKEYS_ERROR_UNSUPPORTED, "",
                        "the file system cannot do SQLite's write-ahead logging");
  sqlite3_finalize(statement);
  return code;
}

int ak_sqlite_connection_confirm(struct ak_sqlite_connection *connection, apikeys_error *err) {
  int rc = require_wal(connection, err);
  if (rc == APIKEYS_OK)
    sqlite3_db_config(connection->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  return rc;
}

static int check_file(const struct ak_sqlite_file *file, apikeys_error *err) {
  int rc = ak_sqlite_file_check(file);
  return rc == APIKEYS_OK ? rc : ak_error_code(err, rc);
}

int ak_sqlite_connection_open(struct ak_sqlite_connection **out, const struct ak_sqlite_file *file,
                              int busy_timeout_ms, bool provisional, apikeys_error *err) {
  struct ak_sqlite_connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL)
    return ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  connection->busy_timeout_ms = busy_timeout_ms;
  /* Before: opening another file would already throw away the log that belongs to ours. */
  int code = check_file(file, err);
  if (code == APIKEYS_OK) {
    int rc = open_database(connection, file->path);
    if (rc != SQLITE_OK)
      code = ak_sqlite_report(err, connection->db, rc, "cannot open the database");
  }
  /* And behind: what SQLite opened is what we looked at. */
  if (code == APIKEYS_OK)
    code = check_file(file, err);
  if (code == APIKEYS_OK && !provisional)
    code = ak_sqlite_connection_confirm(connection, err);
  if (code == APIKEYS_OK)
    *out = connection;
  else
    ak_sqlite_connection_close(connection);
  return code;
}

void ak_sqlite_connection_close(struct ak_sqlite_connection *connection) {
  if (connection == NULL)
    return;
  for (int kind = 0; kind < AK_KIND_END; kind++) {
    struct ak_sqlite_statement *statement = connection->statements[kind];
    while (statement != NULL) {
      struct ak_sqlite_statement *next = statement->next;
      sqlite3_finalize(statement->prepared);
      free(statement);
      statement = next;
    }
  }
  for (int i = 0; i < AK_SQLITE_CONTROL_END; i++)
    sqlite3_finalize(connection->control[i]);
  for (int i = 0; i < AK_SQLITE_QUESTION_END; i++)
    sqlite3_finalize(connection->questions[i]);
  sqlite3_close(connection->db);
  free(connection);
}

/* --------------------------------------------------------------------------- transactions ----- */

int ak_sqlite_control(struct ak_sqlite_connection *connection, enum ak_sqlite_control which) {
  sqlite3_stmt *statement = connection->control[which];
  int rc = sqlite3_step(statement);
  sqlite3_reset(statement);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int ak_sqlite_version(struct ak_sqlite_connection *connection, int64_t *version) {
  sqlite3_stmt *statement = connection->control[AK_SQLITE_READ_VERSION];
  int rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW)
    *version = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

bool ak_sqlite_settle(struct ak_sqlite_connection *connection) {
  if (!sqlite3_get_autocommit(connection->db))
    ak_sqlite_control(connection, AK_SQLITE_ROLLBACK);
  return sqlite3_get_autocommit(connection->db) &&
         sqlite3_txn_state(connection->db, NULL) == SQLITE_TXN_NONE;
}
