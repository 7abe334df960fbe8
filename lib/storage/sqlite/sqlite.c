/* SPDX-License-Identifier: MIT */
/* The SQLite back-end: transactions and the slots of the contract. */
#include "storage/sqlite/private.h"

#include "base/error.h"
#include "base/fork_guard.h"
#include "base/monotonic.h"
#include "storage/record.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { READERS_MAX = 16 };

/* A number of places, and those who wait for one, in their order: no thread is overtaken. */
struct places {
  int free;
  struct waiter *first;
};

struct waiter {
  struct waiter *next;
  pthread_cond_t signal;
  bool granted;
};

/*
 * One connection writes, up to READERS_MAX read; each belongs to the transaction that has its
 * place. A connection that could not be brought back to rest is closed, and made anew when needed.
 */
struct store {
  struct ak_sqlite_file *file;
  int busy_timeout_ms;
  _Atomic uint64_t stamp; /* of the process that the rest belongs to */
  pthread_mutex_t lock;   /* guards the places; a connection is its place's owner's */
  struct places writing;
  struct places reading;
  bool reader_taken[READERS_MAX];
  struct ak_sqlite_connection *writer;
  int64_t shorten_after;               /* when the log may be shortened next */
  struct ak_sqlite_companions written; /* the files beside the database that the writer writes to */
  struct ak_sqlite_connection *readers[READERS_MAX];
  struct ak_sqlite_watch *watch;
};

struct sqlite_transaction {
  struct store *store;
  struct ak_sqlite_connection *connection;
  uint64_t stamp;
  int mode;
  int reader; /* its place, in a read transaction */
  int failed; /* a call failed in a way that leaves only the rollback */
};

/* ------------------------------------------------------------------------------- places ------- */

static int wait_for_place(struct store *store, struct places *places, int64_t until) {
  struct waiter self = {.granted = false};
  struct timespec deadline = ak_monotonic_moment(until);
  int rc = ak_monotonic_cond_init(&self.signal);
  if (rc != APIKEYS_OK)
    return rc;
  struct waiter **end = &places->first;
  while (*end != NULL)
    end = &(*end)->next;
  *end = &self;
  while (!self.granted && rc == 0)
    rc = pthread_cond_timedwait(&self.signal, &store->lock, &deadline);
  if (!self.granted) {
    struct waiter **at = &places->first;
    while (*at != &self)
      at = &(*at)->next;
    *at = self.next;
  }
  pthread_cond_destroy(&self.signal);
  return self.granted ? APIKEYS_OK : APIKEYS_ERROR_BUSY;
}

static int take_place(struct store *store, struct places *places, int64_t until) {
  if (places->free == 0)
    return wait_for_place(store, places, until);
  places->free--;
  return APIKEYS_OK;
}

static void give_place(struct places *places) {
  struct waiter *next = places->first;
  if (next == NULL) {
    places->free++;
    return;
  }
  places->first = next->next; /* the place changes hands without becoming free */
  next->granted = true;
  pthread_cond_signal(&next->signal);
}

/* -------------------------------------------------------------------------------- fork -------- */

static void reset(struct store *store) {
  pthread_mutex_init(&store->lock, NULL);
  store->writing = (struct places){.free = 1};
  store->reading = (struct places){.free = READERS_MAX};
  memset(store->reader_taken, 0, sizeof store->reader_taken);
}

/*
 * A child takes over a store that was prepared for it: there are no connections, but a thread that
 * the child does not have may have left the lock held.
 */
static int sqlite_adopt(struct store *store) {
  uint64_t mine = ak_process_stamp();
  if (atomic_load_explicit(&store->stamp, memory_order_acquire) == mine)
    return APIKEYS_OK;
  int rc = APIKEYS_OK;
  ak_sqlite_files_lock();
  if (atomic_load_explicit(&store->stamp, memory_order_acquire) != mine) {
    if (store->file->stamp != 0) {
      rc = APIKEYS_ERROR_FORKED;
    } else {
      reset(store);
      ak_sqlite_watch_adopt(store->watch);
      atomic_store_explicit(&store->stamp, mine, memory_order_release);
    }
  }
  ak_sqlite_files_unlock();
  return rc;
}

static void close_connections(struct store *store) {
  ak_sqlite_watch_stop(store->watch);
  for (int i = 0; i < READERS_MAX; i++) {
    ak_sqlite_connection_close(store->readers[i]);
    store->readers[i] = NULL;
  }
  ak_sqlite_connection_close(store->writer); /* last: it writes the log back */
  store->writer = NULL;
}

