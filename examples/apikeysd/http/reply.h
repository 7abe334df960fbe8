/* SPDX-License-Identifier: MIT */
/*
 * Answers. Each exchange gets exactly one: the first of these that is called; a later one replaces
 * it (an error found while writing). All bodies of the API are JSON, errors too: the official
 * clients cannot read anything else.
 */
#ifndef SERVER_HTTP_REPLY_H
#define SERVER_HTTP_REPLY_H

#include "http/exchange.h"

#include <jansson.h>

/* JSON as text; copied. */
void reply_text(struct exchange *x, int status, const char *json, size_t length);
/* JSON as a value; its reference is taken. NULL: 500, out of memory. */
void reply_json(struct exchange *x, int status, json_t *json);
/* Text from malloc, such as open_memstream() makes; taken. NULL: 500, out of memory. */
void reply_take(struct exchange *x, int status, char *json, size_t length);
/* JSON in memory of the exchange's own (exchange_memory()), which is wiped with it. NULL: 503. */
void reply_own(struct exchange *x, int status, char *json, size_t length);
/* No body: 204. */
void reply_nothing(struct exchange *x);
/* No body: 304, the client has what it asked for. */
void reply_not_modified(struct exchange *x);
/* 302 to a path of ours. */
void reply_redirect(struct exchange *x, const char *path);
/* Bytes that live for ever: an asset. */
void reply_static(struct exchange *x, const char *type, const void *bytes, size_t length);
/* A header of the answer; copied. */
void reply_header(struct exchange *x, const char *name, const char *text);

/* {"message":…,"code":…}; `code` may be NULL. */
void reply_error(struct exchange *x, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * 422 {"message":"Validation failed.","errors":[{"code":…,"field":…}]}, the shape of the contract
 * for input that is wrong in one field.
 */
void reply_invalid(struct exchange *x, const char *code, const char *field);

/*
 * What a call of the library said, other than 0. `noun` and `id` tell what was looked for:
 * "API Key not found: 'api_key_…'."
 */
void reply_failure(struct exchange *x, int rc, const char *noun, const char *id);

#endif
