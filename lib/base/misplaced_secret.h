/* SPDX-License-Identifier: MIT */
/*
 * Recognizes a key's value or a signed token inside a text where none belongs, by its look. Pure.
 * Not for texts that are known to be secrets: this branches on every character.
 */
#ifndef AK_BASE_MISPLACED_SECRET_H
#define AK_BASE_MISPLACED_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True if a whole secret is in the text: the end of a prefix, '_', and 54 letters and digits or
 * more, of both cases; or three parts of a token, the first of which begins with "eyJ". For refusing:
 * it finds nothing else.
 */
bool ak_text_holds_secret(const char *text, size_t length);

/*
 * Replaces in place whatever may be a secret, cut ones too, by "[masked]": at least 32 letters and
 * digits of both cases behind a prefix, 54 without one, and a token's first two parts. Prefixes stay.
 * The text never grows. Returns the new length and writes a NUL there: text[length] must be ours.
 */
size_t ak_mask_secrets(char *text, size_t length);

#endif
