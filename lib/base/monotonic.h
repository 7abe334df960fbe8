/* SPDX-License-Identifier: MIT */
/* Waiting for at most so long, by the clock that nobody sets. Pure POSIX. */
#ifndef AK_BASE_MONOTONIC_H
#define AK_BASE_MONOTONIC_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* From some moment on. */
int64_t ak_monotonic_ms(void);
/* The same with the time for which the machine was suspended, where the system tells it (Linux). */
int64_t ak_boottime_ms(void);

/* A condition whose timed waits are by this clock, and its moments for them. 0 or
 * APIKEYS_ERROR_NO_MEMORY. */
int ak_monotonic_cond_init(pthread_cond_t *condition);
struct timespec ak_monotonic_moment(int64_t ms);

#endif
