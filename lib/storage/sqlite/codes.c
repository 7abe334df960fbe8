/* SPDX-License-Identifier: MIT */
/* What SQLite's result codes mean to us. */
#include "storage/sqlite/private.h"

#include "base/error.h"

#include <errno.h>

/*
 * SQLite knows ENOSPC as "full", but not the other limits: the file's own last errno tells them.
 * (The connection's is whatever errno happened to be later.) What is written is the log if there
 * is one.
 */
static bool is_out_of_room(sqlite3 *db) {
  sqlite3_file *log = NULL;
  int reason = 0;
  if (db == NULL)
    return false;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log != NULL && log->pMethods != NULL)
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &reason);
  else
    sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &reason);
  return reason == EFBIG || reason == EDQUOT;
}

int ak_sqlite_code(sqlite3 *db, int rc) {
  switch (rc) {
  case SQLITE_READONLY_DBMOVED:
    return APIKEYS_ERROR_STORE_REPLACED;
  case SQLITE_CONSTRAINT_UNIQUE:
  case SQLITE_CONSTRAINT_PRIMARYKEY:
  case SQLITE_CONSTRAINT_ROWID:
    return APIKEYS_ERROR_EXISTS;
  case SQLITE_CONSTRAINT_NOTNULL: /* the record that we were given lacks a field */
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  case SQLITE_IOERR_NOMEM:
    return APIKEYS_ERROR_NO_MEMORY;
  case SQLITE_IOERR_WRITE:
    return is_out_of_room(db) ? APIKEYS_ERROR_STORAGE_FULL : APIKEYS_ERROR_STORAGE;
  default:
    break;
  }
  switch (rc & 0xff) {
  case SQLITE_OK:
  case SQLITE_ROW:
  case SQLITE_DONE:
    return APIKEYS_OK;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_PROTOCOL:
    return APIKEYS_ERROR_BUSY;
  case SQLITE_FULL:
    return APIKEYS_ERROR_STORAGE_FULL;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return APIKEYS_ERROR_CORRUPT;
  case SQLITE_READONLY:
    return APIKEYS_ERROR_READ_ONLY;
  case SQLITE_NOMEM:
    return APIKEYS_ERROR_NO_MEMORY;
  case SQLITE_CANTOPEN:
    return APIKEYS_ERROR_CANNOT_OPEN;
  default:
    return APIKEYS_ERROR_STORAGE;
  }
}

/*
 * Where SQLite stopped before the commit's last frame was whole in the log, nothing happened. After
 * anything else (a failed sync, no memory for the index of a frame that is already on disk) the
 * commit may come to light when the log is recovered.
 */
int ak_sqlite_commit_code(sqlite3 *db, int rc) {
  int code = ak_sqlite_code(db, rc);
  switch (code) {
  case APIKEYS_OK:
  case APIKEYS_ERROR_BUSY:
  case APIKEYS_ERROR_STORAGE_FULL:
  case APIKEYS_ERROR_READ_ONLY:
  case APIKEYS_ERROR_STORE_REPLACED:
    return code;
  default:
    return APIKEYS_ERROR_OUTCOME_UNKNOWN;
  }
}

int ak_sqlite_report(apikeys_error *err, sqlite3 *db, int rc, const char *what) {
  const char *why =
      db != NULL && sqlite3_extended_errcode(db) == rc ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  return ak_error_set(err, ak_sqlite_code(db, rc), "", "%s: %s (SQLite %d)", what, why, rc);
}