static int prepare_fork(void *self) {
  struct store *store = self;
  int rc = sqlite_adopt(store);
  if (rc != APIKEYS_OK)
    return rc;
  pthread_mutex_lock(&store->lock);
  if (store->writing.free == 1 && store->reading.free == READERS_MAX) {
    close_connections(store);
    ak_sqlite_file_rest(store->file);
  } else {
    rc = APIKEYS_ERROR_BUSY;
  }
  pthread_mutex_unlock(&store->lock);
  return rc;
}

/*
 * In a child of a fork that was not prepared for, the connections are the parent's: closing them
 * here would write back and delete the log that the parent is using. They are left alone for good,
 * reachable through the list of files, which keeps the child from opening the file as well.
 */
static void destroy(void *self) {
  struct store *store = self;
  bool inherited = atomic_load_explicit(&store->stamp, memory_order_acquire) != ak_process_stamp();
  if (inherited && store->file->stamp != 0) {
    ak_sqlite_file_abandon(store->file, store);
    return;
  }
  if (inherited)
    ak_sqlite_watch_adopt(store->watch);
  close_connections(store);
  ak_sqlite_watch_free(store->watch);
  ak_sqlite_file_close(store->file);
  if (!inherited)
    pthread_mutex_destroy(&store->lock);
  free(store);
}

/* ---------------------------------------------------------------------------- transactions ---- */

/* With a place comes the right to connect: the file is in use again after a prepared fork. */
static int sqlite_enter(struct store *store, struct places *places, int64_t until) {
  int rc = take_place(store, places, until);
  if (rc == APIKEYS_OK && store->file->stamp == 0) {
    rc = ak_sqlite_file_resume(store->file);
    if (rc == APIKEYS_OK)
      ak_sqlite_watch_wake(store->watch);
    else
      give_place(places);
  }
  return rc;
}

static int connect_if_needed(struct store *store, struct ak_sqlite_connection **connection) {
  if (*connection != NULL)
    return APIKEYS_OK;
  return ak_sqlite_connection_open(connection, store->file, store->busy_timeout_ms, false, NULL);
}

static int take_reader(struct store *store, struct sqlite_transaction *transaction) {
  int64_t until = 0;
  pthread_mutex_lock(&store->lock);
  if (store->reading.free == 0)
    until = ak_monotonic_ms() + store->busy_timeout_ms;
  int rc = sqlite_enter(store, &store->reading, until);
  if (rc == APIKEYS_OK) {
    int i = 0; /* the first one: those at the end stay unopened until they are needed */
    while (store->reader_taken[i])
      i++;
    store->reader_taken[i] = true;
    transaction->reader = i;
  }
  pthread_mutex_unlock(&store->lock);
  return rc;
}

static void sqlite_leave(struct sqlite_transaction *transaction) {
  struct store *store = transaction->store;
  bool reading = transaction->mode == APIKEYS_TRANSACTION_READ;
  struct ak_sqlite_connection **connection =
      reading ? &store->readers[transaction->reader] : &store->writer;
  if (*connection != NULL && !ak_sqlite_settle(*connection)) {
    ak_sqlite_connection_close(*connection);
    *connection = NULL;
  }
  pthread_mutex_lock(&store->lock);
  if (reading)
    store->reader_taken[transaction->reader] = false;
  give_place(reading ? &store->reading : &store->writing);
  pthread_mutex_unlock(&store->lock);
}

/* The snapshot is taken at the first read, which is not before now. */
static int begin_read(struct sqlite_transaction *transaction) {
  struct store *store = transaction->store;
  int rc = take_reader(store, transaction);
  if (rc != APIKEYS_OK)
    return rc;
  struct ak_sqlite_connection **connection = &store->readers[transaction->reader];
  rc = connect_if_needed(store, connection);
  if (rc == APIKEYS_OK) {
    (*connection)->busy_until = 0;
    rc = ak_sqlite_code((*connection)->db, ak_sqlite_control(*connection, AK_SQLITE_BEGIN_READ));
  }
  if (rc == APIKEYS_OK)
    transaction->connection = *connection;
  else
    sqlite_leave(transaction);
  return rc;
}

/* A newer library may have upgraded the tables since they were opened. */
static int check_version(struct ak_sqlite_connection *connection) {
  int64_t version = 0;
  int rc = ak_sqlite_version(connection, &version);
  if (rc != SQLITE_OK)
    return ak_sqlite_code(connection->db, rc);
  return version > AK_SCHEMA_VERSION    ? APIKEYS_ERROR_SCHEMA_NEWER
         : version == AK_SCHEMA_VERSION ? APIKEYS_OK
                                        : APIKEYS_ERROR_CORRUPT;
}

