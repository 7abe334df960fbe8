/* SPDX-License-Identifier: MIT */
/* Following a rotation of the root key that another process made. */
#include "operation/root_key_follow.h"

#include "base/monotonic.h"
#include "base/text.h"
#include "operation/operation.h"

#include <stdio.h>
#include <string.h>

/* What the environment's record says of the root key. */
struct wanted {
  int64_t version;
  uint8_t check[AK_KEY_BYTES];
  bool in_store;
  uint8_t root[AK_KEY_BYTES]; /* where it is in the store itself */
};

static int read_wanted(apikeys_env *env, struct wanted *wanted) {
  struct ak_op op;
  apikeys_record environment;
  size_t check_length, root_length;
  int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_READ, NULL);
  if (rc != APIKEYS_OK)
    return rc;
  ak_record_init(&environment, AK_ENVIRONMENT);
  rc = ak_op_environment(&op, &environment);
  wanted->version = apikeys_record_integer(&environment, AK_ENVIRONMENT_ROOT_VERSION);
  const void *check = apikeys_record_blob(&environment, AK_ENVIRONMENT_ROOT_CHECK, &check_length);
  const void *root = apikeys_record_blob(&environment, AK_ENVIRONMENT_ROOT_KEY, &root_length);
  if (rc == APIKEYS_OK && check_length != sizeof wanted->check)
    rc = APIKEYS_ERROR_CORRUPT;
  if (rc == APIKEYS_OK)
    memcpy(wanted->check, check, check_length);
  wanted->in_store = rc == APIKEYS_OK && root_length == sizeof wanted->root;
  if (wanted->in_store)
    memcpy(wanted->root, root, root_length);
  ak_record_release(&environment);
  return ak_op_end(&op, rc);
}

static bool follow_fits(struct ak_secrets *found, const struct wanted *wanted) {
  ak_secrets_derive(found);
  return ak_secrets_check(found, wanted->check, sizeof wanted->check) == APIKEYS_OK;
}

static bool is_offered(apikeys_env *env) {
  pthread_rwlock_rdlock(&env->secrets_lock);
  bool offered = env->has_offer;
  pthread_rwlock_unlock(&env->secrets_lock);
  return offered;
}

static bool take_offered(apikeys_env *env, struct ak_secrets *found) {
  pthread_rwlock_rdlock(&env->secrets_lock);
  bool offered = env->has_offer;
  if (offered)
    memcpy(found->root, env->offered_root, AK_KEY_BYTES);
  pthread_rwlock_unlock(&env->secrets_lock);
  return offered;
}

/* Where the options say, and what the host has offered. */
static bool search(apikeys_env *env, const struct wanted *wanted, struct ak_secrets *found) {
  const apikeys_options *options = &env->options;
  if (options->root_source == AK_ROOT_IN_STORE && wanted->in_store) {
    memcpy(found->root, wanted->root, AK_KEY_BYTES);
    return follow_fits(found, wanted);
  }
  if (take_offered(env, found) && follow_fits(found, wanted))
    return true;
  if (options->root_source == AK_ROOT_FILE)
    return ak_root_key_find(found, options->root_path, wanted->check) == APIKEYS_OK;
  return options->root_source == AK_ROOT_CALLBACK &&
         ak_root_key_read(found, options, wanted->check, NULL) == APIKEYS_OK && follow_fits(found, wanted);
}

/* A search in vain counts only if the record has not moved on meanwhile. */
static bool search_latest(apikeys_env *env, struct wanted *wanted, struct ak_secrets *found) {
  enum { TRIES = 4 };
  for (int i = 0; i < TRIES; i++) {
    int64_t version = wanted->version;
    if (search(env, wanted, found))
      return true;
    if (read_wanted(env, wanted) != APIKEYS_OK || wanted->version == version)
      return false;
  }
  return false;
}

static void follow_adopt(apikeys_env *env, struct ak_secrets *found, const struct wanted *wanted) {
  found->version = wanted->version;
  pthread_rwlock_wrlock(&env->secrets_lock);
  if (env->secrets->version < found->version)
    *env->secrets = *found;
  env->has_offer = false;
  ak_wipe(env->offered_root, AK_KEY_BYTES);
  pthread_rwlock_unlock(&env->secrets_lock);
}

static int64_t current_version(apikeys_env *env) {
  pthread_rwlock_rdlock(&env->secrets_lock);
  int64_t version = env->secrets->version;
  pthread_rwlock_unlock(&env->secrets_lock);
  return version;
}

static enum ak_follow follow_report(const struct wanted *wanted, apikeys_error *err) {
  char check[2 * AK_ROOT_NAME_BYTES + 1];
  ak_hex_text(check, wanted->check, AK_ROOT_NAME_BYTES);
  ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_WRONG, "root_key",
               "the root key was rotated: the one with the check %s is wanted", check);
  return AK_FOLLOW_FAILED;
}

static enum ak_follow follow(apikeys_env *env, struct wanted *wanted, apikeys_error *err) {
  enum { PAUSE_MS = 1000 };
  if (read_wanted(env, wanted) != APIKEYS_OK)
    return AK_FOLLOW_FAILED;
  if (wanted->version <= current_version(env))
    return AK_FOLLOW_CURRENT;
  if (!is_offered(env) && env->search_failed_at_ms != 0 &&
      ak_monotonic_ms() - env->search_failed_at_ms < PAUSE_MS)
    return follow_report(wanted, err);
  struct ak_secrets *found = ak_secret_alloc(sizeof *found);
  if (found == NULL)
    return AK_FOLLOW_FAILED;
  bool good = search_latest(env, wanted, found);
  if (good)
    follow_adopt(env, found, wanted);
  env->search_failed_at_ms = good ? 0 : ak_monotonic_ms();
  ak_secret_free(found);
  return good ? AK_FOLLOW_DONE : follow_report(wanted, err);
}

enum ak_follow ak_root_key_follow(apikeys_env *env, apikeys_error *err) {
  enum { WAIT_S = 1 };
  struct wanted wanted;
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until); /* what this kind of wait goes by */
  until.tv_sec += WAIT_S;
  if (pthread_mutex_timedlock(&env->search_lock, &until) != 0)
    return AK_FOLLOW_FAILED;
  enum ak_follow outcome = follow(env, &wanted, err);
  pthread_mutex_unlock(&env->search_lock);
  ak_wipe(&wanted, sizeof wanted);
  return outcome;
}

bool ak_should_repeat(apikeys_env *env, int rc, int *spent, apikeys_error *err) {
  if (rc != APIKEYS_ERROR_ROOT_KEY_WRONG || *spent >= AK_FOLLOW_BUDGET)
    return false;
  enum ak_follow outcome = ak_root_key_follow(env, err);
  *spent += outcome == AK_FOLLOW_DONE ? AK_FOLLOW_COST_DONE : AK_FOLLOW_COST_CURRENT;
  return outcome != AK_FOLLOW_FAILED;
}

int apikeys_offer_root_key(apikeys_env *env, const void *bytes, size_t length, apikeys_error *err) {
  int rc = ak_env_enter(env);
  if (rc != APIKEYS_OK)
    return ak_error_code(err, rc);
  if (bytes == NULL || length != AK_KEY_BYTES)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "root_key", "must be 32 bytes");
  pthread_rwlock_wrlock(&env->secrets_lock);
  memcpy(env->offered_root, bytes, AK_KEY_BYTES);
  env->has_offer = true;
  pthread_rwlock_unlock(&env->secrets_lock);
  return ak_error_clear(err);
}
