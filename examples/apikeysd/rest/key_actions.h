/* SPDX-License-Identifier: MIT */
/* What is done with one key, named by the path's ":id". */
#ifndef SERVER_REST_KEY_ACTIONS_H
#define SERVER_REST_KEY_ACTIONS_H

#include "http/exchange.h"

/* Each kind has routes of its own, where keys of the other kind are not found. */
enum key_kind { CUSTOMER_KEY, MANAGEMENT_KEY };

/* Each answers the exchange. */
void key_show(struct exchange *x, enum key_kind kind);
void key_expire(struct exchange *x, enum key_kind kind);
void key_revoke(struct exchange *x, enum key_kind kind);

#endif
