/* SPDX-License-Identifier: MIT */
/*
 * The parts of the SQLite back-end, bottom up:
 *
 *   codes.c       what SQLite's codes mean to us
 *   file.c        paths, and which files this process and its ancestors have open
 *   connection.c  one connection: its settings and its end
 *   statements.c  SQL from the schema table and the shape of a query; prepared once
 *   schema.c      making, upgrading and checking the tables
 *   changes.c     what changed: a table, and the triggers that fill it
 *   watch.c       whether anything changed, and whether the files are still the same
 *   backup.c      an online copy
 *   sqlite.c      the store: transactions, the vtable's slots, fork
 *
 * Nothing else in the library includes sqlite3.h.
 */
#ifndef AK_STORAGE_SQLITE_PRIVATE_H
#define AK_STORAGE_SQLITE_PRIVATE_H

#include "storage/sqlite/sqlite.h"

#include "storage/schema.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/types.h>

/* ------------------------------------------------------------------------------ the file ------ */

/*
 * A database file that this process uses, in a list of all of them. SQLite keeps locks per process
 * and file in memory that a fork copies but the kernel does not: in a child, a file that was open
 * at the fork looks locked to SQLite and is not. So the list, which a fork copies too, tells which
 * files a child must keep away from.
 */
struct ak_sqlite_file {
  struct ak_sqlite_file *next;
  char *path; /* absolute, without symbolic links */
  dev_t device;
  ino_t inode;
  uint64_t stamp;  /* of the process that has connections to it; 0: none has */
  void *abandoned; /* what a child may neither use nor close */
};

/*
 * Check the path and enter the file into the list, as open. A file that is not there is made,
 * empty, mode 0600; ak_sqlite_file_create() wants to make it: APIKEYS_ERROR_EXISTS.
 */
int ak_sqlite_file_open(struct ak_sqlite_file **file, const char *path, apikeys_error *err);
int ak_sqlite_file_create(struct ak_sqlite_file **file, const char *path);
void ak_sqlite_file_close(struct ak_sqlite_file *file); /* after its connections; frees it */

/* APIKEYS_ERROR_STORE_REPLACED if another file is at the path now, or none. */
int ak_sqlite_file_check(const struct ak_sqlite_file *file);
int ak_sqlite_file_compare(const struct ak_sqlite_file *file, struct stat *status); /* the same */

/*
 * The two files beside the database, "-wal" and "-shm", as they were when a connection was opened.
 * Finding and comparing them: APIKEYS_ERROR_STORE_REPLACED if one is not there, or another one.
 */
struct ak_sqlite_companions {
  dev_t log_device, index_device;
  ino_t log_inode, index_inode;
  int64_t log_bytes; /* as found */
};
int ak_sqlite_companions_find(const struct ak_sqlite_file *file,
                              struct ak_sqlite_companions *companions);
/* 0, or APIKEYS_ERROR_STORE_REPLACED. `before` gets the size that the log has by now. */
int ak_sqlite_companions_compare(struct ak_sqlite_companions *before,
                                 const struct ak_sqlite_companions *now);

/* 1 if something is mounted at the path itself, 0 if not or if the system does not tell. */

/* No connection is left; and one is about to be made again (APIKEYS_ERROR_FORKED). */
void ak_sqlite_file_rest(struct ak_sqlite_file *file);
int ak_sqlite_file_resume(struct ak_sqlite_file *file);

/* In a child: keep the file in the list for good, and what holds the parent's connections. */
void ak_sqlite_file_abandon(struct ak_sqlite_file *file, void *holder);

/* The lock of the list, which is held across fork() and therefore usable in a child. */
void ak_sqlite_files_lock(void);
void ak_sqlite_files_unlock(void);

/* What the file's first bytes tell without a connection, which could already change something. */
enum ak_sqlite_content {
  AK_SQLITE_OURS,
  AK_SQLITE_VACANT /* empty as far as one can see from outside: SQLite must have a look */
};
int ak_sqlite_file_content(const struct ak_sqlite_file *file, enum ak_sqlite_content *content,
                           apikeys_error *err);

/* Make a new file's name in its directory durable. */
int ak_sqlite_file_sync_directory(const struct ak_sqlite_file *file);

/* ------------------------------------------------------------------------------ statements ---- */

enum ak_sqlite_operation {
  AK_SQLITE_SELECT = 1,
  AK_SQLITE_COUNT,
  AK_SQLITE_INSERT,
  AK_SQLITE_UPDATE,
  AK_SQLITE_REMOVE,
  AK_SQLITE_RAISE
};

