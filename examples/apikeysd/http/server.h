/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server: libmicrohttpd behind a guard (guard.h), with total deadlines (deadlines.h). It
 * makes an exchange of each request that the guard lets pass, has it answered, and sends that.
 */
#ifndef SERVER_HTTP_SERVER_H
#define SERVER_HTTP_SERVER_H

#include "http/exchange.h"

#include <stdint.h>

struct http_server;

struct http_options {
  const char *listen; /* ADDRESS:PORT */
  bool next_port;     /* a busy port: try the next ones */
  unsigned threads;
  unsigned max_connections;
  unsigned max_connections_per_address;
  /* The same for one address; NULL: max_connections_per_address for all. */
  unsigned (*address_limit)(const struct service *service, const char *address);
  unsigned writers; /* threads for requests that may wait for the store; 0: none are set apart */
  unsigned request_timeout; /* seconds */
  unsigned stop_seconds;    /* for requests that are under way */
  size_t max_body;
  const char *tls_certificate; /* files; NULL: plain HTTP */
  const char *tls_key;
  unsigned hsts_seconds; /* browsers are told to use HTTPS alone for so long; 0: they are not */
  struct service *service;
  void (*answer)(struct exchange *x); /* fills in the answer */
  /* Whether the answer may wait for the store's write lock; NULL: none does. */
  bool (*may_wait)(const struct exchange *x);
  /* After an answer was sent, or could not be; may be NULL. */
  void (*completed)(const struct exchange *x);
};

/* NULL: it cannot be; said why in the service's log. */
struct http_server *http_server_start(const struct http_options *options);
/* Takes no new connections, waits a bounded time for requests that are under way, and ends. */
void http_server_stop(struct http_server *server);

/* Reads the files for TLS anew, for connections from now on; if they are not good, those of before
 * stay, and the log says so. False: there is no TLS. */
bool http_server_reload(struct http_server *server);

unsigned http_server_port(const struct http_server *server);
/* "http://127.0.0.1:8787" */
const char *http_server_url(const struct http_server *server);
/* Connections that are open now; requests that wait for the store or for a writer's thread. */
unsigned http_server_connections(const struct http_server *server);
unsigned http_server_waiting(const struct http_server *server);
/* Connections beyond the limits: answered 503, and closed without an answer. */
uint64_t http_server_over_limit(const struct http_server *server, bool closed);

#endif
