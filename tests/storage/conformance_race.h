/* SPDX-License-Identifier: MIT */
/*
 * Threads. Two records hold the same value, which every write transaction raises in both. A
 * number of commits that returned is kept beside: no reader may see less than it was before the
 * reader began, and none may see the two differ, first or later.
 */
#ifndef STORAGE_CONFORMANCE_RACE_H
#define STORAGE_CONFORMANCE_RACE_H

#include "conformance_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

struct race {
  apikeys_storage *storage;
  int kind;
  int field;
  int writes;
  _Atomic int64_t committed;
  _Atomic int failures;
  _Atomic int reads;
  pthread_mutex_t lock; /* of who waits for the writers */
  pthread_cond_t moved;
  bool done;
};

void cf_race_init(struct race *race, apikeys_storage *storage);
void cf_race_insert(struct race *race); /* the two records, once a store */

/* The readers are told that the writers have ended. */
void cf_race_end(struct race *race);
void cf_assert_raised_to(struct race *race, int64_t expected);

/* What a thread asks with. Other threads than the first make no assertion of Check's; they count
 * failures. */
struct pair {
  apikeys_query *queries[2];
  apikeys_record *record;
};

void cf_pair_init(struct pair *pair, int kind);
void cf_pair_free(struct pair *pair);
int64_t cf_read_one(struct race *race, apikeys_transaction *transaction, const apikeys_query *query,
                    apikeys_record *out);
void cf_raise_both(struct race *race, struct pair *pair, bool keep);

/* Threads' starts, given the race. */
void *cf_write_pairs(void *race);
void *cf_read_pairs(void *race);

#endif
