/* SPDX-License-Identifier: MIT */
/*
 * The one rule for deadlines (expiry of keys, widget tokens and documents, idleness): what has
 * passed once has passed for good, also if the clock is set back. And a jump of the clock is
 * logged.
 */
#ifndef AK_OPERATION_PASSED_TIMES_H
#define AK_OPERATION_PASSED_TIMES_H

#include "operation/options.h"

#include <stdatomic.h>
#include <stdbool.h>

struct ak_passed_times {
  _Atomic int64_t up_to_ms; /* the latest deadline that was found to have passed */
  _Atomic int64_t
      seen_ahead_ms; /* the clock less the monotonic one, when last looked at; 0: never */
};

/*
 * True if the deadline (0: never) has passed: at `now_ms`, or at any time before. With `own_time`,
 * which is the caller's own and not the clock's, only `now_ms` counts.
 */
bool ak_passed(struct ak_passed_times *times, int64_t deadline_ms, int64_t now_ms, bool own_time);

/* The same without keeping it, for an answer from memory: true is for the store to confirm. */
bool ak_may_have_passed(const struct ak_passed_times *times, int64_t deadline_ms, int64_t now_ms);

/*
 * Logs a warning if the clock has moved by more than a minute more or less than time has. Called by
 * calls that go to the store, before their transaction.
 */
void ak_watch_clock(struct ak_passed_times *times, const apikeys_options *options);

#endif
