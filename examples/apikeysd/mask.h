/* SPDX-License-Identifier: MIT */
/* Keys' values and signed tokens in texts that clients chose, before these reach a log or an
 * answer. */
#ifndef SERVER_MASK_H
#define SERVER_MASK_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Replaces, in place, what looks like the secret of one: 32 letters and digits or more, upper and
 * lower case, in one piece, escaped or not; and what begins like a signed token ("eyJ"). The text
 * never grows. A prefix before it stays: it says what kind of key was there.
 */
void mask_secrets(char *text);

/*
 * True if the text has a whole secret in it: a key's value (a prefix, '_', and the 54 letters and
 * digits), or a signed token (three parts that begin with "eyJ"). Stricter than mask_secrets(): what
 * this finds is refused, so it must not find anything else.
 */
bool mask_finds_secret(const char *text);

/* A masked copy as JSON; NULL: no UTF-8, or no memory. */
json_t *mask_json(const char *text);

#endif
