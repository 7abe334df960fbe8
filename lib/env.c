/* SPDX-License-Identifier: MIT */
#include "env.h"

#include "fork_guard.h"

#include <stdlib.h>
#include <string.h>

int ak_env_new(apikeys_env **out, const apikeys_options *options) {
  int rc = ak_crypto_init();
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_env *env = calloc(1, sizeof *env);
  if (env == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  rc = ak_options_copy(&env->options, options);
  if (rc != APIKEYS_OK) {
    free(env);
    return rc;
  }
  atomic_init(&env->process_stamp, ak_process_stamp());
  pthread_rwlock_init(&env->secrets_lock, NULL);
  pthread_mutex_init(&env->security_log.lock, NULL);
  ak_usage_init(&env->usage);
  env->subscriptions = ak_subscriptions_new();
  env->secrets = ak_secret_alloc(sizeof *env->secrets);
  if (env->secrets == NULL || env->subscriptions == NULL) {
    ak_env_free(env);
    return APIKEYS_ERROR_NO_MEMORY;
  }
  memset(env->secrets, 0, sizeof *env->secrets);
  *out = env;
  return APIKEYS_OK;
}

void ak_env_free(apikeys_env *env) {
  ak_subscriptions_close(env->subscriptions);
  ak_storage_destroy(&env->storage);
  ak_secret_free(env->secrets);
  ak_usage_release(&env->usage);
  pthread_mutex_destroy(&env->security_log.lock);
  pthread_rwlock_destroy(&env->secrets_lock);
  ak_options_release(&env->options);
  free(env);
}

/* A prepared environment belongs to whichever process uses it next: parent and child each have
 * their copy. */
static int check_process(apikeys_env *env) {
  uint64_t stamp = ak_process_stamp();
  if (atomic_load(&env->prepared_for_fork)) {
    atomic_store(&env->process_stamp, stamp);
    atomic_store(&env->prepared_for_fork, 0);
  }
  return atomic_load_explicit(&env->process_stamp, memory_order_relaxed) == stamp
             ? APIKEYS_OK
             : APIKEYS_ERROR_FORKED;
}

int ak_env_enter(apikeys_env *env) {
  if (env == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (ak_inside_callback())
    return APIKEYS_ERROR_REENTERED;
  return check_process(env);
}

int ak_env_secrets(apikeys_env *env, int64_t root_version, struct ak_secrets *out) {
  pthread_rwlock_rdlock(&env->secrets_lock);
  bool right = root_version == 0 || root_version == env->secrets->version;
  if (right)
    *out = *env->secrets;
  pthread_rwlock_unlock(&env->secrets_lock);
  return right ? APIKEYS_OK : APIKEYS_ERROR_ROOT_KEY_WRONG;
}
