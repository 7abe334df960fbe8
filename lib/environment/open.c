/* SPDX-License-Identifier: MIT */
/* Opening and closing: the store, the root key, the environment's own record. */
#include "operation/env_handle.h"

#include "domain/permissions.h"
#include "domain/roles.h"
#include "environment/store_history.h"
#include "operation/events.h"
#include "operation/operation.h"
#include "operation/root_key_mount.h"
#include "operation/usage_flush.h"
#include "storage/sqlite/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char default_prefix[] = "sk";

/* -- The environment's record ------------------------------------------------------------------ */

static int find_environment(struct ak_op *op, apikeys_record *out) {
  apikeys_query query;
  ak_query_environment(&query, AK_ENVIRONMENT, 0);
  return ak_get(&op->transaction, &query, out);
}

static int draw_root(apikeys_env *env, struct ak_secrets *secrets) {
  struct ak_random random = ak_random_source(&env->options);
  return ak_random_fill(&random, secrets->root, AK_KEY_BYTES);
}

/*
 * The root key of a new environment: read where it is given, else drawn. A file that is there
 * already is taken: the store may have been lost between its making and the store's.
 */
static int new_root(apikeys_env *env, struct ak_secrets *secrets, apikeys_error *err) {
  const apikeys_options *options = &env->options;
  if (options->root_source == AK_ROOT_IN_STORE)
    return draw_root(env, secrets);
  int rc = ak_root_key_read(secrets, options, NULL, err);
  if (rc != APIKEYS_ERROR_ROOT_KEY_MISSING || options->root_source != AK_ROOT_FILE ||
      ak_root_key_is_mounted(options->root_path))
    return rc;
  rc = draw_root(env, secrets);
  return rc == APIKEYS_OK ? ak_root_key_write(secrets, options->root_path, err) : rc;
}

static void fill_environment(struct ak_op *op, apikeys_record *record) {
  static const int zeros[] = {
      AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY_UNTIL, AK_ENVIRONMENT_MAX_LIFETIME_MS,
      AK_ENVIRONMENT_EXPIRY_REQUIRED,          AK_ENVIRONMENT_IDLE_LIFETIME_MS,
      AK_ENVIRONMENT_MAX_KEYS_PER_OWNER,       AK_ENVIRONMENT_GRANTS_MUST_BE_HELD,
      AK_ENVIRONMENT_EVENT_RETENTION_MS};
  const struct ak_secrets *secrets = op->env->secrets;
  for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++)
    apikeys_record_set_integer(record, zeros[i], 0);
  ak_record_set_string(record, AK_ENVIRONMENT_PREFIX, default_prefix);
  ak_record_set_string(record, AK_ENVIRONMENT_ACCEPTED_PREFIXES, default_prefix);
  apikeys_record_set_integer(record, AK_ENVIRONMENT_ROOT_VERSION, secrets->version);
  apikeys_record_set_blob(record, AK_ENVIRONMENT_ROOT_CHECK, secrets->check, sizeof secrets->check);
  if (op->env->options.root_source == AK_ROOT_IN_STORE)
    apikeys_record_set_blob(record, AK_ENVIRONMENT_ROOT_KEY, secrets->root, AK_KEY_BYTES);
  apikeys_record_set_integer(record, AK_ENVIRONMENT_EVENT_FLOOR, 1);
  apikeys_record_set_integer(record, AK_ENVIRONMENT_CREATED_AT, op->now_ms);
  apikeys_record_set_integer(record, AK_ENVIRONMENT_UPDATED_AT, op->now_ms);
}

static int create_environment(struct ak_op *op, apikeys_record *record) {
  apikeys_env *env = op->env;
  struct ak_random random = ak_random_source(&env->options);
  int rc = new_root(env, env->secrets, op->err);
  if (rc != APIKEYS_OK)
    return rc;
  env->secrets->version = 1;
  ak_secrets_derive(env->secrets);
  rc = ak_id_generate(env->id, "env", op->now_ms, &random);
  if (rc != APIKEYS_OK)
    return rc;
  ak_record_set_string(record, AK_ID, env->id);
  fill_environment(op, record);
  rc = ak_record_status(record);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&op->transaction, record);
  if (rc == APIKEYS_OK)
    rc = ak_event_append(op, "environment.created", "", record, NULL, NULL);
  if (rc == APIKEYS_OK)
    rc = ak_permissions_create_system(op);
  return rc == APIKEYS_OK ? ak_roles_create_system(op) : rc;
}

