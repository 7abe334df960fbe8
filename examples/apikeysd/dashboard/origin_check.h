/* SPDX-License-Identifier: MIT */
/*
 * What a browser says of where a request comes from, held against where we are: against pages of
 * others that make a signed-in browser act, and against names of theirs that they let point to us
 * (DNS rebinding).
 */
#ifndef SERVER_DASHBOARD_ORIGIN_CHECK_H
#define SERVER_DASHBOARD_ORIGIN_CHECK_H

#include "http/exchange.h"

/*
 * Does the request name a host that is ours? Asked for our own pages and all that they call; true
 * for other paths. False: answered with 421.
 */
bool origin_check_host(struct exchange *x);

/*
 * Does the request come from a page of ours? What changes something must say so, by Origin or
 * Sec-Fetch-Site; what reads must not say otherwise. False: answered with 403.
 */
bool origin_check_origin(struct exchange *x);

#endif
