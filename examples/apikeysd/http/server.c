/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server on libmicrohttpd: connections and their limits, a request's way from its first byte
 * to its answer, start and stop.
 */
#include "http/server.h"

#include "clock.h"
#include "http/connection_deadlines.h"
#include "http/connection_limits.h"
#include "http/guard.h"
#include "http/mhd_error_pages.h"
#include "http/reply.h"
#include "http/request_id.h"
#include "http/tls.h"
#include "http/writers.h"
#include "log.h"
#include "service.h"
#include "widget/cors.h"

#include <microhttpd.h>
#include <sodium.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Requests that wait for the store: how many there may be, and how long one waits for a thread before
 * its client is told to come back. */
enum { WRITERS_WAITING = 256, WRITER_WAIT_MS = 5000 };

enum { STOP_ROUNDS = 50 }; /* of 20 ms */

/* Log lines about connections beyond a limit. */
enum limit_line { LIMIT_ADDRESS, LIMIT_ALL, LIMIT_CLOSED, LIMIT_LINES };

enum { PORTS_TO_TRY = 100, IDLE_SECONDS = 60, CONNECTION_MEMORY = 64 * 1024 };

struct http_server {
  struct http_options options;
  struct MHD_Daemon *daemon;
  struct connection_deadlines *deadlines;
  struct connection_limits *limits;
  struct writers *writers; /* NULL: every request is answered where it is read */
  _Atomic int64_t limit_logged_ms[LIMIT_LINES];
  atomic_bool stopping; /* answers end their connections */
  int socket;
  unsigned port;
  struct tls *tls; /* NULL: plain HTTP */
  char hsts[64];   /* "Strict-Transport-Security", or "" */
  char url[128];
};

/*
 * A client's connection, and the request that it is at: one after the other, so that the room for
 * one is made once.
 */
struct visit {
  struct http_server *server;
  struct deadline_watch *watch;
  char address[EXCHANGE_ADDRESS_MAX];
  enum connection_verdict verdict;
  struct MHD_Connection *suspended; /* while a writer answers */
  struct writer_job job;
  bool answered; /* by a writer; to be sent */
  bool open;     /* a request is on its way */
  bool begun;    /* its head was read */
  char *uri;     /* the exchange's; NULL: out of memory */
  size_t body_expected;
  struct exchange x;
};

/* -- Answering --------------------------------------------------------------------------------- */

/* What is sent lives, and is wiped, with the exchange: until complete(). */
static struct MHD_Response *make_response(const struct exchange *x) {
  union {
    const char *in;
    void *out;
  } pun = {.in = x->reply != NULL ? x->reply : ""};
  return MHD_create_response_from_buffer(x->reply_length, pun.out, MHD_RESPMEM_PERSISTENT);
}

static void add_headers(const struct http_server *server, struct MHD_Response *response,
                        struct exchange *x) {
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "X-Request-ID", x->request_id);
  if (server->hsts[0] != '\0')
    MHD_add_response_header(response, "Strict-Transport-Security", server->hsts);
  if (x->reply_type != NULL)
    MHD_add_response_header(response, "Content-Type", x->reply_type);
  bool caching_said = false;
  for (const struct reply_header *header = x->reply_headers; header != NULL;
       header = header->next) {
    MHD_add_response_header(response, header->name, header->text);
    caching_said = caching_said || strcmp(header->name, "Cache-Control") == 0;
  }
  if (!caching_said)
    MHD_add_response_header(response, "Cache-Control", "no-store");
  if (x->close_after)
    MHD_add_response_header(response, "Connection", "close");
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct visit *visit) {
  struct exchange *x = &visit->x;
  cors_allow(x);
  struct MHD_Response *response = make_response(x);
  if (response == NULL)
    return MHD_NO; /* out of memory: the connection is closed */
  add_headers(visit->server, response, x);
  enum MHD_Result result = mhd_error_pages_queue_answer(connection, (unsigned)x->status, response);
  MHD_destroy_response(response);
  return result;
}

/* -- Connections ------------------------------------------------------------------------------- */

static void note_peer(struct visit *visit, struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
  socklen_t length = address != NULL && address->sa_family == AF_INET6
                         ? (socklen_t)sizeof(struct sockaddr_in6)
                         : (socklen_t)sizeof(struct sockaddr_in);
  if (address == NULL || getnameinfo(address, length, visit->address, sizeof visit->address, NULL,
                                     0, NI_NUMERICHOST) != 0)
    snprintf(visit->address, sizeof visit->address, "unknown");
}

