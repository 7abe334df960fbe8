/* SPDX-License-Identifier: MIT */
/*
 * The key's text. The first byte says what the rest is:
 *   even  a text: parsed as it is, and once more with the checksum that it would need, which no
 *         fuzzer guesses
 *   odd   a prefix's length and the prefix, then random bytes: a value is generated and parsed
 */
#include "crypto/key_text.h"

#include <apikeys/error.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds)
    abort();
}

static int is_base62(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void checksum(char out[AK_CHECKSUM_LENGTH], const char *text, size_t length) {
  static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < length; i++) {
    crc ^= (unsigned char)text[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc & 1 ? 0xedb88320u ^ crc >> 1 : crc >> 1;
  }
  crc = ~crc;
  for (int i = AK_CHECKSUM_LENGTH - 1; i >= 0; i--, crc /= 62)
    out[i] = digits[crc % 62];
}

/* What the header says a value is, in the most simple words. */
static int is_value(const char *text, size_t length) {
  char expected[AK_CHECKSUM_LENGTH];
  if (length < AK_KEY_TEXT_MIN || length > AK_KEY_TEXT_MAX)
    return 0;
  size_t prefix_length = length - AK_BODY_LENGTH - 1;
  if (ak_prefix_check(text, prefix_length) != 0 || text[prefix_length] != '_')
    return 0;
  for (size_t i = prefix_length + 1; i < length; i++)
    if (!is_base62(text[i]))
      return 0;
  checksum(expected, text, length - AK_CHECKSUM_LENGTH);
  return memcmp(expected, text + length - AK_CHECKSUM_LENGTH, AK_CHECKSUM_LENGTH) == 0;
}

static void check_parts(const struct ak_key_text *token, const char *text, size_t length) {
  char shown[AK_OBFUSCATED_MAX + 1];
  const char *start = NULL;
  size_t part = 0;
  require(token->prefix == text && token->prefix_length == length - AK_BODY_LENGTH - 1);
  require(token->lookup_id == text + token->prefix_length + 1);
  require(ak_key_text_visible_part(text, length, &start, &part) == 0);
  require(start == token->lookup_id && part == AK_LOOKUP_ID_LENGTH);
  size_t used = ak_key_text_obfuscate(shown, text, length);
  require(used == token->prefix_length + 1 + 3 + 4 && used == strlen(shown));
  require(memcmp(shown, text, token->prefix_length + 1) == 0);
  require(memcmp(shown + used - 4, text + length - 4, 4) == 0);
  require(ak_key_text_visible_part(shown, used, &start, &part) != 0);
}

/* Generation from what was drawn for this value gives this value again. */
struct digits {
  const char *at;
};

static int fill_digits(void *out, size_t length, void *user_data) {
  static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  struct digits *left = user_data;
  uint8_t *bytes = out;
  memset(bytes, 0, length);
  for (size_t i = 0; i < AK_LOOKUP_ID_LENGTH + AK_SECRET_LENGTH && i < length; i++)
    bytes[i] = (uint8_t)(strchr(digits, left->at[i]) - digits);
  return 0;
}

static void check_text(const char *text, size_t length) {
  struct ak_key_text token;
  const char *start = NULL;
  size_t part = 0;
  int rc = ak_key_text_parse(&token, text, length);
  require(rc == (is_value(text, length) ? APIKEYS_OK : APIKEYS_MALFORMED));
  if (ak_key_text_visible_part(text, length, &start, &part) == 0) {
    require(part >= 1 && part <= AK_LOOKUP_ID_LENGTH);
    require(start > text + 1 && start + part <= text + length && start[-1] == '_');
    require(ak_prefix_check(text, (size_t)(start - text) - 1) == 0);
    for (size_t i = 0; i < part; i++)
      require(is_base62(start[i]));
  }
  if (rc != APIKEYS_OK)
    return;
  check_parts(&token, text, length);
  char again[AK_KEY_TEXT_MAX + 1];
  size_t again_length = 0;
  struct digits digits = {token.lookup_id};
  const struct ak_random random = {fill_digits, &digits};
  require(ak_key_text_generate(again, &again_length, text, token.prefix_length, &random) == 0);
  require(again_length == length && memcmp(again, text, length) == 0);
}

static void check_with_checksum(const char *text, size_t length) {
  char fixed[AK_KEY_TEXT_MAX + AK_CHECKSUM_LENGTH];
  if (length > AK_KEY_TEXT_MAX)
    return;
  memcpy(fixed, text, length);
  checksum(fixed + length, fixed, length);
  check_text(fixed, length + AK_CHECKSUM_LENGTH);
}

struct source {
  const uint8_t *bytes;
  size_t left;
};

static int fill_source(void *out, size_t length, void *user_data) {
  struct source *source = user_data;
  if (length > source->left)
    return -1;
  memcpy(out, source->bytes, length);
  source->bytes += length;
  source->left -= length;
  return 0;
}

static void check_generation(const uint8_t *data, size_t size) {
  char out[AK_KEY_TEXT_MAX + 1], nothing[AK_KEY_TEXT_MAX + 1] = {0};
  size_t length = 0;
  if (size < 1 || data[0] >= size)
    return;
  const char *prefix = (const char *)data + 1;
  size_t prefix_length = data[0];
  if (ak_prefix_check(prefix, prefix_length) != 0)
    return;
  struct source source = {data + 1 + prefix_length, size - 1 - prefix_length};
  const struct ak_random random = {fill_source, &source};
  if (ak_key_text_generate(out, &length, prefix, prefix_length, &random) == APIKEYS_OK) {
    require(out[length] == '\0' && is_value(out, length));
    check_text(out, length);
  } else {
    require(memcmp(out, nothing, sizeof out) == 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1)
    return 0;
  if (data[0] & 1) {
    check_generation(data + 1, size - 1);
  } else {
    check_text((const char *)data + 1, size - 1);
    check_with_checksum((const char *)data + 1, size - 1);
  }
  return 0;
}
