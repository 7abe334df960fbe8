/* SPDX-License-Identifier: MIT */
/*
 * One HTTP request and the answer to it, without the HTTP library: what handlers read and write.
 *
 *   void show_widget(struct exchange *x) {
 *     const char *id = exchange_argument(x, "id", &length);
 *     …
 *     reply_text(x, 200, json, json_length);
 *   }
 *
 * An exchange is used by one thread. Text that it lends lives until the exchange ends.
 */
#ifndef SERVER_HTTP_EXCHANGE_H
#define SERVER_HTTP_EXCHANGE_H

#include "http/request_id.h"

#include <apikeys.h>

#include <stdbool.h>
#include <stddef.h>

struct service;
struct route;

/* HEAD is answered as GET; the HTTP library leaves the body away. */
enum method {
  METHOD_GET = 1,
  METHOD_POST,
  METHOD_PUT,
  METHOD_PATCH,
  METHOD_DELETE,
  METHOD_OPTIONS,
};

enum {
  EXCHANGE_ARGUMENTS_MAX = 4,
  EXCHANGE_PARAMETERS_MAX = 64,
  EXCHANGE_HEADERS_MAX = 64,
  EXCHANGE_ROOM = 2048,
  EXCHANGE_ADDRESS_MAX = 64
};

/* A name with its text: a header, a parameter of the query, an argument of the path. */
struct pair {
  const char *name;
  const char *text; /* NUL-terminated as well */
  size_t length;
};

struct pairs {
  struct pair at[EXCHANGE_PARAMETERS_MAX];
  size_t count;
};

struct reply_header {
  struct reply_header *next;
  const char *name;
  const char *text;
};

struct exchange {
  struct service *service;

  enum method method;
  const char *path; /* as it was sent, without the query */
  char *body;       /* NUL-terminated; wiped when the exchange ends */
  size_t body_length;
  char address[EXCHANGE_ADDRESS_MAX];
  char request_id[REQUEST_ID_MAX];
  bool secure;      /* came through TLS */
  int64_t began_us; /* monotonic, for the log and the metrics */

  const struct route *route; /* NULL until one matched */
  struct session *session;   /* the dashboard's, where the route asks for one */

  int status; /* 0 until there is an answer */
  char *reply;
  size_t reply_length;
  const char *reply_type;
  bool reply_lent;  /* static bytes, or the exchange's memory: not freed and wiped by itself */
  bool close_after; /* end the connection with this answer */
  struct reply_header *reply_headers;

  struct exchange_block *blocks;
  size_t room_used;

  /* Kept from one exchange to the next, and as new at the beginning of each. */
  apikeys_error *err;
  apikeys_actor *actor; /* nobody until the route's access was checked */
  apikeys_key *key;     /* for a validation's answer; whatever it was before that */

  /* Large, so not cleared for each request: the counts, and room_used, tell what is there. */
  struct pairs query;                                    /* decoded */
  struct pairs headers;                                  /* in the order they came */
  struct pairs arguments;                                /* of the route's path, decoded */
  max_align_t room[EXCHANGE_ROOM / sizeof(max_align_t)]; /* for what exchange_memory() gives */
};

/* Makes a new exchange of `x`, which is zeroed or has ended. 0 or -1: out of memory. To be
 * ended. */
int exchange_begin(struct exchange *x, struct service *service);
/* Wipes and frees everything, the reply too, but for what the next one begins with. */
void exchange_end(struct exchange *x);
/* Frees that too, of one that is zeroed or has ended. */
void exchange_release(struct exchange *x);

/* Memory, zeroed, and text that live as long as the exchange; NULL: out of memory. */
void *exchange_memory(struct exchange *x, size_t size);
char *exchange_copy(struct exchange *x, const char *text, size_t length);
char *exchange_format(struct exchange *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Most names differ in their first letter already, whatever its case: false says that they do. */
static inline bool exchange_may_be(const char *name, const char *other) {
  return ((name[0] ^ other[0]) & ~0x20) == 0;
}

/* The first one of that name, or NULL. Header names without case. `length` may be NULL. */
const char *exchange_header(const struct exchange *x, const char *name, size_t *length);
const char *exchange_parameter(const struct exchange *x, const char *name, size_t *length);
/* Of the route's path; "" if the route has none of that name. */
const char *exchange_argument(const struct exchange *x, const char *name, size_t *length);

/*
 * Split and decode a query: %XX and '+'. False: it is malformed (a bad escape, a NUL or another
 * control character, no UTF-8, too many parameters), or out of memory.
 */
bool exchange_parse_query(struct exchange *x, const char *query);

/* Decode one path segment. False as above; a slash may come as %2F. */
bool exchange_decode_segment(struct exchange *x, const char *text, size_t length, struct pair *out);

/* The token of "Authorization: Bearer <token>" (RFC 6750), or NULL. */
const char *exchange_bearer(const struct exchange *x, size_t *length);

#endif
