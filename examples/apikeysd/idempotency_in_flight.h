/* SPDX-License-Identifier: MIT */
/* Requests that are being answered in this process, by owner and idempotency key. */
#ifndef SERVER_IDEMPOTENCY_IN_FLIGHT_H
#define SERVER_IDEMPOTENCY_IN_FLIGHT_H

#include <stdbool.h>

struct in_flight;

/* On the stack of who entered; its text is the caller's and lives until it left. */
struct in_flight_entry {
  struct in_flight_entry *next;
  const char *owner_id;
  const char *idempotency_key;
};

struct in_flight *in_flight_new(void); /* NULL: out of memory */
void in_flight_free(struct in_flight *in_flight);

/* False: another one is in; nothing to leave. */
bool in_flight_enter(struct in_flight *in_flight, struct in_flight_entry *entry,
                     const char *owner_id, const char *idempotency_key);
void in_flight_leave(struct in_flight *in_flight, struct in_flight_entry *entry);

#endif
