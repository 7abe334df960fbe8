/* SPDX-License-Identifier: MIT */
#include "flush_thread.h"

#include "env.h"
#include "flush.h"
#include "fork_guard.h"
#include "monotonic.h"

#include <errno.h>
#include <signal.h>

/* False: it was told to stop. */
static bool wait_for_turn(struct ak_flush_thread *self, int interval_ms) {
  struct timespec turn = ak_monotonic_moment(ak_monotonic_ms() + interval_ms);
  pthread_mutex_lock(&self->lock);
  while (!self->stop && pthread_cond_timedwait(&self->wake, &self->lock, &turn) != ETIMEDOUT)
    ;
  bool go_on = !self->stop;
  pthread_mutex_unlock(&self->lock);
  return go_on;
}

/* What could not be written stays remembered, is logged, and is tried again at the next turn. */
static void *run(void *data) {
  apikeys_env *env = data;
  while (wait_for_turn(&env->flush_thread, env->options.flush_interval_ms))
    if (ak_env_enter(env) == APIKEYS_OK)
      ak_flush_usage(env);
  return NULL;
}

/* The host's signal handlers are not run on a thread that it does not know. */
static int create_deaf(pthread_t *thread, apikeys_env *env) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int problem = pthread_create(thread, NULL, run, env);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return problem == 0 ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
}

static int init(struct ak_flush_thread *self) {
  int rc = ak_monotonic_cond_init(&self->wake);
  if (rc == APIKEYS_OK)
    pthread_mutex_init(&self->lock, NULL);
  self->stop = false;
  return rc;
}

static void release(struct ak_flush_thread *self) {
  pthread_cond_destroy(&self->wake);
  pthread_mutex_destroy(&self->lock);
  self->process_stamp = 0;
}

int ak_flush_thread_start(apikeys_env *env) {
  struct ak_flush_thread *self = &env->flush_thread;
  if (env->options.flush_interval_ms == 0)
    return APIKEYS_OK;
  int rc = init(self);
  if (rc != APIKEYS_OK)
    return rc;
  rc = create_deaf(&self->thread, env);
  if (rc == APIKEYS_OK)
    self->process_stamp = ak_process_stamp();
  else
    release(self);
  return rc;
}

void ak_flush_thread_stop(apikeys_env *env) {
  struct ak_flush_thread *self = &env->flush_thread;
  if (self->process_stamp == 0 || self->process_stamp != ak_process_stamp())
    return;
  pthread_mutex_lock(&self->lock);
  self->stop = true;
  pthread_cond_signal(&self->wake);
  pthread_mutex_unlock(&self->lock);
  pthread_join(self->thread, NULL);
  release(self);
}