/* SQLite opens the files beside the database at a connection's first read. */
static int find_companions(struct store *store, struct ak_sqlite_connection *writer) {
  int64_t version;
  int rc = ak_sqlite_version(writer, &version);
  return rc == SQLITE_OK ? ak_sqlite_companions_find(store->file, &store->written)
                         : ak_sqlite_code(writer->db, rc);
}

static int connect_writer(struct store *store) {
  bool is_new = store->writer == NULL;
  int rc = connect_if_needed(store, &store->writer);
  if (rc != APIKEYS_OK || !is_new)
    return rc;
  rc = find_companions(store, store->writer);
  if (rc != APIKEYS_OK) { /* or the next look would compare with files of before */
    ak_sqlite_connection_close(store->writer);
    store->writer = NULL;
  }
  return rc;
}

/* What is written must be where other processes will read: in the files at the path, in the history
 * that was seen. */
static int check_files(struct store *store) {
  return ak_sqlite_watch_check_now(store->watch, &store->written);
}

static int check_history(struct store *store, const struct ak_sqlite_head *seen) {
  struct ak_sqlite_head head;
  int rc = ak_sqlite_changes_head(store->writer, &head);
  if (rc == SQLITE_ERROR) /* there is no such table: the watch knows that nothing is known */
    return APIKEYS_OK;
  return rc == SQLITE_OK ? ak_sqlite_watch_compare(store->watch, store->writer, seen, &head)
                         : ak_sqlite_code(store->writer->db, rc);
}

static int start_writing(struct store *store, int64_t until) {
  /* Before a connection could make files anew. */
  int rc = store->writer == NULL ? ak_sqlite_file_check(store->file) : APIKEYS_OK;
  if (rc == APIKEYS_ERROR_STORE_REPLACED)
    ak_sqlite_watch_set_state(store->watch, rc);
  if (rc == APIKEYS_OK)
    rc = connect_writer(store);
  if (rc == APIKEYS_OK)
    rc = check_files(store);
  if (rc != APIKEYS_OK)
    return rc;
  struct ak_sqlite_head seen = ak_sqlite_watch_seen(store->watch);
  store->writer->busy_until = until;
  int result = ak_sqlite_control(store->writer, AK_SQLITE_BEGIN_WRITE);
  rc = result == SQLITE_OK ? check_version(store->writer)
                           : ak_sqlite_code(store->writer->db, result);
  return rc == APIKEYS_OK ? check_history(store, &seen) : rc;
}

static int begin_write(struct sqlite_transaction *transaction) {
  struct store *store = transaction->store;
  int64_t until = ak_monotonic_ms() + store->busy_timeout_ms;
  pthread_mutex_lock(&store->lock);
  int rc = sqlite_enter(store, &store->writing, until);
  pthread_mutex_unlock(&store->lock);
  if (rc != APIKEYS_OK)
    return rc;
  rc = start_writing(store, until);
  if (rc == APIKEYS_OK)
    transaction->connection = store->writer;
  else
    sqlite_leave(transaction);
  return rc;
}

