/* SPDX-License-Identifier: MIT */
#include "http/reply.h"

#include "http/router.h"
#include "log.h"
#include "mask.h"
#include "metrics.h"
#include "service.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TYPE "application/json; charset=utf-8"
#define OUT_OF_MEMORY "{\"message\":\"The service is out of memory.\"}"

static void set(struct exchange *x, int status, const char *type, char *bytes, size_t length,
                bool lent) {
  if (x->reply != NULL && !x->reply_lent) {
    sodium_memzero(x->reply, x->reply_length);
    free(x->reply);
  }
  x->status = status;
  x->reply = bytes;
  x->reply_length = length;
  x->reply_type = type;
  x->reply_lent = lent;
}

/* The one answer that needs no memory. The cast drops a const that the flag beside it keeps. */
static void out_of_memory(struct exchange *x) {
  static char text[] = OUT_OF_MEMORY;
  set(x, 503, JSON_TYPE, text, sizeof text - 1, true);
}

void reply_take(struct exchange *x, int status, char *json, size_t length) {
  if (json == NULL)
    out_of_memory(x);
  else
    set(x, status, JSON_TYPE, json, length, false);
}

void reply_own(struct exchange *x, int status, char *json, size_t length) {
  if (json == NULL)
    out_of_memory(x);
  else
    set(x, status, JSON_TYPE, json, length, true);
}

void reply_text(struct exchange *x, int status, const char *json, size_t length) {
  char *copy = json != NULL ? malloc(length + 1) : NULL;
  if (copy != NULL) {
    memcpy(copy, json, length);
    copy[length] = '\0';
  }
  reply_take(x, status, copy, length);
}

void reply_json(struct exchange *x, int status, json_t *json) {
  char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  reply_take(x, status, text, text != NULL ? strlen(text) : 0);
}

void reply_nothing(struct exchange *x) {
  set(x, 204, NULL, NULL, 0, true);
}

void reply_not_modified(struct exchange *x) {
  set(x, 304, NULL, NULL, 0, true);
}

void reply_redirect(struct exchange *x, const char *path) {
  set(x, 302, NULL, NULL, 0, true);
  reply_header(x, "Location", path);
}

void reply_static(struct exchange *x, const char *type, const void *bytes, size_t length) {
  union {
    const void *in;
    char *out;
  } pun = {.in = bytes};
  set(x, 200, type, pun.out, length, true);
}

void reply_header(struct exchange *x, const char *name, const char *text) {
  struct reply_header *header = exchange_memory(x, sizeof *header);
  if (header == NULL)
    return;
  header->name = name;
  header->text = exchange_copy(x, text, strlen(text));
  if (header->text == NULL)
    return;
  header->next = x->reply_headers;
  x->reply_headers = header;
}

void reply_error(struct exchange *x, int status, const char *code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  json_t *whole = json_vsprintf(format, arguments);
  json_t *message = whole != NULL ? mask_json(json_string_value(whole)) : NULL;
  va_end(arguments);
  json_decref(whole);
  reply_json(x, status,
             code != NULL ? json_pack("{s:o,s:s}", "message", message, "code", code)
                          : json_pack("{s:o}", "message", message));
}

void reply_invalid(struct exchange *x, const char *code, const char *field) {
  reply_json(x, 422,
             json_pack("{s:s,s:[{s:s,s:s}]}", "message", "Validation failed.", "errors", "code",
                       code, "field", field));
}

/* -- What the library said --------------------------------------------------------------------- */

/* The codes that clients see for what the library refuses; where none is named, the message alone
 * tells. */
