/* SPDX-License-Identifier: MIT */
/* The thread that flushes recorded use by itself, where the options ask for one. */
#ifndef AK_FLUSH_THREAD_H
#define AK_FLUSH_THREAD_H

#include <apikeys/environment.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct ak_flush_thread {
  uint64_t process_stamp; /* of the process it runs in; 0: there is none */
  pthread_t thread;
  pthread_mutex_t lock; /* guards `stop` */
  pthread_cond_t wake;
  bool stop;
};

/* Does nothing if the options ask for no thread. APIKEYS_ERROR_NO_MEMORY: there is none to have. */
int ak_flush_thread_start(apikeys_env *env);

/* Returns when it has ended. A child that inherited the struct has no such thread: nothing to do. */
void ak_flush_thread_stop(apikeys_env *env);

#endif
