/* SPDX-License-Identifier: MIT */
/*
 * Which user has an external id: a document of its own for each, since users are kept by their own
 * ids and listed by their addresses.
 */
#ifndef SERVER_REST_USER_EXTERNAL_IDS_H
#define SERVER_REST_USER_EXTERNAL_IDS_H

#include "http/exchange.h"

/* Results of the library. `external_id` may be NULL or "": none. */

/*
 * Before a user is written with it. APIKEYS_ERROR_EXISTS: another user has it. What an earlier
 * write left that did not come to its end is taken over.
 */
int user_external_id_take(struct exchange *x, const char *external_id, const char *user_id);
/* Behind a write that no longer has it. */
int user_external_id_drop(struct exchange *x, const char *external_id, const char *user_id);

/* The user that took it; whether that user still has it, the caller looks. A copy of the exchange's
 * own, or NULL with APIKEYS_ERROR_NOT_FOUND. */
int user_external_id_find(struct exchange *x, const char *external_id, const char **user_id);

#endif
