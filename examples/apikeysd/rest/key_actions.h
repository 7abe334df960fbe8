/* SPDX-License-Identifier: MIT */
/* Actions on one key, named by the path's ":id". */
#ifndef SERVER_REST_KEY_ACTIONS_H
#define SERVER_REST_KEY_ACTIONS_H

#include "http/exchange.h"

/* Customers' keys and management keys have separate routes; each finds its own kind only. */
enum key_kind { CUSTOMER_KEY, MANAGEMENT_KEY };

/* Each answers the exchange. */
void key_show(struct exchange *x, enum key_kind kind);
void key_expire(struct exchange *x, enum key_kind kind);
void key_revoke(struct exchange *x, enum key_kind kind);

#endif
