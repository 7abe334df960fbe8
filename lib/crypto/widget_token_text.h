/* SPDX-License-Identifier: MIT */
/*
 * The text of a widget token: a JWT (RFC 7519) signed with HMAC-SHA-256, and nothing else. Pure: no
 * storage, no clock. For the same claims, key and version there is exactly one text, and only that
 * is accepted:
 *
 *   {"alg":"HS256","kid":"1","typ":"JWT"}
 *   {"iss":"env_…","aud":"widgets","org_id":"org_…","sub":"user id","permissions":["a","b"],
 *    "iat":1700000000,"exp":1700003600,"jti":"…"}
 *
 * members in this order, without white space; `sub` only for a token with a user; `kid` is the
 * key's version. The payload is ASCII, and its base64url has neither '-' nor '_', because browsers
 * decode it with atob().
 */
#ifndef AK_CRYPTO_WIDGET_TOKEN_TEXT_H
#define AK_CRYPTO_WIDGET_TOKEN_TEXT_H

#include "crypto/crypto.h"
#include "crypto/ids.h"

#include <stddef.h>
#include <stdint.h>

enum {
  AK_WIDGET_USER_MAX = 128,
  AK_WIDGET_PERMISSIONS_MAX = 16,
  AK_WIDGET_PERMISSION_LENGTH = 48,
  AK_WIDGET_TEXT_MAX = 2560 /* the longest there can be has 2481 characters */
};

/* 9999-12-31T23:59:59Z: later times are refused, so that milliseconds never overflow. */
#define AK_WIDGET_TIME_MAX INT64_C(253402300799)

struct ak_widget_claims {
  char environment_id[AK_ID_MAX];       /* iss */
  char organization_id[AK_ID_MAX];      /* org_id */
  char user_id[AK_WIDGET_USER_MAX + 1]; /* sub; "": a token without a user */
  /* Slugs that begin with "widgets:", one blank between two; "": none. */
  char permissions[AK_WIDGET_PERMISSIONS_MAX * (AK_WIDGET_PERMISSION_LENGTH + 1)];
  int64_t issued_at; /* Unix seconds, 0 to AK_WIDGET_TIME_MAX */
  int64_t expires_at;
  char token_id[AK_ULID_LENGTH + 1]; /* jti */
};

/*
 * Write the token, NUL-terminated, into `out` (AK_WIDGET_TEXT_MAX + 1 bytes). It lets its bearer
 * act: the caller wipes it. APIKEYS_OK; APIKEYS_ERROR_INVALID_ARGUMENT if the claims are not as
 * said above; APIKEYS_ERROR_NO_MEMORY.
 */
int ak_widget_text_write(char *out, size_t *length, const struct ak_widget_claims *claims,
                         uint32_t key_version, const uint8_t key[AK_KEY_BYTES]);

/*
 * The version of the key that the token says it is signed with, so that the caller can choose the
 * key; nothing is verified yet. APIKEYS_OK or APIKEYS_ERROR_TOKEN_INVALID.
 */
int ak_widget_text_key_version(const char *text, size_t length, uint32_t *version);

/*
 * Verify the signature, and only then read the claims. Whether the token has expired, and whether
 * the environment and the organization are there, is for the caller to ask.
 * APIKEYS_OK or APIKEYS_ERROR_TOKEN_INVALID, with `claims` untouched.
 */
int ak_widget_text_read(const char *text, size_t length, const uint8_t key[AK_KEY_BYTES],
                        struct ak_widget_claims *claims);

#endif
