/* SPDX-License-Identifier: MIT */
/* Requests that are being answered in this process, by owner and idempotency key. */
#ifndef SERVER_IDEMPOTENCY_IN_FLIGHT_H
#define SERVER_IDEMPOTENCY_IN_FLIGHT_H

#include <stdbool.h>

struct in_flight;

/* Lives on the caller's stack from enter to leave; the text is the caller's, too. */
struct in_flight_entry {
  struct in_flight_entry *next;
  const char *owner_id;
  const char *idempotency_key;
};

struct in_flight *in_flight_new(void); /* NULL: out of memory */
void in_flight_free(struct in_flight *in_flight);

/* False: the same request is being answered already; do not leave then. */
bool in_flight_enter(struct in_flight *in_flight, struct in_flight_entry *entry,
                     const char *owner_id, const char *idempotency_key);
void in_flight_leave(struct in_flight *in_flight, struct in_flight_entry *entry);

#endif
