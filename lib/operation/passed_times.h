/* SPDX-License-Identifier: MIT */
/*
 * Every decision about a deadline: has it passed? A deadline that this environment's handle has
 * once found passed stays passed, also if the clock is set back. Each kind of deadline has a mark of
 * its own, so that a key that expired while the clock ran ahead says nothing about the tokens and
 * answers made later. A jump of the clock is logged. The test abi.deadlines finds comparisons with
 * the time elsewhere.
 */
#ifndef AK_OPERATION_PASSED_TIMES_H
#define AK_OPERATION_PASSED_TIMES_H

#include "operation/options.h"
#include "storage/record.h"

#include <apikeys/key.h>

#include <stdatomic.h>
#include <stdbool.h>

enum ak_deadline {
  AK_DEADLINE_KEY,            /* a customer's key expires */
  AK_DEADLINE_MANAGEMENT_KEY, /* a management key expires */
  AK_DEADLINE_IDLE,           /* a key counts as unused for too long */
  AK_DEADLINE_WIDGET_TOKEN,   /* a widget token expires */
  AK_DEADLINE_TOKEN_KEY,      /* a retired key of widget tokens ends */
  AK_DEADLINE_IDEMPOTENCY,    /* an idempotency key is forgotten */
  AK_DEADLINE_DOCUMENT,       /* a document expires: the first of several, see below */
  AK_DEADLINE_DOCUMENT_KINDS = 16,
  AK_DEADLINE_COUNT = AK_DEADLINE_DOCUMENT + AK_DEADLINE_DOCUMENT_KINDS
};

struct ak_passed_times {
  /* Of each kind, the latest deadline that was found to have passed. */
  _Atomic int64_t up_to_ms[AK_DEADLINE_COUNT];
  _Atomic int64_t
      seen_ahead_ms; /* the clock less the time since boot, when last looked at; 0: never */
};

/*
 * Documents of one collection live equally long, so collections are kinds: sessions of an hour are
 * not judged by what was found of those of a day. Two collections may share a mark.
 */
enum ak_deadline ak_deadline_of_collection(const char *collection, size_t length);

static inline enum ak_deadline ak_deadline_of_owner(int64_t owner_type) {
  return owner_type == APIKEYS_OWNER_ENVIRONMENT ? AK_DEADLINE_MANAGEMENT_KEY : AK_DEADLINE_KEY;
}

/*
 * True if the deadline (0: never) has passed: at `now_ms`, or at any time before. With `own_time`,
 * which is the caller's own and not the clock's, only `now_ms` counts.
 */
bool ak_passed(struct ak_passed_times *times, enum ak_deadline kind, int64_t deadline_ms,
               int64_t now_ms, bool own_time);

/* The same without keeping it: a yes is for the store to confirm, or is about what is not yet. */
bool ak_may_have_passed(const struct ak_passed_times *times, enum ak_deadline kind,
                        int64_t deadline_ms, int64_t now_ms);

/* Deadlines of this kind up to this time, itself included, have passed. For queries. */
int64_t ak_passed_until(const struct ak_passed_times *times, enum ak_deadline kind, int64_t now_ms);

/* APIKEYS_OK, APIKEYS_REVOKED, or, from the very millisecond of its expiry on, APIKEYS_EXPIRED. */
int ak_key_state(struct ak_passed_times *times, const apikeys_record *key, int64_t now_ms,
                 bool own_time);

/*
 * Logs a warning if the clock has moved by more than a minute more or less than time has. Called by
 * calls that go to the store, before their transaction.
 */
void ak_watch_clock(struct ak_passed_times *times, const apikeys_options *options);

#endif
