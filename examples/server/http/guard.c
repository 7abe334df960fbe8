/* SPDX-License-Identifier: MIT */
#include "http/guard.h"

#include "http/reply.h"

#include <microhttpd.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool refuse(struct exchange *x, int status, const char *code, const char *message) {
  reply_error(x, status, code, "%s", message);
  x->close_after = true;
  return false;
}

static bool read_method(struct exchange *x, const char *method) {
  static const struct {
    const char *name;
    enum method method;
  } known[] = {
      {"GET", METHOD_GET},         {"HEAD", METHOD_GET},    {"POST", METHOD_POST},
      {"PUT", METHOD_PUT},         {"PATCH", METHOD_PATCH}, {"DELETE", METHOD_DELETE},
      {"OPTIONS", METHOD_OPTIONS},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strcmp(method, known[i].name) == 0) {
      x->method = known[i].method;
      return true;
    }
  }
  return refuse(x, 405, "method_not_allowed", "This method is not known here.");
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   size_t name_length, const char *text, size_t length) {
  struct exchange *x = cls;
  (void)kind;
  (void)name_length;
  if (x->headers.count == EXCHANGE_HEADERS_MAX)
    return MHD_NO;
  x->headers.at[x->headers.count++] = (struct pair){name, text != NULL ? text : "", length};
  return MHD_YES;
}

static bool read_headers(struct exchange *x, struct MHD_Connection *connection) {
  int count = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_header, x);
  return (size_t)count == x->headers.count ||
         refuse(x, 431, "too_many_headers", "There are too many headers.");
}

static size_t count_headers(const struct exchange *x, const char *name) {
  size_t count = 0;
  for (size_t i = 0; i < x->headers.count; i++)
    count += strcasecmp(x->headers.at[i].name, name) == 0;
  return count;
}

static bool check_single(struct exchange *x) {
  return (count_headers(x, "Host") == 1 && count_headers(x, "Authorization") <= 1) ||
         refuse(x, 400, "bad_request", "There must be one Host, and at most one Authorization.");
}

static bool read_length(struct exchange *x, size_t max_body, size_t *body_length) {
  const char *text = exchange_header(x, "Content-Length", NULL);
  *body_length = 0;
  if (count_headers(x, "Transfer-Encoding") > 0)
    return refuse(x, 411, "length_required", "A body must come with its length.");
  if (text == NULL)
    return true;
  size_t digits = strspn(text, "0123456789");
  if (count_headers(x, "Content-Length") > 1 || digits == 0 || digits > 9 || text[digits] != '\0')
    return refuse(x, 400, "bad_request", "The body's length is not clear.");
  *body_length = strtoul(text, NULL, 10);
  return *body_length <= max_body || refuse(x, 413, "too_large", "The body is too large.");
}

static bool read_uri(struct exchange *x, const char *uri) {
  size_t length = strcspn(uri, "?");
  if (uri[0] != '/' || (x->path = exchange_copy(x, uri, length)) == NULL)
    return refuse(x, 400, "bad_path", "The path must begin with a slash.");
  if (uri[length] == '?' && !exchange_parse_query(x, uri + length + 1))
    return refuse(x, 400, "bad_query", "The query is not well encoded.");
  return true;
}

bool guard_admit(struct exchange *x, const struct guard_request *request, size_t *body_length) {
  x->path = "/";
  return read_headers(x, request->connection) && read_uri(x, request->uri) &&
         read_method(x, request->method) && check_single(x) &&
         read_length(x, request->max_body, body_length);
}
