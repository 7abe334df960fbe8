/* SPDX-License-Identifier: MIT */
/*
 * Holds a request's query parameters and body fields against the names that its route knows
 * (known_names.h), so that a misspelt "expiresAt" is an error and not a key that never expires.
 *
 * Routes of our own refuse every name they do not know. Routes of the contract refuse what comes
 * near a known name, and let the rest through, which newer clients send; one a minute is logged.
 */
#ifndef SERVER_HTTP_NAME_CHECK_H
#define SERVER_HTTP_NAME_CHECK_H

#include "http/exchange.h"

#include <jansson.h>

/*
 * The query, and the body of a route that reads none. A list parameter that is given several times
 * becomes one, with commas. False: a name was refused, and the exchange answered.
 */
bool name_check_request(struct exchange *x);

/* The fields of the body. False: one was refused, and the exchange answered. */
bool name_check_fields(struct exchange *x, json_t *object);

#endif