static int check_root(struct ak_secrets *secrets, const apikeys_record *record) {
  size_t length;
  const void *check = apikeys_record_blob(record, AK_ENVIRONMENT_ROOT_CHECK, &length);
  ak_secrets_derive(secrets);
  return ak_secrets_check(secrets, check, length);
}

/* A rotation that died between the store's commit and the file's change is finished here. */
static int finish_rotation(apikeys_env *env, const apikeys_record *record, apikeys_error *err) {
  size_t length;
  const uint8_t *check = apikeys_record_blob(record, AK_ENVIRONMENT_ROOT_CHECK, &length);
  if (env->options.root_source != AK_ROOT_FILE || length != AK_KEY_BYTES ||
      ak_root_key_find(env->secrets, env->options.root_path, check) != APIKEYS_OK)
    return ak_error_code(err, APIKEYS_ERROR_ROOT_KEY_WRONG);
  int rc = ak_root_key_put_in_place(env->options.root_path, check, err);
  /* Not there any more: another process has put it in place, and a later one over it since. */
  return ak_root_key_is_named(env->secrets, env->options.root_path) ? rc : APIKEYS_OK;
}

static int load_root(apikeys_env *env, const apikeys_record *record, apikeys_error *err) {
  if (env->options.root_source == AK_ROOT_IN_STORE) {
    size_t length;
    const void *root = apikeys_record_blob(record, AK_ENVIRONMENT_ROOT_KEY, &length);
    if (length != AK_KEY_BYTES)
      return ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_MISSING, "root_key",
                          "is not in this store: it was made with another option");
    memcpy(env->secrets->root, root, AK_KEY_BYTES);
  } else {
    size_t length;
    const uint8_t *check = apikeys_record_blob(record, AK_ENVIRONMENT_ROOT_CHECK, &length);
    int rc = length == AK_KEY_BYTES ? ak_root_key_read(env->secrets, &env->options, check, err)
                                    : ak_error_code(err, APIKEYS_ERROR_CORRUPT);
    if (rc != APIKEYS_OK)
      return rc;
  }
  return check_root(env->secrets, record) == APIKEYS_OK ? APIKEYS_OK
                                                        : finish_rotation(env, record, err);
}

static int load_environment(apikeys_env *env, const apikeys_record *record, apikeys_error *err) {
  size_t length;
  const char *id = apikeys_record_text(record, AK_ID, &length);
  if (length >= AK_ID_MAX)
    return ak_error_code(err, APIKEYS_ERROR_CORRUPT);
  memcpy(env->id, id, length + 1);
  int rc = load_root(env, record, err);
  env->secrets->version = apikeys_record_integer(record, AK_ENVIRONMENT_ROOT_VERSION);
  return rc;
}

static int open_environment(apikeys_env *env, int mode, apikeys_error *err) {
  struct ak_op op;
  apikeys_record record;
  int rc = ak_op_begin_internal(&op, env, mode, err);
  if (rc != APIKEYS_OK)
    return rc;
  ak_record_init(&record, AK_ENVIRONMENT);
  rc = find_environment(&op, &record);
  if (rc == APIKEYS_OK)
    rc = load_environment(env, &record, err);
  else if (rc == APIKEYS_ERROR_NOT_FOUND && mode == APIKEYS_TRANSACTION_WRITE)
    rc = create_environment(&op, &record);
  ak_record_release(&record);
  return ak_op_end(&op, rc);
}

/* -- Opening ----------------------------------------------------------------------------------- */

/* What could not be written stays remembered, is logged, and is tried again at the next turn. */
static void flush_at_interval(void *data) {
  apikeys_env *env = data;
  if (ak_env_enter(env) == APIKEYS_OK)
    ak_flush_usage(env);
}

/*
 * A rotation may have ended between our look at the record and the one at the file: then the key
 * belongs to a later version than the record that we read, and we begin anew.
 */
