/* SPDX-License-Identifier: MIT */
/* Dates as the wire has them (ISO 8601), and as the library has them (Unix milliseconds). */
#ifndef SERVER_HTTP_TIMESTAMP_H
#define SERVER_HTTP_TIMESTAMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "2026-01-15T12:00:00.000Z", with an offset or without fraction too. What is none is told
 * TIMESTAMP_WANTED. */
#define TIMESTAMP_WANTED "must be a time with its zone: \"2026-01-15T12:00:00Z\""
bool timestamp_parse(const char *text, size_t length, int64_t *unix_ms);

/* "2026-01-15T12:00:00.000Z"; null for 0, which is "never". NULL: out of memory. */
json_t *timestamp_json(int64_t unix_ms);

#endif
