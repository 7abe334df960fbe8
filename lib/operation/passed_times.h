/* SPDX-License-Identifier: MIT */
/*
 * The one rule for deadlines (expiry of keys, widget tokens and documents, idleness): a deadline that
 * has passed once stays passed, even if the clock is set back. A jump of the clock is logged.
 *
 * Each kind of deadline has a mark of its own: a key that a forward glitch makes expire in a year
 * must not make the widget tokens of the next year expire with it.
 */
#ifndef AK_OPERATION_PASSED_TIMES_H
#define AK_OPERATION_PASSED_TIMES_H

#include "operation/options.h"

#include <stdatomic.h>
#include <stdbool.h>

enum ak_deadline {
  AK_DEADLINE_KEY,          /* the expiry of a key */
  AK_DEADLINE_IDLE,         /* the end of a key's idle lifetime */
  AK_DEADLINE_WIDGET_TOKEN, /* the expiry of a widget token */
  AK_DEADLINE_DOCUMENT,     /* the expiry of a document */
  AK_DEADLINE_KINDS
};

struct ak_passed_times {
  _Atomic int64_t up_to_ms[AK_DEADLINE_KINDS]; /* the latest that was found to have passed */
  _Atomic int64_t
      seen_ahead_ms; /* the clock less the monotonic one, when last looked at; 0: never */
};

/*
 * True if the deadline (0: never) has passed: at `now_ms`, or at any time before. With `own_time`,
 * which is the caller's own and not the clock's, only `now_ms` counts.
 */
bool ak_passed(struct ak_passed_times *times, enum ak_deadline kind, int64_t deadline_ms,
               int64_t now_ms, bool own_time);

/* The same without keeping it, for an answer from memory: true is for the store to confirm. */
bool ak_may_have_passed(const struct ak_passed_times *times, enum ak_deadline kind,
                        int64_t deadline_ms, int64_t now_ms);

/*
 * Logs a warning if the clock has moved by more than a minute more or less than time has. Called by
 * calls that go to the store, before their transaction.
 */
void ak_watch_clock(struct ak_passed_times *times, const apikeys_options *options);

#endif
