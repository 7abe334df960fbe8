/* SPDX-License-Identifier: MIT */
/*
 * A storage back-end on LMDB, a B+ tree in a memory-mapped file with copy-on-write: readers see one
 * state without locks, writers run one after the other.
 *
 * Each kind of the schema has a database of records (number -> encoded record), and one for each of
 * its indexes (entry as apikeys_record_index_key() gives it -> number). Entries order under memcmp,
 * which is LMDB's own order, so every query is a walk between two bounds.
 */
#define _XOPEN_SOURCE 700 /* realpath() */

#include "lmdb_storage.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KINDS_MAX = 32, INDEXES_MAX = 16, NUMBER_BYTES = 8, LMDB_KEY_MAX = 511 };

static const size_t default_map_bytes = (size_t)1 << 30;

/*
 * One open file. LMDB allows a process one handle on a file (closing a second one would drop the
 * process's locks on the first), so that the stores of a process share it.
 */
struct file {
  struct file *next;
  unsigned stores;
  char *path;
  char *writer_path;
  size_t map_bytes;
  pthread_mutex_t lock; /* guards `env` and `transactions` */
  pid_t owner;          /* the process that opened `env` */
  MDB_env *env;         /* NULL: closed for a fork; the next transaction opens it */
  unsigned transactions;
  MDB_dbi about;   /* "format" and "schema" -> texts */
  MDB_dbi numbers; /* kind -> the last number that was assigned */
  MDB_dbi records[KINDS_MAX];
  MDB_dbi indexes[KINDS_MAX][INDEXES_MAX];
};

struct store {
  struct file *file;
  int wait_ms;
};

struct apikeys_transaction {
  struct file *file;
  MDB_txn *txn;
  int mode;
  int writer; /* the descriptor that holds the writers' lock, or -1 */
};

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;

static int code_of(int rc) {
  static const int codes[][2] = {{MDB_SUCCESS, APIKEYS_OK},
                                 {MDB_NOTFOUND, APIKEYS_ERROR_NOT_FOUND},
                                 {MDB_KEYEXIST, APIKEYS_ERROR_EXISTS},
                                 {MDB_MAP_FULL, APIKEYS_ERROR_STORAGE_FULL},
                                 {ENOSPC, APIKEYS_ERROR_STORAGE_FULL},
                                 {EDQUOT, APIKEYS_ERROR_STORAGE_FULL},
                                 {MDB_READERS_FULL, APIKEYS_ERROR_BUSY},
                                 {EAGAIN, APIKEYS_ERROR_BUSY},
                                 {MDB_CORRUPTED, APIKEYS_ERROR_CORRUPT},
                                 {MDB_PAGE_NOTFOUND, APIKEYS_ERROR_CORRUPT},
                                 {MDB_PANIC, APIKEYS_ERROR_CORRUPT},
                                 {MDB_INVALID, APIKEYS_ERROR_FOREIGN_STORE},
                                 {MDB_VERSION_MISMATCH, APIKEYS_ERROR_FOREIGN_STORE},
                                 {ENOMEM, APIKEYS_ERROR_NO_MEMORY},
                                 {EACCES, APIKEYS_ERROR_READ_ONLY},
                                 {EPERM, APIKEYS_ERROR_READ_ONLY},
                                 {EROFS, APIKEYS_ERROR_READ_ONLY},
                                 {ENOENT, APIKEYS_ERROR_CANNOT_OPEN},
                                 {ENOTDIR, APIKEYS_ERROR_CANNOT_OPEN},
                                 {EISDIR, APIKEYS_ERROR_CANNOT_OPEN},
                                 {ELOOP, APIKEYS_ERROR_CANNOT_OPEN}};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
    if (codes[i][0] == rc)
      return codes[i][1];
  return APIKEYS_ERROR_STORAGE;
}

/* ------------------------------------------------------------------------------ records ------ */

/* Big-endian, so that LMDB's order is that of the numbers, which are never negative. */
static void write_number(unsigned char bytes[NUMBER_BYTES], int64_t number) {
  for (int i = 0; i < NUMBER_BYTES; i++)
    bytes[i] = (unsigned char)((uint64_t)number >> (8 * (NUMBER_BYTES - 1 - i)));
}

static int64_t read_number(const MDB_val *value) {
  const unsigned char *bytes = value->mv_data;
  uint64_t number = 0;
  for (size_t i = 0; i < value->mv_size && i < NUMBER_BYTES; i++)
    number = number << 8 | bytes[i];
  return (int64_t)number;
}

