/* SPDX-License-Identifier: MIT */
#include "http/connection_deadlines.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { ROUND_MS = 250 };

struct deadline_watch {
  struct deadline_watch *previous, *next;
  int socket;
  /* Written by the connection's thread without the lock: who reads them a moment too early reads
   * what was true a moment ago. */
  _Atomic int64_t deadline_ms;
  atomic_bool waits; /* for a request to begin */
};

struct connection_deadlines {
  pthread_mutex_t lock; /* guards the rest; a socket is only shut down under it, while it is open */
  pthread_cond_t wake;
  pthread_t thread;
  struct deadline_watch *first;
  int64_t request_ms;
  int64_t idle_ms;
  bool end_idle;
  bool stopping;
};

/* Deadlines are seconds away: the coarse clock is good enough, and almost free. */
static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_late(const struct connection_deadlines *deadlines,
                    const struct deadline_watch *watch, int64_t now) {
  if (deadlines->end_idle && atomic_load_explicit(&watch->waits, memory_order_relaxed))
    return true;
  return now >= atomic_load_explicit(&watch->deadline_ms, memory_order_relaxed);
}

/* The library sees the end of the stream and closes the connection itself. */
static void end_late(struct connection_deadlines *deadlines) {
  int64_t now = now_ms();
  for (struct deadline_watch *watch = deadlines->first; watch != NULL; watch = watch->next)
    if (is_late(deadlines, watch, now))
      shutdown(watch->socket, SHUT_RDWR);
}

static void *work(void *argument) {
  struct connection_deadlines *deadlines = argument;
  pthread_mutex_lock(&deadlines->lock);
  while (!deadlines->stopping) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ROUND_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&deadlines->wake, &deadlines->lock, &until);
    end_late(deadlines);
  }
  pthread_mutex_unlock(&deadlines->lock);
  return NULL;
}

struct connection_deadlines *deadlines_start(unsigned request_seconds, unsigned idle_seconds) {
  struct connection_deadlines *deadlines = calloc(1, sizeof *deadlines);
  pthread_condattr_t monotonic;
  if (deadlines == NULL)
    return NULL;
  deadlines->request_ms = (int64_t)request_seconds * 1000;
  deadlines->idle_ms = (int64_t)idle_seconds * 1000;
  pthread_mutex_init(&deadlines->lock, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&deadlines->wake, &monotonic);
  pthread_condattr_destroy(&monotonic);
  if (pthread_create(&deadlines->thread, NULL, work, deadlines) == 0)
    return deadlines;
  pthread_cond_destroy(&deadlines->wake);
  pthread_mutex_destroy(&deadlines->lock);
  free(deadlines);
  return NULL;
}

void deadlines_stop(struct connection_deadlines *deadlines) {
  if (deadlines == NULL)
    return;
  pthread_mutex_lock(&deadlines->lock);
  deadlines->stopping = true;
  pthread_cond_signal(&deadlines->wake);
  pthread_mutex_unlock(&deadlines->lock);
  pthread_join(deadlines->thread, NULL);
  pthread_cond_destroy(&deadlines->wake);
  pthread_mutex_destroy(&deadlines->lock);
  free(deadlines);
}

struct deadline_watch *deadlines_add(struct connection_deadlines *deadlines, int socket) {
  struct deadline_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL)
    return NULL;
  watch->socket = socket;
  deadlines_enter(deadlines, watch, DEADLINE_NEW);
  pthread_mutex_lock(&deadlines->lock);
  watch->next = deadlines->first;
  if (watch->next != NULL)
    watch->next->previous = watch;
  deadlines->first = watch;
  pthread_mutex_unlock(&deadlines->lock);
  return watch;
}

void deadlines_remove(struct connection_deadlines *deadlines, struct deadline_watch *watch) {
  pthread_mutex_lock(&deadlines->lock);
  if (watch->previous != NULL)
    watch->previous->next = watch->next;
  else
    deadlines->first = watch->next;
  if (watch->next != NULL)
    watch->next->previous = watch->previous;
  pthread_mutex_unlock(&deadlines->lock);
  free(watch);
}

void deadlines_enter(const struct connection_deadlines *deadlines, struct deadline_watch *watch,
                     enum deadline_phase phase) {
  int64_t deadline_ms = INT64_MAX;
  if (phase != DEADLINE_SERVICE)
    deadline_ms =
        now_ms() + deadlines->request_ms + (phase == DEADLINE_IDLE ? deadlines->idle_ms : 0);
  atomic_store_explicit(&watch->waits, phase == DEADLINE_NEW || phase == DEADLINE_IDLE,
                        memory_order_relaxed);
  atomic_store_explicit(&watch->deadline_ms, deadline_ms, memory_order_relaxed);
}

void deadlines_end_idle(struct connection_deadlines *deadlines) {
  pthread_mutex_lock(&deadlines->lock);
  deadlines->end_idle = true;
  pthread_cond_signal(&deadlines->wake);
  pthread_mutex_unlock(&deadlines->lock);
}
