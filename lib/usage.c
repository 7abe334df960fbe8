/* SPDX-License-Identifier: MIT */
#include "usage.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

void ak_usage_init(struct ak_usage *usage) {
  memset(usage, 0, sizeof *usage);
  pthread_mutex_init(&usage->lock, NULL);
}

void ak_usage_release(struct ak_usage *usage) {
  free(usage->table);
  pthread_mutex_destroy(&usage->lock);
}

/* FNV-1a. Ids are our own random ULIDs, which nobody outside can choose. */
static size_t hash(const char *key_id) {
  uint64_t state = UINT64_C(14695981039346656037);
  for (; *key_id != '\0'; key_id++)
    state = (state ^ (unsigned char)*key_id) * UINT64_C(1099511628211);
  return (size_t)(state ^ state >> 32);
}

/* The slot of this key, or the empty one where it belongs. There is always an empty one. */
static struct ak_use *find(struct ak_use *table, size_t capacity, const char *key_id) {
  size_t mask = capacity - 1;
  for (size_t i = hash(key_id) & mask;; i = (i + 1) & mask)
    if (table[i].at_ms == 0 || strcmp(table[i].key_id, key_id) == 0)
      return &table[i];
}

static bool grow(struct ak_usage *usage) {
  if (usage->capacity > 0 && usage->count < usage->capacity / 4 * 3)
    return true;
  size_t capacity = usage->capacity > 0 ? usage->capacity * 2 : CAPACITY_MIN;
  struct ak_use *table = calloc(capacity, sizeof *table);
  if (table == NULL)
    return usage->count + 1 < usage->capacity;
  for (size_t i = 0; i < usage->capacity; i++)
    if (usage->table[i].at_ms != 0)
      *find(table, capacity, usage->table[i].key_id) = usage->table[i];
  free(usage->table);
  usage->table = table;
  usage->capacity = capacity;
  return true;
}

static void record_locked(struct ak_usage *usage, const char *key_id, int64_t at_ms) {
  if (!grow(usage))
    return;
  struct ak_use *use = find(usage->table, usage->capacity, key_id);
  if (use->at_ms == 0) {
    strncpy(use->key_id, key_id, sizeof use->key_id - 1);
    usage->count++;
  }
  if (at_ms > use->at_ms)
    use->at_ms = at_ms;
}

bool ak_usage_record(struct ak_usage *usage, const char *key_id, int64_t at_ms) {
  if (at_ms <= 0)
    return false;
  pthread_mutex_lock(&usage->lock);
  record_locked(usage, key_id, at_ms);
  bool full = usage->count >= AK_USAGE_FLUSH_AT;
  pthread_mutex_unlock(&usage->lock);
  return full;
}

int64_t ak_usage_last(struct ak_usage *usage, const char *key_id) {
  int64_t at_ms = 0;
  pthread_mutex_lock(&usage->lock);
  if (usage->count > 0)
    at_ms = find(usage->table, usage->capacity, key_id)->at_ms;
  pthread_mutex_unlock(&usage->lock);
  return at_ms;
}

void ak_usage_take(struct ak_usage *usage, struct ak_use **table, size_t *capacity) {
  pthread_mutex_lock(&usage->lock);
  *table = usage->count > 0 ? usage->table : NULL;
  *capacity = usage->count > 0 ? usage->capacity : 0;
  if (usage->count > 0) {
    usage->table = NULL;
    usage->capacity = usage->count = 0;
  }
  pthread_mutex_unlock(&usage->lock);
}

void ak_usage_return(struct ak_usage *usage, struct ak_use *table, size_t capacity,
                     bool written) {
  if (!written) {
    pthread_mutex_lock(&usage->lock);
    for (size_t i = 0; i < capacity; i++)
      if (table[i].at_ms != 0)
        record_locked(usage, table[i].key_id, table[i].at_ms);
    pthread_mutex_unlock(&usage->lock);
  }
  free(table);
}