static const struct wire_code {
  int rc;
  int status;
  const char *code;
} wire_codes[] = {
    {APIKEYS_ERROR_UNKNOWN_PERMISSION, 422, "unknown_permission"},
    {APIKEYS_ERROR_PERMISSION_NOT_AVAILABLE, 422, "permission_not_available"},
    {APIKEYS_ERROR_PERMISSION_NOT_HELD, 422, "permission_not_held"},
    {APIKEYS_ERROR_EXPIRY_REQUIRED, 422, "expiry_required"},
    {APIKEYS_ERROR_LIFETIME_TOO_LONG, 422, "lifetime_too_long"},
    {APIKEYS_ERROR_CURSOR_UNKNOWN, 422, "cursor_unknown"},
    {APIKEYS_ERROR_CURSOR_EXPIRED, 422, "cursor_expired"},
    {APIKEYS_ERROR_ACTOR_UNKNOWN, 401, "unauthorized"},
    {APIKEYS_ERROR_NOT_ALLOWED, 403, "forbidden"},
    {APIKEYS_ERROR_SYSTEM_OBJECT, 403, "system_object"},
    {APIKEYS_ERROR_ALREADY_REVOKED, 404, "entity_not_found"},
    {APIKEYS_ERROR_ALREADY_EXPIRED, 409, "api_key_already_expired"},
    {APIKEYS_ERROR_IDEMPOTENCY_MISMATCH, 422, "idempotency_key_mismatch"},
    {APIKEYS_ERROR_TOO_MANY_KEYS, 409, "api_key_limit_reached"},
    {APIKEYS_ERROR_LAST_MANAGEMENT_KEY, 409, "last_management_key"},
    {APIKEYS_ERROR_IDEMPOTENCY_IN_FLIGHT, 409, "idempotency_key_in_flight"},
};

static const struct wire_code *wire_code(int rc) {
  for (size_t i = 0; i < sizeof wire_codes / sizeof wire_codes[0]; i++)
    if (wire_codes[i].rc == rc)
      return &wire_codes[i];
  return NULL;
}

/* Input that a field is to blame for: the form shows the message beside it. */
static void reply_field(struct exchange *x, const char *code, const char *field) {
  reply_json(x, 422,
             json_pack("{s:s,s:[{s:s,s:s,s:s}]}", "message", "Validation failed.", "errors", "code",
                       code, "field", field, "message", apikeys_error_message(x->err)));
}

/* To the widgets 401 is a fault of the network; 403 makes them fetch a new token. */
static int status_for(const struct exchange *x, int status) {
  bool widget = x->route != NULL && x->route->access == ACCESS_WIDGET;
  return status == 401 && widget ? 403 : status;
}

/* Whoever repeats a creation whose key is in use already learns which key it is. */
static void reply_used(struct exchange *x) {
  const char *id = apikeys_error_subject(x->err);
  json_t *message = json_sprintf("%s: '%s'.", apikeys_error_message(x->err), id);
  reply_json(x, 409,
             json_pack("{s:o,s:s,s:s}", "message", message, "code", "idempotency_key_used",
                       "entity_id", id));
}

/* A setter fails without a word in the error object, which may then be an earlier call's. */
static bool has_detail(const struct exchange *x, int rc) {
  return apikeys_error_code(x->err) == rc;
}

void reply_failure(struct exchange *x, int rc, const char *noun, const char *id) {
  const struct wire_code *known = wire_code(rc);
  const char *field = has_detail(x, rc) ? apikeys_error_field(x->err) : "";
  const char *message = has_detail(x, rc) ? apikeys_error_message(x->err) : apikeys_result_text(rc);
  int category = apikeys_result_category(rc);
  if (known != NULL && known->status == 422 && field[0] != '\0')
    reply_field(x, known->code, field);
  else if (rc == APIKEYS_ERROR_NOT_FOUND || rc == APIKEYS_ERROR_ALREADY_REVOKED)
    reply_error(x, 404, "entity_not_found", "%s not found: '%s'.", noun, id);
  else if (rc == APIKEYS_ERROR_IDEMPOTENCY_USED)
    reply_used(x);
  else if (known != NULL) {
    reply_error(x, status_for(x, known->status), known->code, "%s", message);
    if (rc == APIKEYS_ERROR_IDEMPOTENCY_IN_FLIGHT)
      reply_header(x, "Retry-After", "10");
  } else if (category == APIKEYS_CATEGORY_INVALID && field[0] != '\0')
    reply_field(x, "invalid", field);
  else if (category == APIKEYS_CATEGORY_INVALID)
    reply_error(x, 422, "invalid", "%s", message);
  else if (category == APIKEYS_CATEGORY_UNAVAILABLE) {
    /* The message of our own trouble is for our log, not for clients. */
    metrics_failure(x->service->metrics, rc);
    service_note_failure(x->service, rc);
    log_failure(x->service->log, x, apikeys_result_name(rc), message);
    reply_error(x, 503, "unavailable", "The service cannot do this at the moment.");
    reply_header(x, "Retry-After", "1");
  } else
    reply_error(x, status_for(x, apikeys_result_status(rc)), NULL, "%s", message);
}
