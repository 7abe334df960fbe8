/* SPDX-License-Identifier: MIT */
/*
 * The baseline: what a good engineer writes in an afternoon. A table in SQLite, in WAL mode; the
 * SHA-256 of each value beside its id; one prepared SELECT; a comparison in constant time.
 *
 * Tuned: the same by somebody who measures. A page cache that holds a lot, the file mapped, and one
 * read transaction held open for all lookups, which nobody can do whose keys ever change. It has a
 * file of its own: within a process SQLite counts the locks of a file, so that beside a transaction
 * that is held the baseline would take and give back its own without asking the system.
 */
#include "bench.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID_AT = 3, ID_LENGTH = 16 };

struct answer {
  char organization[40];
  char id[ID_LENGTH + 1];
};

struct baseline {
  sqlite3 *db;
  sqlite3_stmt *select;
  struct answer answer;
};

static void execute(sqlite3 *db, const char *sql) {
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
    bench_fail("%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
    bench_fail("%s: %s", sql, sqlite3_errmsg(db));
  return statement;
}

/* -- Validating -------------------------------------------------------------------------------- */

static bool has_permission(const char *permissions) {
  size_t length = strlen(BENCH_PERMISSION);
  for (const char *at = permissions; (at = strstr(at, BENCH_PERMISSION)) != NULL; at += length)
    if ((at == permissions || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
      return true;
  return false;
}

static bool good(struct baseline *baseline, const char *value, const unsigned char *hash) {
  sqlite3_stmt *row = baseline->select;
  if (sqlite3_column_bytes(row, 0) != crypto_hash_sha256_BYTES ||
      sodium_memcmp(sqlite3_column_blob(row, 0), hash, crypto_hash_sha256_BYTES) != 0 ||
      sqlite3_column_type(row, 3) != SQLITE_NULL ||
      !has_permission((const char *)sqlite3_column_text(row, 2)))
    return false;
  snprintf(baseline->answer.organization, sizeof baseline->answer.organization, "%s",
           (const char *)sqlite3_column_text(row, 1));
  memcpy(baseline->answer.id, value + ID_AT, ID_LENGTH);
  return true;
}

static bool validate(struct baseline *baseline, const char *value, size_t length) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, (const unsigned char *)value, length);
  sqlite3_bind_text(baseline->select, 1, value + ID_AT, ID_LENGTH, SQLITE_STATIC);
  bool answer = sqlite3_step(baseline->select) == SQLITE_ROW && good(baseline, value, hash);
  sqlite3_reset(baseline->select);
  return answer;
}

static size_t run(void *state, const unsigned char *values, size_t count, size_t stride) {
  struct baseline *baseline = state;
  BENCH_CHAIN(entry, validate(baseline, bench_text(entry), bench_length(entry)));
}

/* -- The store --------------------------------------------------------------------------------- */

static void fill(sqlite3 *db, const struct bench_set *set) {
  execute(db, "PRAGMA synchronous=OFF; PRAGMA cache_size=-400000;"
              "CREATE TABLE api_keys (id TEXT PRIMARY KEY, hash BLOB NOT NULL,"
              " organization_id TEXT NOT NULL, name TEXT NOT NULL, permissions TEXT NOT NULL,"
              " created_at INTEGER NOT NULL, revoked_at INTEGER);"
              "BEGIN");
  sqlite3_stmt *insert = prepare(
      db, "INSERT INTO api_keys VALUES (?, ?, 'org_01HZX3V6J8K9M0N1P2Q3R4S5T6', 'CI deploys',"
          " 'comments:read posts:read', 1700000000000, NULL)");
  for (size_t i = 0; i < set->count; i++) {
    const unsigned char *entry = set->bytes + i * set->stride;
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)bench_text(entry), bench_length(entry));
    sqlite3_bind_text(insert, 1, bench_text(entry) + ID_AT, ID_LENGTH, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 2, hash, sizeof hash, SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE)
      bench_fail("the baseline's INSERT: %s", sqlite3_errmsg(db));
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  execute(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

static sqlite3 *open_database(const char *path) {
  sqlite3 *db;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                      NULL))
    bench_fail("cannot open %s", path);
  execute(db, "PRAGMA journal_mode=WAL");
  return db;
}

