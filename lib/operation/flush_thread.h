/* SPDX-License-Identifier: MIT */
/*
 * A thread that calls a function at an interval; the environment writes recorded use with it, where
 * the options ask for one. It knows the function and its data, nothing else.
 */
#ifndef AK_OPERATION_FLUSH_THREAD_H
#define AK_OPERATION_FLUSH_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef void (*ak_flush_function)(void *data);

struct ak_flush_thread {
  ak_flush_function flush;
  void *data;
  int interval_ms;        /* 0: no thread */
  uint64_t process_stamp; /* of the process it runs in; 0: there is none */
  pthread_t thread;
  pthread_mutex_t lock; /* guards `stop` */
  pthread_cond_t wake;
  bool stop;
};

/* Says what a later start will run. */
void ak_flush_thread_set(struct ak_flush_thread *self, int interval_ms, ak_flush_function flush,
                         void *data);

/* Does nothing where the interval is 0. APIKEYS_ERROR_NO_MEMORY: no thread could be started. */
int ak_flush_thread_start(struct ak_flush_thread *self);

/* Returns when the thread has ended. A child that inherited the struct has no such thread. */
void ak_flush_thread_stop(struct ak_flush_thread *self);

#endif
