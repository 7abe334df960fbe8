/* SPDX-License-Identifier: MIT */
#include "support/widget_text.h"

#include "crypto/crypto.h"

size_t encode_base64url(char *out, const void *bytes, size_t length) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const uint8_t *in = bytes;
  size_t used = 0;
  for (size_t bit = 0; bit < 8 * length; bit += 6) {
    unsigned pair = (unsigned)in[bit / 8] << 8 | (bit / 8 + 1 < length ? in[bit / 8 + 1] : 0);
    out[used++] = digits[pair >> (10 - bit % 8) & 63];
  }
  return used;
}

size_t sign_text(char *out, size_t length, const uint8_t *key) {
  uint8_t mac[32];
  ak_hmac_sha256(mac, key, out, length);
  out[length++] = '.';
  return length + encode_base64url(out + length, mac, sizeof mac);
}
