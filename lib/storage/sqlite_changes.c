/* SPDX-License-Identifier: MIT */
/*
 * The table of changes, and how to know in nanoseconds that nothing was committed.
 *
 * Triggers append a row for each change that could alter a validation, whoever makes it; its number
 * is the generation. In WAL mode every commit, of any process, rewrites the header of the shared
 * wal-index before it returns (https://sqlite.org/walformat.html): while those 48 bytes are what
 * they were, the generation is what it was.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap */
#endif
#include "sqlite_private.h"

#include "fork_guard.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

/* -- The table --------------------------------------------------------------------------------- */

/* What names a change of each kind; "''": all may have changed. */
static const struct source {
  int kind;
  const char *identity;
  bool inserts;         /* a new record can alter a validation that was good, and so was cached */
  const char *relevant; /* of an update: columns that matter; NULL: all do */
} sources[] = {
    {AK_ENVIRONMENT, NULL, true, "id, accepted_prefixes, root_version, idle_lifetime_ms"},
    {AK_PERMISSION, NULL, false, NULL},
    {AK_ROLE, "organization_id", true, NULL},
    {AK_ORGANIZATION, "id", false, NULL},
    {AK_MEMBER, "organization_id", false, NULL},
    {AK_API_KEY, "lookup_id", false, NULL},
};
enum {
  SOURCES = sizeof sources / sizeof sources[0],
  TRIGGERS = 4 * SOURCES + 2 + 1, /* two of the sources tell of inserts; and the pruning */
  CHANGES_KEPT = 10000
};

static void add_identity(struct ak_sql *sql, const struct source *source, const char *row) {
  if (source->identity != NULL)
    ak_sql_add(sql, "%s%s", row, source->identity);
  else
    ak_sql_add(sql, "''");
}

static void add_note(struct ak_sql *sql, const struct source *source, const char *row) {
  ak_sql_add(sql, " INSERT INTO changes (kind, identity) VALUES (%d, ", source->kind);
  add_identity(sql, source, row);
  ak_sql_add(sql, ");");
}

static void trigger_text(struct ak_sql *sql, const struct source *source, const char *when,
                         const char *event) {
  const char *table = ak_schema_kind(source->kind)->name;
  ak_sql_add(sql, "CREATE TRIGGER changes_%s_%s_%s %s %s ON %s", table, when, event, when, event,
             table);
}

/* The row is the record of another that is in the place of NEW: a record that OR REPLACE would
 * remove without a trigger of its own. Where it is a plain insert that fails, so does this. */
static void add_collisions(struct ak_sql *sql, const struct source *source, const char *others) {
  const struct ak_kind_schema *kind = ak_schema_kind(source->kind);
  ak_sql_add(sql, " BEGIN INSERT INTO changes (kind, identity) SELECT %d, ", source->kind);
  add_identity(sql, source, "");
  ak_sql_add(sql, " FROM %s WHERE %s(number = NEW.number", kind->name, others);
  for (int i = 0; i < kind->index_count; i++) {
    const struct ak_index *index = &kind->indexes[i];
    if (!index->unique)
      continue;
    for (int j = 0; j < index->field_count; j++)
      ak_sql_add(sql, "%s%s = NEW.%s", j == 0 ? " OR (" : " AND ",
                 kind->fields[index->fields[j]].name, kind->fields[index->fields[j]].name);
    ak_sql_add(sql, ")");
  }
  ak_sql_add(sql, "); END;");
}

static void add_columns(struct ak_sql *sql, const char *row, const char *columns) {
  ak_sql_add(sql, "(");
  while (*columns != '\0') {
    size_t length = strcspn(columns, ",");
    ak_sql_add(sql, "%s%.*s", row, (int)length, columns);
    columns += length;
    if (*columns == ',') {
      ak_sql_add(sql, ", ");
      columns += strspn(columns, ", ");
    }
  }
  ak_sql_add(sql, ")");
}

