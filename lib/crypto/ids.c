/* SPDX-License-Identifier: MIT */
/* Object ids: a kind and a ULID. */
#include "crypto/ids.h"

#include <apikeys/error.h>

#include <string.h>

enum { TIME_CHARACTERS = 10, RANDOM_CHARACTERS = 16, IDS_RANDOM_BYTES = 10 };

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static const int64_t last_ulid_ms = ((int64_t)1 << 48) - 1;

static void ids_write_time(char *out, int64_t now_ms) {
  uint64_t rest = (uint64_t)(now_ms < 0 ? 0 : now_ms > last_ulid_ms ? last_ulid_ms : now_ms);
  for (int i = TIME_CHARACTERS - 1; i >= 0; i--, rest >>= 5)
    out[i] = crockford[rest & 31];
}

/* Five bytes are eight characters. */
static void write_random(char *out, const uint8_t bytes[IDS_RANDOM_BYTES]) {
  for (int half = 0; half < 2; half++) {
    uint64_t rest = 0;
    for (int i = 0; i < IDS_RANDOM_BYTES / 2; i++)
      rest = rest << 8 | bytes[half * IDS_RANDOM_BYTES / 2 + i];
    for (int i = RANDOM_CHARACTERS / 2 - 1; i >= 0; i--, rest >>= 5)
      out[half * RANDOM_CHARACTERS / 2 + i] = crockford[rest & 31];
  }
}

int ak_id_generate(char out[AK_ID_MAX], const char *kind, int64_t now_ms,
                   const struct ak_random *random) {
  uint8_t bytes[IDS_RANDOM_BYTES];
  size_t kind_length = strlen(kind);
  if (kind_length + 1 + AK_ULID_LENGTH + 1 > AK_ID_MAX)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (ak_random_fill(random, bytes, sizeof bytes) != APIKEYS_OK)
    return APIKEYS_ERROR_RANDOM;
  char *ulid = out + kind_length + 1;
  memcpy(out, kind, kind_length);
  out[kind_length] = '_';
  ids_write_time(ulid, now_ms);
  write_random(ulid + TIME_CHARACTERS, bytes);
  ulid[AK_ULID_LENGTH] = '\0';
  return APIKEYS_OK;
}

int ak_ulid_check(const char *text, size_t length) {
  if (length != AK_ULID_LENGTH || text[0] > '7') /* 26 * 5 bits are two more than 128 */
    return -1;
  for (size_t i = 0; i < length; i++)
    if (memchr(crockford, text[i], sizeof crockford - 1) == NULL)
      return -1;
  return 0;
}

int ak_id_check(const char *text, size_t length, const char *kind) {
  size_t kind_length = strlen(kind);
  if (length != kind_length + 1 + AK_ULID_LENGTH)
    return -1;
  if (memcmp(text, kind, kind_length) != 0 || text[kind_length] != '_')
    return -1;
  return ak_ulid_check(text + kind_length + 1, AK_ULID_LENGTH);
}

int ak_ulid_pack(uint8_t out[AK_ULID_BYTES], const char *id, size_t length) {
  if (length < AK_ULID_LENGTH || ak_ulid_check(id + length - AK_ULID_LENGTH, AK_ULID_LENGTH) != 0)
    return -1;
  const char *text = id + length - AK_ULID_LENGTH;
  unsigned bits = 0, held = 0;
  size_t at = 0;
  for (size_t i = 0; i < AK_ULID_LENGTH; i++) {
    unsigned digit = (unsigned)(strchr(crockford, text[i]) - crockford);
    bits = bits << 5 | digit;
    held += i == 0 ? 3 : 5; /* the first character has three bits of the 128 */
    if (held >= 8) {
      held -= 8;
      out[at++] = (uint8_t)(bits >> held);
      bits &= (1u << held) - 1;
    }
  }
  return 0;
}

void ak_ulid_unpack(char out[AK_ID_MAX], const char *kind, const uint8_t bytes[AK_ULID_BYTES]) {
  size_t kind_length = strlen(kind);
  memcpy(out, kind, kind_length);
  out[kind_length] = '_';
  char *text = out + kind_length + 1;
  unsigned bits = 0, held = 2; /* 130 bits: two zeros in front */
  size_t at = 0;
  for (size_t i = 0; i < AK_ULID_BYTES; i++) {
    bits = bits << 8 | bytes[i];
    held += 8;
    while (held >= 5) {
      held -= 5;
      text[at++] = crockford[bits >> held & 31];
    }
    bits &= (1u << held) - 1;
  }
  text[AK_ULID_LENGTH] = '\0';
}
