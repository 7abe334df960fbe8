/* SPDX-License-Identifier: MIT */
/* What text may be: the checks that every input passes before it is stored. Pure. */
#ifndef AK_BASE_TEXT_H
#define AK_BASE_TEXT_H

#include <apikeys/base.h>

#include <stdint.h>
#include <string.h>

/* The longest id of a user, and the longest text that a host tells about a call, in bytes. */
enum { AK_USER_ID_MAX = 128, AK_CONTEXT_MAX = 255 };

/* The length of a text that a caller gave: APIKEYS_NUL stands for "up to its NUL"; NULL is empty. */
static inline size_t ak_text_length(const char *text, size_t length) {
  if (length != APIKEYS_NUL)
    return length;
  return text != NULL ? strlen(text) : 0;
}

/* The same for a secret of at most `max` bytes: looks at no more than one byte beyond. */
static inline size_t ak_text_length_to(const char *text, size_t length, size_t max) {
  if (length != APIKEYS_NUL)
    return length;
  return text != NULL ? strnlen(text, max + 1) : 0;
}

/*
 * NULL if `text` is `min` to `max` bytes of valid UTF-8 (no overlong forms, no surrogates) without
 * control characters (C0, DEL, C1, U+2028, U+2029); else a phrase that says what is wrong with it,
 * such as "must be 1 to 255 bytes long", static. A text that holds a key's value or a signed token
 * (misplaced_secret.h) is refused as well: it would be stored and shown.
 */
const char *ak_text_problem(const char *text, size_t length, size_t min, size_t max);

/*
 * The same for a name that people see in lists: it has no control of the writing direction (U+202A
 * to U+202E, U+2066 to U+2069), which could make it look like another, and shows something: it is
 * not of blanks and zero-width characters alone. An empty name is good where `min` is 0.
 */
const char *ak_text_name_problem(const char *text, size_t length, size_t min, size_t max);

/* The same for printable ASCII without blanks: ids that the host gives us. */
const char *ak_text_id_problem(const char *text, size_t length, size_t min, size_t max);

/* The same two for texts that may hold anything: they are masked, or neither stored nor shown. */
const char *ak_text_form_problem(const char *text, size_t length, size_t min, size_t max);
const char *ak_text_id_form_problem(const char *text, size_t length, size_t min, size_t max);

/*
 * The same for domain names (RFC 1123): at most 253 bytes, two labels or more, separated by dots,
 * each 1 to 63 letters, digits and hyphens, no hyphen at an end; the last label is not a number, as
 * it is in an address. Names in other scripts have their ASCII form: "xn--…".
 */
const char *ak_text_domain_problem(const char *text, size_t length);

/*
 * Decode the character at the beginning of `text` into *code: returns its length in bytes, 1 to 4,
 * or 0 if there is no valid one (overlong forms, surrogates and cut sequences are not).
 */
size_t ak_utf8_decode(const char *text, size_t length, uint32_t *code);

enum { AK_SLUG_MAX = 48 };
/* 0 if `text` is a permission's or role's slug: 1 to 48 of a-z 0-9 - _ : . * ; else -1. */
int ak_slug_check(const char *text, size_t length);

/* 1 if `needle` occurs in `text`, ASCII letters compared without case; an empty needle occurs. */
int ak_text_contains(const char *text, size_t length, const char *needle, size_t needle_length);

enum { AK_TIME_TEXT_LENGTH = 24 }; /* 2026-01-15T12:00:00.000Z */
/*
 * RFC 3339 in UTC with milliseconds, for years 0000 to 9999; NUL-terminated. Times outside are held
 * at the ends.
 */
void ak_time_text(char out[AK_TIME_TEXT_LENGTH + 1], int64_t unix_ms);

/* Two digits a byte, a to f, and a NUL. Not for secrets. */
void ak_hex_text(char *out, const uint8_t *bytes, size_t length);

#endif