static int sqlite_begin(void *self, int mode, apikeys_transaction **out) {
  struct store *store = self;
  if (mode != APIKEYS_TRANSACTION_READ && mode != APIKEYS_TRANSACTION_WRITE)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  int rc = sqlite_adopt(store);
  if (rc == APIKEYS_OK)
    rc = ak_sqlite_watch_check(store->watch);
  if (rc != APIKEYS_OK)
    return rc;
  struct sqlite_transaction *transaction = calloc(1, sizeof *transaction);
  if (transaction == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  transaction->store = store;
  transaction->mode = mode;
  transaction->stamp = atomic_load_explicit(&store->stamp, memory_order_relaxed);
  rc = mode == APIKEYS_TRANSACTION_WRITE ? begin_write(transaction) : begin_read(transaction);
  if (rc == APIKEYS_OK)
    *out = (apikeys_transaction *)transaction;
  else
    free(transaction);
  return rc;
}

/* Of the process that began it? In a forked child nothing behind it may be touched. */
static bool is_own(const struct sqlite_transaction *transaction) {
  return transaction->stamp == ak_process_stamp();
}

/*
 * A reader that stays long keeps the log from starting over, and it grows; nothing shortens the
 * file afterwards by itself. Once it is long, try to: without waiting for anybody, once a second at
 * most.
 */
static void shorten_log(struct store *store) {
  int64_t now = ak_monotonic_ms();
  if (store->written.log_bytes <= AK_SQLITE_LOG_BYTES || now < store->shorten_after)
    return;
  store->shorten_after = now + 1000;
  store->writer->busy_until = now;
  sqlite3_wal_checkpoint_v2(store->writer->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static int commit(void *self, apikeys_transaction *opaque) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  int rc = APIKEYS_ERROR_FORKED;
  if (is_own(transaction)) {
    struct ak_sqlite_connection *connection = transaction->connection;
    bool writing = transaction->mode == APIKEYS_TRANSACTION_WRITE;
    rc = writing ? transaction->failed : APIKEYS_OK;
    if (rc == APIKEYS_OK) {
      int result = ak_sqlite_control(connection, AK_SQLITE_COMMIT);
      rc = writing ? ak_sqlite_commit_code(connection->db, result) : APIKEYS_OK;
    }
    /* Committed, but to files that are not at the path any more: nobody else may ever see it. */
    if (rc == APIKEYS_OK && writing && check_files(transaction->store) != APIKEYS_OK)
      rc = APIKEYS_ERROR_OUTCOME_UNKNOWN;
    if (rc == APIKEYS_OK && writing)
      shorten_log(transaction->store);
    sqlite_leave(transaction);
  }
  free(transaction);
  return rc;
}

static void rollback(void *self, apikeys_transaction *opaque) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  if (is_own(transaction))
    sqlite_leave(transaction);
  free(transaction);
}

static int usable(const struct sqlite_transaction *transaction, int mode) {
  if (!is_own(transaction))
    return APIKEYS_ERROR_FORKED;
  if (mode == APIKEYS_TRANSACTION_WRITE && transaction->mode != mode)
    return APIKEYS_ERROR_READ_ONLY;
  return transaction->failed;
}

/*
 * After some failures SQLite ends the whole transaction by itself. What follows must not then be
 * committed piece by piece, as SQLite would: the transaction only fails from here on.
 */
static int sqlite_note(struct sqlite_transaction *transaction, int rc) {
  if (sqlite3_get_autocommit(transaction->connection->db))
    transaction->failed = rc < 0 ? rc : APIKEYS_ERROR_STORAGE;
  else if (rc != APIKEYS_OK && rc != APIKEYS_ERROR_NOT_FOUND && rc != APIKEYS_ERROR_EXISTS &&
           rc != APIKEYS_ERROR_INVALID_ARGUMENT)
    transaction->failed = rc;
  return rc;
}

/* ------------------------------------------------------------------------------ reading ------- */

static int bind_value(sqlite3_stmt *statement, int *parameter, const apikeys_query *query,
                      int position) {
  int64_t integer = 0;
  const void *bytes = "";
  size_t length = 0;
  int at = ++*parameter;
  switch (apikeys_query_value(query, position, &integer, &bytes, &length)) {
  case APIKEYS_TYPE_INTEGER:
    return sqlite3_bind_int64(statement, at, integer);
  case APIKEYS_TYPE_TEXT:
    return sqlite3_bind_text64(statement, at, length > 0 ? bytes : "", length, SQLITE_STATIC,
                               SQLITE_UTF8);
  case APIKEYS_TYPE_BLOB:
    return sqlite3_bind_blob64(statement, at, length > 0 ? bytes : "", length, SQLITE_STATIC);
  default:
    return SQLITE_OK;
  }
}

static int bind_query(sqlite3_stmt *statement, const apikeys_query *query,
                      const struct ak_sqlite_shape *shape) {
  int rc = SQLITE_OK;
  int parameter = 0;
  for (int i = 0; i < shape->equal_count && rc == SQLITE_OK; i++)
    rc = bind_value(statement, &parameter, query, i);
  if (rc == SQLITE_OK && shape->lower)
    rc = bind_value(statement, &parameter, query, APIKEYS_QUERY_LOWER);
  if (rc == SQLITE_OK && shape->upper)
    rc = bind_value(statement, &parameter, query, APIKEYS_QUERY_UPPER);
  if (rc == SQLITE_OK && parameter < sqlite3_bind_parameter_count(statement)) {
    size_t length = 0;
    const char *organization = apikeys_query_organization(query, &length);
    rc = sqlite3_bind_text64(statement, parameter + 1, organization, length, SQLITE_STATIC,
                             SQLITE_UTF8);
  }
  return rc;
}

/* A scope that is none must not turn into SQL without one. */
static bool is_askable(const apikeys_query *query) {
  const struct ak_kind_schema *kind = ak_schema_kind(apikeys_query_kind(query));
  int index = apikeys_query_index(query);
  int scope = apikeys_query_scope(query);
  return kind != NULL && index >= 0 && index < kind->index_count &&
         scope >= APIKEYS_SCOPE_ENVIRONMENT && scope <= APIKEYS_SCOPE_ANY;
}

static int prepare_query(struct sqlite_transaction *transaction, enum ak_sqlite_operation operation,
                         const apikeys_query *query, sqlite3_stmt **statement) {
  if (!is_askable(query))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  struct ak_sqlite_shape shape = ak_sqlite_query_shape(operation, query);
  int rc = ak_sqlite_prepare(transaction->connection, &shape, statement);
  if (rc != APIKEYS_OK)
    return rc;
  rc = bind_query(*statement, query, &shape);
  if (rc == SQLITE_OK)
    return APIKEYS_OK;
  ak_sqlite_reset(*statement);
  return ak_sqlite_code(transaction->connection->db, rc);
}

/*
 * Every record that matches, read into `record`, until `visit` answers something else than 0,
 * which ends up in *answer. Returns what failed. The statement is at rest again afterwards, in any
 * case: one that is not would keep this connection in today's snapshot for ever.
 */
static int sqlite_walk(struct sqlite_transaction *transaction, const apikeys_query *query,
                       apikeys_record *record, apikeys_visitor visit, void *visit_data,
                       int *answer) {
  sqlite3_stmt *row = NULL;
  int rc = prepare_query(transaction, AK_SQLITE_SELECT, query, &row);
  if (rc != APIKEYS_OK)
    return rc;
  int step = SQLITE_DONE;
  *answer = 0;
  while (rc == APIKEYS_OK && *answer == 0 && (step = sqlite3_step(row)) == SQLITE_ROW) {
    rc = ak_sqlite_read_row(record, row);
    if (rc == APIKEYS_OK && apikeys_query_matches(query, record))
      *answer = visit(record, visit_data);
  }
  if (rc == APIKEYS_OK && step != SQLITE_ROW)
    rc = ak_sqlite_code(transaction->connection->db, step);
  ak_sqlite_reset(row);
  return rc;
}

static int stop_at_first(const apikeys_record *record, void *data) {
  (void)record;
  (void)data;
  return 1;
}

static int sqlite_get(void *self, apikeys_transaction *opaque, const apikeys_query *query,
                      apikeys_record *out) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  int rc = usable(transaction, APIKEYS_TRANSACTION_READ);
  if (rc != APIKEYS_OK)
    return rc;
  if (apikeys_record_kind(out) != apikeys_query_kind(query))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  int found = 0;
  rc = sqlite_walk(transaction, query, out, stop_at_first, NULL, &found);
  return sqlite_note(transaction, rc == APIKEYS_OK && !found ? APIKEYS_ERROR_NOT_FOUND : rc);
}

