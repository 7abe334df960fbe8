/* SPDX-License-Identifier: MIT */
/* The environment handle, from inside. */
#ifndef AK_OPERATION_ENV_HANDLE_H
#define AK_OPERATION_ENV_HANDLE_H

#include "cache/coherence.h"
#include "cache/policy_cache.h"
#include "cache/usage.h"
#include "crypto/ids.h"
#include "operation/flush_thread.h"
#include "operation/leader_queue.h"
#include "operation/options.h"
#include "operation/passed_times.h"
#include "operation/revocation_journal.h"
#include "operation/root_key.h"
#include "operation/subscriptions.h"
#include "storage/storage.h"

struct ak_log_limit {
  pthread_mutex_t lock;
  int64_t second; /* of the lines counted */
  unsigned lines;
  unsigned left_out;
};

struct apikeys_env {
  _Atomic int prepared_for_fork;
  _Atomic uint64_t process_stamp;
  pthread_mutex_t reopen_lock; /* of who uses a prepared environment first */
  apikeys_storage storage;
  apikeys_options options;
  char id[AK_ID_MAX];
  pthread_rwlock_t secrets_lock; /* guards the next: a rotation replaces it */
  struct ak_secrets *secrets;
  bool has_offer; /* of a root key that another process may rotate to; under the lock as well */
  uint8_t *offered_root;       /* in ak_secret_alloc memory */
  pthread_mutex_t search_lock; /* of the thread that looks for a rotated root key */
  int64_t search_failed_at_ms; /* monotonic; 0: it did not */
  struct ak_usage usage;
  struct ak_cache cache;
  struct ak_coherence coherence;
  struct ak_policy_cache policy_cache;
  struct ak_flush_thread flush_thread;
  struct ak_leader_queue write_queue;     /* of group_commit.c */
  _Atomic int64_t idle_keys_looked_at_ms; /* by maintenance: when, and by which rule */
  _Atomic int64_t idle_lifetime_seen_ms;
  struct ak_passed_times passed_times;
  struct ak_subscriptions *subscriptions; /* shared with the subscriptions' handles */
  struct ak_log_limit security_log;
  struct ak_journal journal;
};

/*
 * Every public call that touches the environment asks this first: 0, APIKEYS_ERROR_INVALID_ARGUMENT
 * (no environment), APIKEYS_ERROR_FORKED, APIKEYS_ERROR_REENTERED.
 */
int ak_env_enter(apikeys_env *env);

/* A handle with nothing in it but its options; the store comes next. */
int ak_env_new(apikeys_env **out, const apikeys_options *options);
/* Also destroys the store, if there is one by then. */
void ak_env_free(apikeys_env *env);

/*
 * Copy the secrets of this root version; version 0 takes them as they are. The caller wipes them.
 * APIKEYS_ERROR_ROOT_KEY_WRONG: another process has rotated the root key since this one opened.
 */
int ak_env_secrets(apikeys_env *env, int64_t root_version, struct ak_secrets *out);

#endif
