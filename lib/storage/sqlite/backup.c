/* SPDX-License-Identifier: MIT */
/* An online copy of the database, by SQLite's backup API. */
#include "storage/sqlite/private.h"

#include "base/monotonic.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_target(sqlite3 **db, const char *path) {
  int rc = sqlite3_open_v2(path, db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                               SQLITE_OPEN_NOFOLLOW,
                           NULL);
  if (*db != NULL)
    sqlite3_extended_result_codes(*db, 1);
  if (rc == SQLITE_OK)
    rc = sqlite3_exec(*db, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
  return rc;
}

/*
 * All pages in one step: it reads one snapshot, which in a WAL database hinders no writer. (In
 * several steps the copy would start anew whenever another process has written.)
 */
static int copy(sqlite3 *target, struct ak_sqlite_connection *source) {
  sqlite3_backup *backup = sqlite3_backup_init(target, "main", source->db, "main");
  if (backup == NULL)
    return sqlite3_extended_errcode(target);
  int64_t until = ak_monotonic_ms() + source->busy_timeout_ms;
  int rc = SQLITE_BUSY;
  for (int attempts = 0; attempts == 0 || ak_monotonic_ms() < until; attempts++) {
    rc = sqlite3_backup_step(backup, -1);
    if ((rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
      break;
    ak_sqlite_pause(attempts);
  }
  int finished = sqlite3_backup_finish(backup);
  return rc == SQLITE_DONE ? SQLITE_OK : finished != SQLITE_OK ? finished : rc;
}

static int sqlite_backup_collect(void *data, int count, char **values, char **names) {
  (void)names;
  bool *good = data;
  *good = count == 1 && values[0] != NULL && strcmp(values[0], "ok") == 0;
  return 0;
}

/*
 * A copy that cannot be read is no backup: read all of it once. Twice before it is called corrupt,
 * because the check gives want of memory as a finding too.
 */
static int sqlite_backup_verify(sqlite3 *target) {
  bool good = false;
  int rc = SQLITE_OK;
  for (int i = 0; i < 2 && rc == SQLITE_OK && !good; i++)
    rc = sqlite3_exec(target, "PRAGMA quick_check(1)", sqlite_backup_collect, &good, NULL);
  return rc == SQLITE_OK && !good ? SQLITE_CORRUPT : rc;
}

int ak_sqlite_backup(struct ak_sqlite_connection *source, const char *path) {
  struct ak_sqlite_file *file = NULL;
  int code = ak_sqlite_file_create(&file, path);
  if (code != APIKEYS_OK)
    return code;
  sqlite3 *target = NULL;
  int rc = open_target(&target, file->path);
  if (rc == SQLITE_OK)
    rc = copy(target, source);
  if (rc == SQLITE_OK)
    rc = sqlite_backup_verify(target);
  code = ak_sqlite_code(target, rc);
  sqlite3_close(target);
  if (code == APIKEYS_OK)
    code = ak_sqlite_file_sync_directory(file);
  if (code != APIKEYS_OK)
    unlink(file->path); /* ours: nobody else was told of it */
  ak_sqlite_file_close(file);
  return code;
}