struct limited_visit {
  apikeys_visitor visit;
  void *data;
  size_t left; /* 0: no limit */
  int answer;
};

static int visit_within_limit(const apikeys_record *record, void *data) {
  struct limited_visit *limited = data;
  limited->answer = limited->visit(record, limited->data);
  return limited->answer != 0 || (limited->left > 0 && --limited->left == 0);
}

static int scan(void *self, apikeys_transaction *opaque, const apikeys_query *query,
                apikeys_visitor visit, void *visit_data) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  int rc = usable(transaction, APIKEYS_TRANSACTION_READ);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_record record;
  ak_record_init(&record, apikeys_query_kind(query));
  struct limited_visit limited = {visit, visit_data, apikeys_query_limit(query), 0};
  int ended = 0;
  rc = sqlite_note(transaction,
                   sqlite_walk(transaction, query, &record, visit_within_limit, &limited, &ended));
  ak_record_release(&record);
  return rc == APIKEYS_OK ? limited.answer : rc;
}

static int count_one(const apikeys_record *record, void *data) {
  (void)record;
  uint64_t *count = data;
  *count += 1;
  return 0;
}

static int count_in_sql(struct sqlite_transaction *transaction, const apikeys_query *query,
                        uint64_t *count) {
  sqlite3_stmt *row = NULL;
  int rc = prepare_query(transaction, AK_SQLITE_COUNT, query, &row);
  if (rc != APIKEYS_OK)
    return rc;
  int step = sqlite3_step(row);
  if (step == SQLITE_ROW)
    *count = (uint64_t)sqlite3_column_int64(row, 0);
  else
    rc = step == SQLITE_DONE ? APIKEYS_ERROR_STORAGE
                             : ak_sqlite_code(transaction->connection->db, step);
  ak_sqlite_reset(row);
  return rc;
}

