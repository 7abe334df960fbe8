/* SPDX-License-Identifier: MIT */
/*
 * How many connections may be open, in all and from one address. One more than that is let in to be
 * told so: its request is answered with 503. Only far beyond the limit (CONNECTIONS_BEYOND more) are
 * connections closed without an answer. Both are counted.
 */
#ifndef SERVER_HTTP_CONNECTION_LIMITS_H
#define SERVER_HTTP_CONNECTION_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* Connections beyond the limit, in all and of one address, that are let in to get their answer. */
enum { CONNECTIONS_BEYOND = 32 };

struct connection_limits;

enum connection_verdict {
  CONNECTION_GOOD,
  CONNECTION_OVER_ADDRESS, /* to be answered 503 */
  CONNECTION_OVER_ALL      /* the same, for the limit of all */
};

/* `max`: of all. NULL: out of memory. */
struct connection_limits *connection_limits_new(unsigned max);
void connection_limits_free(struct connection_limits *limits);

/* May one more connection of this address come in at all? False, and counted: it is closed. */
bool connection_limits_admit(struct connection_limits *limits, const char *address, unsigned max);

/* It came in; the address's limit is `max`. */
enum connection_verdict connection_limits_enter(struct connection_limits *limits,
                                                const char *address, unsigned max);
/* It is gone. */
void connection_limits_leave(struct connection_limits *limits, const char *address);

/* How many were refused: answered 503, or closed. */
uint64_t connection_limits_answered(const struct connection_limits *limits);
uint64_t connection_limits_closed(const struct connection_limits *limits);

#endif
