/* SPDX-License-Identifier: MIT */
/* Widget tokens that the library would not make. */
#ifndef WIDGET_TEXT_H
#define WIDGET_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Both append to `out` and give how long it is then, or how much was appended. */
size_t encode_base64url(char *out, const void *bytes, size_t length);
size_t sign_text(char *out, size_t length, const uint8_t *key);

#endif
