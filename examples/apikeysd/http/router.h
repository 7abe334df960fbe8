/* SPDX-License-Identifier: MIT */
/*
 * Which handler a request gets, and who may have it. Every route says who is let in; there is no
 * route without that, and no handler runs before it was checked.
 *
 *   const struct route organization_routes[] = {
 *     {METHOD_POST, "/organizations", ACCESS_MANAGEMENT, create_organization},
 *     {METHOD_GET, "/organizations/:organization", ACCESS_MANAGEMENT, show_organization},
 *     {0},
 *   };
 */
#ifndef SERVER_HTTP_ROUTER_H
#define SERVER_HTTP_ROUTER_H

#include "http/exchange.h"

enum access {
  ACCESS_NOBODY = 0,     /* what a forgotten field says */
  ACCESS_PUBLIC = 1,     /* pages and assets */
  ACCESS_MANAGEMENT = 2, /* "Bearer <management key>"; x->actor is that key */
  ACCESS_WIDGET = 3,     /* "Bearer <widget token>"; x->actor is whom it names */
  ACCESS_SESSION = 4,    /* a dashboard session; x->session, x->actor is its management key */
};

struct route {
  enum method method;
  /* Segments; ":name" takes any one, decoded, as an argument; a last "*name" takes what is left,
   * slashes and all, be it nothing. */
  const char *pattern;
  enum access access;
  void (*handle)(struct exchange *x);
};

/* Answers the exchange: finds the route, checks who asks, calls the handler. 404 and 405 too. */
void router_answer(struct exchange *x);

/*
 * Whether the answer may wait for the store's write lock: what changes something, and what the
 * dashboard asks for, since a session's last use is written.
 */
bool router_may_wait(const struct exchange *x);

/* All route tables, each ended by a zeroed entry; NULL ends the list. See routes.c. */
extern const struct route *const route_tables[];

#endif