/* The SQL says all that apikeys_query_matches() would, but for conditions, and for whose a record
 * is that has no owner in it. */
static bool sql_can_count(const apikeys_query *query) {
  return !apikeys_query_has_conditions(query) &&
         (apikeys_query_scope(query) == APIKEYS_SCOPE_ANY ||
          apikeys_schema_scope_field(apikeys_query_kind(query)) >= 0);
}

static int count(void *self, apikeys_transaction *opaque, const apikeys_query *query,
                 uint64_t *out) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  int rc = usable(transaction, APIKEYS_TRANSACTION_READ);
  if (rc != APIKEYS_OK)
    return rc;
  uint64_t counted = 0;
  if (sql_can_count(query)) {
    rc = count_in_sql(transaction, query, &counted);
  } else {
    apikeys_record record;
    int ended = 0;
    ak_record_init(&record, apikeys_query_kind(query));
    rc = sqlite_walk(transaction, query, &record, count_one, &counted, &ended);
    ak_record_release(&record);
  }
  if (rc == APIKEYS_OK)
    *out = counted;
  return sqlite_note(transaction, rc);
}

/* ------------------------------------------------------------------------------ writing ------- */

/* Run a statement that changes rows; `rc` is what binding its values gave. */
static int sqlite_change(struct sqlite_transaction *transaction, sqlite3_stmt *statement, int rc,
                         int *changed) {
  sqlite3 *db = transaction->connection->db;
  if (rc == SQLITE_OK)
    rc = sqlite3_step(statement);
  int code = ak_sqlite_code(db, rc);
  *changed = code == APIKEYS_OK ? sqlite3_changes(db) : 0;
  ak_sqlite_reset(statement);
  return code;
}

static int prepare_change(struct sqlite_transaction *transaction,
                          enum ak_sqlite_operation operation, int kind, int field,
                          sqlite3_stmt **statement) {
  if (ak_schema_kind(kind) == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  struct ak_sqlite_shape shape = {
      .operation = (uint8_t)operation, .kind = (uint8_t)kind, .index = (uint8_t)field};
  return ak_sqlite_prepare(transaction->connection, &shape, statement);
}

static int insert_record(struct sqlite_transaction *transaction, const apikeys_record *record) {
  sqlite3_stmt *statement = NULL;
  int changed = 0;
  int rc =
      prepare_change(transaction, AK_SQLITE_INSERT, apikeys_record_kind(record), 0, &statement);
  if (rc == APIKEYS_OK)
    rc = sqlite_change(transaction, statement, ak_sqlite_bind_fields(statement, record), &changed);
  return rc;
}

static int sqlite_insert(void *self, apikeys_transaction *opaque, apikeys_record *record) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  int rc = usable(transaction, APIKEYS_TRANSACTION_WRITE);
  if (rc != APIKEYS_OK)
    return rc;
  rc = sqlite_note(transaction, insert_record(transaction, record));
  if (rc == APIKEYS_OK)
    rc = apikeys_record_set_integer(record, AK_NUMBER,
                                    sqlite3_last_insert_rowid(transaction->connection->db));
  return rc;
}

static int sqlite_update(void *self, apikeys_transaction *opaque, const apikeys_record *record) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  sqlite3_stmt *statement = NULL;
  int changed = 0;
  int kind = apikeys_record_kind(record);
  int rc = usable(transaction, APIKEYS_TRANSACTION_WRITE);
  if (rc != APIKEYS_OK)
    return rc;
  rc = prepare_change(transaction, AK_SQLITE_UPDATE, kind, 0, &statement);
  if (rc == APIKEYS_OK) {
    int bound = ak_sqlite_bind_fields(statement, record);
    if (bound == SQLITE_OK)
      bound = ak_sqlite_bind_field(statement, apikeys_schema_field_count(kind), record, AK_NUMBER);
    rc = sqlite_change(transaction, statement, bound, &changed);
  }
  return sqlite_note(transaction, rc == APIKEYS_OK && changed == 0 ? APIKEYS_ERROR_NOT_FOUND : rc);
}

