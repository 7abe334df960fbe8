/* SPDX-License-Identifier: MIT */
/* Keys as hashes in Redis, over a Unix socket: HGETALL, SHA-256, a comparison in constant time. */
#include "bench.h"

#include <hiredis.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { ID_AT = 3, ID_LENGTH = 16, PIPELINE = 1000 };

struct redis {
  redisContext *connection;
  int server;
};

static bool good(const redisReply *reply, const unsigned char *hash) {
  bool same = false, permitted = false;
  if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
    return false;
  for (size_t i = 0; i + 1 < reply->elements; i += 2) {
    const char *name = reply->element[i]->str;
    const redisReply *value = reply->element[i + 1];
    if (strcmp(name, "hash") == 0)
      same = value->len == crypto_hash_sha256_BYTES &&
             sodium_memcmp(value->str, hash, crypto_hash_sha256_BYTES) == 0;
    else if (strcmp(name, "permissions") == 0)
      permitted = strstr(value->str, BENCH_PERMISSION) != NULL;
  }
  return same && permitted;
}

static bool validate(struct redis *redis, const char *value, size_t length) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, (const unsigned char *)value, length);
  redisReply *reply =
      redisCommand(redis->connection, "HGETALL key:%b", value + ID_AT, (size_t)ID_LENGTH);
  bool answer = good(reply, hash);
  freeReplyObject(reply);
  return answer;
}

static size_t run(void *state, const unsigned char *values, size_t count, size_t stride) {
  struct redis *redis = state;
  BENCH_CHAIN(entry, validate(redis, bench_text(entry), bench_length(entry)));
}

static int64_t served(void *state) {
  return bench_process_cpu_ns(((const struct redis *)state)->server);
}

static void take(redisContext *connection, size_t count) {
  for (size_t i = 0; i < count; i++) {
    redisReply *reply;
    if (redisGetReply(connection, (void **)&reply) != REDIS_OK || reply->type == REDIS_REPLY_ERROR)
      bench_fail("Redis: %s", connection->errstr);
    freeReplyObject(reply);
  }
}

static void fill(redisContext *connection, const struct bench_set *set) {
  freeReplyObject(redisCommand(connection, "FLUSHALL"));
  for (size_t i = 0; i < set->count; i++) {
    const unsigned char *entry = set->bytes + i * set->stride;
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)bench_text(entry), bench_length(entry));
    redisAppendCommand(connection,
                       "HSET key:%b hash %b organization_id %s name %s permissions %s "
                       "created_at %s",
                       bench_text(entry) + ID_AT, (size_t)ID_LENGTH, hash, sizeof hash,
                       "org_01HZX3V6J8K9M0N1P2Q3R4S5T6", "CI deploys", "comments:read posts:read",
                       "1700000000000");
    if ((i + 1) % PIPELINE == 0)
      take(connection, PIPELINE);
  }
  take(connection, set->count % PIPELINE);
}

static int number_in_info(redisContext *connection, const char *name) {
  redisReply *reply = redisCommand(connection, "INFO server");
  const char *at = reply != NULL ? strstr(reply->str, name) : NULL;
  int number = at != NULL ? atoi(at + strlen(name)) : 0;
  freeReplyObject(reply);
  return number;
}

static void close_redis(void *state) {
  struct redis *redis = state;
  redisFree(redis->connection);
  free(redis);
}

void bench_open_redis(struct bench_contender *contender, const struct bench_options *options) {
  struct redis *redis = bench_alloc(sizeof *redis);
  redis->connection = redisConnectUnix(options->redis);
  if (redis->connection == NULL || redis->connection->err)
    bench_fail("Redis does not answer at %s", options->redis);
  redis->server = number_in_info(redis->connection, "process_id:");
  fill(redis->connection, contender->set);
  contender->state = redis;
  contender->run = run;
  contender->served_ns = served;
  contender->close = close_redis;
}
