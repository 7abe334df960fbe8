/* SPDX-License-Identifier: MIT */
/* The text of a key: generating, parsing, obfuscating it. */
#include "crypto/key_text.h"

#include "crypto/constant_time.h"
#include "crypto/crc32.h"

#include <apikeys/error.h>

#include <stdio.h>
#include <string.h>

enum {
  BASE = 62,
  KEY_TEXT_RANDOM_BYTES =
      64,             /* asked of the source at a time; 48 characters rarely take a second */
  RANDOM_ROUNDS = 16, /* a source that gives nothing usable in so many is broken */
  OBFUSCATED_TAIL = 4
};

static uint32_t character(char c) {
  return (unsigned char)c;
}

/*
 * Bytes side by side in a word, all below 128, so that no sum reaches the next byte: the highest
 * bit of each that is between the two, which is 1 for none of the others.
 */
static uint64_t bytes_between(uint64_t bytes, uint64_t first, uint64_t last) {
  const uint64_t each = UINT64_C(0x0101010101010101);
  return (bytes + each * (128 - first)) & ~(bytes + each * (127 - last));
}

/* All ones if each of the eight characters is a base62 digit. */
static uint32_t eight_base62(const char *text) {
  const uint64_t highest = UINT64_C(0x8080808080808080);
  uint64_t bytes;
  memcpy(&bytes, text, sizeof bytes);
  uint64_t low = bytes & ~highest;
  uint64_t good =
      (bytes_between(low, '0', '9') | bytes_between(low, 'A', 'Z') | bytes_between(low, 'a', 'z')) &
      ~bytes & highest;
  uint64_t bad = (good ^ highest) >> 7;
  return ak_mask_equal((uint32_t)(bad | bad >> 32), 0);
}

/* All ones if the character is a base62 digit. */
static uint32_t is_base62(uint32_t c) {
  return ak_mask_between(c, '0', '9') | ak_mask_between(c, 'A', 'Z') | ak_mask_between(c, 'a', 'z');
}

static uint32_t all_base62(const char *text, size_t length) {
  uint32_t good = UINT32_MAX;
  size_t i = 0;
  for (; i + 8 <= length; i += 8)
    good &= eight_base62(text + i);
  for (; i < length; i++)
    good &= is_base62(character(text[i]));
  return good;
}

static char base62_digit(uint32_t value) {
  uint32_t c = '0' + value;
  c += ak_mask_below(9, value) & ('A' - '9' - 1);
  c += ak_mask_below(35, value) & ('a' - 'Z' - 1);
  return (char)c;
}

/*
 * value / 62 without a division, whose time depends on its operands on many processors:
 * value / 2 / 31, where 2216757315 = ceil(2^36 / 31) is exact for all dividends below 2^31.
 */
static uint32_t divide_by_62(uint32_t value) {
  return (uint32_t)(((uint64_t)(value >> 1) * 2216757315u) >> 36);
}

/* The CRC of everything before it as six base62 digits, the highest first. */
static void write_checksum(char out[AK_CHECKSUM_LENGTH], const char *text, size_t length) {
  uint32_t rest = ak_crc32(text, length);
  for (int i = AK_CHECKSUM_LENGTH - 1; i >= 0; i--) {
    uint32_t quotient = divide_by_62(rest);
    out[i] = base62_digit(rest - quotient * BASE);
    rest = quotient;
  }
}

/* All ones if the last six of `length` characters are the checksum of those before. */
static uint32_t checksum_fits(const char *text, size_t length) {
  char expected[AK_CHECKSUM_LENGTH];
  const char *given = text + length - AK_CHECKSUM_LENGTH;
  uint32_t difference = 0;
  write_checksum(expected, text, length - AK_CHECKSUM_LENGTH);
  for (size_t i = 0; i < AK_CHECKSUM_LENGTH; i++)
    difference |= character(expected[i]) ^ character(given[i]);
  ak_wipe(expected, sizeof expected);
  return ak_mask_equal(difference, 0);
}

/*
 * Prefixes are public, but what stands in a prefix's place in a text of the wrong length may not
 * be, so this has no branches either.
 */
static uint32_t is_prefix(const char *prefix, size_t length) {
  uint32_t good = ak_mask_between(character(prefix[0]), 'a', 'z');
  for (size_t i = 1; i < length; i++) {
    uint32_t c = character(prefix[i]);
    good &= ak_mask_between(c, 'a', 'z') | ak_mask_between(c, '0', '9') | ak_mask_equal(c, '_');
  }
  return good & ~ak_mask_equal(character(prefix[length - 1]), '_');
}

int ak_prefix_check(const char *prefix, size_t length) {
  if (length < 1 || length > AK_PREFIX_MAX)
    return -1;
  return is_prefix(prefix, length) != 0 ? 0 : -1;
}

/*
 * Six bits of each random byte are a uniform number below 64; those of 62 and 63 are thrown away,
 * which leaves the others uniform below 62. Whether a byte was taken is all that the branch shows,
 * and of a byte that was taken it shows nothing more.
 */
