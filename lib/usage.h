/* SPDX-License-Identifier: MIT */
/*
 * When keys were last used: remembered in memory by validations, written to the store in batches.
 * Forward-only everywhere: a time never goes back.
 */
#ifndef AK_USAGE_H
#define AK_USAGE_H

#include "ids.h"

#include <pthread.h>
#include <stdbool.h>

struct ak_use {
  char key_id[AK_ID_MAX];
  int64_t at_ms; /* 0: an empty slot */
};

struct ak_usage {
  pthread_mutex_t lock;
  struct ak_use *table; /* open addressing; a power of two of slots */
  size_t capacity;
  size_t count;
};

enum { AK_USAGE_FLUSH_AT = 65536 }; /* keys remembered before a validation flushes by itself */

void ak_usage_init(struct ak_usage *usage);
void ak_usage_release(struct ak_usage *usage);

/* Remember a use; true if it is time to flush. Without memory the use is not remembered. */
bool ak_usage_record(struct ak_usage *usage, const char *key_id, int64_t at_ms);

/* The last use that is remembered and not written yet; 0 if none. */
int64_t ak_usage_last(struct ak_usage *usage, const char *key_id);

/* Take the table over, to write it; ak_usage_return gives it back, after a failure or emptied. */
void ak_usage_take(struct ak_usage *usage, struct ak_use **table, size_t *capacity);
void ak_usage_return(struct ak_usage *usage, struct ak_use *table, size_t capacity, bool written);

#endif
