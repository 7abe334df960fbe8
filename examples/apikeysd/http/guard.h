/* SPDX-License-Identifier: MIT */
/*
 * What is let in at all. libmicrohttpd by itself serves requests that two readers could read
 * differently (two lengths, folded headers, bytes that are lost on the way); behind a proxy that is
 * request smuggling. The guard looks at each request before its body is read, and what it refuses
 * ends the connection, so that nothing behind it is taken for a second request.
 */
#ifndef SERVER_HTTP_GUARD_H
#define SERVER_HTTP_GUARD_H

#include "http/exchange.h"

struct MHD_Connection;

struct guard_request {
  struct MHD_Connection *connection;
  const char *uri; /* raw, with its query */
  const char *method;
  const char *version;
  size_t max_body;
};

/*
 * Fills in the exchange's method, path, query and headers, and says how long the body will be.
 * False: refused, and answered with close_after set.
 */
bool guard_admit(struct exchange *x, const struct guard_request *request, size_t *body_length);

/*
 * The guard leans on how libmicrohttpd lays a request out in memory, which its manual does not
 * promise. This shows that it is so in the version that runs: a plain request passes, one with a
 * NUL in a header and one with a folded header do not. False: do not serve.
 */
bool guard_self_test(void);

#endif
