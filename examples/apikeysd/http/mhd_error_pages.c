/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "http/mhd_error_pages.h"

#include "http/request_id.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

typedef enum MHD_Result queue_function(struct MHD_Connection *, unsigned, struct MHD_Response *);
typedef enum MHD_Result lookup_function(struct MHD_Connection *, enum MHD_ValueKind, const char *,
                                        size_t, const char **, size_t *);

/* -- The library's own functions --------------------------------------------------------------- */

static union {
  void *object;
  queue_function *function;
} next_queue;

static union {
  void *object;
  lookup_function *function;
} next_lookup;

static void find_next(void) {
  next_queue.object = dlsym(RTLD_NEXT, "MHD_queue_response");
  next_lookup.object = dlsym(RTLD_NEXT, "MHD_lookup_connection_value_n");
}

static bool have_next(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find_next);
  return next_queue.object != NULL && next_lookup.object != NULL;
}

enum MHD_Result mhd_error_pages_queue_answer(struct MHD_Connection *connection, unsigned status,
                                             struct MHD_Response *response) {
  return have_next() ? next_queue.function(connection, status, response) : MHD_NO;
}

/* -- A refusal in our words -------------------------------------------------------------------- */

static const char *json_for(unsigned status) {
  switch (status) {
  case MHD_HTTP_URI_TOO_LONG:
    return "{\"message\":\"The path and its query are too long.\",\"code\":\"uri_too_long\"}";
  case MHD_HTTP_CONTENT_TOO_LARGE:
    return "{\"message\":\"The body is too large.\",\"code\":\"too_large\"}";
  case MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE:
    return "{\"message\":\"The headers are too large.\",\"code\":\"headers_too_large\"}";
  case MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED:
    return "{\"message\":\"This speaks HTTP/1.1.\",\"code\":\"version_not_supported\"}";
  case MHD_HTTP_INTERNAL_SERVER_ERROR:
    return "{\"message\":\"The service made no answer.\",\"code\":\"internal\"}";
  default:
    return "{\"message\":\"The request is not well formed.\",\"code\":\"bad_request\"}";
  }
}

/* The text lives for ever. "Connection: close" the library adds itself. */
static struct MHD_Response *make_refusal(unsigned status) {
  union {
    const char *in;
    void *out;
  } pun = {.in = json_for(status)};
  char id[REQUEST_ID_MAX];
  struct MHD_Response *response =
      MHD_create_response_from_buffer(strlen(pun.in), pun.out, MHD_RESPMEM_PERSISTENT);
  if (response == NULL)
    return NULL;
  request_id(id);
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "X-Request-ID", id);
  MHD_add_response_header(response, "Content-Type", "application/json; charset=utf-8");
  MHD_add_response_header(response, "Cache-Control", "no-store");
  return response;
}

/*
 * What has come of the request and was not read is dropped: a connection that is closed with bytes
 * unread is reset, and then the client may never see the answer.
 */
static void drop_unread(struct MHD_Connection *connection) {
  enum { PIECE = 64 * 1024, PIECES = 64 };
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  for (int i = 0; info != NULL && i < PIECES; i++)
    if (recv(info->connect_fd, NULL, PIECE, MSG_TRUNC | MSG_DONTWAIT) <= 0)
      return;
}

/* -- In the library's place -------------------------------------------------------------------- */

#pragma GCC visibility push(default)

enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned status,
                                   struct MHD_Response *theirs) {
  struct MHD_Response *ours = make_refusal(status);
  drop_unread(connection);
  enum MHD_Result result =
      mhd_error_pages_queue_answer(connection, status, ours != NULL ? ours : theirs);
  if (ours != NULL)
    MHD_destroy_response(ours);
  return result;
}

/*
 * A length that is not plainly one is not found, so that the library does not stumble over it: the
 * guard, which sees every header as it was sent, refuses it.
 */
enum MHD_Result MHD_lookup_connection_value_n(struct MHD_Connection *connection,
                                              enum MHD_ValueKind kind, const char *key,
                                              size_t key_size, const char **value,
                                              size_t *value_size) {
  static const char length_header[] = MHD_HTTP_HEADER_CONTENT_LENGTH;
  if (!have_next())
    return MHD_NO;
  enum MHD_Result found = next_lookup.function(connection, kind, key, key_size, value, value_size);
  if (found != MHD_YES || kind != MHD_HEADER_KIND || key_size != sizeof length_header - 1 ||
      strncasecmp(key, length_header, key_size) != 0)
    return found;
  size_t digits = value != NULL && *value != NULL ? strspn(*value, "0123456789") : 0;
  bool plain = digits >= 1 && digits <= 9 && (*value)[digits] == '\0';
  return plain ? MHD_YES : MHD_NO;
}

#pragma GCC visibility pop
