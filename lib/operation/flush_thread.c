/* SPDX-License-Identifier: MIT */
/* The thread that calls the flush function at an interval, with all signals blocked. */
#include "operation/flush_thread.h"

#include "base/fork_guard.h"
#include "base/monotonic.h"

#include <apikeys/error.h>

#include <errno.h>
#include <signal.h>

/* Returns false if the thread is to stop. */
static bool wait_for_turn(struct ak_flush_thread *self) {
  struct timespec turn = ak_monotonic_moment(ak_monotonic_ms() + self->interval_ms);
  pthread_mutex_lock(&self->lock);
  while (!self->stop && pthread_cond_timedwait(&self->wake, &self->lock, &turn) != ETIMEDOUT)
    ;
  bool go_on = !self->stop;
  pthread_mutex_unlock(&self->lock);
  return go_on;
}

static void *flush_thread_run(void *data) {
  struct ak_flush_thread *self = data;
  while (wait_for_turn(self))
    self->flush(self->data);
  return NULL;
}

/* The host's signal handlers must not run on a thread that it does not know. */
static int create_with_signals_blocked(struct ak_flush_thread *self) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int problem = pthread_create(&self->thread, NULL, flush_thread_run, self);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return problem == 0 ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
}

static int flush_thread_init(struct ak_flush_thread *self) {
  int rc = ak_monotonic_cond_init(&self->wake);
  if (rc == APIKEYS_OK)
    pthread_mutex_init(&self->lock, NULL);
  self->stop = false;
  return rc;
}

static void flush_thread_release(struct ak_flush_thread *self) {
  pthread_cond_destroy(&self->wake);
  pthread_mutex_destroy(&self->lock);
  self->process_stamp = 0;
}

void ak_flush_thread_set(struct ak_flush_thread *self, int interval_ms, ak_flush_function flush,
                         void *data) {
  self->interval_ms = interval_ms;
  self->flush = flush;
  self->data = data;
}

int ak_flush_thread_start(struct ak_flush_thread *self) {
  if (self->interval_ms == 0)
    return APIKEYS_OK;
  int rc = flush_thread_init(self);
  if (rc != APIKEYS_OK)
    return rc;
  rc = create_with_signals_blocked(self);
  if (rc == APIKEYS_OK)
    self->process_stamp = ak_process_stamp();
  else
    flush_thread_release(self);
  return rc;
}

void ak_flush_thread_stop(struct ak_flush_thread *self) {
  if (self->process_stamp == 0 || self->process_stamp != ak_process_stamp())
    return;
  pthread_mutex_lock(&self->lock);
  self->stop = true;
  pthread_cond_signal(&self->wake);
  pthread_mutex_unlock(&self->lock);
  pthread_join(self->thread, NULL);
  flush_thread_release(self);
}
