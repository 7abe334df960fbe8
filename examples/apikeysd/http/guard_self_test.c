/* SPDX-License-Identifier: MIT */
/* One request through a library of our own, over a pair of sockets: was it admitted? */
#include "http/guard.h"

#include <microhttpd.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 10, UNDECIDED = -1 };

static void *note_uri(void *cls, const char *uri, struct MHD_Connection *connection) {
  (void)cls;
  (void)connection;
  return strdup(uri);
}

static void forget_uri(void *cls, struct MHD_Connection *connection, void **uri,
                       enum MHD_RequestTerminationCode code) {
  (void)cls;
  (void)connection;
  (void)code;
  free(*uri);
}

static enum MHD_Result judge(void *cls, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *size, void **uri) {
  int *admitted = cls;
  size_t body_length;
  struct exchange x = {0};
  struct guard_request request = {connection, *uri, method, version, 0};
  (void)url;
  (void)data;
  (void)size;
  if (*uri != NULL && *admitted == UNDECIDED) {
    *admitted = guard_admit(&x, &request, &body_length);
    exchange_end(&x);
  }
  return MHD_NO;
}

static struct MHD_Daemon *start(int *admitted) {
  return MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, judge, admitted,
                          MHD_OPTION_URI_LOG_CALLBACK, note_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED,
                          forget_uri, NULL, MHD_OPTION_END);
}

/* 1: admitted, 0: refused, by the library or by the guard. */
static int ask(const char *request, size_t length) {
  int ends[2], admitted = UNDECIDED;
  struct sockaddr_in nowhere = {.sin_family = AF_INET};
  struct MHD_Daemon *daemon = start(&admitted);
  if (daemon == NULL)
    return UNDECIDED;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0) {
    if (write(ends[0], request, length) == (ssize_t)length)
      MHD_add_connection(daemon, ends[1], (struct sockaddr *)&nowhere, sizeof nowhere);
    else
      close(ends[1]);
    for (int i = 0; i < ROUNDS && admitted == UNDECIDED; i++)
      MHD_run(daemon);
    close(ends[0]);
  }
  MHD_stop_daemon(daemon);
  return admitted == 1;
}

bool guard_self_test(void) {
  static const char good[] = "GET /healthz?a=b HTTP/1.1\r\nHost: a.example\r\nEmpty:\r\nX-A:  "
                             "two blanks before\r\n\r\n";
  static const char with_nul[] = "GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer "
                                 "A\0B\r\nX-A: b\r\n\r\n";
  static const char folded[] = "GET / HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\n folded\r\n\r\n";
  static const char bare_lf[] = "GET / HTTP/1.1\r\nHost: a.example\nX-A: b\r\n\r\n";
  return ask(good, sizeof good - 1) == 1 && ask(with_nul, sizeof with_nul - 1) == 0 &&
         ask(folded, sizeof folded - 1) == 0 && ask(bare_lf, sizeof bare_lf - 1) == 0;
}
