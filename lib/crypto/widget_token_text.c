/* SPDX-License-Identifier: MIT */
/* The text of a widget token: a JWT with one accepted form. */
#include "crypto/widget_token_text.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/constant_time.h"

#include <apikeys/error.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
  MAC_BYTES = 32,
  SIGNATURE_LENGTH = 43, /* 32 bytes as base64url */
  HEADER_BYTES_MAX = 64,
  PAYLOAD_BYTES_MAX = AK_WIDGET_TEXT_MAX * 3 / 4
};

static const char header_before_version[] = "{\"alg\":\"HS256\",\"kid\":\"";
static const char header_after_version[] = "\",\"typ\":\"JWT\"}";
static const char audience[] = "widgets";
static const char permission_prefix[] = "widgets:";

/*
 * base64url (RFC 4648, section 5) without padding. The signature passes through here and makes the
 * token what it is, so neither direction branches on it or looks it up in a table.
 */

static char base64_digit(uint32_t value) {
  uint32_t c = 'A' + value;
  c += ak_mask_below(25, value) & ('a' - 'Z' - 1);
  c -= ak_mask_below(51, value) & ('z' + 1 - '0');
  c -= ak_mask_below(61, value) & ('9' + 1 - '-');
  c += ak_mask_below(62, value) & ('_' - '-' - 1);
  return (char)c;
}

/* Returns how many characters it wrote. */
static size_t base64_encode(char *out, const uint8_t *bytes, size_t length) {
  size_t written = 0;
  uint32_t pool = 0;
  int pool_bits = 0;
  for (size_t i = 0; i < length; i++) {
    pool = pool << 8 | bytes[i];
    for (pool_bits += 8; pool_bits >= 6; pool_bits -= 6)
      out[written++] = base64_digit(pool >> (pool_bits - 6) & 63);
  }
  if (pool_bits > 0)
    out[written++] = base64_digit(pool << (6 - pool_bits) & 63);
  return written;
}

/* The digit's value; clears *good if it is none. */
static uint32_t base64_value(char digit, uint32_t *good) {
  uint32_t c = (unsigned char)digit;
  uint32_t upper = ak_mask_between(c, 'A', 'Z');
  uint32_t lower = ak_mask_between(c, 'a', 'z');
  uint32_t number = ak_mask_between(c, '0', '9');
  uint32_t minus = ak_mask_equal(c, '-');
  uint32_t line = ak_mask_equal(c, '_');
  *good &= upper | lower | number | minus | line;
  return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (number & (c - '0' + 52)) | (minus & 62) |
         (line & 63);
}

/*
 * Decodes `length` characters to length * 3 / 4 bytes. All ones if they are the one text for these
 * bytes: digits only, a possible length, and no bits left over that are not zero.
 */
static uint32_t base64_decode(uint8_t *out, const char *text, size_t length) {
  uint32_t good = length % 4 == 1 ? 0 : UINT32_MAX;
  uint32_t pool = 0;
  int pool_bits = 0;
  for (size_t i = 0; i < length; i++) {
    pool = pool << 6 | base64_value(text[i], &good);
    pool_bits += 6;
    if (pool_bits >= 8) {
      pool_bits -= 8;
      *out++ = (uint8_t)(pool >> pool_bits & 0xff);
    }
  }
  return good & ak_mask_equal(pool & ((1u << pool_bits) - 1), 0);
}

/* What claims may be: asked of what is written and of what was read. */

static bool is_permission(const char *slug, size_t length) {
  size_t prefix_length = sizeof permission_prefix - 1;
  return length > prefix_length && length <= AK_WIDGET_PERMISSION_LENGTH &&
         memcmp(slug, permission_prefix, prefix_length) == 0 && ak_slug_check(slug, length) == 0;
}