static int remove_record(void *self, apikeys_transaction *opaque, int kind, int64_t number) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  sqlite3_stmt *statement = NULL;
  int changed = 0;
  int rc = usable(transaction, APIKEYS_TRANSACTION_WRITE);
  if (rc != APIKEYS_OK)
    return rc;
  rc = prepare_change(transaction, AK_SQLITE_REMOVE, kind, 0, &statement);
  if (rc == APIKEYS_OK)
    rc = sqlite_change(transaction, statement, sqlite3_bind_int64(statement, 1, number), &changed);
  return sqlite_note(transaction, rc == APIKEYS_OK && changed == 0 ? APIKEYS_ERROR_NOT_FOUND : rc);
}

static int raise_stored(struct sqlite_transaction *transaction, const apikeys_record *record,
                        int field, int *changed) {
  sqlite3_stmt *statement = NULL;
  int kind = apikeys_record_kind(record);
  int rc = prepare_change(transaction, AK_SQLITE_RAISE, kind, field, &statement);
  if (rc != APIKEYS_OK)
    return rc;
  int bound = ak_sqlite_bind_field(statement, 1, record, field);
  for (int i = 0; i < apikeys_schema_index_field_count(kind, 0) && bound == SQLITE_OK; i++)
    bound = ak_sqlite_bind_field(statement, i + 2, record, apikeys_schema_index_field(kind, 0, i));
  return sqlite_change(transaction, statement, bound, changed);
}

/* Most raises meet a stored record. (An upsert would use up a number for each of them.) */
static int raise_record(void *self, apikeys_transaction *opaque, const apikeys_record *record,
                        int field) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  int changed = 0;
  int rc = usable(transaction, APIKEYS_TRANSACTION_WRITE);
  if (rc != APIKEYS_OK)
    return rc;
  if (field == AK_NUMBER || apikeys_record_type(record, field) != APIKEYS_TYPE_INTEGER)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  rc = raise_stored(transaction, record, field, &changed);
  if (rc == APIKEYS_OK && changed == 0)
    rc = insert_record(transaction, record);
  return sqlite_note(transaction, rc);
}

/* A reader's place makes prepare_fork() wait for the end, as for any transaction. */
static int backup(void *self, const char *path) {
  struct store *store = self;
  struct sqlite_transaction transaction = {.store = store, .mode = APIKEYS_TRANSACTION_READ};
  int rc = sqlite_adopt(store);
  if (rc == APIKEYS_OK)
    rc = take_reader(store, &transaction);
  if (rc != APIKEYS_OK)
    return rc;
  struct ak_sqlite_connection **connection = &store->readers[transaction.reader];
  rc = connect_if_needed(store, connection);
  if (rc == APIKEYS_OK) {
    (*connection)->busy_until = 0;
    rc = ak_sqlite_backup(*connection, path);
  }
  sqlite_leave(&transaction);
  return rc;
}

static int generation(void *self, uint64_t *generation_now) {
  struct store *store = self;
  if (atomic_load_explicit(&store->stamp, memory_order_acquire) != ak_process_stamp())
    return APIKEYS_ERROR_UNSUPPORTED;
  return ak_sqlite_watch_generation(store->watch, generation_now);
}

static int sqlite_changes(void *self, apikeys_transaction *opaque, uint64_t since,
                          apikeys_change_visitor visit, void *visit_data) {
  struct sqlite_transaction *transaction = (struct sqlite_transaction *)opaque;
  (void)self;
  int rc = usable(transaction, APIKEYS_TRANSACTION_READ);
  return rc == APIKEYS_OK ? ak_sqlite_changes(transaction->connection, since, visit, visit_data)
                          : rc;
}

/* ------------------------------------------------------------------------------ opening ------- */

static int open_once(struct store *store, apikeys_error *err) {
  enum ak_sqlite_content content = AK_SQLITE_VACANT;
  struct ak_sqlite_connection *connection = NULL;
  int rc = ak_sqlite_file_content(store->file, &content, err);
  if (rc == APIKEYS_OK)
    rc = ak_sqlite_connection_open(&connection, store->file, store->busy_timeout_ms, true, err);
  if (rc == APIKEYS_OK)
    rc = ak_sqlite_schema_open(connection, err);
  if (rc == APIKEYS_OK)
    rc = ak_sqlite_connection_confirm(connection, err);
  if (rc == APIKEYS_OK && (rc = find_companions(store, connection)) != APIKEYS_OK)
    ak_error_code(err, rc);
  if (rc == APIKEYS_OK)
    store->writer = connection;
  else
    ak_sqlite_connection_close(connection);
  if (rc == APIKEYS_ERROR_CORRUPT && content == AK_SQLITE_VACANT)
    return ak_error_set(err, APIKEYS_ERROR_FOREIGN_STORE, "", "the file is not a database of ours");
  return rc;
}

