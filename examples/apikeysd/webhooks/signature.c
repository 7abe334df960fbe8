/* SPDX-License-Identifier: MIT */
/* HMAC-SHA-256 signatures of deliveries. */
#include "webhooks/signature.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

void signature_new_secret(char out[WEBHOOK_SECRET_LENGTH + 1]) {
  static const char prefix[] = "whsec_";
  unsigned char random[32];
  randombytes_buf(random, sizeof random);
  memcpy(out, prefix, sizeof prefix - 1);
  sodium_bin2hex(out + sizeof prefix - 1, WEBHOOK_SECRET_LENGTH + 1 - (sizeof prefix - 1), random,
                 sizeof random);
  sodium_memzero(random, sizeof random);
}

void signature_write(char out[SIGNATURE_MAX], const char *secret, size_t secret_length,
                     int64_t unix_ms, const char *payload, size_t payload_length) {
  crypto_auth_hmacsha256_state state;
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  char hex[2 * sizeof mac + 1], time[24];
  int length = snprintf(time, sizeof time, "%" PRId64 ".", unix_ms);
  crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, secret_length);
  crypto_auth_hmacsha256_update(&state, (const unsigned char *)time, (unsigned long long)length);
  crypto_auth_hmacsha256_update(&state, (const unsigned char *)payload, payload_length);
  crypto_auth_hmacsha256_final(&state, mac);
  sodium_memzero(&state, sizeof state);
  sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
  snprintf(out, SIGNATURE_MAX, "t=%" PRId64 ", v1=%s", unix_ms, hex);
}
