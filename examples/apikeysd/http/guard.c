/* SPDX-License-Identifier: MIT */
#include "http/guard.h"

#include "http/reply.h"

#include <microhttpd.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { URI_MAX = 8192, HEADERS_SIZE_MAX = 16384 };

static bool refuse(struct exchange *x, int status, const char *code, const char *message) {
  reply_error(x, status, code, "%s", message);
  x->close_after = true;
  return false;
}

static bool unclear(struct exchange *x, const char *message) {
  return refuse(x, 400, "bad_request", message);
}

/* -- The first line ---------------------------------------------------------------------------- */

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

static bool check_version(struct exchange *x, const char *version) {
  return strcmp(version, "HTTP/1.1") == 0 || strcmp(version, "HTTP/1.0") == 0 ||
         refuse(x, 505, "version_not_supported", "This speaks HTTP/1.1.");
}

/* "." and ".." would mean another path to whoever resolves them; here they mean nothing. */
static bool has_dot_segment(const char *path) {
  while (*path == '/') {
    size_t length = strcspn(++path, "/");
    if ((length == 1 && path[0] == '.') || (length == 2 && path[0] == '.' && path[1] == '.'))
      return true;
    path += length;
  }
  return false;
}

/* Escaped dots and NULs, which no client of ours sends, hide a path from those before us. */
static bool has_hidden(const char *path) {
  for (; (path = strchr(path, '%')) != NULL; path++)
    if (strncasecmp(path, "%2e", 3) == 0 || strncmp(path, "%00", 3) == 0)
      return true;
  return false;
}

static bool has_unprintable(const char *text) {
  for (; *text != '\0'; text++)
    if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
      return true;
  return false;
}

static bool read_uri(struct exchange *x, const char *uri) {
  size_t length = strcspn(uri, "?");
  if (length + strlen(uri + length) > URI_MAX)
    return refuse(x, 414, "uri_too_long", "The path and its query are too long.");
  if (uri[0] != '/' || has_unprintable(uri) || strchr(uri, '#') != NULL)
    return refuse(x, 400, "bad_path", "The path must begin with a slash and be well encoded.");
  if ((x->path = exchange_copy(x, uri, length)) == NULL || has_dot_segment(x->path) ||
      has_hidden(x->path))
    return refuse(x, 400, "bad_path", "The path must not contain dot segments.");
  if (uri[length] == '?' && !exchange_parse_query(x, uri + length + 1))
    return refuse(x, 400, "bad_query", "The query is not well encoded.");
  return true;
}

/* -- Headers ----------------------------------------------------------------------------------- */

/* The name's bytes, as RFC 9110 (5.6.2) has them. */
static bool is_token(const char *text, size_t length) {
  /* A bit for each byte below 128: ! # $ % & ' * + - . 0-9, then A-Z ^ _, then ` a-z | ~. */
  static const uint32_t allowed[] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 0x80 || (allowed[c >> 5] >> (c & 31) & 1) == 0)
      return false;
  }
  return length > 0;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static bool is_field_text(const char *text, size_t length) {
  int bad = 0;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    bad |= ((c < 0x20) & (c != '\t')) | (c == 0x7f); /* without branches: many bytes at once */
  }
  return bad == 0 && (length == 0 || !is_blank(text[0]));
}

/*
 * Blanks behind a value are none of it (RFC 9110, 5.5). Not so behind those that say where the
 * request ends: the library reads these itself, and must read the same. NULL: refused.
 */
static const char *trim(struct exchange *x, const char *name, const char *text, size_t *length) {
  size_t sent = *length;
  while (*length > 0 && is_blank(text[*length - 1]))
    --*length;
  if (*length == sent)
    return text;
  bool frames = strcasecmp(name, "Content-Length") == 0 ||
                strcasecmp(name, "Transfer-Encoding") == 0 || strcasecmp(name, "Connection") == 0 ||
                strcasecmp(name, "Host") == 0 || strcasecmp(name, "Expect") == 0;
  return frames ? NULL : exchange_copy(x, text, *length);
}

/*
 * The walk over the headers. Where each begins is compared with where the one before ended: what
 * the library dropped or joined on its way (a NUL and what follows it, a folded line, a bare LF)
 * leaves a gap. The bytes between are the library's own buffer, still there.
 */
