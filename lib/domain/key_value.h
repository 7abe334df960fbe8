/* SPDX-License-Identifier: MIT */
/*
 * A key's value against its record: made, sealed, verified, sealed anew. The only file that sees a
 * value and a record side by side.
 *
 * At rest a key is the BLAKE2b-256 of its whole text, sealed with XChaCha20-Poly1305 under a key
 * derived from the root key, with the key's id, lookup id and owner as associated data: a stolen
 * store verifies nothing, and a row moved to another owner or id does not verify any more. Fast
 * hashing is right here: the secret has 190 bits.
 */
#ifndef AK_DOMAIN_KEY_VALUE_H
#define AK_DOMAIN_KEY_VALUE_H

#include "crypto/key_text.h"
#include "operation/env_handle.h"

enum { AK_SCHEME_BLAKE2B_XCHACHA20 = 1 };

/* A value in plain: wiped by whoever holds it. */
struct ak_secret_text {
  char text[AK_KEY_TEXT_MAX + 1];
  size_t length;
};

/*
 * A new value for the record (which has its id and owner): sets lookup id, obfuscated value and
 * the sealed digest, with the environment's prefix and root key. APIKEYS_ERROR_RANDOM,
 * …_NO_MEMORY, …_ROOT_KEY_WRONG.
 */
int ak_key_value_make(apikeys_env *env, apikeys_record *key, const apikeys_record *environment,
                      struct ak_secret_text *value);

/*
 * 0 if the value is the record's, APIKEYS_UNKNOWN if not. Else the record cannot tell:
 * APIKEYS_ERROR_ROOT_KEY_WRONG, APIKEYS_ERROR_CORRUPT (it was tampered with, or its scheme is
 * unknown).
 */
int ak_key_value_verify(apikeys_env *env, const apikeys_record *key, const char *value,
                        size_t length);

/* Seal the record's digest under another root key. */
int ak_key_value_reseal(apikeys_env *env, apikeys_record *key, const struct ak_secrets *from,
                        const struct ak_secrets *to, int64_t to_version);

#endif
