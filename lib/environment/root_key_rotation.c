/* SPDX-License-Identifier: MIT */
/*
 * A new root key: every key and every document's secret is sealed again under it in one
 * transaction, so that at each moment one root key opens all of the store; then the file is put in
 * place.
 */
#include "access/authority.h"
#include "base/arithmetic.h"
#include "domain/documents.h"
#include "domain/key_value.h"
#include "domain/token_keys.h"
#include "environment/store_history.h"
#include "operation/crud.h"
#include "operation/events.h"
#include "operation/root_key_follow.h"
#include "operation/root_key_mount.h"

#include <apikeys/environment.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows that could not be opened: they keep their version, and never verify. */
struct skipped_keys {
  uint64_t count;
  size_t named; /* of them, with their ids */
  size_t room;
  char (*ids)[AK_ID_MAX];
};

struct rotation {
  struct ak_secrets *from; /* both in ak_secret_alloc memory */
  struct ak_secrets *to;
  bool compromised;
  bool writes_file;  /* we write the new root key's file and put it in place */
  bool *wrote_named; /* the new root key's file is this call's own */
  struct skipped_keys *skipped;
};

enum { ROTATION_RESEAL_AT_ONCE = 100 };

/* Without memory for its name it is counted all the same. */
static void rotation_skip(struct skipped_keys *skipped, const apikeys_record *key) {
  enum { NAMED_MAX = 10000, FIRST_ROOM = 16 };
  skipped->count++;
  if (skipped->named == skipped->room && skipped->room < NAMED_MAX) {
    size_t room = skipped->room == 0 ? FIRST_ROOM : 2 * skipped->room;
    room = room < NAMED_MAX ? room : NAMED_MAX;
    char(*ids)[AK_ID_MAX] = realloc(skipped->ids, room * sizeof *ids);
    if (ids != NULL) {
      skipped->ids = ids;
      skipped->room = room;
    }
  }
  if (skipped->named < skipped->room)
    snprintf(skipped->ids[skipped->named++], AK_ID_MAX, "%s",
             apikeys_record_text(key, AK_ID, NULL));
}

static int reseal_page(struct ak_op *op, const struct rotation *rotation, apikeys_page *page,
                       int64_t *from, bool *done) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < page->count; i++) {
    apikeys_record *key = &page->objects[i]->record;
    *done = !ak_number_after(apikeys_record_integer(key, AK_NUMBER), from);
    if (apikeys_record_integer(key, AK_API_KEY_ROOT_VERSION) != rotation->from->version)
      continue; /* skipped by an earlier rotation */
    rc = ak_key_value_reseal(op->env, key, rotation->from, rotation->to, rotation->to->version);
    if (rc == APIKEYS_OK)
      rc = ak_update(&op->transaction, key);
    else if (rc == APIKEYS_ERROR_CORRUPT) {
      rotation_skip(rotation->skipped, key);
      rc = APIKEYS_OK;
    }
  }
  return rc;
}

static int reseal_keys(struct ak_op *op, const struct rotation *rotation) {
  int64_t from = 0;
  bool done = false;
  int rc;
  do {
    apikeys_page page;
    apikeys_query query;
    ak_page_init(&page, AK_API_KEY);
    ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
    ak_query_from(&query, from);
    query.limit = ROTATION_RESEAL_AT_ONCE;
    rc = ak_scan(&op->transaction, &query, ak_page_visit, &page);
    done = page.count == 0;
    if (rc == APIKEYS_OK)
      rc = reseal_page(op, rotation, &page, &from, &done);
    ak_page_release(&page);
  } while (rc == APIKEYS_OK && !done);
  return rc;
}

/* Widget tokens live for an hour at most: for so long the keys before go on verifying. */
static int keep_token_keys(struct ak_op *op, const struct rotation *rotation,
                           apikeys_record *environment) {
  return ak_token_keys_renew(op, environment, rotation->from, rotation->to, rotation->compromised);
}