static unsigned address_limit(const struct http_server *server, const char *address) {
  const struct http_options *options = &server->options;
  return options->address_limit != NULL ? options->address_limit(options->service, address)
                                        : options->max_connections_per_address;
}

/* At most one line of each kind a second. */
static void log_over_limit(struct http_server *server, const char *address, enum limit_line line) {
  static const char *const texts[] = {"of one address", "in all", "far beyond the limit: closed"};
  int64_t now = clock_monotonic_ns() / 1000000;
  int64_t logged = atomic_load(&server->limit_logged_ms[line]);
  if ((logged == 0 || now - logged >= 1000) &&
      atomic_compare_exchange_strong(&server->limit_logged_ms[line], &logged, now))
    log_line(server->options.service->log, LOG_WARNING,
             "%s: too many connections %s (see --max-connections)", address, texts[line]);
}

/* Before a connection is taken in: those far beyond a limit are closed unheard. */
static enum MHD_Result admit(void *cls, const struct sockaddr *address, socklen_t length) {
  struct http_server *server = cls;
  char text[EXCHANGE_ADDRESS_MAX];
  if (getnameinfo(address, length, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
    return MHD_YES; /* counted as "unknown" */
  if (connection_limits_admit(server->limits, text, address_limit(server, text)))
    return MHD_YES;
  log_over_limit(server, text, LIMIT_CLOSED);
  return MHD_NO;
}

static struct visit *open_visit(struct http_server *server, struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  struct visit *visit = info != NULL ? calloc(1, sizeof *visit) : NULL;
  if (visit == NULL)
    return NULL;
  visit->server = server;
  visit->watch = deadlines_add(server->deadlines, info->connect_fd);
  note_peer(visit, connection);
  if (visit->watch != NULL) {
    visit->verdict = connection_limits_enter(server->limits, visit->address,
                                             address_limit(server, visit->address));
    if (visit->verdict != CONNECTION_GOOD)
      log_over_limit(server, visit->address,
                     visit->verdict == CONNECTION_OVER_ADDRESS ? LIMIT_ADDRESS : LIMIT_ALL);
    return visit;
  }
  free(visit);
  return NULL;
}

/* Its request is over, answered or not. */
static void leave(struct visit *visit) {
  if (!visit->open)
    return;
  visit->open = false;
  if (visit->begun && visit->x.status != 0 && visit->server->options.completed != NULL)
    visit->server->options.completed(&visit->x);
  exchange_end(&visit->x);
}

static void watch_connection(void *cls, struct MHD_Connection *connection, void **context,
                             enum MHD_ConnectionNotificationCode code) {
  struct http_server *server = cls;
  struct visit *visit = *context;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = open_visit(server, connection);
  } else if (visit != NULL) {
    leave(visit);
    exchange_release(&visit->x);
    connection_limits_leave(server->limits, visit->address);
    deadlines_remove(server->deadlines, visit->watch);
    free(visit);
    *context = NULL;
  }
}

static void enter(const struct visit *visit, enum deadline_phase phase) {
  deadlines_enter(visit->server->deadlines, visit->watch, phase);
}

/* -- A request's way --------------------------------------------------------------------------- */

/* The first call for a request: nothing of its body was read. */
static enum MHD_Result begin(struct visit *visit, struct MHD_Connection *connection,
                             const char *method, const char *version) {
  struct exchange *x = &visit->x;
  const struct http_options *options = &visit->server->options;
  visit->begun = true;
  enter(visit, DEADLINE_REQUEST);
  x->began_us = clock_monotonic_ns() / 1000;
  x->secure = options->tls_certificate != NULL;
  request_id(x->request_id);
  memcpy(x->address, visit->address, sizeof x->address);
  const struct guard_request request = {connection, visit->uri, method, version, options->max_body};
  if (!guard_admit(x, &request, &visit->body_expected))
    return send_answer(connection, visit);
  if (visit->verdict != CONNECTION_GOOD) {
    reply_error(x, 503, "too_many_connections", "There are too many connections%s.",
                visit->verdict == CONNECTION_OVER_ADDRESS ? " from this address" : "");
    reply_header(x, "Retry-After", "1");
    x->close_after = true;
    return send_answer(connection, visit);
  }
  x->body = exchange_memory(x, visit->body_expected + 1);
  return x->body != NULL ? MHD_YES : MHD_NO;
}

/* Wipes what the library read, too: a body may hold a key's value. */
static enum MHD_Result take_body(struct visit *visit, const char *data, size_t *size) {
  struct exchange *x = &visit->x;
  union {
    const char *in;
    char *out;
  } pun = {.in = data};
  if (*size > visit->body_expected - x->body_length)
    return MHD_NO;
  memcpy(x->body + x->body_length, data, *size);
  x->body_length += *size;
  sodium_memzero(pun.out, *size);
  *size = 0;
  return MHD_YES;
}

static enum MHD_Result finish(struct MHD_Connection *connection, struct visit *visit) {
  if (atomic_load_explicit(&visit->server->stopping, memory_order_relaxed))
    visit->x.close_after = true;
  enter(visit, DEADLINE_ANSWER);
  return send_answer(connection, visit);
}

static void reply_busy(struct exchange *x) {
  reply_error(x, 503, "busy", "Too many changes are waiting for the store; nothing was changed.");
  reply_header(x, "Retry-After", "1");
}

/* On a thread of the writers. From the resumption on the connection is its own thread's again. */
static void answer_on_writer(struct writer_job *job, bool late) {
  struct visit *visit = (struct visit *)(void *)((char *)job - offsetof(struct visit, job));
  if (late)
    reply_busy(&visit->x);
  else
    visit->server->options.answer(&visit->x);
  visit->answered = true;
  MHD_resume_connection(visit->suspended);
}

/*
 * Whole requests. One that may wait for the store's write lock is answered by a writer, so that this
 * thread goes on with its other connections; handle() is called again once it is.
 */
static enum MHD_Result answer(struct MHD_Connection *connection, struct visit *visit) {
  struct http_server *server = visit->server;
  enter(visit, DEADLINE_SERVICE);
  if (server->writers == NULL || !server->options.may_wait(&visit->x)) {
    server->options.answer(&visit->x);
  } else if (writers_reserve(server->writers)) {
    visit->suspended = connection;
    MHD_suspend_connection(connection);
    writers_push(server->writers, &visit->job);
    return MHD_YES;
  } else {
    reply_busy(&visit->x);
  }
  return finish(connection, visit);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **con_cls) {
  struct visit *visit = *con_cls;
  (void)cls;
  (void)url;
  if (visit == NULL || visit->uri == NULL)
    return MHD_NO;
  if (!visit->begun)
    return begin(visit, connection, method, version);
  if (*size > 0)
    return take_body(visit, data, size);
  if (visit->x.body_length != visit->body_expected)
    return MHD_NO; /* the client went away in the middle */
  return visit->answered ? finish(connection, visit) : answer(connection, visit);
}

/* The earliest moment of a request, and the only one at which its target can be seen as sent. */
static void *note_uri(void *cls, const char *uri, struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  struct visit *visit = info != NULL ? info->socket_context : NULL;
  (void)cls;
  if (visit == NULL)
    return NULL;
  leave(visit); /* one of which the end was not told */
  visit->open = true;
  visit->begun = false;
  visit->answered = false;
  bool good = exchange_begin(&visit->x, visit->server->options.service) == 0;
  visit->uri = good ? exchange_copy(&visit->x, uri, strlen(uri)) : NULL;
  return visit;
}

static void complete(void *cls, struct MHD_Connection *connection, void **con_cls,
                     enum MHD_RequestTerminationCode code) {
  struct visit *visit = *con_cls;
  (void)cls;
  (void)connection;
  (void)code;
  if (visit == NULL)
    return;
  enter(visit, DEADLINE_IDLE);
  leave(visit);
  *con_cls = NULL;
}

/* Decoding is the guard's and the router's, once. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text) {
  (void)cls;
  (void)connection;
  return strlen(text);
}

/* -- Starting ---------------------------------------------------------------------------------- */

/* "127.0.0.1:8787" or "[::1]:8787" as an address. */
static bool parse_listen(const char *listen, struct addrinfo **out) {
  char host[256];
  const char *colon = strrchr(listen, ':');
  if (colon == NULL || colon == listen || (size_t)(colon - listen) >= sizeof host)
    return false;
  size_t length = (size_t)(colon - listen);
  const char *from = listen;
  if (listen[0] == '[' && colon[-1] == ']') {
    from++;
    length -= 2;
  }
  memcpy(host, from, length);
  host[length] = '\0';
  const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                 .ai_socktype = SOCK_STREAM};
  return getaddrinfo(host, colon + 1, &hints, out) == 0;
}

