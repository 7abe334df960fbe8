/* SPDX-License-Identifier: MIT */
/* Counts of open connections by address: a hash table with chains, under one lock. */
#include "http/connection_limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, ADDRESS_MAX = 64 };

struct address_count {
  struct address_count *next;
  unsigned open;
  char address[ADDRESS_MAX];
};

struct connection_limits {
  pthread_mutex_t lock; /* guards the counts */
  unsigned max;
  unsigned open;
  struct address_count *buckets[BUCKETS];
  _Atomic uint64_t answered;
  _Atomic uint64_t closed;
};

struct connection_limits *connection_limits_new(unsigned max) {
  struct connection_limits *limits = calloc(1, sizeof *limits);
  if (limits == NULL)
    return NULL;
  limits->max = max;
  pthread_mutex_init(&limits->lock, NULL);
  return limits;
}

void connection_limits_free(struct connection_limits *limits) {
  if (limits == NULL)
    return;
  for (size_t i = 0; i < BUCKETS; i++)
    while (limits->buckets[i] != NULL) {
      struct address_count *gone = limits->buckets[i];
      limits->buckets[i] = gone->next;
      free(gone);
    }
  pthread_mutex_destroy(&limits->lock);
  free(limits);
}

/* The pointer to the address's count, or to the NULL at the end of its chain. FNV-1a: a client that
 * chooses its addresses to collide makes a chain of at most as many entries as connections. */
static struct address_count **find_count(struct connection_limits *limits, const char *address) {
  uint32_t state = 2166136261u;
  for (const char *at = address; *at != '\0'; at++)
    state = (state ^ (unsigned char)*at) * 16777619u;
  struct address_count **count = &limits->buckets[(state ^ state >> 16) % BUCKETS];
  while (*count != NULL && strcmp((*count)->address, address) != 0)
    count = &(*count)->next;
  return count;
}

bool connection_limits_admit(struct connection_limits *limits, const char *address, unsigned max) {
  pthread_mutex_lock(&limits->lock);
  const struct address_count *count = *find_count(limits, address);
  bool good = limits->open < limits->max + CONNECTIONS_BEYOND &&
              (count == NULL || count->open < max + CONNECTIONS_BEYOND);
  pthread_mutex_unlock(&limits->lock);
  if (!good)
    atomic_fetch_add(&limits->closed, 1);
  return good;
}

/* One more of this address. A count for which there is no memory is left out: it limits less. */
static unsigned add_one(struct connection_limits *limits, const char *address) {
  struct address_count **count = find_count(limits, address);
  if (*count == NULL && (*count = calloc(1, sizeof **count)) != NULL)
    strncpy((*count)->address, address, ADDRESS_MAX - 1);
  limits->open++;
  return *count != NULL ? ++(*count)->open : 1;
}

enum connection_verdict connection_limits_enter(struct connection_limits *limits,
                                                const char *address, unsigned max) {
  pthread_mutex_lock(&limits->lock);
  unsigned open = add_one(limits, address);
  enum connection_verdict verdict = open > max                   ? CONNECTION_OVER_ADDRESS
                                    : limits->open > limits->max ? CONNECTION_OVER_ALL
                                                                 : CONNECTION_GOOD;
  pthread_mutex_unlock(&limits->lock);
  if (verdict != CONNECTION_GOOD)
    atomic_fetch_add(&limits->answered, 1);
  return verdict;
}

void connection_limits_leave(struct connection_limits *limits, const char *address) {
  pthread_mutex_lock(&limits->lock);
  struct address_count **count = find_count(limits, address), *gone = *count;
  limits->open--;
  if (gone != NULL && --gone->open == 0) {
    *count = gone->next;
    free(gone);
  }
  pthread_mutex_unlock(&limits->lock);
}

uint64_t connection_limits_answered(const struct connection_limits *limits) {
  return atomic_load(&limits->answered);
}

uint64_t connection_limits_closed(const struct connection_limits *limits) {
  return atomic_load(&limits->closed);
}
