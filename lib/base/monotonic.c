/* SPDX-License-Identifier: MIT */
/* The monotonic clock, and timed waits by it. */
#include "base/monotonic.h"

#include <apikeys/error.h>

int64_t ak_monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t ak_boottime_ms(void) {
#ifdef CLOCK_BOOTTIME
  struct timespec now;
  if (clock_gettime(CLOCK_BOOTTIME, &now) == 0)
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
#endif
  return ak_monotonic_ms();
}

int ak_monotonic_cond_init(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  if (pthread_condattr_init(&attributes) != 0)
    return APIKEYS_ERROR_NO_MEMORY;
  int failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  if (failed == 0)
    failed = pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
  return failed == 0 ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
}

struct timespec ak_monotonic_moment(int64_t ms) {
  return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}