static unsigned *port_of(struct sockaddr *address, unsigned *port) {
  if (address->sa_family == AF_INET6) {
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    *port = ntohs(v6.sin6_port);
  } else {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof v4);
    *port = ntohs(v4.sin_port);
  }
  return port;
}

static void set_port(struct sockaddr *address, unsigned port) {
  if (address->sa_family == AF_INET6) {
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    v6.sin6_port = htons((uint16_t)port);
    memcpy(address, &v6, sizeof v6);
  } else {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof v4);
    v4.sin_port = htons((uint16_t)port);
    memcpy(address, &v4, sizeof v4);
  }
}

static int try_to_bind(const struct addrinfo *address) {
  static const int on = 1;
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 512) == 0)
    return fd;
  int reason = errno;
  close(fd);
  errno = reason;
  return -1;
}

/* The listening socket is ours, so that the port it got, and that it was busy, can be told. */
static bool open_socket(struct http_server *server) {
  const struct http_options *options = &server->options;
  struct addrinfo *address;
  unsigned wanted;
  if (!parse_listen(options->listen, &address)) {
    log_line(options->service->log, LOG_ERROR, "%s: must be ADDRESS:PORT, with numbers",
             options->listen);
    return false;
  }
  unsigned first = *port_of(address->ai_addr, &wanted);
  for (int i = 0; i < PORTS_TO_TRY && first + (unsigned)i < 65536; i++) {
    set_port(address->ai_addr, first + (unsigned)i);
    server->socket = try_to_bind(address);
    if (server->socket >= 0 || errno != EADDRINUSE || !options->next_port || first == 0)
      break;
  }
  if (server->socket < 0)
    log_line(options->service->log, LOG_ERROR, "%s: %s", options->listen, strerror(errno));
  else if (*port_of(address->ai_addr, &wanted) != first)
    log_line(options->service->log, LOG_INFO, "%s is taken; the next free port is %u",
             options->listen, wanted);
  freeaddrinfo(address);
  return server->socket >= 0;
}

