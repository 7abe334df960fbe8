/* SPDX-License-Identifier: MIT */
/* Two clocks: wall-clock time for what is stored, monotonic time for measured durations. */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include <stdint.h>

/* Unix milliseconds. The clock may be set forward and back. */
int64_t clock_unix_ms(void);
/* Nanoseconds since some moment; never goes back. */
int64_t clock_monotonic_ns(void);

#endif
