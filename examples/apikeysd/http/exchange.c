/* SPDX-License-Identifier: MIT */
#include "http/exchange.h"

#include <jansson.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What an exchange keeps until its end. */
struct exchange_block {
  struct exchange_block *next;
  size_t size;
  max_align_t bytes[];
};

int exchange_begin(struct exchange *x, struct service *service) {
  memset(x, 0, offsetof(struct exchange, err));
  x->query.count = x->headers.count = x->arguments.count = 0;
  x->service = service;
  if (x->err == NULL)
    x->err = apikeys_error_new();
  if (x->actor == NULL)
    x->actor = apikeys_actor_new();
  if (x->key == NULL)
    x->key = apikeys_key_new();
  return x->err != NULL && x->actor != NULL && x->key != NULL ? 0 : -1;
}

void exchange_end(struct exchange *x) {
  if (x->reply != NULL && !x->reply_lent) {
    sodium_memzero(x->reply, x->reply_length);
    free(x->reply);
  }
  x->reply = NULL;
  while (x->blocks != NULL) {
    struct exchange_block *next = x->blocks->next;
    sodium_memzero(x->blocks->bytes, x->blocks->size);
    free(x->blocks);
    x->blocks = next;
  }
  sodium_memzero(x->room, x->room_used);
  x->room_used = 0;
  apikeys_actor_set_nobody(x->actor);
  apikeys_error_clear(x->err);
}

void exchange_release(struct exchange *x) {
  apikeys_key_free(x->key);
  apikeys_actor_free(x->actor);
  apikeys_error_free(x->err);
}

/* For what the room has no room for. */
static void *new_block(struct exchange *x, size_t size) {
  struct exchange_block *block = calloc(1, sizeof *block + size);
  if (block == NULL)
    return NULL;
  block->size = size;
  block->next = x->blocks;
  x->blocks = block;
  return block->bytes;
}

void *exchange_memory(struct exchange *x, size_t size) {
  enum { UNIT = sizeof(max_align_t) };
  if (size > sizeof x->room - x->room_used)
    return new_block(x, size);
  char *memory = (char *)x->room + x->room_used;
  x->room_used += (size + UNIT - 1) / UNIT * UNIT; /* the room is a multiple of it */
  return memset(memory, 0, size);
}

char *exchange_copy(struct exchange *x, const char *text, size_t length) {
  char *copy = exchange_memory(x, length + 1);
  if (copy != NULL && length > 0)
    memcpy(copy, text, length);
  return copy;
}

char *exchange_format(struct exchange *x, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *text = length >= 0 ? exchange_memory(x, (size_t)length + 1) : NULL;
  if (text == NULL)
    return NULL;
  va_start(arguments, format);
  vsnprintf(text, (size_t)length + 1, format, arguments);
  va_end(arguments);
  return text;
}

/* -- Looking things up ------------------------------------------------------------------------- */

static const char *find(const struct pairs *pairs, const char *name,
                        int (*compare)(const char *, const char *), size_t *length) {
  for (size_t i = 0; i < pairs->count; i++) {
    if (exchange_may_be(pairs->at[i].name, name) && compare(pairs->at[i].name, name) == 0) {
      if (length != NULL)
        *length = pairs->at[i].length;
      return pairs->at[i].text;
    }
  }
  if (length != NULL)
    *length = 0;
  return NULL;
}

const char *exchange_header(const struct exchange *x, const char *name, size_t *length) {
  return find(&x->headers, name, strcasecmp, length);
}

const char *exchange_parameter(const struct exchange *x, const char *name, size_t *length) {
  return find(&x->query, name, strcmp, length);
}

const char *exchange_argument(const struct exchange *x, const char *name, size_t *length) {
  const char *text = find(&x->arguments, name, strcmp, length);
  return text != NULL ? text : "";
}

const char *exchange_bearer(const struct exchange *x, size_t *length) {
  const char *text = exchange_header(x, "Authorization", length);
  if (text == NULL || strncasecmp(text, "Bearer ", 7) != 0)
    return NULL;
  size_t skip = 6 + strspn(text + 6, " "); /* RFC 9110, 11.6.2: one blank or more */
  *length -= skip;
  return *length > 0 ? text + skip : NULL;
}

/* -- Decoding ---------------------------------------------------------------------------------- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Is it UTF-8, and so fit to be repeated in JSON? */
static bool is_utf8(const char *text, size_t length) {
  json_t *string = json_stringn(text, length);
  json_decref(string);
  return string != NULL;
}

/* The decoded text, or NULL: a bad escape, a control character, no UTF-8, no memory. */
static char *decode(struct exchange *x, const char *text, size_t length, bool plus_is_blank,
                    size_t *decoded_length) {
  char *out = exchange_memory(x, length + 1);
  size_t n = 0;
  for (size_t i = 0; out != NULL && i < length; i++) {
    char c = text[i];
    if (c == '%') {
      int high = length - i > 2 ? hex_digit(text[i + 1]) : -1;
      int low = length - i > 2 ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return NULL;
      c = (char)(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if ((unsigned char)c < 0x20 || c == 0x7f)
      return NULL;
    out[n++] = c;
  }
  *decoded_length = n;
  return out != NULL && is_utf8(out, n) ? out : NULL;
}

static bool add_parameter(struct exchange *x, const char *text, size_t length) {
  if (length == 0)
    return true;
  if (x->query.count == EXCHANGE_PARAMETERS_MAX)
    return false;
  const char *equals = memchr(text, '=', length);
  size_t name_length = equals != NULL ? (size_t)(equals - text) : length, ignored;
  const char *value = equals != NULL ? equals + 1 : text + length;
  struct pair *pair = &x->query.at[x->query.count];
  pair->name = decode(x, text, name_length, true, &ignored);
  pair->text = decode(x, value, (size_t)(text + length - value), true, &pair->length);
  if (pair->name == NULL || pair->text == NULL)
    return false;
  x->query.count++;
  return true;
}

bool exchange_parse_query(struct exchange *x, const char *query) {
  for (;;) {
    size_t length = strcspn(query, "&");
    if (!add_parameter(x, query, length))
      return false;
    if (query[length] == '\0')
      return true;
    query += length + 1;
  }
}

bool exchange_decode_segment(struct exchange *x, const char *text, size_t length,
                             struct pair *out) {
  out->text = decode(x, text, length, false, &out->length);
  return out->text != NULL;
}