static void note_address(struct http_server *server) {
  struct sockaddr_storage bound;
  socklen_t length = sizeof bound;
  char host[64] = "?";
  if (getsockname(server->socket, (struct sockaddr *)&bound, &length) == 0) {
    port_of((struct sockaddr *)&bound, &server->port);
    getnameinfo((struct sockaddr *)&bound, length, host, sizeof host, NULL, 0, NI_NUMERICHOST);
  }
  bool v6 = strchr(host, ':') != NULL;
  snprintf(server->url, sizeof server->url, "%s://%s%s%s:%u",
           server->options.tls_certificate != NULL ? "https" : "http", v6 ? "[" : "", host,
           v6 ? "]" : "", server->port);
}

static struct MHD_Daemon *start_daemon(struct http_server *server) {
  const struct http_options *options = &server->options;
  static char priorities[] = TLS_PRIORITIES;
  union {
    gnutls_certificate_retrieve_function3 *function;
    void *object;
  } retrieve = {tls_retrieve};
  struct MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, retrieve.object},
      {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
      {MHD_OPTION_END, 0, NULL},
  };
  struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
  /* Not epoll: with it, this version does not see that a client has closed its side while an answer
   * was on its way, and keeps the connection until it is reaped. */
  unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | (server->tls != NULL ? MHD_USE_TLS : 0) |
                   (server->writers != NULL ? MHD_ALLOW_SUSPEND_RESUME : 0);
  /* The library divides its limit among its threads and says nothing of whom it closes: ours count. */
  unsigned most = (options->max_connections + CONNECTIONS_BEYOND) * options->threads;
  return MHD_start_daemon(flags, 0, admit, server, handle, server,                                //
                          MHD_OPTION_LISTEN_SOCKET, server->socket,                               //
                          MHD_OPTION_THREAD_POOL_SIZE, options->threads,                          //
                          MHD_OPTION_CONNECTION_LIMIT, most,                                      //
                          MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,          //
                          MHD_OPTION_CONNECTION_TIMEOUT, options->request_timeout + IDLE_SECONDS, //
                          MHD_OPTION_URI_LOG_CALLBACK, note_uri, server,                          //
                          MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, server,                    //
                          MHD_OPTION_NOTIFY_CONNECTION, watch_connection, server,                 //
                          MHD_OPTION_NOTIFY_COMPLETED, complete, server,                          //
                          MHD_OPTION_ARRAY, server->tls != NULL ? tls : none, MHD_OPTION_END);
}

