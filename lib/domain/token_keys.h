/* SPDX-License-Identifier: MIT */
/*
 * The keys that signed widget tokens before rotations of the root key: the environment's record
 * keeps each, sealed under the current root key, until the tokens that it may have signed have
 * expired.
 */
#ifndef AK_DOMAIN_TOKEN_KEYS_H
#define AK_DOMAIN_TOKEN_KEYS_H

#include "operation/operation.h"

/*
 * At a rotation: the keys of before are sealed anew, the one that `from` had is added, and those
 * whose hour has passed go. With `drop_all` none is kept, and all tokens end at once.
 */
int ak_token_keys_renew(struct ak_op *op, apikeys_record *environment,
                        const struct ak_secrets *from, const struct ak_secrets *to, bool drop_all);

/* The root version of the last rotation with `drop_all`; 0: there was none. */
int64_t ak_token_keys_epoch(const apikeys_record *environment);

/* The key of that root version, if it is kept and its hour has not passed:
 * APIKEYS_ERROR_TOKEN_INVALID else. */
int ak_token_keys_find(struct ak_op *op, const apikeys_record *environment,
                       const struct ak_secrets *current, int64_t version,
                       uint8_t key[AK_KEY_BYTES]);

#endif