struct walk {
  struct exchange *x;
  const char *expected; /* where the next name must begin; NULL before the first */
  size_t size;          /* of all header lines so far */
  bool good;
};

/* Between a name and its value: a colon and blanks. Then the value's end and the line's. */
static bool lies_as_sent(const struct walk *walk, const char *name, size_t name_length,
                         const char *text, size_t length) {
  if ((walk->expected != NULL && name != walk->expected) || text <= name + name_length)
    return false;
  /* MHD ends the name where the colon was, so what is checked is what follows it. */
  for (const char *at = name + name_length + 1; at < text; at++)
    if (!is_blank(*at))
      return false;
  return strlen(text) == length && strlen(name) == name_length;
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   size_t name_length, const char *text, size_t length) {
  struct walk *walk = cls;
  struct exchange *x = walk->x;
  (void)kind;
  walk->good = x->headers.count < EXCHANGE_HEADERS_MAX && text != NULL &&
               lies_as_sent(walk, name, name_length, text, length) && is_token(name, name_length) &&
               is_field_text(text, length);
  if (!walk->good)
    return MHD_NO;
  size_t trimmed = length;
  const char *value = trim(x, name, text, &trimmed);
  walk->good = value != NULL;
  if (!walk->good)
    return MHD_NO;
  x->headers.at[x->headers.count++] = (struct pair){name, value, trimmed};
  walk->expected = text + length + 2;
  walk->size += (size_t)(walk->expected - name);
  return MHD_YES;
}

static size_t header_size(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info != NULL ? info->header_size : 0;
}

static bool read_headers(struct exchange *x, const struct guard_request *request) {
  struct walk walk = {.x = x, .good = true};
  size_t size = header_size(request->connection);
  if (size > HEADERS_SIZE_MAX)
    return refuse(x, 431, "headers_too_large", "The headers are too large.");
  MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, take_header, &walk);
  if (!walk.good && x->headers.count == EXCHANGE_HEADERS_MAX)
    return refuse(x, 431, "too_many_headers", "There are too many headers.");
  /* All that came, byte for byte: the first line with two blanks and CRLF, the headers, CRLF. */
  size_t rebuilt = strlen(request->method) + 1 + strlen(request->uri) + 1 +
                   strlen(request->version) + 2 + walk.size + 2;
  return (walk.good && rebuilt == size) || unclear(x, "The headers are not well formed.");
}

static size_t count_headers(const struct exchange *x, const char *name) {
  size_t count = 0;
  for (size_t i = 0; i < x->headers.count; i++)
    count += exchange_may_be(x->headers.at[i].name, name) &&
             strcasecmp(x->headers.at[i].name, name) == 0;
  return count;
}

static bool check_single(struct exchange *x, const char *version) {
  size_t hosts = count_headers(x, "Host");
  if (hosts > 1 || (hosts == 0 && strcmp(version, "HTTP/1.1") == 0))
    return unclear(x, "There must be exactly one Host.");
  return count_headers(x, "Authorization") <= 1 || unclear(x, "There are two Authorizations.");
}

static bool read_length(struct exchange *x, size_t max_body, size_t *body_length) {
  const char *text = exchange_header(x, "Content-Length", NULL);
  *body_length = 0;
  if (count_headers(x, "Transfer-Encoding") > 0)
    return refuse(x, 411, "length_required",
                  "A body must come with its length: send Content-Length instead of "
                  "Transfer-Encoding.");
  if (text == NULL)
    return true;
  size_t digits = strspn(text, "0123456789");
  if (count_headers(x, "Content-Length") > 1 || digits == 0 || text[digits] != '\0')
    return unclear(x, "The body's length is not clear.");
  *body_length = digits <= 9 ? strtoul(text, NULL, 10) : max_body + 1;
  return *body_length <= max_body || refuse(x, 413, "too_large", "The body is too large.");
}

bool guard_admit(struct exchange *x, const struct guard_request *request, size_t *body_length) {
  x->path = "/"; /* until it is known */
  return read_headers(x, request) && check_version(x, request->version) &&
         check_single(x, request->version) && read_uri(x, request->uri) &&
         read_method(x, request->method) && read_length(x, request->max_body, body_length);
}
