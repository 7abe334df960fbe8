/* SPDX-License-Identifier: MIT */
/*
 * The key's text: <prefix>_<lookup id><secret><checksum>. Pure: no storage, no clock.
 *
 * The prefix is 1 to 24 of a-z 0-9 _, beginning with a letter and not ending in '_'. The checksum
 * is the CRC-32 (IEEE 802.3, as in zlib) of everything before it, as six base62 digits (0-9 A-Z
 * a-z), the highest first. tests/vectors has examples of all parts.
 *
 * Nothing here branches on, or indexes by, a character of the secret; that is checked on the
 * binary (tests/constant_time).
 */
#ifndef AK_CRYPTO_KEY_TEXT_H
#define AK_CRYPTO_KEY_TEXT_H

#include "crypto/crypto.h"

#include <stdbool.h>
#include <stddef.h>

enum {
  AK_PREFIX_MAX = 24,
  AK_LOOKUP_ID_LENGTH = 16,
  AK_SECRET_LENGTH = 32,
  AK_CHECKSUM_LENGTH = 6,
  AK_BODY_LENGTH = AK_LOOKUP_ID_LENGTH + AK_SECRET_LENGTH + AK_CHECKSUM_LENGTH,
  AK_KEY_TEXT_MIN = 1 + 1 + AK_BODY_LENGTH,
  AK_KEY_TEXT_MAX = AK_PREFIX_MAX + 1 + AK_BODY_LENGTH,
  AK_OBFUSCATED_MAX = AK_PREFIX_MAX + 1 + 3 + 4 /* "sk_...3456" */
};

/* Where the parts lie in a parsed text; the pointers are into the caller's text. */
struct ak_key_text {
  const char *prefix;
  size_t prefix_length;
  const char *lookup_id; /* AK_LOOKUP_ID_LENGTH characters, public */
};

/* 0 if `prefix` may begin a key: ^[a-z][a-z0-9_]{0,23}$, and not ending in '_'. Else -1. */
int ak_prefix_check(const char *prefix, size_t length);

/*
 * Generate a value into `out` (AK_KEY_TEXT_MAX + 1 bytes, NUL-terminated), its length into *length.
 * APIKEYS_OK, or APIKEYS_ERROR_RANDOM with `out` wiped. The prefix must have been checked.
 */
int ak_key_text_generate(char *out, size_t *length, const char *prefix, size_t prefix_length,
                         const struct ak_random *random);

/*
 * Parse: APIKEYS_OK, or APIKEYS_MALFORMED for anything but one exact text: length, alphabet,
 * prefix shape and checksum. `text` needs no terminator and is not copied. Whether the prefix is
 * one of the environment's is for the caller to ask.
 */
int ak_key_text_parse(struct ak_key_text *out, const char *text, size_t length);

/*
 * The part of a valid value that may be shown: "sk_...3456", NUL-terminated; returns its length.
 * 0 and "" for a text that cannot be a value by its length.
 */
size_t ak_key_text_obfuscate(char out[AK_OBFUSCATED_MAX + 1], const char *text, size_t length);

/*
 * The visible beginning in `text`, for support and leak response: the lookup id, or its first
 * characters, of a whole value, of a cut one, or of "sk_9fQ2". 0 with *start and *part_length
 * (1 to AK_LOOKUP_ID_LENGTH characters, pointing into `text`); -1 for anything else: an obfuscated
 * value (it shows nothing of the lookup id), other characters, a whole value with a wrong checksum.
 */
int ak_key_text_visible_part(const char *text, size_t length, const char **start,
                             size_t *part_length);

/* True for what ak_key_text_obfuscate() writes, of any prefix. Public text: it has branches. */
bool ak_key_text_is_obfuscated(const char *text, size_t length);

/*
 * The rule for secret scanners, for one prefix, as one line of text: a regular expression.
 * Writes at most `capacity` bytes with the terminator, returns the length needed without it.
 * What it finds is a value if the checksum fits as well.
 */
size_t ak_key_text_scanner_rule(char *out, size_t capacity, const char *prefix,
                                size_t prefix_length);

#endif
