/* SPDX-License-Identifier: MIT */
/*
 * Cryptography and secret memory: the only door to libsodium. Pure: no storage, no files.
 * The one source of randomness is ak_random, which an environment may replace for tests.
 */
#ifndef AK_CRYPTO_CRYPTO_H
#define AK_CRYPTO_CRYPTO_H

#include "crypto/constant_time.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
  AK_KEY_BYTES = 32,           /* the root key and every key derived from it */
  AK_DIGEST_BYTES = 32,        /* BLAKE2b-256 */
  AK_FINGERPRINT_BYTES = 16,   /* SipHash-2-4, 128 bits; its key has as many */
  AK_SEALED_OVERHEAD = 24 + 16 /* XChaCha20-Poly1305: nonce in front, tag behind */
};

/* Any number of times, from any thread. APIKEYS_OK or APIKEYS_ERROR_RANDOM. */
int ak_crypto_init(void);

/*
 * Fill `out` with `length` unpredictable bytes; non-zero: there are none to be had, and `out` is
 * not used. A NULL source or fill means the system's (getentropy: libsodium's own aborts the
 * process when the system has none to give).
 */
struct ak_random {
  int (*fill)(void *out, size_t length, void *user_data);
  void *user_data;
};
int ak_random_fill(const struct ak_random *source, void *out, size_t length);

void ak_wipe(void *bytes, size_t length);

/* 0 if equal. The one comparison of secrets; time depends on `length` alone. */
int ak_secret_compare(const void *a, const void *b, size_t length);

/*
 * The same for fingerprints, inline, word by word: read in other pieces than they were written in a
 * moment ago, they would have to come from the cache, not straight from the store buffer.
 */
static inline int ak_fingerprint_compare(const void *a, const void *b) {
  uint64_t one[2], other[2];
  memcpy(one, a, sizeof one);
  memcpy(other, b, sizeof other);
  uint64_t differing = (one[0] ^ other[0]) | (one[1] ^ other[1]);
  return (int)ak_opaque((uint32_t)(differing | differing >> 32));
}

/*
 * Memory for long-lived secrets: locked where the system allows, guarded, left out of core dumps;
 * NULL if there is none. Freeing wipes; if something wrote past the memory's ends by then,
 * libsodium ends the process.
 */
void *ak_secret_alloc(size_t length);
void ak_secret_free(void *bytes);

void ak_digest(uint8_t out[AK_DIGEST_BYTES], const void *bytes, size_t length);

/* Digest of several pieces, each preceded by its length, so that no two lists of pieces agree. */
struct ak_piece {
  const void *bytes;
  size_t length;
};
void ak_digest_pieces(uint8_t out[AK_DIGEST_BYTES], const struct ak_piece *pieces, size_t count);

/* crypto_kdf: subkey number `id` for an 8-character `context` from a 32-byte key. */
void ak_derive_key(uint8_t out[AK_KEY_BYTES], const uint8_t key[AK_KEY_BYTES], uint64_t id,
                   const char context[8]);

/*
 * Seal `length` bytes into `out` (length + AK_SEALED_OVERHEAD bytes, apart from `plain`): gives
 * APIKEYS_OK or APIKEYS_ERROR_RANDOM. Open them again: gives 0, or -1 if the box, the key or the
 * associated data are not what was sealed, and then `out` holds nothing of it.
 */
int ak_seal(uint8_t *out, const void *plain, size_t length, const void *associated,
            size_t associated_length, const uint8_t key[AK_KEY_BYTES],
            const struct ak_random *random);
int ak_open(uint8_t *out, const uint8_t *sealed, size_t sealed_length, const void *associated,
            size_t associated_length, const uint8_t key[AK_KEY_BYTES]);

/* SipHash-2-4 with 128 bits: a quick PRF. Who lacks the key can neither foresee nor make one. */
void ak_fingerprint(uint8_t out[AK_FINGERPRINT_BYTES], const void *bytes, size_t length,
                    const uint8_t key[AK_FINGERPRINT_BYTES]);

/* HMAC-SHA-256, for JWT's HS256. */
void ak_hmac_sha256(uint8_t out[32], const uint8_t key[AK_KEY_BYTES], const void *bytes,
                    size_t length);

#endif
