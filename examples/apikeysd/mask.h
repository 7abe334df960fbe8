/* SPDX-License-Identifier: MIT */
/* Masks keys' values and signed tokens in texts that clients chose, before these reach a log or an
 * answer. */
#ifndef SERVER_MASK_H
#define SERVER_MASK_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Replaces secrets in place: 32 or more letters and digits of both cases in one piece, escaped or
 * not, and signed tokens ("eyJ"). The text never grows. A prefix before the secret stays, because
 * it tells the kind of key.
 */
void mask_secrets(char *text);

/*
 * True if the text holds a whole secret: a key's value (a prefix, '_', and 54 letters and digits), or
 * a signed token ("eyJ", three parts). Stricter than mask_secrets(), because such a text is refused:
 * nothing else may be found.
 */
bool mask_finds_secret(const char *text);

/* A masked copy as JSON; NULL: no UTF-8, or no memory. */
json_t *mask_json(const char *text);

#endif
