/* SPDX-License-Identifier: MIT */
#ifndef SQL_H
#define SQL_H

/* Runs SQL on a database file, beside the library: SQLITE_OK, or it says on standard error what
 * failed. `changed` (may be NULL): how many rows. Without Check, also for other processes. */
int execute_sql(const char *path, const char *sql, int *changed);

#endif
