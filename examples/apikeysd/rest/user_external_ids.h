/* SPDX-License-Identifier: MIT */
/* An index from external ids to users: a document for each, because users are stored by id and
 * listed by address. */
#ifndef SERVER_REST_USER_EXTERNAL_IDS_H
#define SERVER_REST_USER_EXTERNAL_IDS_H

#include "http/exchange.h"

/* Results of the library. `external_id` may be NULL or "": none. */

/* Takes the external id before the user is written with it. APIKEYS_ERROR_EXISTS: another user has
 * it. Takes over what an earlier, unfinished write left. */
int user_external_id_take(struct exchange *x, const char *external_id, const char *user_id);
/* Releases the external id after a write that removed it. */
int user_external_id_drop(struct exchange *x, const char *external_id, const char *user_id);

/* The user that took it; the caller checks whether that user still has it. A copy in the exchange's
 * memory, or NULL with APIKEYS_ERROR_NOT_FOUND. */
int user_external_id_find(struct exchange *x, const char *external_id, const char **user_id);

#endif
