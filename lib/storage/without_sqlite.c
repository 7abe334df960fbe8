/* SPDX-License-Identifier: MIT */
/*
 * The entry points of the SQLite back-end in a build without it (-DAPIKEYS_SQLITE=OFF): exported as
 * ever, so that a program links with either build, and answering APIKEYS_ERROR_UNSUPPORTED.
 */
#include "storage/sqlite/sqlite.h"

#include "base/error.h"

#ifdef APIKEYS_WITHOUT_SQLITE
int apikeys_storage_sqlite(apikeys_storage *out, const char *path, int busy_timeout_ms,
                           apikeys_error *err) {
  (void)out;
  (void)path;
  (void)busy_timeout_ms;
  return ak_error_set(err, APIKEYS_ERROR_UNSUPPORTED, "storage",
                      "this libapikeys was built without SQLite");
}

void ak_storage_sqlite_set_log(const apikeys_storage *storage,
                               void (*log)(void *data, const char *text), void *data) {
  (void)storage;
  (void)log;
  (void)data;
}

int ak_storage_sqlite_raise_number(const apikeys_storage *storage, int kind, int64_t number) {
  (void)storage;
  (void)kind;
  (void)number;
  return APIKEYS_ERROR_UNSUPPORTED;
}
#endif
