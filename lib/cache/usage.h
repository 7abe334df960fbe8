/* SPDX-License-Identifier: MIT */
/*
 * When keys were last used: remembered in memory by validations, written to the store in batches.
 * Forward-only everywhere: a time never goes back. Keys go by their records' numbers.
 */
#ifndef AK_CACHE_USAGE_H
#define AK_CACHE_USAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ak_use {
  int64_t number; /* 0: an empty slot */
  int64_t at_ms;
};

/* Open addressing; a power of two of slots. */
struct ak_uses {
  struct ak_use *table;
  size_t capacity;
  size_t count;
  struct ak_uses *next; /* being written as well */
};

struct ak_usage {
  pthread_mutex_t lock;
  struct ak_uses pending;
  struct ak_uses *in_flight; /* taken and not settled: remembered until they are in the store */
};

enum { AK_USAGE_FLUSH_AT = 65536 }; /* keys remembered before a validation flushes by itself */

void ak_usage_init(struct ak_usage *usage);
void ak_usage_release(struct ak_usage *usage);

/* Remember a use; false if there is no memory to. */
bool ak_usage_record(struct ak_usage *usage, int64_t number, int64_t at_ms);

/* True if it is time to flush. */
bool ak_usage_full(struct ak_usage *usage);

/* The last use that is remembered and not written yet; 0 if none. */
int64_t ak_usage_last(struct ak_usage *usage, int64_t number);

/* Take what is pending, to write it; false if nothing is. Then settle it: written, or to be
 * remembered further. */
bool ak_usage_drain(struct ak_usage *usage, struct ak_uses *taken);
void ak_usage_ack(struct ak_usage *usage, struct ak_uses *taken, bool written);

#endif