static void triggers_text(struct ak_sql *sql, const struct source *source) {
  trigger_text(sql, source, "BEFORE", "INSERT");
  add_collisions(sql, source, "");
  trigger_text(sql, source, "BEFORE", "UPDATE");
  add_collisions(sql, source, "number <> OLD.number AND ");
  if (source->inserts) {
    trigger_text(sql, source, "AFTER", "INSERT");
    ak_sql_add(sql, " BEGIN");
    add_note(sql, source, "NEW.");
    ak_sql_add(sql, " END;");
  }
  trigger_text(sql, source, "AFTER", "UPDATE");
  if (source->relevant != NULL) {
    ak_sql_add(sql, " WHEN ");
    add_columns(sql, "OLD.", source->relevant);
    ak_sql_add(sql, " IS NOT ");
    add_columns(sql, "NEW.", source->relevant);
  }
  ak_sql_add(sql, " BEGIN");
  add_note(sql, source, "OLD.");
  if (source->identity != NULL) {
    ak_sql_add(sql,
               " INSERT INTO changes (kind, identity) SELECT %d, NEW.%s WHERE NEW.%s <> OLD.%s;",
               source->kind, source->identity, source->identity, source->identity);
  }
  ak_sql_add(sql, " END;");
  trigger_text(sql, source, "AFTER", "DELETE");
  ak_sql_add(sql, " BEGIN");
  add_note(sql, source, "OLD.");
  ak_sql_add(sql, " END;");
}

int ak_sqlite_changes_create(struct ak_sqlite_connection *connection) {
  struct ak_sql sql = {0};
  ak_sql_add(&sql,
             "CREATE TABLE changes (generation INTEGER PRIMARY KEY AUTOINCREMENT,"
             " kind INTEGER NOT NULL, identity TEXT NOT NULL) STRICT;"
             "CREATE TRIGGER changes_pruned AFTER INSERT ON changes"
             " BEGIN DELETE FROM changes WHERE generation <= NEW.generation - %d; END;",
             CHANGES_KEPT);
  int rc = sqlite3_exec(connection->db, sql.text, NULL, NULL, NULL);
  for (int i = 0; i < SOURCES && rc == SQLITE_OK; i++) {
    sql = (struct ak_sql){0};
    triggers_text(&sql, &sources[i]);
    rc = sql.full ? SQLITE_TOOBIG : sqlite3_exec(connection->db, sql.text, NULL, NULL, NULL);
  }
  return rc;
}

/* -- What changed ------------------------------------------------------------------------------ */

static int read_integer(sqlite3 *db, const char *text, int64_t since, int64_t *out) {
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
  if (rc == SQLITE_OK && sqlite3_bind_parameter_count(statement) > 0)
    rc = sqlite3_bind_int64(statement, 1, since);
  if (rc == SQLITE_OK)
    rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW)
    *out = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

#define LAST_GENERATION                                                                            \
  "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)"

/* Numbers have no holes: as many rows as numbers, or some are missing. */
static int is_complete(sqlite3 *db, int64_t since, bool *complete) {
  int64_t last = 0, count = 0;
  int rc = read_integer(db, LAST_GENERATION, 0, &last);
  if (rc == SQLITE_OK)
    rc = read_integer(db, "SELECT count(*) FROM changes WHERE generation > ?1", since, &count);
  *complete = since <= last && count == last - since;
  return rc;
}

