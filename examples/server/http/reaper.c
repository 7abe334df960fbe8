/* SPDX-License-Identifier: MIT */
#include "http/reaper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { ROUND_MS = 250 };

struct reaper_watch {
  struct reaper_watch *previous, *next;
  int socket;
  /* Written by the connection's thread without the lock: who reads them a moment too early reads
   * what was true a moment ago. */
  _Atomic int64_t deadline_ms;
  atomic_bool waits; /* for a request to begin */
};

struct reaper {
  pthread_mutex_t lock; /* guards the rest; a socket is only shut down under it, while it is open */
  pthread_cond_t wake;
  pthread_t thread;
  struct reaper_watch *first;
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

static bool is_late(const struct reaper *reaper, const struct reaper_watch *watch, int64_t now) {
  if (reaper->end_idle && atomic_load_explicit(&watch->waits, memory_order_relaxed))
    return true;
  return now >= atomic_load_explicit(&watch->deadline_ms, memory_order_relaxed);
}

/* The library sees the end of the stream and closes the connection itself. */
static void end_late(struct reaper *reaper) {
  int64_t now = now_ms();
  for (struct reaper_watch *watch = reaper->first; watch != NULL; watch = watch->next)
    if (is_late(reaper, watch, now))
      shutdown(watch->socket, SHUT_RDWR);
}

static void *work(void *argument) {
  struct reaper *reaper = argument;
  pthread_mutex_lock(&reaper->lock);
  while (!reaper->stopping) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ROUND_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&reaper->wake, &reaper->lock, &until);
    end_late(reaper);
  }
  pthread_mutex_unlock(&reaper->lock);
  return NULL;
}

struct reaper *reaper_start(unsigned request_seconds, unsigned idle_seconds) {
  struct reaper *reaper = calloc(1, sizeof *reaper);
  pthread_condattr_t monotonic;
  if (reaper == NULL)
    return NULL;
  reaper->request_ms = (int64_t)request_seconds * 1000;
  reaper->idle_ms = (int64_t)idle_seconds * 1000;
  pthread_mutex_init(&reaper->lock, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&reaper->wake, &monotonic);
  pthread_condattr_destroy(&monotonic);
  if (pthread_create(&reaper->thread, NULL, work, reaper) == 0)
    return reaper;
  pthread_cond_destroy(&reaper->wake);
  pthread_mutex_destroy(&reaper->lock);
  free(reaper);
  return NULL;
}

void reaper_stop(struct reaper *reaper) {
  if (reaper == NULL)
    return;
  pthread_mutex_lock(&reaper->lock);
  reaper->stopping = true;
  pthread_cond_signal(&reaper->wake);
  pthread_mutex_unlock(&reaper->lock);
  pthread_join(reaper->thread, NULL);
  pthread_cond_destroy(&reaper->wake);
  pthread_mutex_destroy(&reaper->lock);
  free(reaper);
}

struct reaper_watch *reaper_add(struct reaper *reaper, int socket) {
  struct reaper_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL)
    return NULL;
  watch->socket = socket;
  reaper_enter(reaper, watch, REAPER_NEW);
  pthread_mutex_lock(&reaper->lock);
  watch->next = reaper->first;
  if (watch->next != NULL)
    watch->next->previous = watch;
  reaper->first = watch;
  pthread_mutex_unlock(&reaper->lock);
  return watch;
}

void reaper_remove(struct reaper *reaper, struct reaper_watch *watch) {
  pthread_mutex_lock(&reaper->lock);
  if (watch->previous != NULL)
    watch->previous->next = watch->next;
  else
    reaper->first = watch->next;
  if (watch->next != NULL)
    watch->next->previous = watch->previous;
  pthread_mutex_unlock(&reaper->lock);
  free(watch);
}

void reaper_enter(const struct reaper *reaper, struct reaper_watch *watch,
                  enum reaper_phase phase) {
  int64_t deadline_ms = INT64_MAX;
  if (phase != REAPER_SERVICE)
    deadline_ms = now_ms() + reaper->request_ms + (phase == REAPER_IDLE ? reaper->idle_ms : 0);
  atomic_store_explicit(&watch->waits, phase == REAPER_NEW || phase == REAPER_IDLE,
                        memory_order_relaxed);
  atomic_store_explicit(&watch->deadline_ms, deadline_ms, memory_order_relaxed);
}

void reaper_end_idle(struct reaper *reaper) {
  pthread_mutex_lock(&reaper->lock);
  reaper->end_idle = true;
  pthread_cond_signal(&reaper->wake);
  pthread_mutex_unlock(&reaper->lock);
}