/* All that a statement's text depends on: no value ever becomes part of one. */
struct ak_sqlite_shape {
  uint8_t operation;
  uint8_t kind;
  uint8_t index; /* of RAISE: the field */
  uint8_t equal_count;
  bool lower;
  bool upper;
  bool descending;
  uint8_t scope;
};

struct ak_sqlite_statement {
  struct ak_sqlite_statement *next;
  struct ak_sqlite_shape shape;
  sqlite3_stmt *prepared;
};

/* SQL under construction; `full` if something did not fit, so that it is looked at once. */
struct ak_sql {
  size_t used;
  bool full;
  char text[4096];
};
void ak_sql_add(struct ak_sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ak_sql_add_index_name(struct ak_sql *sql, const struct ak_kind_schema *kind,
                           const struct ak_index *index);

/* The text for a shape. Parameters: the equal values, lower, upper, the organization; of writes
 * the fields from 1 on, then what finds the record. */
void ak_sqlite_shape_text(struct ak_sql *sql, const struct ak_sqlite_shape *shape);

struct ak_sqlite_shape ak_sqlite_query_shape(enum ak_sqlite_operation operation,
                                             const apikeys_query *query);

/* ------------------------------------------------------------------------------ connections --- */

enum ak_sqlite_control {
  AK_SQLITE_BEGIN_READ,
  AK_SQLITE_BEGIN_WRITE,
  AK_SQLITE_COMMIT,
  AK_SQLITE_ROLLBACK,
  AK_SQLITE_READ_VERSION,
  AK_SQLITE_CONTROL_END
};

/* What is asked about the table of changes. */
enum ak_sqlite_question {
  AK_SQLITE_SCHEMA_NUMBER,
  AK_SQLITE_LAST_CHANGE,
  AK_SQLITE_MARK_OF_CHANGE,
  AK_SQLITE_COUNT_CHANGES,
  AK_SQLITE_CHANGES,
  AK_SQLITE_QUESTION_END
};

struct ak_sqlite_connection {
  sqlite3 *db;
  int busy_timeout_ms;
  int64_t busy_until; /* monotonic; 0: the timeout, from when the waiting starts */
  sqlite3_stmt *control[AK_SQLITE_CONTROL_END];
  sqlite3_stmt *questions[AK_SQLITE_QUESTION_END];     /* prepared at their first use */
  struct ak_sqlite_statement *statements[AK_KIND_END]; /* by kind */
};

/* A short sleep, longer as `attempts` grow. */
void ak_sqlite_pause(int attempts);

/*
 * Open a connection to the file, which is there. On failure *connection is untouched.
 * A provisional connection leaves the file as it is: it neither turns it into a WAL database nor
 * cleans up behind itself, until ak_sqlite_connection_confirm().
 */
int ak_sqlite_connection_open(struct ak_sqlite_connection **connection,
                              const struct ak_sqlite_file *file, int busy_timeout_ms,
                              bool provisional, apikeys_error *err);
int ak_sqlite_connection_confirm(struct ak_sqlite_connection *connection, apikeys_error *err);
void ak_sqlite_connection_close(struct ak_sqlite_connection *connection);

/* Step one of the control statements; 0 or a code of SQLite's. */
int ak_sqlite_control(struct ak_sqlite_connection *connection, enum ak_sqlite_control which);

/* The statement for a shape, prepared at its first use. 0 or a code of ours. */
int ak_sqlite_prepare(struct ak_sqlite_connection *connection, const struct ak_sqlite_shape *shape,
                      sqlite3_stmt **prepared);
void ak_sqlite_reset(sqlite3_stmt *prepared);

/* The record becomes the row, which has every field of its kind, in order. A code of ours. */
int ak_sqlite_read_row(apikeys_record *record, sqlite3_stmt *row);

/* Without a copy: the record stays until the statement is reset. 0 or a code of SQLite's. All of a
 * record's fields but its number, from the first parameter on; or one field. */
int ak_sqlite_bind_fields(sqlite3_stmt *statement, const apikeys_record *record);
int ak_sqlite_bind_field(sqlite3_stmt *statement, int parameter, const apikeys_record *record,
                         int field);

/* The schema version as this connection's transaction sees it; 0 or a code of SQLite's. */
int ak_sqlite_version(struct ak_sqlite_connection *connection, int64_t *version);

/*
 * Leave no transaction behind, whatever happened. False: one could not be ended, or a statement
 * still holds its snapshot; the connection must be closed, or it would answer with old states.
 */
bool ak_sqlite_settle(struct ak_sqlite_connection *connection);

/* Codes of ours for SQLite's, after a call on `db`; of a commit; and with the detail for `err`. */
int ak_sqlite_code(sqlite3 *db, int rc);
int ak_sqlite_commit_code(sqlite3 *db, int rc);
int ak_sqlite_report(apikeys_error *err, sqlite3 *db, int rc, const char *what);

/* ------------------------------------------------------------------------------ the rest ------ */

/* Bring a provisional connection's database to the current schema, or say why not. */
int ak_sqlite_schema_open(struct ak_sqlite_connection *connection, apikeys_error *err);

/* Make the log of changes, in place of an older one; these give SQLITE_OK or a code of SQLite's. */
int ak_sqlite_changes_create(struct ak_sqlite_connection *connection);

/* The number of the last entry of the log, and the mark that was drawn for it. */
struct ak_sqlite_head {
  int64_t last;
  int64_t mark;
};

/*
 * In one transaction: the schema's number, which moves when anything in it is made, dropped or
 * altered; whether the log and its triggers are those that were made here, with no others beside
 * them; the log's head, and whether that continues the history in which `seen` was read.
 */
int ak_sqlite_changes_schema(struct ak_sqlite_connection *connection, int64_t *number);
int ak_sqlite_changes_are_ours(struct ak_sqlite_connection *connection, bool *ours);
int ak_sqlite_changes_head(struct ak_sqlite_connection *connection, struct ak_sqlite_head *head);
int ak_sqlite_changes_compare(struct ak_sqlite_connection *connection,
                              const struct ak_sqlite_head *seen, const struct ak_sqlite_head *now,
                              bool *went_back);

/* The generation that the schema's number and the log's head make. */
uint64_t ak_sqlite_changes_generation(int64_t schema, const struct ak_sqlite_head *head);

/* The changes slot, in this connection's transaction; a code of ours. */
int ak_sqlite_changes(struct ak_sqlite_connection *connection, uint64_t since,
                      apikeys_change_visitor visit, void *visit_data);

/*
 * The watch over one file: started when a store has its first connection, stopped before the last
 * one is closed; started again by the first who asks for the generation once it was woken.
 */
struct ak_sqlite_watch;
struct ak_sqlite_watch *ak_sqlite_watch_new(const struct ak_sqlite_file *file);
void ak_sqlite_watch_start(struct ak_sqlite_watch *watch);
void ak_sqlite_watch_stop(struct ak_sqlite_watch *watch);
void ak_sqlite_watch_wake(struct ak_sqlite_watch *watch);
void ak_sqlite_watch_adopt(struct ak_sqlite_watch *watch);
void ak_sqlite_watch_free(struct ak_sqlite_watch *watch);

/* The generation slot. */
int ak_sqlite_watch_generation(struct ak_sqlite_watch *watch, uint64_t *generation);

/*
 * A look at the files, twice a second (else what the last one gave) or now.
 * APIKEYS_ERROR_STORE_REPLACED: another file, or none, is where the database, its log or the log's
 * index was, or something else than SQLite wrote to the database. APIKEYS_ERROR_STORE_WENT_BACK:
 * the log of changes is not a continuation of what was seen. Both are final for this handle.
 * `written`: what a writer has open beside the database, which is looked at in the same look.
 */
int ak_sqlite_watch_check(struct ak_sqlite_watch *watch);
int ak_sqlite_watch_check_now(struct ak_sqlite_watch *watch, struct ak_sqlite_companions *written);
void ak_sqlite_watch_set_state(struct ak_sqlite_watch *watch, int state);

/*
 * The latest head of the log that was seen; taken before a transaction begins, so that the head
 * which that reads must be a continuation of it. The second keeps what it is given if it is one.
 */
struct ak_sqlite_head ak_sqlite_watch_seen(struct ak_sqlite_watch *watch);
int ak_sqlite_watch_compare(struct ak_sqlite_watch *watch, struct ak_sqlite_connection *connection,
                            const struct ak_sqlite_head *seen, const struct ak_sqlite_head *now);

/* For warnings; called on a thread that is in a call, with no lock held. */
void ak_sqlite_watch_set_log(struct ak_sqlite_watch *watch,
                             void (*log)(void *data, const char *text), void *data);

int ak_sqlite_backup(struct ak_sqlite_connection *source, const char *path);

#endif