static int open_existing(apikeys_env *env, apikeys_error *err) {
  enum { TRIES = 4 };
  int64_t seen;
  int tries = 0, rc;
  do {
    seen = env->secrets->version;
    rc = open_environment(env, APIKEYS_TRANSACTION_READ, err);
  } while (rc == APIKEYS_ERROR_ROOT_KEY_WRONG && env->secrets->version != seen && ++tries < TRIES);
  return rc;
}

/* A reader's look suffices for an environment that is there; only a new one needs to write. */
static int finish_open(apikeys_env **out, apikeys_env *env, int rc, apikeys_error *err) {
  if (rc == APIKEYS_OK)
    rc = open_existing(env, err);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = open_environment(env, APIKEYS_TRANSACTION_WRITE, err);
  if (rc == APIKEYS_OK)
    rc = ak_store_history_open(env, err);
  ak_flush_thread_set(&env->flush_thread, env->options.flush_interval_ms, flush_at_interval, env);
  if (rc == APIKEYS_OK && (rc = ak_flush_thread_start(&env->flush_thread)) != APIKEYS_OK)
    ak_error_set(err, rc, "", "no thread to flush recorded use could be started");
  if (rc != APIKEYS_OK) {
    ak_env_free(env);
    return rc;
  }
  *out = env;
  return ak_error_clear(err);
}

