/* SPDX-License-Identifier: MIT */
/*
 * Signs deliveries: "t=<Unix milliseconds>, v1=<hex>", where hex is the HMAC-SHA-256 of
 * "<t>.<payload>" under the endpoint's secret as it is written. The official clients verify this
 * form.
 */
#ifndef SERVER_WEBHOOKS_SIGNATURE_H
#define SERVER_WEBHOOKS_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

enum { SIGNATURE_MAX = 112, WEBHOOK_SECRET_LENGTH = 6 + 64 };

/* "whsec_" and 256 random bits; NUL-terminated, for the caller to wipe. */
void signature_new_secret(char out[WEBHOOK_SECRET_LENGTH + 1]);

void signature_write(char out[SIGNATURE_MAX], const char *secret, size_t secret_length,
                     int64_t unix_ms, const char *payload, size_t payload_length);

#endif