/* The list's first slug; *rest is what follows it, or NULL after the last one. */
static size_t first_permission(const char *list, const char **rest) {
  size_t length = strcspn(list, " ");
  *rest = list[length] == ' ' ? list + length + 1 : NULL;
  return length;
}

static bool are_permissions(const char *list) {
  const char *slug = list[0] != '\0' ? list : NULL;
  int count = 0;
  while (slug != NULL) {
    const char *rest;
    if (!is_permission(slug, first_permission(slug, &rest)))
      return false;
    slug = rest;
    count++;
  }
  return count <= AK_WIDGET_PERMISSIONS_MAX;
}

static bool is_time(int64_t seconds) {
  return seconds >= 0 && seconds <= AK_WIDGET_TIME_MAX;
}

static bool are_claims(const struct ak_widget_claims *claims) {
  return ak_id_check(claims->environment_id, strlen(claims->environment_id), "env") == 0 &&
         ak_id_check(claims->organization_id, strlen(claims->organization_id), "org") == 0 &&
         ak_text_id_problem(claims->user_id, strlen(claims->user_id), 0, AK_WIDGET_USER_MAX) ==
             NULL &&
         are_permissions(claims->permissions) && is_time(claims->issued_at) &&
         is_time(claims->expires_at) &&
         ak_ulid_check(claims->token_id, strlen(claims->token_id)) == 0;
}

static void widget_text_write_member(struct ak_json *json, const char *key, const char *value) {
  ak_json_key(json, key);
  ak_json_string(json, value, strlen(value));
}

static void write_permissions(struct ak_json *json, const char *list) {
  const char *slug = list[0] != '\0' ? list : NULL;
  ak_json_key(json, "permissions");
  ak_json_array_begin(json);
  while (slug != NULL) {
    const char *rest;
    ak_json_string(json, slug, first_permission(slug, &rest));
    slug = rest;
  }
  ak_json_array_end(json);
}

static void write_payload(struct ak_json *json, const struct ak_widget_claims *claims) {
  ak_json_object_begin(json);
  widget_text_write_member(json, "iss", claims->environment_id);
  widget_text_write_member(json, "aud", audience);
  widget_text_write_member(json, "org_id", claims->organization_id);
  if (claims->user_id[0] != '\0')
    widget_text_write_member(json, "sub", claims->user_id);
  write_permissions(json, claims->permissions);
  ak_json_key(json, "iat");
  ak_json_int64(json, claims->issued_at);
  ak_json_key(json, "exp");
  ak_json_int64(json, claims->expires_at);
  widget_text_write_member(json, "jti", claims->token_id);
  ak_json_object_end(json);
}

static size_t encode_text(char *out, const char *text, size_t length) {
  return base64_encode(out, (const uint8_t *)text, length);
}

static size_t write_signature(char *out, const uint8_t key[AK_KEY_BYTES], const char *text,
                              size_t length) {
  uint8_t mac[MAC_BYTES];
  ak_hmac_sha256(mac, key, text, length);
  size_t written = base64_encode(out, mac, sizeof mac);
  ak_wipe(mac, sizeof mac);
  return written;
}

int ak_widget_text_write(char *out, size_t *length, const struct ak_widget_claims *claims,
                         uint32_t key_version, const uint8_t key[AK_KEY_BYTES]) {
  if (!are_claims(claims))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  struct ak_json payload;
  size_t payload_length = 0;
  ak_json_init_ascii(&payload);
  write_payload(&payload, claims);
  const char *payload_text = ak_json_text(&payload, &payload_length);
  if (payload_text == NULL) {
    ak_json_free(&payload);
    return APIKEYS_ERROR_NO_MEMORY;
  }
  char header[HEADER_BYTES_MAX];
  int header_length = snprintf(header, sizeof header, "%s%" PRIu32 "%s", header_before_version,
                               key_version, header_after_version);
  size_t used = encode_text(out, header, (size_t)header_length);
  out[used++] = '.';
  used += encode_text(out + used, payload_text, payload_length);
  ak_json_free(&payload);
  size_t signed_length = used;
  out[used++] = '.';
  used += write_signature(out + used, key, out, signed_length);
  out[used] = '\0';
  *length = used;
  return APIKEYS_OK;
}

