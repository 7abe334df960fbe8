/* SPDX-License-Identifier: MIT */
/*
 * The text of a widget token. No fuzzer guesses a signature, so the first byte says what the rest
 * is:
 *   0  a whole token
 *   1  a header and a payload in JSON, a NUL between them: encoded and signed here
 *   2  a payload in base64url behind the right header: signed here
 *   3  claims, each ended by a NUL
 * Whatever is accepted must be what the library itself writes for the same claims.
 */
#include "crypto/widget_token_text.h"

#include "support/widget_text.h"

#include <apikeys/error.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, TEXT_SIZE = 2 * INPUT_MAX };

static const uint8_t key[AK_KEY_BYTES] = "a key that everybody may know...";

static void require(int holds) {
  if (!holds)
    abort();
}

static void check_text(const char *text, size_t length) {
  struct ak_widget_claims claims;
  char again[AK_WIDGET_TEXT_MAX + 1];
  uint32_t version = 0;
  size_t again_length = 0;
  int header = ak_widget_text_key_version(text, length, &version);
  int rc = ak_widget_text_read(text, length, key, &claims);
  require(header == APIKEYS_OK || header == APIKEYS_ERROR_TOKEN_INVALID);
  require(rc == APIKEYS_OK || rc == APIKEYS_ERROR_TOKEN_INVALID);
  if (rc != APIKEYS_OK)
    return;
  require(header == APIKEYS_OK);
  require(ak_widget_text_write(again, &again_length, &claims, version, key) == APIKEYS_OK);
  require(again_length == length && memcmp(again, text, length) == 0);
  const char *payload = again + strcspn(again, ".") + 1;
  require(strcspn(payload, "-_") >= strcspn(payload, "."));
}

static void check_json(const uint8_t *data, size_t size) {
  static char text[TEXT_SIZE];
  const uint8_t *end = memchr(data, '\0', size);
  if (end == NULL)
    return;
  size_t header_length = (size_t)(end - data);
  size_t length = encode_base64url(text, data, header_length);
  text[length++] = '.';
  length += encode_base64url(text + length, end + 1, size - header_length - 1);
  check_text(text, sign_text(text, length, key));
}

static void check_payload(const uint8_t *data, size_t size) {
  static const char header[] = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEiLCJ0eXAiOiJKV1QifQ.";
  static char text[TEXT_SIZE];
  memcpy(text, header, sizeof header - 1);
  memcpy(text + sizeof header - 1, data, size);
  check_text(text, sign_text(text, sizeof header - 1 + size, key));
}

/* Copies the text up to the next NUL, or as much of it as there is room for. */
static void take(char *out, size_t capacity, const uint8_t **data, size_t *size) {
  size_t used = 0;
  while (*size > 0 && **data != '\0') {
    if (used + 1 < capacity)
      out[used++] = (char)**data;
    (*data)++;
    (*size)--;
  }
  if (*size > 0) {
    (*data)++;
    (*size)--;
  }
  out[used] = '\0';
}

static int64_t take_time(const uint8_t **data, size_t *size) {
  char text[24];
  take(text, sizeof text, data, size);
  return strtoll(text, NULL, 10);
}

static void check_claims(const uint8_t *data, size_t size) {
  struct ak_widget_claims claims, read;
  char text[AK_WIDGET_TEXT_MAX + 1];
  size_t length = 0;
  memset(&claims, 0, sizeof claims);
  take(claims.environment_id, sizeof claims.environment_id, &data, &size);
  take(claims.organization_id, sizeof claims.organization_id, &data, &size);
  take(claims.user_id, sizeof claims.user_id, &data, &size);
  take(claims.permissions, sizeof claims.permissions, &data, &size);
  claims.issued_at = take_time(&data, &size);
  claims.expires_at = take_time(&data, &size);
  take(claims.token_id, sizeof claims.token_id, &data, &size);
  if (ak_widget_text_write(text, &length, &claims, 7, key) != APIKEYS_OK)
    return;
  require(length <= AK_WIDGET_TEXT_MAX && text[length] == '\0');
  memset(&read, 0, sizeof read);
  require(ak_widget_text_read(text, length, key, &read) == APIKEYS_OK);
  require(strcmp(read.environment_id, claims.environment_id) == 0);
  require(strcmp(read.organization_id, claims.organization_id) == 0);
  require(strcmp(read.user_id, claims.user_id) == 0);
  require(strcmp(read.permissions, claims.permissions) == 0);
  require(strcmp(read.token_id, claims.token_id) == 0);
  require(read.issued_at == claims.issued_at && read.expires_at == claims.expires_at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > INPUT_MAX)
    return 0;
  switch (data[0] % 4) {
  case 0:
    check_text((const char *)data + 1, size - 1);
    break;
  case 1:
    check_json(data + 1, size - 1);
    break;
  case 2:
    check_payload(data + 1, size - 1);
    break;
  default:
    check_claims(data + 1, size - 1);
  }
  return 0;
}
