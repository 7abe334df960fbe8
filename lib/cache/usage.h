/* SPDX-License-Identifier: MIT */
/*
 * Use times that are not saved yet: a hash table from a key's number to its last use, written to
 * the store in batches. A time only moves forward.
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
  struct ak_uses *next; /* another batch that is being written */
};

struct ak_usage {
  pthread_mutex_t lock;
  struct ak_uses pending;
  struct ak_uses *in_flight; /* batches that are being written: still read, until acknowledged */
};

enum { AK_USAGE_FLUSH_AT = 65536 }; /* keys remembered before a validation flushes by itself */

void ak_usage_init(struct ak_usage *usage);
void ak_usage_release(struct ak_usage *usage);

/* Record a use; false: out of memory. */
bool ak_usage_record(struct ak_usage *usage, int64_t number, int64_t at_ms);

/* True if it is time to flush. */
bool ak_usage_full(struct ak_usage *usage);

/* The last unsaved use; 0: none. */
int64_t ak_usage_last(struct ak_usage *usage, int64_t number);

/* Drain the pending uses, to write them; false: none. Then acknowledge the batch: `written`, or to
 * be kept for the next one. */
bool ak_usage_drain(struct ak_usage *usage, struct ak_uses *taken);
void ak_usage_ack(struct ak_usage *usage, struct ak_uses *taken, bool written);

#endif
