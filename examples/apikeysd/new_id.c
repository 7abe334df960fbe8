/* SPDX-License-Identifier: MIT */
/* Ids: a prefix and a ULID. */
#include "new_id.h"

#include "clock.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Crockford's base32, and the layout of https://github.com/ulid/spec: 48 bits of milliseconds, 80
 * random ones, in 26 characters. */
static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
enum { TIME_DIGITS = 10, RANDOM_DIGITS = 16 };

void new_id(const char *prefix, char out[NEW_ID_MAX]) {
  unsigned char random[RANDOM_DIGITS];
  char ulid[TIME_DIGITS + RANDOM_DIGITS + 1] = {0};
  uint64_t ms = (uint64_t)clock_unix_ms();
  for (int i = TIME_DIGITS - 1; i >= 0; i--, ms /= 32)
    ulid[i] = digits[ms % 32];
  randombytes_buf(random, sizeof random);
  for (int i = 0; i < RANDOM_DIGITS; i++)
    ulid[TIME_DIGITS + i] = digits[random[i] % 32];
  snprintf(out, NEW_ID_MAX, "%s_%s", prefix, ulid);
}