static int set_root_path_beside(apikeys_options *options, const char *path) {
  size_t length = strlen(path);
  char *beside = malloc(length + sizeof ".root");
  if (beside == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  memcpy(beside, path, length);
  memcpy(beside + length, ".root", sizeof ".root");
  int rc = ak_options_set_root_path(options, beside);
  free(beside);
  return rc;
}

/* An absolute path, so that it stays the same file when the program changes its directory. */
static char *absolute_path(const char *path, const char *ending) {
  char folder[4096] = "";
  if (path[0] != '/' && getcwd(folder, sizeof folder - 1) == NULL)
    folder[0] = '\0'; /* then it stays relative */
  size_t size = strlen(folder) + 1 + strlen(path) + strlen(ending) + 1;
  char *absolute = malloc(size);
  if (absolute != NULL)
    snprintf(absolute, size, "%s%s%s%s", folder, folder[0] != '\0' ? "/" : "", path, ending);
  return absolute;
}

/* "<path>-revocations", unless the options name another file, or "" for none. */
static int set_journal_path(apikeys_env *env, const char *path) {
  const char *named = env->options.journal_path;
  if (named != NULL && named[0] == '\0')
    return APIKEYS_OK;
  env->journal.path =
      named != NULL ? absolute_path(named, "") : absolute_path(path, "-revocations");
  return env->journal.path != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
}

static void log_warning(void *data, const char *text) {
  const apikeys_env *env = data;
  ak_log(&env->options, APIKEYS_LOG_WARNING, "%s", text);
}

int apikeys_open_sqlite(apikeys_env **env, const char *path, const apikeys_options *options,
                        apikeys_error *err) {
  if (env == NULL || path == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, env == NULL ? "env" : "path",
                        "is NULL");
  if (ak_inside_callback())
    return ak_error_code(err, APIKEYS_ERROR_REENTERED);
  apikeys_env *made;
  int rc = ak_env_new(&made, options);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  if (made->options.root_source == AK_ROOT_UNSET)
    rc = set_root_path_beside(&made->options, path);
  if (rc == APIKEYS_OK)
    rc = set_journal_path(made, path);
  if (rc != APIKEYS_OK)
    ak_error_code(err, rc);
  else
    rc = apikeys_storage_sqlite(&made->storage, path, made->options.busy_timeout_ms, err);
  if (rc == APIKEYS_OK)
    ak_storage_sqlite_set_log(&made->storage, log_warning, made);
  return finish_open(env, made, rc, err);
}

int apikeys_open_memory(apikeys_env **env, const apikeys_options *options, apikeys_error *err) {
  if (env == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "env", "is NULL");
  if (ak_inside_callback())
    return ak_error_code(err, APIKEYS_ERROR_REENTERED);
  apikeys_env *made;
  int rc = ak_env_new(&made, options);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  /* Both die with the process: the root key may as well be beside the records. */
  if (made->options.root_source == AK_ROOT_UNSET)
    made->options.root_source = AK_ROOT_IN_STORE;
  rc = apikeys_storage_memory(&made->storage, err);
  return finish_open(env, made, rc, err);
}

static int refuse_storage(const apikeys_storage *storage, int code, apikeys_error *err,
                          const char *field, const char *what) {
  ak_storage_destroy(storage);
  return ak_error_set(err, code, field, what != NULL ? "%s" : NULL, what);
}

int apikeys_open_storage(apikeys_env **env, const apikeys_storage *storage,
                         const apikeys_options *options, apikeys_error *err) {
  if (ak_inside_callback())
    return refuse_storage(storage, APIKEYS_ERROR_REENTERED, err, "", NULL);
  if (env == NULL || storage == NULL)
    return refuse_storage(storage, APIKEYS_ERROR_INVALID_ARGUMENT, err,
                          env == NULL ? "env" : "storage", "is NULL");
  if (options == NULL || options->root_source == AK_ROOT_UNSET)
    return refuse_storage(storage, APIKEYS_ERROR_INVALID_ARGUMENT, err, "options",
                          "must name the root key");
  apikeys_storage loaded;
  int rc = ak_storage_load(&loaded, storage, err);
  if (rc != APIKEYS_OK) {
    refuse_storage(storage, rc, NULL, "", NULL);
    return rc;
  }
  apikeys_env *made;
  rc = ak_env_new(&made, options);
  if (rc != APIKEYS_OK)
    return refuse_storage(storage, rc, err, "", NULL);
  made->storage = loaded;
  return finish_open(env, made, rc, err);
}

/* -- Closing ----------------------------------------------------------------------------------- */

void apikeys_close(apikeys_env *env) {
  if (env == NULL)
    return;
  ak_flush_thread_stop(&env->flush_thread);
  if (ak_env_enter(env) == APIKEYS_OK)
    ak_flush_usage(env);
  ak_env_free(env);
}

const char *apikeys_environment_id(const apikeys_env *env, size_t *length) {
  const char *id = env != NULL ? env->id : "";
  if (length != NULL)
    *length = strlen(id);
  return id;
}

uint64_t apikeys_environment_metric(const apikeys_env *env, int number) {
  if (env == NULL)
    return 0;
  const struct ak_cache_counts *counts = &env->cache.counts;
  switch (number) {
  case APIKEYS_METRIC_CACHE_CAPACITY:
    return ak_cache_capacity(&env->cache);
  case APIKEYS_METRIC_CACHE_KEYS:
    return atomic_load_explicit(&counts->keys, memory_order_relaxed);
  case APIKEYS_METRIC_CACHE_MISSES:
    return atomic_load_explicit(&counts->misses, memory_order_relaxed);
  case APIKEYS_METRIC_CACHE_FILLS:
    return atomic_load_explicit(&counts->fills, memory_order_relaxed);
  case APIKEYS_METRIC_CACHE_EVICTIONS:
    return atomic_load_explicit(&counts->evictions, memory_order_relaxed);
  case APIKEYS_METRIC_CACHE_DROPS:
    return atomic_load_explicit(&counts->drops, memory_order_relaxed);
  case APIKEYS_METRIC_JOURNAL_BEHIND:
    return atomic_load_explicit(&env->journal.behind, memory_order_relaxed);
  default:
    return 0;
  }
}

int apikeys_prepare_fork(apikeys_env *env, apikeys_error *err) {
  int rc = ak_env_enter(env);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  ak_flush_thread_stop(&env->flush_thread); /* starts again with the first use afterwards */
  rc = ak_flush_usage(env);
  if (rc == APIKEYS_OK)
    rc = ak_storage_prepare_fork(&env->storage);
  if (rc == APIKEYS_ERROR_UNSUPPORTED) /* nothing is open that must not be inherited */
    rc = APIKEYS_OK;
  if (rc != APIKEYS_OK) {
    ak_flush_thread_start(
        &env->flush_thread); /* it ran before: if not even this can be had, `rc` says enough */
    return ak_error_code(err, rc);
  }
  atomic_store(&env->prepared_for_fork, 1);
  return ak_error_clear(err);
}