static int get_record(const apikeys_transaction *transaction, int kind, int64_t number,
                      apikeys_record *out) {
  unsigned char bytes[NUMBER_BYTES];
  MDB_val key = {sizeof bytes, bytes}, value;
  write_number(bytes, number);
  int rc = mdb_get(transaction->txn, transaction->file->records[kind], &key, &value);
  return rc == MDB_SUCCESS ? apikeys_record_decode(out, value.mv_data, value.mv_size) : code_of(rc);
}

static int put_record(apikeys_transaction *transaction, const apikeys_record *record) {
  unsigned char bytes[NUMBER_BYTES];
  size_t length = 0;
  apikeys_record_encode(record, NULL, 0, &length);
  MDB_val key = {sizeof bytes, bytes}, value = {length, NULL};
  write_number(bytes, apikeys_record_integer(record, 0));
  MDB_dbi records = transaction->file->records[apikeys_record_kind(record)];
  /* LMDB makes room in its page, and the record is encoded there. */
  int rc = mdb_put(transaction->txn, records, &key, &value, MDB_RESERVE);
  return rc == MDB_SUCCESS ? apikeys_record_encode(record, value.mv_data, length, &length)
                           : code_of(rc);
}

/* ------------------------------------------------------------------------------ indexes ------ */

struct entry {
  unsigned char bytes[APIKEYS_INDEX_KEY_MAX];
  size_t length; /* 0: the record has none in this index */
};

static int entry_of(const apikeys_record *record, int index, struct entry *entry) {
  int rc =
      apikeys_record_index_key(record, index, entry->bytes, sizeof entry->bytes, &entry->length);
  if (rc == APIKEYS_ERROR_NOT_FOUND) {
    entry->length = 0;
    return APIKEYS_OK;
  }
  return rc;
}

