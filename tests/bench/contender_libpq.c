/* SPDX-License-Identifier: MIT */
/* Keys in PostgreSQL, over a Unix socket: a prepared SELECT by primary key, then as the
 * baseline. */
#include "bench.h"

#include <libpq-fe.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_AT = 3, ID_LENGTH = 16 };

struct postgres {
  PGconn *connection;
};

static void execute(PGconn *connection, const char *sql, ExecStatusType expected) {
  PGresult *result = PQexec(connection, sql);
  if (PQresultStatus(result) != expected)
    bench_fail("PostgreSQL: %s: %s", sql, PQerrorMessage(connection));
  PQclear(result);
}

static bool good(const PGresult *result, const unsigned char *hash) {
  return PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
         PQgetlength(result, 0, 0) == crypto_hash_sha256_BYTES &&
         sodium_memcmp(PQgetvalue(result, 0, 0), hash, crypto_hash_sha256_BYTES) == 0 &&
         PQgetisnull(result, 0, 3) && strstr(PQgetvalue(result, 0, 2), BENCH_PERMISSION) != NULL;
}

static bool validate(struct postgres *postgres, const char *value, size_t length) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  const char *parameters[] = {value + ID_AT};
  const int lengths[] = {ID_LENGTH}, formats[] = {1};
  crypto_hash_sha256(hash, (const unsigned char *)value, length);
  PGresult *result =
      PQexecPrepared(postgres->connection, "key", 1, parameters, lengths, formats, 1);
  bool answer = good(result, hash);
  PQclear(result);
  return answer;
}

static size_t run(void *state, const unsigned char *values, size_t count, size_t stride) {
  struct postgres *postgres = state;
  BENCH_CHAIN(entry, validate(postgres, bench_text(entry), bench_length(entry)));
}

static int64_t served(void *state) {
  return bench_process_cpu_ns(PQbackendPID(((const struct postgres *)state)->connection));
}

static void fill(PGconn *connection, const struct bench_set *set) {
  execute(connection,
          "DROP TABLE IF EXISTS api_keys; CREATE UNLOGGED TABLE api_keys (id text, hash bytea NOT "
          "NULL, organization_id text NOT NULL, name text NOT NULL, permissions text NOT NULL,"
          " created_at timestamptz NOT NULL, revoked_at timestamptz)",
          PGRES_COMMAND_OK);
  execute(connection, "COPY api_keys FROM STDIN", PGRES_COPY_IN);
  for (size_t i = 0; i < set->count; i++) {
    const unsigned char *entry = set->bytes + i * set->stride;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1], line[256];
    crypto_hash_sha256(hash, (const unsigned char *)bench_text(entry), bench_length(entry));
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    int length = snprintf(line, sizeof line,
                          "%.16s\t\\\\x%s\torg_01HZX3V6J8K9M0N1P2Q3R4S5T6\tCI deploys\t"
                          "comments:read posts:read\t2024-01-01T00:00:00Z\t\\N\n",
                          bench_text(entry) + ID_AT, hex);
    if (PQputCopyData(connection, line, length) != 1)
      bench_fail("PostgreSQL: %s", PQerrorMessage(connection));
  }
  PQputCopyEnd(connection, NULL);
  PQclear(PQgetResult(connection));
  PQclear(PQgetResult(connection));
  execute(connection, "ALTER TABLE api_keys ADD PRIMARY KEY (id)", PGRES_COMMAND_OK);
  execute(connection, "VACUUM ANALYZE api_keys", PGRES_COMMAND_OK);
}

static void close_postgres(void *state) {
  struct postgres *postgres = state;
  PQfinish(postgres->connection);
  free(postgres);
}

void bench_open_postgres(struct bench_contender *contender, const struct bench_options *options) {
  struct postgres *postgres = bench_alloc(sizeof *postgres);
  postgres->connection = PQconnectdb(options->postgres);
  if (PQstatus(postgres->connection) != CONNECTION_OK)
    bench_fail("PostgreSQL: %s", PQerrorMessage(postgres->connection));
  execute(postgres->connection, "SET client_min_messages TO error", PGRES_COMMAND_OK);
  fill(postgres->connection, contender->set);
  PQclear(PQprepare(postgres->connection, "key",
                    "SELECT hash, organization_id, permissions, revoked_at FROM api_keys"
                    " WHERE id = $1",
                    1, NULL));
  contender->state = postgres;
  contender->run = run;
  contender->served_ns = served;
  contender->close = close_postgres;
}
