/* SPDX-License-Identifier: MIT */
/* A JSON writer (RFC 8259) into growing memory. */
#include "base/json_writer.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An API key or an event with its data: most of what is written. */
enum { FIRST_CAPACITY = 1024, REPLACEMENT = 0xfffd };

void ak_json_init(struct ak_json *json) {
  memset(json, 0, sizeof *json);
}

void ak_json_init_ascii(struct ak_json *json) {
  ak_json_init(json);
  json->ascii_only = true;
}

void ak_json_clear(struct ak_json *json) {
  json->length = 0;
  json->failed = false;
  if (json->text != NULL)
    json->text[0] = '\0';
}

void ak_json_free(struct ak_json *json) {
  bool ascii_only = json->ascii_only;
  free(json->text);
  ak_json_init(json);
  json->ascii_only = ascii_only;
}

bool ak_json_failed(const struct ak_json *json) {
  return json->failed;
}

const char *ak_json_text(const struct ak_json *json, size_t *length) {
  if (json->failed)
    return NULL;
  if (length != NULL)
    *length = json->length;
  return json->text != NULL ? json->text : "";
}

/* Room for `more` bytes and a NUL. */
static bool reserve(struct ak_json *json, size_t more) {
  if (json->failed)
    return false;
  if (more < json->capacity - json->length)
    return true;
  size_t capacity = json->capacity > 0 ? json->capacity : FIRST_CAPACITY;
  while (more >= capacity - json->length && capacity <= SIZE_MAX / 2)
    capacity *= 2;
  char *text = more < capacity - json->length ? realloc(json->text, capacity) : NULL;
  if (text == NULL) {
    json->failed = true;
    return false;
  }
  json->text = text;
  json->capacity = capacity;
  return true;
}

static void json_writer_append(struct ak_json *json, const char *bytes, size_t length) {
  if (!reserve(json, length))
    return;
  memcpy(json->text + json->length, bytes, length);
  json->length += length;
  json->text[json->length] = '\0';
}

static void append_byte(struct ak_json *json, char byte) {
  if (!reserve(json, 1))
    return;
  json->text[json->length++] = byte;
  json->text[json->length] = '\0';
}

/* No value ends in one of these, so the last byte tells whether a comma is due. */
static void separate(struct ak_json *json) {
  char last = json->length > 0 ? json->text[json->length - 1] : '{';
  if (last != '{' && last != '[' && last != ':' && last != ',')
    append_byte(json, ',');
}

void ak_json_object_begin(struct ak_json *json) {
  separate(json);
  append_byte(json, '{');
}

void ak_json_object_end(struct ak_json *json) {
  append_byte(json, '}');
}

void ak_json_array_begin(struct ak_json *json) {
  separate(json);
  append_byte(json, '[');
}

void ak_json_array_end(struct ak_json *json) {
  append_byte(json, ']');
}

void ak_json_raw(struct ak_json *json, const char *value, size_t length) {
  if (length > 0)
    separate(json);
  json_writer_append(json, value, length);
}

void ak_json_int64(struct ak_json *json, int64_t number) {
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%" PRId64, number);
  ak_json_raw(json, digits, (size_t)length);
}

void ak_json_bool(struct ak_json *json, bool value) {
  ak_json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

void ak_json_null(struct ak_json *json) {
  ak_json_raw(json, "null", 4);
}

static void append_unit(struct ak_json *json, uint32_t unit) {
  char escape[8];
  int length = snprintf(escape, sizeof escape, "\\u%04" PRIx32, unit & 0xffff);
  json_writer_append(json, escape, (size_t)length);
}

static void append_escape(struct ak_json *json, uint32_t code) {
  if (code == '"' || code == '\\') {
    const char pair[2] = {'\\', (char)code};
    json_writer_append(json, pair, sizeof pair);
  } else if (code < 0x10000) {
    append_unit(json, code);
  } else {
    append_unit(json, 0xd800 + ((code - 0x10000) >> 10));
    append_unit(json, 0xdc00 + ((code - 0x10000) & 0x3ff));
  }
}

/* A bit for each byte below 128. */
static bool is_plain(const struct ak_json *json, unsigned char byte) {
  static const uint32_t any[] = {0, 0xfffffffb, 0xefffffff, 0xffffffff};   /* not " \ */
  static const uint32_t ascii[] = {0, 0x2fffffbb, 0xefffffff, 0x3fffffff}; /* nor & < > ? ~ DEL */
  const uint32_t *plain = json->ascii_only ? ascii : any;
  return byte < 0x80 && (plain[byte >> 5] >> (byte & 31) & 1) != 0;
}

static bool stands_for_itself(const struct ak_json *json, uint32_t code) {
  if (code < 0x80)
    return is_plain(json, (unsigned char)code);
  return !json->ascii_only && code != 0x2028 && code != 0x2029;
}

/* One character of the text: returns how many of its bytes that took. */
static size_t append_character(struct ak_json *json, const char *text, size_t length) {
  uint32_t code = REPLACEMENT;
  size_t width = ak_utf8_decode(text, length, &code);
  if (width == 0 && !json->ascii_only)
    json_writer_append(json, "\xef\xbf\xbd", 3);
  else if (width > 0 && stands_for_itself(json, code))
    json_writer_append(json, text, width);
  else
    append_escape(json, code);
  return width > 0 ? width : 1;
}

/* How many of the bytes are ASCII that stands for itself: most text is that from end to end. */
static size_t plain_length(const struct ak_json *json, const char *text, size_t length) {
  size_t i = 0;
  while (i < length && is_plain(json, (unsigned char)text[i]))
    i++;
  return i;
}

void ak_json_string(struct ak_json *json, const char *text, size_t length) {
  separate(json);
  append_byte(json, '"');
  for (size_t i = 0; i < length && !json->failed;) {
    size_t plain = plain_length(json, text + i, length - i);
    json_writer_append(json, text + i, plain);
    i += plain;
    if (i < length)
      i += append_character(json, text + i, length - i);
  }
  append_byte(json, '"');
}

void ak_json_key(struct ak_json *json, const char *key) {
  ak_json_string(json, key, strlen(key));
  append_byte(json, ':');
}

/* In quotes, as it is. */
static void append_quoted(struct ak_json *json, const char *text, size_t length) {
  separate(json);
  if (!reserve(json, length + 2))
    return;
  char *at = json->text + json->length;
  *at = '"';
  memcpy(at + 1, text, length);
  memcpy(at + 1 + length, "\"", 2);
  json->length += length + 2;
}

void ak_json_name(struct ak_json *json, const char *name) {
  append_quoted(json, name, strlen(name));
  append_byte(json, ':');
}

void ak_json_literal(struct ak_json *json, const char *text) {
  append_quoted(json, text, strlen(text));
}
