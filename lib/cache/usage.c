/* SPDX-License-Identifier: MIT */
/* The table of unsaved use times: open addressing with linear probing. */
#include "cache/usage.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

void ak_usage_init(struct ak_usage *usage) {
  memset(usage, 0, sizeof *usage);
  pthread_mutex_init(&usage->lock, NULL);
}

void ak_usage_release(struct ak_usage *usage) {
  free(usage->pending.table);
  pthread_mutex_destroy(&usage->lock);
}

/* The store hands out numbers in order, so nobody outside can choose colliding ones. */
static size_t usage_hash(int64_t number) {
  uint64_t state = (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15);
  return (size_t)(state ^ state >> 32);
}

/* The key's slot, or the empty one where it belongs. The table is never full. */
static struct ak_use *usage_find(const struct ak_uses *uses, int64_t number) {
  size_t mask = uses->capacity - 1;
  for (size_t i = usage_hash(number) & mask;; i = (i + 1) & mask)
    if (uses->table[i].number == 0 || uses->table[i].number == number)
      return &uses->table[i];
}

static bool grow(struct ak_uses *uses) {
  if (uses->capacity > 0 && uses->count < uses->capacity / 4 * 3)
    return true;
  struct ak_uses larger = *uses;
  larger.capacity = uses->capacity > 0 ? uses->capacity * 2 : CAPACITY_MIN;
  larger.table = calloc(larger.capacity, sizeof *larger.table);
  if (larger.table == NULL)
    return uses->count + 1 < uses->capacity;
  for (size_t i = 0; i < uses->capacity; i++)
    if (uses->table[i].number != 0)
      *usage_find(&larger, uses->table[i].number) = uses->table[i];
  free(uses->table);
  *uses = larger;
  return true;
}

static bool record(struct ak_uses *uses, int64_t number, int64_t at_ms) {
  if (!grow(uses))
    return false;
  struct ak_use *use = usage_find(uses, number);
  if (use->number == 0) {
    use->number = number;
    uses->count++;
  }
  if (at_ms > use->at_ms)
    use->at_ms = at_ms;
  return true;
}

bool ak_usage_record(struct ak_usage *usage, int64_t number, int64_t at_ms) {
  if (at_ms <= 0)
    return true;
  pthread_mutex_lock(&usage->lock);
  bool remembered = record(&usage->pending, number, at_ms);
  pthread_mutex_unlock(&usage->lock);
  return remembered;
}

bool ak_usage_full(struct ak_usage *usage) {
  pthread_mutex_lock(&usage->lock);
  bool full = usage->pending.count >= AK_USAGE_FLUSH_AT;
  pthread_mutex_unlock(&usage->lock);
  return full;
}

static int64_t last(const struct ak_uses *uses, int64_t number) {
  return uses->count > 0 ? usage_find(uses, number)->at_ms : 0;
}

int64_t ak_usage_last(struct ak_usage *usage, int64_t number) {
  pthread_mutex_lock(&usage->lock);
  int64_t at_ms = last(&usage->pending, number);
  for (const struct ak_uses *uses = usage->in_flight; uses != NULL; uses = uses->next) {
    int64_t earlier = last(uses, number);
    if (earlier > at_ms)
      at_ms = earlier;
  }
  pthread_mutex_unlock(&usage->lock);
  return at_ms;
}

bool ak_usage_drain(struct ak_usage *usage, struct ak_uses *taken) {
  pthread_mutex_lock(&usage->lock);
  bool some = usage->pending.count > 0;
  if (some) {
    *taken = usage->pending;
    taken->next = usage->in_flight;
    usage->in_flight = taken;
    usage->pending = (struct ak_uses){0};
  }
  pthread_mutex_unlock(&usage->lock);
  return some;
}

void ak_usage_ack(struct ak_usage *usage, struct ak_uses *taken, bool written) {
  pthread_mutex_lock(&usage->lock);
  struct ak_uses **link = &usage->in_flight;
  while (*link != taken)
    link = &(*link)->next;
  *link = taken->next;
  for (size_t i = 0; !written && i < taken->capacity; i++)
    if (taken->table[i].number != 0)
      record(&usage->pending, taken->table[i].number, taken->table[i].at_ms);
  pthread_mutex_unlock(&usage->lock);
  free(taken->table);
}
