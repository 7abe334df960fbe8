/* SPDX-License-Identifier: MIT */
/* Answers that the routes for keys of all owners share. */
#ifndef SERVER_REST_KEY_REPLIES_H
#define SERVER_REST_KEY_REPLIES_H

#include "http/body.h"
#include "rest/list.h"

/* A key as JSON, with when and why it was revoked (an addition of ours). NULL: out of memory. */
json_t *key_json(apikeys_key *key);

/* A key's JSON, with `value` in it if there is one. */
void key_reply(struct exchange *x, int status, apikeys_key *key, const char *value);

/* Sets the request's Idempotency-Key, if any. A malformed one is an error of the form. */
int key_set_idempotency_key(struct form *form, apikeys_key_spec *spec);

/*
 * Creates the key that the body asks for ("name", "permissions", "expires_at") with the owner that
 * is set in the specification; Idempotency-Key counts. Answers the exchange. `invalid` is the
 * status of input that is wrong: 422, or 400 where the contract has that.
 */
void key_create(struct form *form, apikeys_key_spec *spec, const char *owner_noun,
                const char *owner_id, int invalid);

/* Lists the keys of the owner that is set in the list's filter, with the parameters "search" and
 * "revoked". Answers the exchange. `rc` is the result of finding the owner. */
void key_list(struct list *list, int rc, const char *owner_noun, const char *owner_id);

#endif
