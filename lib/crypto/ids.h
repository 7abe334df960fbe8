/* SPDX-License-Identifier: MIT */
/*
 * Object ids: <kind>_<ULID>, 26 characters of Crockford base32 (48 bits of milliseconds, 80 random
 * bits; https://github.com/ulid/spec). Pure: time and randomness are given.
 */
#ifndef AK_CRYPTO_IDS_H
#define AK_CRYPTO_IDS_H

#include "crypto/crypto.h"

#include <stdint.h>

enum { AK_ULID_BYTES = 16 };
enum { AK_ULID_LENGTH = 26, AK_ID_MAX = 40 /* the longest kind, '_', the ULID and the NUL */ };

/* Write `<kind>_<ULID>` with its NUL into `out`; APIKEYS_OK, or APIKEYS_ERROR_RANDOM. */
int ak_id_generate(char out[AK_ID_MAX], const char *kind, int64_t now_ms,
                   const struct ak_random *random);

/* 0 if `text` is a bare ULID, upper-case, else -1. */
int ak_ulid_check(const char *text, size_t length);

/* The 128 bits of the ULID that an id ends with, and the id of that kind again. -1: no ULID. */
int ak_ulid_pack(uint8_t out[AK_ULID_BYTES], const char *id, size_t length);
void ak_ulid_unpack(char out[AK_ID_MAX], const char *kind, const uint8_t bytes[AK_ULID_BYTES]);

/* 0 if `text` is an id of that kind (upper-case ULID, nothing around it), else -1. */
int ak_id_check(const char *text, size_t length, const char *kind);

#endif
