/* SPDX-License-Identifier: MIT */
/* The handle: memory of an open environment, and what happens to it at a fork. */
#include "operation/env_handle.h"

#include "base/compiler.h"
#include "base/fork_guard.h"

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
  pthread_mutex_init(&env->reopen_lock, NULL);
  pthread_rwlock_init(&env->secrets_lock, NULL);
  pthread_mutex_init(&env->search_lock, NULL);
  pthread_mutex_init(&env->security_log.lock, NULL);
  ak_usage_init(&env->usage);
  ak_coherence_init(&env->coherence);
  ak_policy_cache_init(&env->policy_cache);
  ak_leader_queue_init(&env->write_queue);
  ak_journal_init(&env->journal);
  env->subscriptions = ak_subscriptions_new();
  env->secrets = ak_secret_alloc(sizeof *env->secrets);
  struct ak_random random = ak_random_source(&env->options);
  rc = ak_cache_init(&env->cache, env->options.cache_keys, &env->usage, &random);
  env->offered_root = ak_secret_alloc(AK_KEY_BYTES);
  if (env->secrets == NULL || env->offered_root == NULL || env->subscriptions == NULL)
    rc = APIKEYS_ERROR_NO_MEMORY;
  if (rc != APIKEYS_OK) {
    ak_env_free(env);
    return rc;
  }
  memset(env->secrets, 0, sizeof *env->secrets);
  *out = env;
  return APIKEYS_OK;
}

void ak_env_free(apikeys_env *env) {
  ak_subscriptions_close(env->subscriptions);
  ak_storage_destroy(&env->storage);
  ak_secret_free(env->secrets);
  ak_secret_free(env->offered_root);
  ak_cache_release(&env->cache);
  ak_usage_release(&env->usage);
  ak_policy_cache_release(&env->policy_cache);
  ak_leader_queue_release(&env->write_queue);
  ak_journal_release(&env->journal);
  pthread_mutex_destroy(&env->security_log.lock);
  pthread_mutex_destroy(&env->search_lock);
  pthread_rwlock_destroy(&env->secrets_lock);
  pthread_mutex_destroy(&env->reopen_lock);
  ak_options_release(&env->options);
  free(env);
}

/*
 * A prepared environment belongs to whichever process uses it next: parent and child each have
 * their copy. Nothing that was cached before is used after, in neither.
 */
static AK_NOINLINE int reopen(apikeys_env *env) {
  int rc = APIKEYS_OK;
  pthread_mutex_lock(&env->reopen_lock);
  if (atomic_load(&env->prepared_for_fork)) {
    struct ak_random random = ak_random_source(&env->options);
    ak_coherence_init(&env->coherence);
    ak_policy_cache_clear(&env->policy_cache);
    ak_journal_renew(&env->journal);
    rc = ak_cache_renew(&env->cache, &random);
    if (rc == APIKEYS_OK)
      rc = ak_flush_thread_start(&env->flush_thread);
    if (rc == APIKEYS_OK) {
      atomic_store(&env->process_stamp, ak_process_stamp());
      atomic_store(&env->prepared_for_fork, 0);
    }
  }
  pthread_mutex_unlock(&env->reopen_lock);
  return rc;
}

static int check_process(apikeys_env *env) {
  if (atomic_load_explicit(&env->prepared_for_fork, memory_order_acquire) != 0) {
    int rc = reopen(env);
    if (rc != APIKEYS_OK)
      return rc;
  }
  return atomic_load_explicit(&env->process_stamp, memory_order_relaxed) == ak_process_stamp()
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
