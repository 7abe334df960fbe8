/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON into memory that grows. Pure.
 *
 * Call after call appends the next item; commas and escapes are the writer's, keys before values
 * and ends after beginnings the caller's. Running out of memory is remembered: later calls do
 * nothing, and it is enough to ask once, at the end. Growing copies the text and leaves the old
 * one in freed memory, so nothing secret belongs in here.
 */
#ifndef AK_BASE_JSON_WRITER_H
#define AK_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ak_json {
  char *text; /* NUL-terminated, or NULL before the first item */
  size_t length, capacity;
  bool failed;
  bool ascii_only;
};

void ak_json_init(struct ak_json *json);

/*
 * As above, and strings keep to ASCII: all else is written as \uXXXX, and so are < > ? ~ & and
 * DEL. Without > ? ~ and DEL the base64url of the text contains neither '-' nor '_', so that it is
 * plain base64 as well, which browsers decode; without < and & it is safe inside HTML.
 */
void ak_json_init_ascii(struct ak_json *json);

void ak_json_clear(struct ak_json *json); /* ready for use again, in the memory that it has */
void ak_json_free(struct ak_json *json);  /* the same without it; the mode stays */

bool ak_json_failed(const struct ak_json *json);

/* What was written, with its NUL; NULL if it failed. Lives until the next call. `length` may be
 * NULL. */
const char *ak_json_text(const struct ak_json *json, size_t *length);

void ak_json_object_begin(struct ak_json *json);
void ak_json_object_end(struct ak_json *json);
void ak_json_array_begin(struct ak_json *json);
void ak_json_array_end(struct ak_json *json);

/* A member's name; its value comes next. */
void ak_json_key(struct ak_json *json, const char *key);
/* The same for a name of ours, in which nothing needs an escape. */
void ak_json_name(struct ak_json *json, const char *name);

/*
 * Escaped as far as JSON asks for it, and U+2028 and U+2029, which JavaScript long took for line
 * ends. Each byte that is not UTF-8 becomes U+FFFD, so that the output always is.
 */
void ak_json_string(struct ak_json *json, const char *text, size_t length);

/* Text of ours, in which nothing needs an escape. */
void ak_json_literal(struct ak_json *json, const char *text);

void ak_json_int64(struct ak_json *json, int64_t number);
void ak_json_bool(struct ak_json *json, bool value);
void ak_json_null(struct ak_json *json);

/* One whole value that is JSON already. */
void ak_json_raw(struct ak_json *json, const char *value, size_t length);

#endif