static bool same_entry(const struct entry *a, const struct entry *b) {
  return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* Does a unique index already give this record's entry to another record? */
static int check_unique(const apikeys_transaction *transaction, const apikeys_record *record,
                        int64_t own_number) {
  int kind = apikeys_record_kind(record);
  for (int i = 0; i < apikeys_schema_index_count(kind); i++) {
    struct entry entry;
    MDB_val value;
    if (!apikeys_schema_index_unique(kind, i))
      continue;
    int rc = entry_of(record, i, &entry);
    if (rc != APIKEYS_OK)
      return rc;
    MDB_val key = {entry.length, entry.bytes};
    rc = entry.length > 0
             ? mdb_get(transaction->txn, transaction->file->indexes[kind][i], &key, &value)
             : MDB_NOTFOUND;
    if (rc == MDB_SUCCESS && read_number(&value) != own_number)
      return APIKEYS_ERROR_EXISTS;
    if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
      return code_of(rc);
  }
  return APIKEYS_OK;
}

static int change_entry(apikeys_transaction *transaction, MDB_dbi index, const struct entry *before,
                        const struct entry *after, int64_t number) {
  unsigned char bytes[NUMBER_BYTES];
  int rc = MDB_SUCCESS;
  if (same_entry(before, after))
    return APIKEYS_OK;
  if (before->length > 0) {
    MDB_val key = {before->length, (void *)(uintptr_t)before->bytes};
    rc = mdb_del(transaction->txn, index, &key, NULL);
  }
  if (rc == MDB_SUCCESS && after->length > 0) {
    MDB_val key = {after->length, (void *)(uintptr_t)after->bytes}, value = {sizeof bytes, bytes};
    write_number(bytes, number);
    rc = mdb_put(transaction->txn, index, &key, &value, MDB_NOOVERWRITE);
  }
  /* An entry that lacks or is there too often: the file is damaged, nothing "exists". */
  return rc == MDB_NOTFOUND || rc == MDB_KEYEXIST ? APIKEYS_ERROR_CORRUPT : code_of(rc);
}

/* NULL: there was no record, or none stays. */
static int change_entries(apikeys_transaction *transaction, const apikeys_record *before,
                          const apikeys_record *after) {
  const apikeys_record *any = after != NULL ? after : before;
  int kind = apikeys_record_kind(any), rc = APIKEYS_OK;
  for (int i = 0; rc == APIKEYS_OK && i < apikeys_schema_index_count(kind); i++) {
    struct entry old = {.length = 0}, new = {.length = 0};
    rc = before != NULL ? entry_of(before, i, &old) : APIKEYS_OK;
    if (rc == APIKEYS_OK && after != NULL)
      rc = entry_of(after, i, &new);
    if (rc == APIKEYS_OK)
      rc = change_entry(transaction, transaction->file->indexes[kind][i], &old, &new,
                        apikeys_record_integer(any, 0));
  }
  return rc;
}

/* ------------------------------------------------------------------------------ changes ------ */

static int next_number(apikeys_transaction *transaction, int kind, int64_t *number) {
  unsigned char kind_byte = (unsigned char)kind, bytes[NUMBER_BYTES];
  MDB_val key = {1, &kind_byte}, value;
  MDB_dbi numbers = transaction->file->numbers;
  int rc = mdb_get(transaction->txn, numbers, &key, &value);
  if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
    return code_of(rc);
  int64_t last = rc == MDB_SUCCESS ? read_number(&value) : 0;
  if (last < 0 || last == INT64_MAX)
    return APIKEYS_ERROR_STORAGE_FULL;
  *number = last + 1;
  write_number(bytes, *number);
  value = (MDB_val){sizeof bytes, bytes};
  return code_of(mdb_put(transaction->txn, numbers, &key, &value, 0));
}

static int lmdb_insert(void *self, apikeys_transaction *transaction, apikeys_record *record) {
  (void)self;
  int64_t number = 0;
  if (transaction->mode != APIKEYS_TRANSACTION_WRITE)
    return APIKEYS_ERROR_READ_ONLY;
  int rc = check_unique(transaction, record, 0); /* 0 is no record's number */
  if (rc == APIKEYS_OK)
    rc = next_number(transaction, apikeys_record_kind(record), &number);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_set_integer(record, 0, number);
  if (rc == APIKEYS_OK)
    rc = change_entries(transaction, NULL, record);
  return rc == APIKEYS_OK ? put_record(transaction, record) : rc;
}

static int lmdb_update(void *self, apikeys_transaction *transaction, const apikeys_record *record) {
  (void)self;
  int64_t number = apikeys_record_integer(record, 0);
  if (transaction->mode != APIKEYS_TRANSACTION_WRITE)
    return APIKEYS_ERROR_READ_ONLY;
  apikeys_record *before = apikeys_record_new(apikeys_record_kind(record));
  if (before == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = get_record(transaction, apikeys_record_kind(record), number, before);
  if (rc == APIKEYS_OK)
    rc = check_unique(transaction, record, number);
  if (rc == APIKEYS_OK)
    rc = change_entries(transaction, before, record);
  if (rc == APIKEYS_OK)
    rc = put_record(transaction, record);
  apikeys_record_free(before);
  return rc;
}

static int lmdb_remove(void *self, apikeys_transaction *transaction, int kind, int64_t number) {
  (void)self;
  unsigned char bytes[NUMBER_BYTES];
  MDB_val key = {sizeof bytes, bytes};
  if (transaction->mode != APIKEYS_TRANSACTION_WRITE)
    return APIKEYS_ERROR_READ_ONLY;
  apikeys_record *before = apikeys_record_new(kind);
  if (before == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  write_number(bytes, number);
  int rc = get_record(transaction, kind, number, before);
  if (rc == APIKEYS_OK)
    rc = change_entries(transaction, before, NULL);
  if (rc == APIKEYS_OK)
    rc = code_of(mdb_del(transaction->txn, transaction->file->records[kind], &key, NULL));
  apikeys_record_free(before);
  return rc;
}

/* The record that has the same id, into `out`. */
static int get_by_id(const apikeys_transaction *transaction, const apikeys_record *like,
                     apikeys_record *out) {
  struct entry entry;
  MDB_val value;
  int kind = apikeys_record_kind(like);
  int rc = entry_of(like, 0, &entry);
  if (rc != APIKEYS_OK)
    return rc;
  MDB_val key = {entry.length, entry.bytes};
  rc = mdb_get(transaction->txn, transaction->file->indexes[kind][0], &key, &value);
  return rc == MDB_SUCCESS ? get_record(transaction, kind, read_number(&value), out) : code_of(rc);
}

static int lmdb_raise(void *self, apikeys_transaction *transaction, const apikeys_record *record,
                      int field) {
  apikeys_record *stored = apikeys_record_new(apikeys_record_kind(record));
  if (stored == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = get_by_id(transaction, record, stored);
  if (rc == APIKEYS_ERROR_NOT_FOUND) {
    rc = apikeys_record_copy(stored, record);
    if (rc == APIKEYS_OK)
      rc = lmdb_insert(self, transaction, stored);
  } else if (rc == APIKEYS_OK &&
             apikeys_record_integer(record, field) > apikeys_record_integer(stored, field)) {
    rc = apikeys_record_set_integer(stored, field, apikeys_record_integer(record, field));
    if (rc == APIKEYS_OK)
      rc = lmdb_update(self, transaction, stored);
  }
  apikeys_record_free(stored);
  return rc;
}

/* ------------------------------------------------------------------------------ queries ------ */

/* A walk along an index between two bounds, in the query's direction. */
struct walk {
  const apikeys_query *query;
  MDB_cursor *cursor;
  struct entry lower, upper; /* lower <= entry < upper */
  MDB_val key, value;        /* where it stands */
};

static int compare(const MDB_val *key, const struct entry *bound) {
  size_t common = key->mv_size < bound->length ? key->mv_size : bound->length;
  int order = memcmp(key->mv_data, bound->bytes, common);
  return order != 0 ? order : (key->mv_size > bound->length) - (key->mv_size < bound->length);
}

/* To the first entry at or behind the bound. A bound may be longer than any entry is. */
static int seek(struct walk *walk, const struct entry *bound) {
  if (bound->length == 0)
    return mdb_cursor_get(walk->cursor, &walk->key, &walk->value, MDB_FIRST);
  walk->key.mv_size = bound->length < LMDB_KEY_MAX ? bound->length : LMDB_KEY_MAX;
  walk->key.mv_data = (void *)(uintptr_t)bound->bytes;
  return mdb_cursor_get(walk->cursor, &walk->key, &walk->value, MDB_SET_RANGE);
}

static int first_entry(struct walk *walk) {
  if (!apikeys_query_descending(walk->query))
    return seek(walk, &walk->lower);
  int rc = seek(walk, &walk->upper);
  return mdb_cursor_get(walk->cursor, &walk->key, &walk->value,
                        rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

static int next_entry(struct walk *walk) {
  return mdb_cursor_get(walk->cursor, &walk->key, &walk->value,
                        apikeys_query_descending(walk->query) ? MDB_PREV : MDB_NEXT);
}

static bool is_past_the_end(const struct walk *walk) {
  return apikeys_query_descending(walk->query) ? compare(&walk->key, &walk->lower) < 0
                                               : compare(&walk->key, &walk->upper) >= 0;
}

/* apikeys_query_matches() keeps organizations apart: no record is answered or counted without
 * it. */
static int walk_entries(apikeys_transaction *transaction, struct walk *walk, apikeys_record *record,
                        apikeys_visitor visit, void *visit_data) {
  size_t limit = apikeys_query_limit(walk->query), visited = 0;
  int kind = apikeys_query_kind(walk->query), rc = first_entry(walk);
  for (; rc == MDB_SUCCESS && !is_past_the_end(walk); rc = next_entry(walk)) {
    int code = get_record(transaction, kind, read_number(&walk->value), record);
    if (code != APIKEYS_OK)
      return code == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_ERROR_CORRUPT : code;
    if (!apikeys_query_matches(walk->query, record))
      continue;
    code = visit(record, visit_data);
    if (code != 0 || (limit > 0 && ++visited == limit))
      return code;
  }
  return rc == MDB_NOTFOUND ? APIKEYS_OK : code_of(rc);
}

static int lmdb_scan(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                     apikeys_visitor visit, void *visit_data) {
  (void)self;
  struct walk walk = {.query = query};
  int kind = apikeys_query_kind(query), index = apikeys_query_index(query);
  int rc = apikeys_query_bounds(query, walk.lower.bytes, &walk.lower.length, walk.upper.bytes,
                                &walk.upper.length);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_record *record = apikeys_record_new(kind);
  if (record == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  rc = code_of(
      mdb_cursor_open(transaction->txn, transaction->file->indexes[kind][index], &walk.cursor));
  if (rc == APIKEYS_OK) {
    rc = walk_entries(transaction, &walk, record, visit, visit_data);
    mdb_cursor_close(walk.cursor);
  }
  apikeys_record_free(record);
  return rc;
}

struct first {
  apikeys_record *out;
  int rc;
};

static int copy_first(const apikeys_record *record, void *visit_data) {
  struct first *first = visit_data;
  first->rc = apikeys_record_copy(first->out, record);
  return 1; /* ends the scan */
}

static int lmdb_get(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                    apikeys_record *out) {
  struct first first = {.out = out};
  int rc = lmdb_scan(self, transaction, query, copy_first, &first);
  if (rc == APIKEYS_OK)
    return APIKEYS_ERROR_NOT_FOUND;
  return rc == 1 ? first.rc : rc;
}

/* Counting has no limit, a scan has the query's: so the walk counts by itself. */
static int lmdb_count(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                      uint64_t *count) {
  (void)self;
  struct walk walk = {.query = query};
  int kind = apikeys_query_kind(query), index = apikeys_query_index(query);
  uint64_t found = 0;
  int rc = apikeys_query_bounds(query, walk.lower.bytes, &walk.lower.length, walk.upper.bytes,
                                &walk.upper.length);
  apikeys_record *record = apikeys_record_new(kind);
  if (rc == APIKEYS_OK && record == NULL)
    rc = APIKEYS_ERROR_NO_MEMORY;
  if (rc == APIKEYS_OK)
    rc = code_of(
        mdb_cursor_open(transaction->txn, transaction->file->indexes[kind][index], &walk.cursor));
  if (rc != APIKEYS_OK) {
    apikeys_record_free(record);
    return rc;
  }
  int step = first_entry(&walk);
  for (; rc == APIKEYS_OK && step == MDB_SUCCESS && !is_past_the_end(&walk);
       step = next_entry(&walk)) {
    rc = get_record(transaction, kind, read_number(&walk.value), record);
    found += rc == APIKEYS_OK && apikeys_query_matches(query, record) != 0;
  }
  mdb_cursor_close(walk.cursor);
  apikeys_record_free(record);
  if (rc == APIKEYS_OK && step != MDB_SUCCESS && step != MDB_NOTFOUND)
    rc = code_of(step);
  if (rc == APIKEYS_OK)
    *count = found;
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_ERROR_CORRUPT : rc;
}

/* -------------------------------------------------------------------------- opening a file --- */

static const char format[] = "libapikeys lmdb 1";

static int open_databases(struct file *file, MDB_txn *txn) {
  int rc = mdb_dbi_open(txn, "about", MDB_CREATE, &file->about);
  if (rc == MDB_SUCCESS)
    rc = mdb_dbi_open(txn, "numbers", MDB_CREATE, &file->numbers);
  for (int kind = 1; rc == MDB_SUCCESS && kind <= apikeys_schema_kind_count(); kind++) {
    char name[64];
    snprintf(name, sizeof name, "%s", apikeys_schema_kind_name(kind));
    rc = mdb_dbi_open(txn, name, MDB_CREATE, &file->records[kind]);
    for (int i = 0; rc == MDB_SUCCESS && i < apikeys_schema_index_count(kind); i++) {
      snprintf(name, sizeof name, "%s.%d", apikeys_schema_kind_name(kind), i);
      rc = mdb_dbi_open(txn, name, MDB_CREATE, &file->indexes[kind][i]);
    }
  }
  return code_of(rc);
}

/* An index that a later schema added gets an entry for each record that is there. */
static int fill_index(struct file *file, MDB_txn *txn, int kind, int index) {
  apikeys_transaction transaction = {.file = file, .txn = txn, .mode = APIKEYS_TRANSACTION_WRITE};
  const struct entry none = {.length = 0};
  MDB_cursor *cursor;
  MDB_val key, value;
  int rc = mdb_cursor_open(txn, file->records[kind], &cursor);
  if (rc != MDB_SUCCESS)
    return code_of(rc);
  apikeys_record *record = apikeys_record_new(kind);
  int code = record != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
  while (code == APIKEYS_OK &&
         (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
    struct entry entry;
    code = apikeys_record_decode(record, value.mv_data, value.mv_size);
    if (code == APIKEYS_OK)
      code = entry_of(record, index, &entry);
    if (code == APIKEYS_OK)
      code = change_entry(&transaction, file->indexes[kind][index], &none, &entry,
                          apikeys_record_integer(record, 0));
  }
  mdb_cursor_close(cursor);
  apikeys_record_free(record);
  return code == APIKEYS_OK && rc != MDB_NOTFOUND ? code_of(rc) : code;
}

static int upgrade(struct file *file, MDB_txn *txn, int from) {
  int rc = APIKEYS_OK;
  for (int kind = 1; rc == APIKEYS_OK && kind <= apikeys_schema_kind_count(); kind++)
    for (int i = 0; rc == APIKEYS_OK && i < apikeys_schema_index_count(kind); i++)
      if (apikeys_schema_kind_since(kind) <= from && apikeys_schema_index_since(kind, i) > from)
        rc = fill_index(file, txn, kind, i);
  return rc;
}

static int put_about(struct file *file, MDB_txn *txn, const char *name, const char *text) {
  MDB_val key = {strlen(name), (void *)(uintptr_t)name};
  MDB_val value = {strlen(text), (void *)(uintptr_t)text};
  return code_of(mdb_put(txn, file->about, &key, &value, 0));
}

/* The schema version that wrote the file; 0: the file is new. */
static int read_about(struct file *file, MDB_txn *txn, int *version) {
  MDB_val key = {6, "format"}, value;
  char text[16] = "";
  int rc = mdb_get(txn, file->about, &key, &value);
  *version = 0;
  if (rc == MDB_NOTFOUND)
    return APIKEYS_OK;
  if (rc == MDB_SUCCESS &&
      (value.mv_size != strlen(format) || memcmp(value.mv_data, format, value.mv_size) != 0))
    return APIKEYS_ERROR_FOREIGN_STORE;
  key = (MDB_val){6, "schema"};
  if (rc == MDB_SUCCESS)
    rc = mdb_get(txn, file->about, &key, &value);
  if (rc != MDB_SUCCESS || value.mv_size >= sizeof text)
    return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? APIKEYS_ERROR_CORRUPT : code_of(rc);
  memcpy(text, value.mv_data, value.mv_size);
  *version = (int)strtol(text, NULL, 10);
  return *version > 0 ? APIKEYS_OK : APIKEYS_ERROR_CORRUPT;
}

static int prepare_file(struct file *file, MDB_txn *txn) {
  char version[16];
  int from = 0, rc = open_databases(file, txn);
  if (rc == APIKEYS_OK)
    rc = read_about(file, txn, &from);
  if (rc == APIKEYS_OK && from > apikeys_schema_version())
    rc = APIKEYS_ERROR_SCHEMA_NEWER;
  if (rc == APIKEYS_OK && from > 0)
    rc = upgrade(file, txn, from);
  snprintf(version, sizeof version, "%d", apikeys_schema_version());
  if (rc == APIKEYS_OK)
    rc = put_about(file, txn, "format", format);
  return rc == APIKEYS_OK ? put_about(file, txn, "schema", version) : rc;
}

/* With the file's lock. */
static int open_env(struct file *file) {
  enum { DATABASES_MAX = 2 + KINDS_MAX * (1 + INDEXES_MAX), READERS_MAX = 1024 };
  MDB_txn *txn;
  MDB_env *env;
  int rc = mdb_env_create(&env);
  if (rc != MDB_SUCCESS)
    return code_of(rc);
  mdb_env_set_maxdbs(env, DATABASES_MAX);
  mdb_env_set_maxreaders(env, READERS_MAX);
  mdb_env_set_mapsize(env, file->map_bytes);
  rc = mdb_env_open(env, file->path, MDB_NOSUBDIR | MDB_NOTLS, 0600);
  if (rc == MDB_SUCCESS)
    rc = mdb_txn_begin(env, NULL, 0, &txn);
  int code = code_of(rc);
  if (rc == MDB_SUCCESS) {
    code = prepare_file(file, txn);
    if (code == APIKEYS_OK)
      code = code_of(mdb_txn_commit(txn));
    else
      mdb_txn_abort(txn);
  }
  if (code != APIKEYS_OK) {
    mdb_env_close(env);
    return code;
  }
  file->env = env;
  file->owner = getpid();
  return APIKEYS_OK;
}

/* ------------------------------------------------------------------------- transactions ------ */

/* Counts the transaction in, and opens the file again after a fork that was prepared for. */
static int enter(struct file *file) {
  pthread_mutex_lock(&file->lock);
  int rc = APIKEYS_OK;
  if (file->env == NULL)
    rc = open_env(file);
  else if (file->owner != getpid())
    rc = APIKEYS_ERROR_FORKED;
  file->transactions += rc == APIKEYS_OK;
  pthread_mutex_unlock(&file->lock);
  return rc;
}

static void leave(struct file *file) {
  pthread_mutex_lock(&file->lock);
  file->transactions--;
  pthread_mutex_unlock(&file->lock);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * LMDB lets a writer wait for ever. So writers first take a lock of our own, which can be tried; it
 * belongs to the descriptor, so that it keeps threads apart as well, and ends with a killed
 * process.
 */
static int lock_writers(const struct file *file, int wait_ms, int *descriptor) {
  int64_t until = now_ms() + wait_ms;
  int fd = open(file->writer_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return code_of(errno);
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    int problem = errno;
    if (problem != EWOULDBLOCK || now_ms() >= until) {
      close(fd);
      return problem == EWOULDBLOCK ? APIKEYS_ERROR_BUSY : code_of(problem);
    }
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  *descriptor = fd;
  return APIKEYS_OK;
}

static void unlock_writers(int descriptor) {
  if (descriptor >= 0)
    close(descriptor);
}

static int lmdb_begin(void *self, int mode, apikeys_transaction **transaction) {
  struct store *store = self;
  bool writes = mode == APIKEYS_TRANSACTION_WRITE;
  if (!writes && mode != APIKEYS_TRANSACTION_READ)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  apikeys_transaction *made = calloc(1, sizeof *made);
  if (made == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  *made = (apikeys_transaction){.file = store->file, .mode = mode, .writer = -1};
  int rc = enter(store->file);
  if (rc != APIKEYS_OK) {
    free(made);
    return rc;
  }
  if (writes)
    rc = lock_writers(store->file, store->wait_ms, &made->writer);
  if (rc == APIKEYS_OK)
    rc = code_of(mdb_txn_begin(store->file->env, NULL, writes ? 0 : MDB_RDONLY, &made->txn));
  if (rc != APIKEYS_OK) {
    unlock_writers(made->writer);
    leave(store->file);
    free(made);
    return rc;
  }
  *transaction = made;
  return APIKEYS_OK;
}

static void end(apikeys_transaction *transaction) {
  unlock_writers(transaction->writer);
  leave(transaction->file);
  free(transaction);
}

static void lmdb_rollback(void *self, apikeys_transaction *transaction) {
  (void)self;
  mdb_txn_abort(transaction->txn);
  end(transaction);
}

/* A full disk is noticed before the page that makes the commit is written. After another failure of
 * a write that page may have reached the disk. */
static int lmdb_commit(void *self, apikeys_transaction *transaction) {
  if (transaction->mode == APIKEYS_TRANSACTION_READ) {
    lmdb_rollback(self, transaction);
    return APIKEYS_OK;
  }
  int rc = mdb_txn_commit(transaction->txn);
  end(transaction);
  return rc == EIO ? APIKEYS_ERROR_OUTCOME_UNKNOWN : code_of(rc);
}

/* LMDB's number of the last commit lies in the mapped file: reading it costs no system call. */
static int lmdb_generation(void *self, uint64_t *generation) {
  struct store *store = self;
  MDB_envinfo info;
  int rc = enter(store->file);
  if (rc != APIKEYS_OK)
    return APIKEYS_ERROR_UNSUPPORTED;
  rc = mdb_env_info(store->file->env, &info);
  *generation = info.me_last_txnid;
  leave(store->file);
  return rc == MDB_SUCCESS ? APIKEYS_OK : APIKEYS_ERROR_UNSUPPORTED;
}

/* ---------------------------------------------------------------- copies, forks, the end ----- */

static int lmdb_backup(void *self, const char *path) {
  struct store *store = self;
  int rc = enter(store->file);
  if (rc != APIKEYS_OK)
    return rc;
  bool made = access(path, F_OK) != 0; /* what was there before is not ours to remove */
  rc = mdb_env_copy2(store->file->env, path, MDB_CP_COMPACT);
  if (rc != MDB_SUCCESS && rc != EEXIST && made)
    unlink(path);
  leave(store->file);
  return rc == EEXIST ? APIKEYS_ERROR_CANNOT_OPEN : code_of(rc);
}

static int lmdb_prepare_fork(void *self) {
  struct store *store = self;
  struct file *file = store->file;
  pthread_mutex_lock(&file->lock);
  int rc = file->transactions > 0 ? APIKEYS_ERROR_BUSY : APIKEYS_OK;
  if (rc == APIKEYS_OK && file->env != NULL) {
    mdb_env_close(file->env);
    file->env = NULL;
  }
  pthread_mutex_unlock(&file->lock);
  return rc;
}

static void free_file(struct file *file) {
  /* In a child the handle is the parent's: closing it here would take the parent's locks away. */
  if (file->env != NULL && file->owner == getpid())
    mdb_env_close(file->env);
  pthread_mutex_destroy(&file->lock);
  free(file->writer_path);
  free(file->path);
  free(file);
}

static void lmdb_destroy(void *self) {
  struct store *store = self;
  struct file *file = store->file;
  pthread_mutex_lock(&files_lock);
  if (--file->stores == 0) {
    struct file **at = &files;
    while (*at != file)
      at = &(*at)->next;
    *at = file->next;
    free_file(file);
  }
  pthread_mutex_unlock(&files_lock);
  free(store);
}

/* ------------------------------------------------------------------------ putting together --- */

static char *join(const char *path, const char *ending) {
  size_t length = strlen(path) + strlen(ending) + 1;
  char *joined = malloc(length);
  if (joined != NULL)
    snprintf(joined, length, "%s%s", path, ending);
  return joined;
}

static int new_file(const char *path, size_t map_bytes, struct file **out) {
  struct file *file = calloc(1, sizeof *file);
  if (file == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  pthread_mutex_init(&file->lock, NULL);
  file->map_bytes = map_bytes > 0 ? map_bytes : default_map_bytes;
  file->path = join(path, "");
  file->writer_path = join(path, "-writer");
  int rc =
      file->path != NULL && file->writer_path != NULL ? open_env(file) : APIKEYS_ERROR_NO_MEMORY;
  if (rc != APIKEYS_OK) {
    free_file(file);
    return rc;
  }
  *out = file;
  return APIKEYS_OK;
}

/* With the files' lock: the one that is open already, or a new one. */
static int find_file(const char *full_path, size_t map_bytes, struct file **out) {
  for (struct file *file = files; file != NULL; file = file->next)
    if (strcmp(file->path, full_path) == 0) {
      *out = file;
      return file->env != NULL && file->owner != getpid() ? APIKEYS_ERROR_FORKED : APIKEYS_OK;
    }
  int rc = new_file(full_path, map_bytes, out);
  if (rc == APIKEYS_OK) {
    (*out)->next = files;
    files = *out;
  }
  return rc;
}

/* The directory's real path and the file's own name, so that one file has one name in here. */
static char *find_full_path(const char *path) {
  const char *slash = strrchr(path, '/');
  char *directory = NULL, *name = NULL, *full = NULL;
  if (slash == NULL) {
    directory = realpath(".", NULL);
  } else {
    char *copy = join(path, "");
    if (copy != NULL) {
      copy[slash - path + 1] = '\0';
      directory = realpath(copy, NULL);
      free(copy);
    }
  }
  name = join("/", slash != NULL ? slash + 1 : path);
  if (directory != NULL && name != NULL && name[1] != '\0')
    full = join(directory, name);
  free(name);
  free(directory);
  return full;
}

int lmdb_storage_open(apikeys_storage *out, const char *path, size_t map_bytes, int wait_ms) {
  if (out == NULL || path == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (apikeys_schema_kind_count() >= KINDS_MAX)
    return APIKEYS_ERROR_UNSUPPORTED;
  struct store *store = calloc(1, sizeof *store);
  char *full_path = find_full_path(path);
  int rc = store == NULL ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
  if (rc == APIKEYS_OK && full_path == NULL)
    rc = APIKEYS_ERROR_CANNOT_OPEN;
  if (rc == APIKEYS_OK) {
    pthread_mutex_lock(&files_lock);
    rc = find_file(full_path, map_bytes, &store->file);
    if (rc == APIKEYS_OK)
      store->file->stores++;
    pthread_mutex_unlock(&files_lock);
  }
  free(full_path);
  if (rc != APIKEYS_OK) {
    free(store);
    return rc;
  }
  store->wait_ms = wait_ms;
  *out = (apikeys_storage){.struct_size = sizeof *out,
                           .capabilities = APIKEYS_STORAGE_DURABLE | APIKEYS_STORAGE_MANY_PROCESSES,
                           .self = store,
                           .destroy = lmdb_destroy,
                           .begin = lmdb_begin,
                           .commit = lmdb_commit,
                           .rollback = lmdb_rollback,
                           .get = lmdb_get,
                           .insert = lmdb_insert,
                           .update = lmdb_update,
                           .remove = lmdb_remove,
                           .count = lmdb_count,
                           .scan = lmdb_scan,
                           .raise = lmdb_raise,
                           .backup = lmdb_backup,
                           .prepare_fork = lmdb_prepare_fork,
                           .generation = lmdb_generation};
  return APIKEYS_OK;
}