struct widget_text_reader {
  const char *at, *end;
};

static bool at_end(const struct widget_text_reader *r) {
  return r->at == r->end;
}

static bool widget_text_skip(struct widget_text_reader *r, const char *literal) {
  size_t length = strlen(literal);
  if ((size_t)(r->end - r->at) < length || memcmp(r->at, literal, length) != 0)
    return false;
  r->at += length;
  return true;
}

/* Decimal, without a sign and without zeros in front. */
static bool widget_text_read_number(struct widget_text_reader *r, int64_t max, int64_t *number) {
  const char *start = r->at;
  int64_t value = 0;
  while (!at_end(r) && *r->at >= '0' && *r->at <= '9') {
    int digit = *r->at - '0';
    if (value > (max - digit) / 10)
      return false;
    value = value * 10 + digit;
    r->at++;
  }
  *number = value;
  return r->at - start == 1 || (r->at > start && *start != '0');
}

/* The characters that the writer escapes, among those that a claim may hold. */
static const struct escape {
  char character;
  const char *text;
} escapes[] = {{'"', "\\\""},    {'\\', "\\\\"},   {'&', "\\u0026"}, {'<', "\\u003c"},
               {'>', "\\u003e"}, {'?', "\\u003f"}, {'~', "\\u007e"}};

static bool read_character(struct widget_text_reader *r, char *character) {
  bool escaped_when_written = false;
  for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
    *character = escapes[i].character;
    if (widget_text_skip(r, escapes[i].text))
      return true;
    escaped_when_written |= !at_end(r) && *r->at == *character;
  }
  if (escaped_when_written || at_end(r) || *r->at < 0x21 || *r->at > 0x7e)
    return false;
  *character = *r->at++;
  return true;
}

/* A string's characters and its closing quote, NUL-terminated into `capacity` bytes. */
static bool read_string(struct widget_text_reader *r, char *out, size_t capacity) {
  for (size_t i = 0; i < capacity; i++) {
    out[i] = '\0';
    if (widget_text_skip(r, "\""))
      return true;
    if (!read_character(r, &out[i]))
      return false;
  }
  return false;
}

static bool widget_text_read_permissions(struct widget_text_reader *r, char *list) {
  list[0] = '\0';
  if (widget_text_skip(r, "]"))
    return true;
  for (int count = 0; count < AK_WIDGET_PERMISSIONS_MAX; count++) {
    if (!widget_text_skip(r, "\"") || !read_string(r, list, AK_WIDGET_PERMISSION_LENGTH + 1) ||
        list[0] == '\0')
      return false;
    list += strlen(list);
    if (widget_text_skip(r, "]"))
      return true;
    if (!widget_text_skip(r, ","))
      return false;
    *list++ = ' ';
  }
  return false;
}

static bool read_payload(struct widget_text_reader *r, struct ak_widget_claims *claims) {
  if (!widget_text_skip(r, "{\"iss\":\"") ||
      !read_string(r, claims->environment_id, sizeof claims->environment_id) ||
      !widget_text_skip(r, ",\"aud\":\"widgets\",\"org_id\":\"") ||
      !read_string(r, claims->organization_id, sizeof claims->organization_id))
    return false;
  bool has_user = widget_text_skip(r, ",\"sub\":\"");
  if (has_user && !read_string(r, claims->user_id, sizeof claims->user_id))
    return false;
  if (has_user != (claims->user_id[0] != '\0'))
    return false;
  return widget_text_skip(r, ",\"permissions\":[") &&
         widget_text_read_permissions(r, claims->permissions) && widget_text_skip(r, ",\"iat\":") &&
         widget_text_read_number(r, AK_WIDGET_TIME_MAX, &claims->issued_at) &&
         widget_text_skip(r, ",\"exp\":") &&
         widget_text_read_number(r, AK_WIDGET_TIME_MAX, &claims->expires_at) &&
         widget_text_skip(r, ",\"jti\":\"") &&
         read_string(r, claims->token_id, sizeof claims->token_id) && widget_text_skip(r, "}") &&
         at_end(r) && are_claims(claims);
}