static int store_new_root(struct ak_op *op, const struct rotation *rotation,
                          apikeys_record *environment) {
  const struct ak_secrets *to = rotation->to;
  apikeys_record_set_integer(environment, AK_ENVIRONMENT_ROOT_VERSION, to->version);
  apikeys_record_set_blob(environment, AK_ENVIRONMENT_ROOT_CHECK, to->check, sizeof to->check);
  if (op->env->options.root_source == AK_ROOT_IN_STORE)
    apikeys_record_set_blob(environment, AK_ENVIRONMENT_ROOT_KEY, to->root, AK_KEY_BYTES);
  apikeys_record_set_integer(environment, AK_ENVIRONMENT_UPDATED_AT, op->now_ms);
  struct ak_random random = ak_random_source(&op->env->options);
  int rc = ak_store_history_reseal(environment, rotation->from, to, &random);
  if (rc == APIKEYS_OK)
    rc = ak_record_status(environment);
  return rc == APIKEYS_OK ? ak_update(&op->transaction, environment) : rc;
}

static int rotate_record(struct ak_op *op, const struct rotation *rotation,
                         apikeys_record *environment) {
  apikeys_record before;
  ak_record_init(&before, AK_ENVIRONMENT);
  int rc = apikeys_record_copy(&before, environment);
  if (rc == APIKEYS_OK)
    rc = reseal_keys(op, rotation);
  if (rc == APIKEYS_OK)
    rc = ak_documents_reseal(op, rotation->from, rotation->to);
  if (rc == APIKEYS_OK)
    rc = keep_token_keys(op, rotation, environment);
  if (rc == APIKEYS_OK)
    rc = store_new_root(op, rotation, environment);
  if (rc == APIKEYS_OK)
    rc = ak_event_append(op, "environment.root_key_rotated", "", environment, &before, NULL);
  ak_record_release(&before);
  return rc;
}

static int rotate(struct ak_op *op, const void *arguments) {
  const struct rotation *rotation = arguments;
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_allow(&op->power, "apikeys:environment:write");
  if (rc == APIKEYS_OK)
    rc = ak_op_environment(op, &environment);
  if (rc == APIKEYS_OK)
    rc = ak_env_secrets(op->env, apikeys_record_integer(&environment, AK_ENVIRONMENT_ROOT_VERSION),
                        rotation->from);
  if (rc == APIKEYS_OK) {
    rotation->to->version = ak_sum(rotation->from->version, 1);
    const char *path = op->env->options.root_path;
    if (rotation->writes_file) {
      /* What an earlier rotation left beside the file may be the only copy of the root key. */
      rc = ak_root_key_put_in_place(path, rotation->from->check, op->err);
      if (rc == APIKEYS_OK)
        rc = ak_root_key_keep_old(path, op->err);
      if (rc == APIKEYS_OK) {
        ak_root_key_sweep_named(path, rotation->from->check);
        rc = ak_root_key_write_named(rotation->to, path, op->err);
      }
      *rotation->wrote_named = rc == APIKEYS_OK;
    }
  }
  if (rc == APIKEYS_OK)
    rc = rotate_record(op, rotation, &environment);
  ak_record_release(&environment);
  return rc;
}

static void rotation_adopt(apikeys_env *env, const struct ak_secrets *to) {
  pthread_rwlock_wrlock(&env->secrets_lock);
  if (env->options.root_key != NULL)
    memcpy(env->options.root_key, to->root, AK_KEY_BYTES);
  if (env->secrets->version < to->version) /* else a later rotation was followed meanwhile */
    *env->secrets = *to;
  pthread_rwlock_unlock(&env->secrets_lock);
}

/* Given bytes, or drawn ones; which of them depends on where the root key is kept. */
static int choose_root(apikeys_env *env, const void *bytes, size_t length,
                       const struct rotation *rotation, apikeys_error *err) {
  struct ak_secrets *to = rotation->to;
  bool mounted = env->options.root_source == AK_ROOT_FILE && !rotation->writes_file;
  bool kept_by_us = env->options.root_source == AK_ROOT_IN_STORE || rotation->writes_file;
  if (mounted && bytes == NULL)
    return ak_error_set(err, APIKEYS_ERROR_READ_ONLY, "root_key",
                        "%s is a mounted secret, which is never written: pass 32 new bytes, which "
                        "were added to the secret before",
                        env->options.root_path);
  if (kept_by_us ? bytes != NULL || length != 0 : bytes == NULL || length != AK_KEY_BYTES)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "root_key",
                        kept_by_us ? "is drawn here: pass NULL" : "must be 32 bytes");
  struct ak_random random = ak_random_source(&env->options);
  int rc = APIKEYS_OK;
  if (kept_by_us)
    rc = ak_random_fill(&random, to->root, AK_KEY_BYTES);
  else
    memcpy(to->root, bytes, AK_KEY_BYTES);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  ak_secrets_derive(to);
  return mounted ? ak_root_key_expect_named(to, env->options.root_path, err) : APIKEYS_OK;
}

