/* SPDX-License-Identifier: MIT */
/* What time it is, for what is kept, and how much of it has passed, for what is measured. */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include <stdint.h>

/* Unix milliseconds: may be set, forward and back. */
int64_t clock_unix_ms(void);
/* From some moment on, never back. */
int64_t clock_monotonic_ns(void);

#endif
