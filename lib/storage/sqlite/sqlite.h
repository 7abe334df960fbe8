/* SPDX-License-Identifier: MIT */
/* The SQLite back-end. Nothing but storage/sqlite*.c includes sqlite3.h. */
#ifndef AK_STORAGE_SQLITE_SQLITE_H
#define AK_STORAGE_SQLITE_SQLITE_H

#include <apikeys/storage.h>

enum {
  AK_SQLITE_APPLICATION_ID = 0x414b6579, /* "AKey" */
  AK_SQLITE_LOG_BYTES = 8 * 1024 * 1024, /* a longer write-ahead log is shortened when it can be */
  AK_BUSY_TIMEOUT_DEFAULT_MS = 5000
};

/* Where warnings of a store that apikeys_storage_sqlite() made go: on a thread that is in a
 * call. */
void ak_storage_sqlite_set_log(const apikeys_storage *storage,
                               void (*log)(void *data, const char *text), void *data);

/* New records of the kind get numbers above this one from now on: a transaction of its own. */
int ak_storage_sqlite_raise_number(const apikeys_storage *storage, int kind, int64_t number);

#endif