/* A log line has room for ten ids. */
static void report_skipped(const apikeys_env *env, const struct skipped_keys *skipped) {
  enum { IDS_A_LINE = 10 };
  char line[IDS_A_LINE * (AK_ID_MAX + 1) + 1];
  if (skipped->count == 0)
    return;
  ak_log(&env->options, APIKEYS_LOG_WARNING,
         "%llu damaged keys could not be sealed under the new root key: their values are refused",
         (unsigned long long)skipped->count);
  for (size_t i = 0; i < skipped->named;) {
    size_t used = 0;
    for (size_t end = i + IDS_A_LINE; i < end && i < skipped->named; i++)
      used += (size_t)snprintf(line + used, sizeof line - used, " %s", skipped->ids[i]);
    ak_log(&env->options, APIKEYS_LOG_WARNING, "damaged keys:%s", line);
  }
}

static int rotate_with(apikeys_env *env, const apikeys_actor *actor, const void *bytes,
                       size_t length, const struct rotation *rotation, apikeys_error *err) {
  int rc = choose_root(env, bytes, length, rotation, err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_WRITE, rotate, rotation, err);
  if (rc == APIKEYS_OK) {
    rotation_adopt(env, rotation->to);
    /* Without its file in place the next open has to finish it. */
    if (rotation->writes_file &&
        ak_root_key_put_in_place(env->options.root_path, rotation->to->check, err) != APIKEYS_OK &&
        ak_root_key_is_named(rotation->to, env->options.root_path))
      return ak_error_code(err, APIKEYS_ERROR_OUTCOME_UNKNOWN);
    report_skipped(env, rotation->skipped);
    return ak_error_clear(err);
  }
  /* Where the outcome is unknown the next open finds out, and needs both files for it. */
  if (*rotation->wrote_named && rc != APIKEYS_ERROR_OUTCOME_UNKNOWN)
    ak_root_key_drop_named(rotation->to, env->options.root_path);
  return rc;
}

static int rotate_once(apikeys_env *env, const apikeys_actor *actor, const void *bytes,
                       size_t length, int flags, apikeys_error *err) {
  bool wrote_named = false;
  struct skipped_keys skipped = {0};
  struct rotation rotation = {.from = ak_secret_alloc(sizeof *rotation.from),
                              .to = ak_secret_alloc(sizeof *rotation.to),
                              .compromised = (flags & APIKEYS_ROTATE_COMPROMISED) != 0,
                              .writes_file = env->options.root_source == AK_ROOT_FILE &&
                                             !ak_root_key_is_mounted(env->options.root_path),
                              .wrote_named = &wrote_named,
                              .skipped = &skipped};
  int rc = rotation.from == NULL || rotation.to == NULL
               ? ak_error_code(err, APIKEYS_ERROR_NO_MEMORY)
               : rotate_with(env, actor, bytes, length, &rotation, err);
  free(skipped.ids);
  ak_secret_free(rotation.from);
  ak_secret_free(rotation.to);
  return rc;
}

int apikeys_rotate_root_key(apikeys_env *env, const apikeys_actor *actor, const void *bytes,
                            size_t length, int flags, apikeys_error *err) {
  int tries = 0, rc = ak_env_enter(env);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  if ((flags & ~APIKEYS_ROTATE_COMPROMISED) != 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "flags", "are unknown");
  do
    rc = rotate_once(env, actor, bytes, length, flags, err);
  while (ak_should_repeat(env, rc, &tries, err));
  return rc;
}

static int read_epoch(struct ak_op *op, const void *arguments) {
  int64_t *const *epoch = arguments;
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_allow(&op->power, "apikeys:environment:read");
  if (rc == APIKEYS_OK)
    rc = ak_op_environment(op, &environment);
  if (rc == APIKEYS_OK)
    **epoch = ak_token_keys_epoch(&environment);
  ak_record_release(&environment);
  return rc;
}

int apikeys_root_key_epoch(apikeys_env *env, const apikeys_actor *actor, int64_t *epoch,
                           apikeys_error *err) {
  if (epoch == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "epoch", "is NULL");
  int64_t found = 0, *to = &found;
  int rc = ak_plain_op(env, actor, APIKEYS_TRANSACTION_READ, read_epoch, &to, err);
  if (rc == APIKEYS_OK)
    *epoch = found;
  return rc;
}
