/* SPDX-License-Identifier: MIT */
/* A repeated creation finds the key it made before, for 24 hours. */
#ifndef AK_DOMAIN_IDEMPOTENCY_H
#define AK_DOMAIN_IDEMPOTENCY_H

#include "domain/key_spec.h"

/*
 * With an idempotency key that the same actor used for the same owner before: *repeated, and `key`
 * becomes the record of the key that was made. APIKEYS_ERROR_IDEMPOTENCY_MISMATCH if that was
 * another request; APIKEYS_ERROR_IDEMPOTENCY_USED if the key is gone.
 */
int ak_idempotency_find(struct ak_op *op, const apikeys_key_spec *spec, apikeys_record *key,
                        bool *repeated);

/* Remember that this request made this key. Nothing without an idempotency key. */
int ak_idempotency_remember(struct ak_op *op, const apikeys_key_spec *spec,
                            const apikeys_record *key);

/* Forget all. */
int ak_idempotency_drop_all(struct ak_op *op, struct ak_budget *budget);

/* Forget what is older than 24 hours. */
int ak_idempotency_prune(struct ak_op *op, struct ak_budget *budget);

#endif
