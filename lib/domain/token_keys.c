/* SPDX-License-Identifier: MIT */
/*
 * Earlier widget token keys in the environment's record: entries of a fixed size, each a root
 * version (8 bytes, little-endian), the time until which it holds, and the sealed key. After them
 * may come 8 more bytes: the root version of the last rotation that was flagged COMPROMISED.
 */
#include "domain/token_keys.h"

#include "base/arithmetic.h"

#include <string.h>

enum {
  TOKEN_KEY_SEALED_BYTES = AK_KEY_BYTES + AK_SEALED_OVERHEAD,
  ENTRY_BYTES = 16 + TOKEN_KEY_SEALED_BYTES,
  EPOCH_BYTES = 8,
  ENTRIES_MAX = 64 /* rotations in an hour; of more the oldest go */
};

static const int64_t hour_ms = INT64_C(3600000);

static void write_integer(uint8_t out[8], int64_t value) {
  for (int i = 0; i < 8; i++)
    out[i] = (uint8_t)((uint64_t)value >> (8 * i));
}

static int64_t read_integer(const uint8_t in[8]) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; i--)
    value = value << 8 | in[i];
  return (int64_t)value;
}

/* Bound to the environment and to its version and time: none can be put in another's place. */
static void associate_token_key(uint8_t out[AK_DIGEST_BYTES], const apikeys_env *env,
                                const uint8_t entry[16]) {
  struct ak_piece pieces[2] = {{env->id, strlen(env->id)}, {entry, 16}};
  ak_digest_pieces(out, pieces, 2);
}

static int add_token_key(struct ak_op *op, uint8_t *entry, int64_t version, int64_t until_ms,
                         const uint8_t key[AK_KEY_BYTES], const struct ak_secrets *to) {
  uint8_t associated[AK_DIGEST_BYTES];
  struct ak_random random = ak_random_source(&op->env->options);
  write_integer(entry, version);
  write_integer(entry + 8, until_ms);
  associate_token_key(associated, op->env, entry);
  return ak_seal(entry + 16, key, AK_KEY_BYTES, associated, sizeof associated, to->seal, &random);
}

static int open_entry(const struct ak_op *op, const uint8_t *entry, uint8_t key[AK_KEY_BYTES],
                      const struct ak_secrets *secrets) {
  uint8_t associated[AK_DIGEST_BYTES];
  associate_token_key(associated, op->env, entry);
  return ak_open(key, entry + 16, TOKEN_KEY_SEALED_BYTES, associated, sizeof associated,
                 secrets->seal);
}

/* A stored 0 is damage, not "never". */
static bool has_ended(const struct ak_op *op, int64_t until) {
  return until <= 0 ||
         ak_passed(&op->env->passed_times, AK_DEADLINE_TOKEN_KEY, until, op->now_ms, false);
}

/* What schema version 4 kept: one key, in fields of its own. */
static bool open_old(const struct ak_op *op, const apikeys_record *environment,
                     const struct ak_secrets *secrets, uint8_t key[AK_KEY_BYTES]) {
  size_t length;
  const uint8_t *sealed =
      apikeys_record_blob(environment, AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY, &length);
  const apikeys_env *env = op->env;
  return length == TOKEN_KEY_SEALED_BYTES &&
         !has_ended(op,
                    apikeys_record_integer(environment, AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY_UNTIL)) &&
         ak_open(key, sealed, length, env->id, strlen(env->id), secrets->seal) == 0;
}

static int carry_over(struct ak_op *op, const apikeys_record *environment,
                      const struct ak_secrets *from, const struct ak_secrets *to, uint8_t *list,
                      size_t *used) {
  size_t length;
  uint8_t key[AK_KEY_BYTES];
  int rc = APIKEYS_OK;
  const uint8_t *old = apikeys_record_blob(environment, AK_ENVIRONMENT_TOKEN_KEYS, &length);
  if (open_old(op, environment, from, key)) {
    int64_t until = apikeys_record_integer(environment, AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY_UNTIL);
    rc = add_token_key(op, list, ak_difference(from->version, 1), until, key, to);
    *used += ENTRY_BYTES;
  }
  size_t skip =
      length / ENTRY_BYTES > ENTRIES_MAX - 2 ? length / ENTRY_BYTES - (ENTRIES_MAX - 2) : 0;
  for (size_t at = skip * ENTRY_BYTES; rc == APIKEYS_OK && at + ENTRY_BYTES <= length;
       at += ENTRY_BYTES) {
    int64_t until = read_integer(old + at + 8);
    if (has_ended(op, until) || open_entry(op, old + at, key, from) != 0)
      continue;
    rc = add_token_key(op, list + *used, read_integer(old + at), until, key, to);
    *used += ENTRY_BYTES;
  }
  ak_wipe(key, sizeof key);
  return rc;
}

int64_t ak_token_keys_epoch(const apikeys_record *environment) {
  size_t length;
  const uint8_t *list = apikeys_record_blob(environment, AK_ENVIRONMENT_TOKEN_KEYS, &length);
  return length % ENTRY_BYTES == EPOCH_BYTES ? read_integer(list + length - EPOCH_BYTES) : 0;
}

int ak_token_keys_renew(struct ak_op *op, apikeys_record *environment,
                        const struct ak_secrets *from, const struct ak_secrets *to, bool drop_all) {
  uint8_t list[ENTRIES_MAX * ENTRY_BYTES + EPOCH_BYTES];
  size_t used = 0;
  int64_t epoch = drop_all ? to->version : ak_token_keys_epoch(environment);
  int rc = drop_all ? APIKEYS_OK : carry_over(op, environment, from, to, list, &used);
  if (rc == APIKEYS_OK && !drop_all) {
    rc =
        add_token_key(op, list + used, from->version, ak_sum(op->now_ms, hour_ms), from->token, to);
    used += ENTRY_BYTES;
  }
  if (epoch != 0) {
    write_integer(list + used, epoch);
    used += EPOCH_BYTES;
  }
  apikeys_record_set_null(environment, AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY);
  apikeys_record_set_integer(environment, AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY_UNTIL, 0);
  return rc == APIKEYS_OK
             ? apikeys_record_set_blob(environment, AK_ENVIRONMENT_TOKEN_KEYS, list, used)
             : rc;
}

int ak_token_keys_find(struct ak_op *op, const apikeys_record *environment,
                       const struct ak_secrets *current, int64_t version,
                       uint8_t key[AK_KEY_BYTES]) {
  size_t length;
  const uint8_t *list = apikeys_record_blob(environment, AK_ENVIRONMENT_TOKEN_KEYS, &length);
  if (version == ak_difference(current->version, 1) && open_old(op, environment, current, key))
    return APIKEYS_OK;
  for (size_t at = 0; at + ENTRY_BYTES <= length; at += ENTRY_BYTES)
    if (read_integer(list + at) == version && !has_ended(op, read_integer(list + at + 8)) &&
        open_entry(op, list + at, key, current) == 0)
      return APIKEYS_OK;
  return APIKEYS_ERROR_TOKEN_INVALID;
}