int ak_sqlite_changes(struct ak_sqlite_connection *connection, uint64_t since,
                      apikeys_change_visitor visit, void *visit_data) {
  sqlite3 *db = connection->db;
  sqlite3_stmt *statement = NULL;
  bool complete = false;
  if (since > INT64_MAX)
    return APIKEYS_ERROR_UNSUPPORTED;
  int rc = is_complete(db, (int64_t)since, &complete);
  if (rc == SQLITE_OK && !complete)
    return APIKEYS_ERROR_UNSUPPORTED;
  if (rc == SQLITE_OK)
    rc = sqlite3_prepare_v2(db, "SELECT kind, identity FROM changes WHERE generation > ?1", -1,
                            &statement, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_bind_int64(statement, 1, (int64_t)since);
  int code = APIKEYS_OK;
  while (rc == SQLITE_OK && code == APIKEYS_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
    const char *identity = (const char *)sqlite3_column_text(statement, 1);
    if (identity != NULL)
      code = visit(sqlite3_column_int(statement, 0), identity,
                   (size_t)sqlite3_column_bytes(statement, 1), visit_data);
    rc = identity != NULL ? SQLITE_OK : SQLITE_NOMEM;
  }
  if (code == APIKEYS_OK && rc != SQLITE_DONE)
    code = ak_sqlite_code(db, rc);
  sqlite3_finalize(statement);
  return code;
}

/* -- The generation ---------------------------------------------------------------------------- */

enum {
  HEADER_WORDS = 48 / sizeof(uint64_t),
  WAL_INDEX_REGION = 32768, /* SQLite's own unit */
  WAL_INDEX_VERSION = 3007000,
  CHECK_EVERY_MS = 1000
};

/*
 * `anchor` is a connection of its own that is used for nothing else: while it is open the mapping
 * is the one that all processes share. `header` is a second mapping of the same memory, which stays
 * where it is when SQLite takes its own away; it is kept for good.
 */
struct ak_sqlite_watch {
  const struct ak_sqlite_file *file;
  pthread_mutex_t lock; /* of the one who refreshes */
  struct ak_sqlite_connection *anchor;
  const _Atomic uint64_t *_Atomic header; /* NULL: not watching */
  struct stat shared_memory;
  _Atomic bool resting; /* the file has no connections, and must not get one from here */
  bool hopeless;        /* this database cannot be watched */
  _Atomic int64_t checked_at_ms;
  _Atomic bool replaced;
  /* What was seen; a sequence lock, odd while it is written. */
  _Atomic uint32_t sequence;
  _Atomic uint64_t seen[HEADER_WORDS];
  _Atomic uint64_t generation;
};

struct ak_sqlite_watch *ak_sqlite_watch_new(const struct ak_sqlite_file *file) {
  struct ak_sqlite_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL)
    return NULL;
  watch->file = file;
  pthread_mutex_init(&watch->lock, NULL);
  return watch;
}

void ak_sqlite_watch_stop(struct ak_sqlite_watch *watch) {
  pthread_mutex_lock(&watch->lock);
  atomic_store(&watch->resting, true);
  atomic_store(&watch->header, NULL);
  ak_sqlite_connection_close(watch->anchor);
  watch->anchor = NULL;
  pthread_mutex_unlock(&watch->lock);
}

void ak_sqlite_watch_wake(struct ak_sqlite_watch *watch) {
  atomic_store(&watch->resting, false);
}

/* In a child: the lock may be held by a thread that is not there. */
void ak_sqlite_watch_adopt(struct ak_sqlite_watch *watch) {
  pthread_mutex_init(&watch->lock, NULL);
  atomic_store(&watch->header, NULL);
}

void ak_sqlite_watch_free(struct ak_sqlite_watch *watch) {
  if (watch == NULL)
    return;
  ak_sqlite_watch_stop(watch);
  pthread_mutex_destroy(&watch->lock);
  free(watch);
}

static void read_header(const _Atomic uint64_t *header, uint64_t words[HEADER_WORDS]) {
  for (int i = 0; i < HEADER_WORDS; i++)
    words[i] = atomic_load_explicit(&header[i], memory_order_acquire);
}

