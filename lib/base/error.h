/* SPDX-License-Identifier: MIT */
/* The error object, from inside: set once where the failure is known, returned in the same line. */
#ifndef AK_BASE_ERROR_H
#define AK_BASE_ERROR_H

#include <apikeys/error.h>

/*
 * Fill `err` (which may be NULL) and return `code`, so that a failure is one statement:
 *   return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "name", "must not be empty");
 * `field` may be ""; `format` is printf's and must never be given a secret. A NULL format takes the
 * code's own text.
 */
int ak_error_set(apikeys_error *err, int code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with the code's own text. */
int ak_error_code(apikeys_error *err, int code);

/* Names the object that stands in the way; copied, cut at 255 bytes. */
void ak_error_set_subject(apikeys_error *err, const char *text, size_t length);

/* Marks a call as good: returns APIKEYS_OK. */
int ak_error_clear(apikeys_error *err);

#endif