static int draw_characters(char *out, size_t count, const struct ak_random *random) {
  uint8_t pool[KEY_TEXT_RANDOM_BYTES];
  size_t drawn = 0;
  for (int round = 0; round < RANDOM_ROUNDS && drawn < count; round++) {
    if (ak_random_fill(random, pool, sizeof pool) != APIKEYS_OK)
      break;
    for (size_t i = 0; i < sizeof pool && drawn < count; i++) {
      uint32_t value = pool[i] & 63u;
      if (ak_declassify(ak_mask_below(value, BASE)) != 0)
        out[drawn++] = base62_digit(value);
    }
  }
  ak_wipe(pool, sizeof pool);
  return drawn == count ? APIKEYS_OK : APIKEYS_ERROR_RANDOM;
}

int ak_key_text_generate(char *out, size_t *length, const char *prefix, size_t prefix_length,
                         const struct ak_random *random) {
  size_t drawn = AK_LOOKUP_ID_LENGTH + AK_SECRET_LENGTH;
  size_t start = prefix_length + 1;
  memcpy(out, prefix, prefix_length);
  out[prefix_length] = '_';
  if (draw_characters(out + start, drawn, random) != APIKEYS_OK) {
    ak_wipe(out, AK_KEY_TEXT_MAX + 1);
    return APIKEYS_ERROR_RANDOM;
  }
  write_checksum(out + start + drawn, out, start + drawn);
  out[start + AK_BODY_LENGTH] = '\0';
  *length = start + AK_BODY_LENGTH;
  return APIKEYS_OK;
}

/*
 * All ones if the whole text is a value. The body has a fixed length and no '_', so the last '_'
 * has one possible place, and nobody has to look for it.
 */
static uint32_t is_value(const char *text, size_t length) {
  size_t prefix_length = length - AK_BODY_LENGTH - 1;
  return is_prefix(text, prefix_length) & ak_mask_equal(character(text[prefix_length]), '_') &
         all_base62(text + prefix_length + 1, AK_BODY_LENGTH) & checksum_fits(text, length);
}

/*
 * One decision, at the end. It may be public: it tells whether the sender sent a well-formed text,
 * which is the answer that the sender gets anyway, and no reason in which character it failed.
 */
int ak_key_text_parse(struct ak_key_text *out, const char *text, size_t length) {
  if (length < AK_KEY_TEXT_MIN || length > AK_KEY_TEXT_MAX)
    return APIKEYS_MALFORMED;
  if (ak_declassify(is_value(text, length)) == 0)
    return APIKEYS_MALFORMED;
  out->prefix = text;
  out->prefix_length = length - AK_BODY_LENGTH - 1;
  out->lookup_id = text + out->prefix_length + 1;
  return APIKEYS_OK;
}

size_t ak_key_text_obfuscate(char out[AK_OBFUSCATED_MAX + 1], const char *text, size_t length) {
  static const char dots[] = "...";
  out[0] = '\0';
  if (length < AK_KEY_TEXT_MIN || length > AK_KEY_TEXT_MAX)
    return 0;
  size_t used = length - AK_BODY_LENGTH;
  memcpy(out, text, used);
  memcpy(out + used, dots, sizeof dots - 1);
  used += sizeof dots - 1;
  memcpy(out + used, text + length - OBFUSCATED_TAIL, OBFUSCATED_TAIL);
  used += OBFUSCATED_TAIL;
  out[used] = '\0';
  return used;
}

bool ak_key_text_is_obfuscated(const char *text, size_t length) {
  enum { BEHIND_PREFIX = 1 + 3 + OBFUSCATED_TAIL };
  if (length <= BEHIND_PREFIX || length > AK_OBFUSCATED_MAX)
    return false;
  size_t prefix_length = length - BEHIND_PREFIX;
  return memcmp(text + prefix_length, "_...", 4) == 0 &&
         ak_prefix_check(text, prefix_length) == 0 &&
         all_base62(text + length - OBFUSCATED_TAIL, OBFUSCATED_TAIL) != 0;
}

/* The place of the last '_', or 0: none that could end a prefix. The place is public. */
static size_t find_separator(const char *text, size_t length) {
  uint32_t place = 0;
  for (uint32_t i = 0; i < length; i++) {
    uint32_t here = ak_mask_equal(character(text[i]), '_');
    place = (place & ~here) | (i & here);
  }
  return ak_declassify(place);
}

int ak_key_text_visible_part(const char *text, size_t length, const char **start,
                             size_t *part_length) {
  if (length > AK_KEY_TEXT_MAX)
    return -1;
  size_t prefix_length = find_separator(text, length);
  if (prefix_length < 1 || prefix_length > AK_PREFIX_MAX)
    return -1;
  const char *body = text + prefix_length + 1;
  size_t body_length = length - prefix_length - 1;
  if (body_length < 1 || body_length > AK_BODY_LENGTH)
    return -1;
  uint32_t good = is_prefix(text, prefix_length) & all_base62(body, body_length);
  if (body_length == AK_BODY_LENGTH)
    good &= checksum_fits(text, length);
  if (ak_declassify(good) == 0) /* for the reason given at ak_key_text_parse */
    return -1;
  *start = body;
  *part_length = body_length < AK_LOOKUP_ID_LENGTH ? body_length : AK_LOOKUP_ID_LENGTH;
  return 0;
}

size_t ak_key_text_scanner_rule(char *out, size_t capacity, const char *prefix,
                                size_t prefix_length) {
  int needed = snprintf(out, capacity, "\\b%.*s_[0-9A-Za-z]{%d}\\b", (int)prefix_length, prefix,
                        AK_BODY_LENGTH);
  return needed > 0 ? (size_t)needed : 0;
}
