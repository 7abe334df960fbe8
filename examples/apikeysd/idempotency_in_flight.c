/* SPDX-License-Identifier: MIT */
/* The list of requests that are being answered in this process. */
#include "idempotency_in_flight.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A linked list, because it has at most as many entries as there are threads. */
struct in_flight {
  pthread_mutex_t mutex;
  struct in_flight_entry *first;
};

struct in_flight *in_flight_new(void) {
  struct in_flight *in_flight = calloc(1, sizeof *in_flight);
  if (in_flight != NULL)
    pthread_mutex_init(&in_flight->mutex, NULL);
  return in_flight;
}

void in_flight_free(struct in_flight *in_flight) {
  if (in_flight == NULL)
    return;
  pthread_mutex_destroy(&in_flight->mutex);
  free(in_flight);
}

static bool is_in(const struct in_flight *in_flight, const struct in_flight_entry *wanted) {
  for (const struct in_flight_entry *at = in_flight->first; at != NULL; at = at->next)
    if (strcmp(at->idempotency_key, wanted->idempotency_key) == 0 &&
        strcmp(at->owner_id, wanted->owner_id) == 0)
      return true;
  return false;
}

bool in_flight_enter(struct in_flight *in_flight, struct in_flight_entry *entry,
                     const char *owner_id, const char *idempotency_key) {
  *entry = (struct in_flight_entry){.owner_id = owner_id, .idempotency_key = idempotency_key};
  pthread_mutex_lock(&in_flight->mutex);
  bool entered = !is_in(in_flight, entry);
  if (entered) {
    entry->next = in_flight->first;
    in_flight->first = entry;
  }
  pthread_mutex_unlock(&in_flight->mutex);
  return entered;
}

void in_flight_leave(struct in_flight *in_flight, struct in_flight_entry *entry) {
  pthread_mutex_lock(&in_flight->mutex);
  struct in_flight_entry **at = &in_flight->first;
  while (*at != entry)
    at = &(*at)->next;
  *at = entry->next;
  pthread_mutex_unlock(&in_flight->mutex);
}
