/* SPDX-License-Identifier: MIT */
#include "support/sql.h"

#include <sqlite3.h>
#include <stdio.h>

int execute_sql(const char *path, const char *sql, int *changed) {
  sqlite3 *db = NULL;
  char *message = NULL;
  int rc = sqlite3_open(path, &db);
  sqlite3_busy_timeout(db, 5000);
  if (rc == SQLITE_OK)
    rc = sqlite3_exec(db, sql, NULL, NULL, &message);
  if (rc != SQLITE_OK)
    fprintf(stderr, "%s: %s\n", sql, message != NULL ? message : sqlite3_errstr(rc));
  if (changed != NULL)
    *changed = sqlite3_changes(db);
  sqlite3_free(message);
  sqlite3_close(db);
  return rc;
}