struct parts {
  const char *header, *payload, *signature;
  size_t header_length, payload_length, signed_length;
};

static bool widget_text_split(const char *text, size_t length, struct parts *parts) {
  if (length > AK_WIDGET_TEXT_MAX || length < SIGNATURE_LENGTH + 2)
    return false;
  const char *last_dot = text + length - SIGNATURE_LENGTH - 1;
  const char *first_dot = memchr(text, '.', (size_t)(last_dot - text));
  if (first_dot == NULL || *last_dot != '.')
    return false;
  parts->header = text;
  parts->header_length = (size_t)(first_dot - text);
  parts->payload = first_dot + 1;
  parts->payload_length = (size_t)(last_dot - parts->payload);
  parts->signature = last_dot + 1;
  parts->signed_length = (size_t)(last_dot - text);
  return true;
}

static bool widget_text_read_header(const struct parts *parts, uint32_t *version) {
  uint8_t header[HEADER_BYTES_MAX];
  int64_t number = 0;
  size_t length = parts->header_length * 3 / 4;
  if (length > sizeof header || !base64_decode(header, parts->header, parts->header_length))
    return false;
  struct widget_text_reader r = {(const char *)header, (const char *)header + length};
  if (!widget_text_skip(&r, header_before_version) ||
      !widget_text_read_number(&r, UINT32_MAX, &number) ||
      !widget_text_skip(&r, header_after_version) || !at_end(&r))
    return false;
  *version = (uint32_t)number;
  return true;
}

/* That the signature fits or not is the answer, and may show. */
static bool is_signed(const struct parts *parts, const uint8_t key[AK_KEY_BYTES]) {
  uint8_t given[MAC_BYTES], expected[MAC_BYTES];
  uint32_t good = base64_decode(given, parts->signature, SIGNATURE_LENGTH);
  ak_hmac_sha256(expected, key, parts->header, parts->signed_length);
  good &= ~(uint32_t)ak_secret_compare(given, expected, sizeof expected);
  ak_wipe(given, sizeof given);
  ak_wipe(expected, sizeof expected);
  return ak_declassify(good) == UINT32_MAX;
}

int ak_widget_text_key_version(const char *text, size_t length, uint32_t *version) {
  struct parts parts;
  if (!widget_text_split(text, length, &parts) || !widget_text_read_header(&parts, version))
    return APIKEYS_ERROR_TOKEN_INVALID;
  return APIKEYS_OK;
}

int ak_widget_text_read(const char *text, size_t length, const uint8_t key[AK_KEY_BYTES],
                        struct ak_widget_claims *claims) {
  struct parts parts;
  uint32_t version = 0;
  if (!widget_text_split(text, length, &parts) || !widget_text_read_header(&parts, &version) ||
      !is_signed(&parts, key))
    return APIKEYS_ERROR_TOKEN_INVALID;
  uint8_t payload[PAYLOAD_BYTES_MAX];
  struct ak_widget_claims read = {0};
  if (!base64_decode(payload, parts.payload, parts.payload_length))
    return APIKEYS_ERROR_TOKEN_INVALID;
  size_t payload_length = parts.payload_length * 3 / 4;
  struct widget_text_reader r = {(const char *)payload, (const char *)payload + payload_length};
  if (!read_payload(&r, &read))
    return APIKEYS_ERROR_TOKEN_INVALID;
  *claims = read;
  return APIKEYS_OK;
}
