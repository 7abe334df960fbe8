/* SPDX-License-Identifier: MIT */
/* The pool of writers: a queue, a condition variable, and threads that take from it. */
#include "http/writers.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS_MAX = 64 };

struct writers {
  pthread_mutex_t lock; /* guards all that changes */
  pthread_cond_t pushed;
  struct writer_job *first, **last;
  unsigned taken; /* places */
  unsigned capacity;
  int64_t wait_ms;
  bool stopping;
  void (*run)(struct writer_job *job, bool late);
  unsigned thread_count;
  pthread_t threads[THREADS_MAX];
};

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The next request, or NULL when the pool stops and none is left. With the lock held. */
static struct writer_job *next_job(struct writers *writers) {
  while (writers->first == NULL && !(writers->stopping && writers->taken == 0))
    pthread_cond_wait(&writers->pushed, &writers->lock);
  struct writer_job *job = writers->first;
  if (job != NULL) {
    writers->first = job->next;
    if (writers->first == NULL)
      writers->last = &writers->first;
  }
  return job;
}

static void *work(void *argument) {
  struct writers *writers = argument;
  struct writer_job *job;
  pthread_mutex_lock(&writers->lock);
  while ((job = next_job(writers)) != NULL) {
    bool late = now_ms() - job->pushed_ms > writers->wait_ms;
    pthread_mutex_unlock(&writers->lock);
    writers->run(job, late);
    pthread_mutex_lock(&writers->lock);
    writers->taken--;
    if (writers->stopping && writers->taken == 0)
      pthread_cond_broadcast(&writers->pushed);
  }
  pthread_mutex_unlock(&writers->lock);
  return NULL;
}

struct writers *writers_start(unsigned threads, unsigned capacity, unsigned wait_ms,
                              void (*run)(struct writer_job *job, bool late)) {
  struct writers *writers = calloc(1, sizeof *writers);
  if (writers == NULL)
    return NULL;
  writers->last = &writers->first;
  writers->capacity = capacity;
  writers->wait_ms = wait_ms;
  writers->run = run;
  pthread_mutex_init(&writers->lock, NULL);
  pthread_cond_init(&writers->pushed, NULL);
  while (writers->thread_count < threads && writers->thread_count < THREADS_MAX &&
         pthread_create(&writers->threads[writers->thread_count], NULL, work, writers) == 0)
    writers->thread_count++;
  if (writers->thread_count > 0)
    return writers;
  writers_free(writers);
  return NULL;
}

bool writers_reserve(struct writers *writers) {
  pthread_mutex_lock(&writers->lock);
  bool good = !writers->stopping && writers->taken < writers->capacity;
  if (good)
    writers->taken++;
  pthread_mutex_unlock(&writers->lock);
  return good;
}

void writers_push(struct writers *writers, struct writer_job *job) {
  job->next = NULL;
  job->pushed_ms = now_ms();
  pthread_mutex_lock(&writers->lock);
  *writers->last = job;
  writers->last = &job->next;
  pthread_cond_signal(&writers->pushed);
  pthread_mutex_unlock(&writers->lock);
}

unsigned writers_count(struct writers *writers) {
  if (writers == NULL)
    return 0;
  pthread_mutex_lock(&writers->lock);
  unsigned count = writers->taken;
  pthread_mutex_unlock(&writers->lock);
  return count;
}

void writers_stop(struct writers *writers) {
  if (writers == NULL)
    return;
  pthread_mutex_lock(&writers->lock);
  writers->stopping = true;
  pthread_cond_broadcast(&writers->pushed);
  pthread_mutex_unlock(&writers->lock);
  for (unsigned i = 0; i < writers->thread_count; i++)
    pthread_join(writers->threads[i], NULL);
  writers->thread_count = 0;
}

void writers_free(struct writers *writers) {
  if (writers == NULL)
    return;
  pthread_cond_destroy(&writers->pushed);
  pthread_mutex_destroy(&writers->lock);
  free(writers);
}