/* Where two processes make the same file at once, SQLite tells one of them at once that it is busy
 * rather than let both wait for each other: that one starts again. */
static int open_store(struct store *store, apikeys_error *err) {
  int64_t until = ak_monotonic_ms() + store->busy_timeout_ms;
  int rc = open_once(store, err);
  for (int i = 0; rc == APIKEYS_ERROR_BUSY && ak_monotonic_ms() < until; i++) {
    ak_sqlite_pause(i);
    rc = open_once(store, err);
  }
  return rc;
}

static int check_library(apikeys_error *err) {
  const int code = APIKEYS_ERROR_UNSUPPORTED;
  if (sqlite3_threadsafe() == 0)
    return ak_error_set(err, code, "", "SQLite was built without support for threads");
  if (sqlite3_libversion_number() < 3037000)
    return ak_error_set(err, code, "", "SQLite %s is too old: 3.37 is needed",
                        sqlite3_libversion());
  int rc = sqlite3_initialize();
  return rc == SQLITE_OK ? APIKEYS_OK : ak_sqlite_report(err, NULL, rc, "cannot start SQLite");
}

static void sqlite_fill(apikeys_storage *out, struct store *store) {
  *out = (apikeys_storage){
      .struct_size = sizeof *out,
      .capabilities = APIKEYS_STORAGE_DURABLE | APIKEYS_STORAGE_MANY_PROCESSES,
      .self = store,
      .destroy = destroy,
      .begin = sqlite_begin,
      .commit = commit,
      .rollback = rollback,
      .get = sqlite_get,
      .insert = sqlite_insert,
      .update = sqlite_update,
      .remove = remove_record,
      .count = count,
      .scan = scan,
      .raise = raise_record,
      .backup = backup,
      .prepare_fork = prepare_fork,
      .generation = generation,
      .changes = sqlite_changes,
  };
}

int apikeys_storage_sqlite(apikeys_storage *out, const char *path, int busy_timeout_ms,
                           apikeys_error *err) {
  if (out == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "out", "must not be NULL");
  int rc = check_library(err);
  if (rc != APIKEYS_OK)
    return rc;
  struct store *store = calloc(1, sizeof *store);
  if (store == NULL)
    return ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  store->busy_timeout_ms = busy_timeout_ms < 0 ? AK_BUSY_TIMEOUT_DEFAULT_MS : busy_timeout_ms;
  atomic_init(&store->stamp, ak_process_stamp());
  reset(store);
  rc = ak_sqlite_file_open(&store->file, path, err);
  if (rc == APIKEYS_OK && (store->watch = ak_sqlite_watch_new(store->file)) == NULL)
    rc = ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  if (rc == APIKEYS_OK)
    rc = open_store(store, err);
  if (rc != APIKEYS_OK) {
    ak_sqlite_watch_free(store->watch);
    ak_sqlite_file_close(store->file);
    pthread_mutex_destroy(&store->lock);
    free(store);
    return rc;
  }
  ak_sqlite_watch_start(store->watch);
  sqlite_fill(out, store);
  return ak_error_clear(err);
}

void ak_storage_sqlite_set_log(const apikeys_storage *storage,
                               void (*log)(void *data, const char *text), void *data) {
  struct store *store = storage->self;
  ak_sqlite_watch_set_log(store->watch, log, data);
}

static int raise_sequence(sqlite3 *db, int kind, int64_t number) {
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(db, "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = ?2",
                              -1, &statement, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_bind_int64(statement, 1, number);
  if (rc == SQLITE_OK)
    rc = sqlite3_bind_text(statement, 2, ak_schema_kind(kind)->name, -1, SQLITE_STATIC);
  if (rc == SQLITE_OK)
    rc = sqlite3_step(statement);
  sqlite3_finalize(statement);
  return rc == SQLITE_DONE ? APIKEYS_OK : ak_sqlite_code(db, rc);
}

int ak_storage_sqlite_raise_number(const apikeys_storage *storage, int kind, int64_t number) {
  apikeys_transaction *opaque;
  int rc = storage->begin(storage->self, APIKEYS_TRANSACTION_WRITE, &opaque);
  if (rc != APIKEYS_OK)
    return rc;
  const struct sqlite_transaction *transaction = (const struct sqlite_transaction *)opaque;
  rc = raise_sequence(transaction->connection->db, kind, number);
  if (rc == APIKEYS_OK)
    return storage->commit(storage->self, opaque);
  storage->rollback(storage->self, opaque);
  return rc;
}
