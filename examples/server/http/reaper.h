/* SPDX-License-Identifier: MIT */
/*
 * Total deadlines for connections. libmicrohttpd's own time-out measures inactivity, so a client
 * that sends a byte a second keeps a connection for ever. The reaper knows until when each
 * connection must have got on, and ends those that did not.
 */
#ifndef SERVER_HTTP_REAPER_H
#define SERVER_HTTP_REAPER_H

#include <stddef.h>

/* What a connection is waiting for. */
enum reaper_phase {
  REAPER_NEW,     /* its first request */
  REAPER_IDLE,    /* the next request of a connection that is kept */
  REAPER_REQUEST, /* the rest of a request */
  REAPER_SERVICE, /* us: no deadline */
  REAPER_ANSWER   /* the client, which must take its answer */
};

struct reaper;
struct reaper_watch; /* one connection */

/* Starts its thread. `request_seconds`: for a request, and for an answer, in all; a kept connection
 * has `idle_seconds` more to begin one. NULL: no memory, no thread. */
struct reaper *reaper_start(unsigned request_seconds, unsigned idle_seconds);
/* After the last connection is gone. NULL does nothing. */
void reaper_stop(struct reaper *reaper);

/* A new connection; it has as long to begin as for a whole request. NULL: out of memory. */
struct reaper_watch *reaper_add(struct reaper *reaper, int socket);
/* It is about to be closed. */
void reaper_remove(struct reaper *reaper, struct reaper_watch *watch);
/* It has got on. Cheap: takes no lock. */
void reaper_enter(const struct reaper *reaper, struct reaper_watch *watch, enum reaper_phase phase);

/* From now on connections end at once on which no request has come: the service is stopping. */
void reaper_end_idle(struct reaper *reaper);

#endif
