/* SPDX-License-Identifier: MIT */
/* Hashing, sealing, comparison, random bytes and secret memory, all from libsodium. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* getentropy */
#endif
#include "crypto/crypto.h"

#include <apikeys/error.h>

#include <sodium.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

_Static_assert(AK_DIGEST_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(AK_KEY_BYTES == crypto_kdf_KEYBYTES, "crypto_kdf's master key");
_Static_assert(AK_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "XChaCha20-Poly1305");
_Static_assert(AK_KEY_BYTES == crypto_auth_hmacsha256_KEYBYTES, "HMAC-SHA-256");
_Static_assert(AK_FINGERPRINT_BYTES == crypto_shorthash_siphashx24_BYTES &&
                   AK_FINGERPRINT_BYTES == crypto_shorthash_siphashx24_KEYBYTES,
               "SipHash-2-4-128");
_Static_assert(crypto_kdf_CONTEXTBYTES == 8, "crypto_kdf's context");

enum {
  NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
  ENTROPY_CHUNK = 256 /* the most that getentropy gives at once */
};

_Static_assert(AK_SEALED_OVERHEAD == NONCE_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "nonce in front, tag behind");

static int system_random(void *out, size_t length) {
  uint8_t *bytes = out;
  while (length > 0) {
    size_t chunk = length < ENTROPY_CHUNK ? length : ENTROPY_CHUNK;
    if (getentropy(bytes, chunk) != 0)
      return APIKEYS_ERROR_RANDOM;
    bytes += chunk;
    length -= chunk;
  }
  return APIKEYS_OK;
}

/* Where the system has no randomness to give, libsodium ends the process: so we ask before it. */
int ak_crypto_init(void) {
  uint8_t probe[1];
  if (system_random(probe, sizeof probe) != APIKEYS_OK)
    return APIKEYS_ERROR_RANDOM;
  return sodium_init() >= 0 ? APIKEYS_OK : APIKEYS_ERROR_RANDOM;
}

int ak_random_fill(const struct ak_random *source, void *out, size_t length) {
  if (source == NULL || source->fill == NULL)
    return system_random(out, length);
  return source->fill(out, length, source->user_data) == 0 ? APIKEYS_OK : APIKEYS_ERROR_RANDOM;
}

void ak_wipe(void *bytes, size_t length) {
  sodium_memzero(bytes, length);
}

/* For these lengths libsodium has something quicker that takes as little notice of the bytes. */
int ak_secret_compare(const void *a, const void *b, size_t length) {
  switch (length) {
  case crypto_verify_16_BYTES:
    return crypto_verify_16(a, b);
  case crypto_verify_32_BYTES:
    return crypto_verify_32(a, b);
  default:
    return sodium_memcmp(a, b, length);
  }
}

/* Before sodium_init, sodium_malloc would set a canary that sodium_free later takes for damage. */
void *ak_secret_alloc(size_t length) {
  return ak_crypto_init() == APIKEYS_OK ? sodium_malloc(length) : NULL;
}

void ak_secret_free(void *bytes) {
  sodium_free(bytes);
}

void ak_digest(uint8_t out[AK_DIGEST_BYTES], const void *bytes, size_t length) {
  crypto_generichash(out, AK_DIGEST_BYTES, bytes, length, NULL, 0);
}

static void store_length(uint8_t out[8], uint64_t length) {
  for (int i = 0; i < 8; i++)
    out[i] = (uint8_t)(length >> (8 * i));
}

void ak_digest_pieces(uint8_t out[AK_DIGEST_BYTES], const struct ak_piece *pieces, size_t count) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, NULL, 0, AK_DIGEST_BYTES);
  for (size_t i = 0; i < count; i++) {
    uint8_t length[8];
    store_length(length, pieces[i].length);
    crypto_generichash_update(&state, length, sizeof length);
    if (pieces[i].length > 0)
      crypto_generichash_update(&state, pieces[i].bytes, pieces[i].length);
  }
  crypto_generichash_final(&state, out, AK_DIGEST_BYTES);
  ak_wipe(&state, sizeof state);
}

void ak_derive_key(uint8_t out[AK_KEY_BYTES], const uint8_t key[AK_KEY_BYTES], uint64_t id,
                   const char context[8]) {
  crypto_kdf_derive_from_key(out, AK_KEY_BYTES, id, context, key);
}

int ak_seal(uint8_t *out, const void *plain, size_t length, const void *associated,
            size_t associated_length, const uint8_t key[AK_KEY_BYTES],
            const struct ak_random *random) {
  uint8_t nonce[NONCE_BYTES];
  if (ak_random_fill(random, nonce, sizeof nonce) != APIKEYS_OK)
    return APIKEYS_ERROR_RANDOM;
  memcpy(out, nonce, sizeof nonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, plain, length, associated,
                                             associated_length, NULL, nonce, key);
  return APIKEYS_OK;
}

int ak_open(uint8_t *out, const uint8_t *sealed, size_t sealed_length, const void *associated,
            size_t associated_length, const uint8_t key[AK_KEY_BYTES]) {
  if (sealed_length < AK_SEALED_OVERHEAD)
    return -1;
  return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed + NONCE_BYTES,
                                                    sealed_length - NONCE_BYTES, associated,
                                                    associated_length, sealed, key);
}

void ak_fingerprint(uint8_t out[AK_FINGERPRINT_BYTES], const void *bytes, size_t length,
                    const uint8_t key[AK_FINGERPRINT_BYTES]) {
  crypto_shorthash_siphashx24(out, bytes, length, key);
}

void ak_hmac_sha256(uint8_t out[32], const uint8_t key[AK_KEY_BYTES], const void *bytes,
                    size_t length) {
  crypto_auth_hmacsha256(out, bytes, length, key);
}
