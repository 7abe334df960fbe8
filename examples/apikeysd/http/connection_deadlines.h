/* SPDX-License-Identifier: MIT */
/*
 * Total deadlines for connections. libmicrohttpd's own time-out measures inactivity, so a client
 * that sends a byte a second keeps a connection for ever. The deadlines knows until when each
 * connection must have got on, and ends those that did not.
 */
#ifndef SERVER_HTTP_CONNECTION_DEADLINES_H
#define SERVER_HTTP_CONNECTION_DEADLINES_H

#include <stddef.h>

/* What a connection is waiting for. */
enum deadline_phase {
  DEADLINE_NEW,     /* its first request */
  DEADLINE_IDLE,    /* the next request of a connection that is kept */
  DEADLINE_REQUEST, /* the rest of a request */
  DEADLINE_SERVICE, /* us: no deadline */
  DEADLINE_ANSWER   /* the client, which must take its answer */
};

struct connection_deadlines;
struct deadline_watch; /* one connection */

/* Starts its thread. `request_seconds`: for a request, and for an answer, in all; a kept connection
 * has `idle_seconds` more to begin one. NULL: no memory, no thread. */
struct connection_deadlines *deadlines_start(unsigned request_seconds, unsigned idle_seconds);
/* After the last connection is gone. NULL does nothing. */
void deadlines_stop(struct connection_deadlines *deadlines);

/* A new connection; it has as long to begin as for a whole request. NULL: out of memory. */
struct deadline_watch *deadlines_add(struct connection_deadlines *deadlines, int socket);
/* It is about to be closed. */
void deadlines_remove(struct connection_deadlines *deadlines, struct deadline_watch *watch);
/* It has got on. Cheap: takes no lock. */
void deadlines_enter(const struct connection_deadlines *deadlines, struct deadline_watch *watch,
                     enum deadline_phase phase);

/* From now on connections end at once on which no request has come: the service is stopping. */
void deadlines_end_idle(struct connection_deadlines *deadlines);

#endif