/* APIKEYS_ERROR_UNSUPPORTED for a database that has no shared wal-index as we know it. */
static int find_header(struct ak_sqlite_connection *connection, void **header) {
  sqlite3_file *file = NULL;
  void volatile *region = NULL;
  int rc = sqlite3_file_control(connection->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (rc != SQLITE_OK || file == NULL || file->pMethods == NULL || file->pMethods->iVersion < 2 ||
      file->pMethods->xShmMap == NULL)
    return APIKEYS_ERROR_UNSUPPORTED;
  rc = file->pMethods->xShmMap(file, 0, WAL_INDEX_REGION, 0, &region);
  if (rc != SQLITE_OK || region == NULL || *(const volatile uint32_t *)region != WAL_INDEX_VERSION)
    return APIKEYS_ERROR_UNSUPPORTED;
#ifdef MREMAP_MAYMOVE
  /* Of a shared mapping, a length of 0 makes another one. */
  void *ours = mremap((void *)(uintptr_t)region, 0, WAL_INDEX_REGION, MREMAP_MAYMOVE);
  if (ours != MAP_FAILED) {
    *header = ours;
    return APIKEYS_OK;
  }
#endif
  return APIKEYS_ERROR_UNSUPPORTED;
}

static int stat_shared_memory(const struct ak_sqlite_file *file, struct stat *status) {
  struct ak_sql path = {0};
  ak_sql_add(&path, "%s-shm", file->path);
  return path.full || stat(path.text, status) != 0 ? APIKEYS_ERROR_STORE_REPLACED : APIKEYS_OK;
}

static int count_triggers(struct ak_sqlite_connection *connection) {
  int64_t count = 0;
  int rc = read_integer(connection->db,
                        "SELECT count(*) FROM sqlite_schema"
                        " WHERE type = 'trigger' AND name LIKE 'changes\\_%' ESCAPE '\\'",
                        0, &count);
  return rc == SQLITE_OK && count == TRIGGERS ? APIKEYS_OK : APIKEYS_ERROR_UNSUPPORTED;
}

/* With the lock. A WAL database's first read makes the wal-index; connections are in WAL mode or
 * are not opened at all. */
static int start_watching(struct ak_sqlite_watch *watch) {
  void *header = NULL;
  if (watch->hopeless || atomic_load(&watch->resting))
    return APIKEYS_ERROR_UNSUPPORTED;
  int rc = ak_sqlite_connection_open(&watch->anchor, watch->file, 1000, false, NULL);
  if (rc != APIKEYS_OK)
    return rc;
  rc = count_triggers(watch->anchor);
  if (rc == APIKEYS_OK)
    rc = find_header(watch->anchor, &header);
  if (rc == APIKEYS_OK)
    rc = stat_shared_memory(watch->file, &watch->shared_memory);
  if (rc != APIKEYS_OK) {
    watch->hopeless = rc == APIKEYS_ERROR_UNSUPPORTED;
    ak_sqlite_connection_close(watch->anchor);
    watch->anchor = NULL;
    return rc;
  }
  uint32_t sequence = atomic_load(&watch->sequence);
  atomic_store(&watch->sequence, sequence | 1); /* nothing was seen yet */
  atomic_store(&watch->header, (const _Atomic uint64_t *)header);
  return APIKEYS_OK;
}

static void publish(struct ak_sqlite_watch *watch, const uint64_t words[HEADER_WORDS],
                    uint64_t generation) {
  uint32_t sequence = atomic_load_explicit(&watch->sequence, memory_order_relaxed) | 1;
  atomic_store_explicit(&watch->sequence, sequence, memory_order_relaxed);
  for (int i = 0; i < HEADER_WORDS; i++)
    atomic_store_explicit(&watch->seen[i], words[i], memory_order_release);
  atomic_store_explicit(&watch->generation, generation, memory_order_release);
  atomic_store_explicit(&watch->sequence, sequence + 1, memory_order_release);
}

/* The header first, then the row in a new transaction: what is published is never newer than what
 * was read. Whatever fails leaves it unpublished. */
static int refresh(struct ak_sqlite_watch *watch, uint64_t *generation) {
  struct ak_sqlite_connection *anchor = watch->anchor;
  uint64_t words[HEADER_WORDS];
  int64_t last = 0;
  if (!ak_sqlite_settle(anchor))
    return APIKEYS_ERROR_UNSUPPORTED;
  read_header(atomic_load(&watch->header), words);
  anchor->busy_until = 0;
  int rc = ak_sqlite_control(anchor, AK_SQLITE_BEGIN_READ);
  if (rc == SQLITE_OK)
    rc = read_integer(anchor->db, LAST_GENERATION, 0, &last);
  if (rc == SQLITE_OK)
    rc = ak_sqlite_control(anchor, AK_SQLITE_COMMIT);
  if (!ak_sqlite_settle(anchor) || rc != SQLITE_OK)
    return APIKEYS_ERROR_UNSUPPORTED;
  publish(watch, words, (uint64_t)last);
  *generation = (uint64_t)last;
  return APIKEYS_OK;
}

/* The others ask the store meanwhile. */
static int refresh_alone(struct ak_sqlite_watch *watch, uint64_t *generation) {
  if (pthread_mutex_trylock(&watch->lock) != 0)
    return APIKEYS_ERROR_UNSUPPORTED;
  int rc = atomic_load(&watch->header) != NULL ? APIKEYS_OK : start_watching(watch);
  if (rc == APIKEYS_OK)
    rc = refresh(watch, generation);
  pthread_mutex_unlock(&watch->lock);
  return rc == APIKEYS_OK ? rc : APIKEYS_ERROR_UNSUPPORTED;
}

static int64_t rough_now_ms(void) {
  struct timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
  clock_gettime(CLOCK_MONOTONIC, &now);
#endif
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Once a second: are the files those that were opened? What is mapped is else nobody's. */
static void check_files(struct ak_sqlite_watch *watch) {
  int64_t now = rough_now_ms();
  int64_t checked = atomic_load_explicit(&watch->checked_at_ms, memory_order_relaxed);
  if (now - checked < CHECK_EVERY_MS ||
      !atomic_compare_exchange_strong(&watch->checked_at_ms, &checked, now))
    return;
  struct stat now_there;
  if (pthread_mutex_trylock(&watch->lock) != 0)
    return;
  bool watching = atomic_load(&watch->header) != NULL;
  if (ak_sqlite_file_check(watch->file) != APIKEYS_OK ||
      (watching && (stat_shared_memory(watch->file, &now_there) != APIKEYS_OK ||
                    now_there.st_dev != watch->shared_memory.st_dev ||
                    now_there.st_ino != watch->shared_memory.st_ino)))
    atomic_store(&watch->replaced, true);
  pthread_mutex_unlock(&watch->lock);
}

bool ak_sqlite_watch_replaced(const struct ak_sqlite_watch *watch) {
  return atomic_load_explicit(&watch->replaced, memory_order_relaxed);
}

int ak_sqlite_watch_generation(struct ak_sqlite_watch *watch, uint64_t *generation) {
  check_files(watch);
  if (ak_sqlite_watch_replaced(watch))
    return APIKEYS_ERROR_UNSUPPORTED;
  const _Atomic uint64_t *header = atomic_load_explicit(&watch->header, memory_order_acquire);
  uint32_t sequence = atomic_load_explicit(&watch->sequence, memory_order_acquire);
  if (header == NULL || (sequence & 1) != 0)
    return refresh_alone(watch, generation);
  uint64_t words[HEADER_WORDS], difference = 0;
  read_header(header, words);
  for (int i = 0; i < HEADER_WORDS; i++)
    difference |= words[i] ^ atomic_load_explicit(&watch->seen[i], memory_order_acquire);
  *generation = atomic_load_explicit(&watch->generation, memory_order_acquire);
  if (difference != 0 || atomic_load_explicit(&watch->sequence, memory_order_relaxed) != sequence)
    return refresh_alone(watch, generation);
  return APIKEYS_OK;
}