static bool open_tls(struct http_server *server) {
  const struct http_options *options = &server->options;
  if (options->tls_certificate == NULL)
    return true;
  server->tls = tls_open(options->service->log, options->tls_certificate, options->tls_key);
  return server->tls != NULL;
}

struct http_server *http_server_start(const struct http_options *options) {
  struct http_server *server = calloc(1, sizeof *server);
  if (server == NULL)
    return NULL;
  server->options = *options;
  server->socket = -1;
  if (options->hsts_seconds > 0)
    snprintf(server->hsts, sizeof server->hsts, "max-age=%u", options->hsts_seconds);
  if (!guard_self_test())
    log_line(options->service->log, LOG_ERROR,
             "this libmicrohttpd does not lay requests out as the guard needs it");
  else if (open_tls(server) && open_socket(server)) {
    note_address(server);
    server->deadlines = deadlines_start(options->request_timeout, IDLE_SECONDS);
    server->limits = connection_limits_new(options->max_connections);
    if (options->writers > 0)
      server->writers =
          writers_start(options->writers, WRITERS_WAITING, WRITER_WAIT_MS, answer_on_writer);
    if (server->deadlines != NULL && server->limits != NULL &&
        (server->writers != NULL || options->writers == 0))
      server->daemon = start_daemon(server);
    if (server->daemon != NULL)
      return server;
    log_line(options->service->log, LOG_ERROR, "the HTTP server does not start");
  }
  http_server_stop(server);
  return NULL;
}

void http_server_stop(struct http_server *server) {
  if (server == NULL)
    return;
  if (server->daemon != NULL) {
    static const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    atomic_store(&server->stopping, true);
    MHD_quiesce_daemon(server->daemon);
    shutdown(server->socket, SHUT_RDWR); /* whoever connects now is refused, not left waiting */
    deadlines_end_idle(server->deadlines);
    for (int i = 0;
         i < (int)server->options.stop_seconds * 50 && http_server_connections(server) > 0; i++)
      nanosleep(&pause, NULL);
    /* The library may not be stopped while a connection is suspended. Each writer ends within the
     * store's busy timeout; then its answer gets a moment to be sent. */
    writers_stop(server->writers);
    for (int i = 0; i < STOP_ROUNDS && http_server_connections(server) > 0; i++)
      nanosleep(&pause, NULL);
    MHD_stop_daemon(server->daemon);
  }
  writers_stop(server->writers);
  writers_free(server->writers);
  connection_limits_free(server->limits);
  deadlines_stop(server->deadlines);
  if (server->socket >= 0)
    close(server->socket);
  tls_close(server->tls);
  free(server);
}

bool http_server_reload(struct http_server *server) {
  struct log *log = server->options.service->log;
  if (server->tls == NULL)
    return false;
  if (tls_reload(server->tls))
    log_line(log, LOG_INFO, "TLS: the certificate and its key were read anew");
  else
    log_line(log, LOG_ERROR, "TLS: the certificate and the key of before stay in use");
  return true;
}

unsigned http_server_port(const struct http_server *server) {
  return server->port;
}

const char *http_server_url(const struct http_server *server) {
  return server->url;
}

unsigned http_server_connections(const struct http_server *server) {
  const union MHD_DaemonInfo *info =
      MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  return info != NULL ? info->num_connections : 0;
}

unsigned http_server_waiting(const struct http_server *server) {
  return writers_count(server->writers);
}

uint64_t http_server_over_limit(const struct http_server *server, bool closed) {
  return closed ? connection_limits_closed(server->limits)
                : connection_limits_answered(server->limits);
}