static void copy_database(const char *from, const char *to) {
  sqlite3 *source = open_database(from), *target = open_database(to);
  sqlite3_backup *copy = sqlite3_backup_init(target, "main", source, "main");
  if (copy == NULL || sqlite3_backup_step(copy, -1) != SQLITE_DONE ||
      sqlite3_backup_finish(copy) != SQLITE_OK)
    bench_fail("copying the baseline: %s", sqlite3_errmsg(target));
  sqlite3_close(source);
  sqlite3_close(target);
}

static void close_baseline(void *state) {
  struct baseline *baseline = state;
  sqlite3_finalize(baseline->select);
  sqlite3_close(baseline->db);
  free(baseline);
}

void bench_open_baseline(struct bench_contender *contender, const struct bench_options *options,
                         bool tuned) {
  char path[4096], copy[4096];
  struct baseline *baseline = bench_alloc(sizeof *baseline);
  bench_path(path, sizeof path, options, "baseline.db");
  bench_path(copy, sizeof copy, options, "tuned.db");
  if (access(path, F_OK) != 0) {
    sqlite3 *db = open_database(path);
    fill(db, contender->set);
    sqlite3_close(db);
  }
  if (tuned && access(copy, F_OK) != 0)
    copy_database(path, copy);
  baseline->db = open_database(tuned ? copy : path);
  if (tuned)
    execute(baseline->db, "PRAGMA cache_size=-262144; PRAGMA mmap_size=8589934592; BEGIN");
  baseline->select = prepare(baseline->db, "SELECT hash, organization_id, permissions, revoked_at"
                                           " FROM api_keys WHERE id = ?");
  contender->state = baseline;
  contender->run = run;
  contender->close = close_baseline;
}

/* -- Creating ---------------------------------------------------------------------------------- */

struct bench_insert {
  sqlite3 *db;
  sqlite3_stmt *statement;
};

struct bench_insert *bench_insert_open(const struct bench_options *options) {
  char path[4096];
  struct bench_insert *insert = bench_alloc(sizeof *insert);
  bench_path(path, sizeof path, options, "insert.db");
  unlink(path);
  insert->db = open_database(path);
  execute(insert->db, "PRAGMA synchronous=FULL;"
                      "CREATE TABLE api_keys (id TEXT PRIMARY KEY, hash BLOB NOT NULL,"
                      " organization_id TEXT NOT NULL, name TEXT NOT NULL,"
                      " permissions TEXT NOT NULL, created_at INTEGER NOT NULL,"
                      " revoked_at INTEGER)");
  insert->statement =
      prepare(insert->db, "INSERT INTO api_keys VALUES (?, ?, 'org_01HZX3V6J8K9M0N1P2Q3R4S5T6',"
                          " 'CI deploys', 'comments:read posts:read', 1700000000000, NULL)");
  return insert;
}

void bench_insert_one(struct bench_insert *insert) {
  static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  char value[57];
  unsigned char hash[crypto_hash_sha256_BYTES];
  for (size_t i = 0; i < sizeof value; i++)
    value[i] = letters[randombytes_uniform(sizeof letters - 1)];
  crypto_hash_sha256(hash, (const unsigned char *)value, sizeof value);
  sqlite3_bind_text(insert->statement, 1, value + ID_AT, ID_LENGTH, SQLITE_STATIC);
  sqlite3_bind_blob(insert->statement, 2, hash, sizeof hash, SQLITE_STATIC);
  if (sqlite3_step(insert->statement) != SQLITE_DONE)
    bench_fail("INSERT: %s", sqlite3_errmsg(insert->db));
  sqlite3_reset(insert->statement);
}

void bench_insert_close(struct bench_insert *insert) {
  sqlite3_finalize(insert->statement);
  sqlite3_close(insert->db);
  free(insert);
}

/* -- The size of a store ----------------------------------------------------------------------- */

void bench_store_sizes(const char *path, void (*visit)(const char *name, int64_t bytes, void *data),
                       void *data) {
  sqlite3 *db = open_database(path);
  execute(db, "PRAGMA wal_checkpoint(TRUNCATE)");
  sqlite3_stmt *pages = prepare(db, "SELECT '', page_count * page_size"
                                    " FROM pragma_page_count(), pragma_page_size()"
                                    " UNION ALL SELECT name, sum(pgsize) FROM dbstat GROUP BY 1");
  while (sqlite3_step(pages) == SQLITE_ROW)
    visit((const char *)sqlite3_column_text(pages, 0), sqlite3_column_int64(pages, 1), data);
  sqlite3_finalize(pages);
  sqlite3_close(db);
}
