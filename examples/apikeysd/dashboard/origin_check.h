/* SPDX-License-Identifier: MIT */
/*
 * Protects the dashboard against cross-site request forgery (a foreign page makes a signed-in
 * browser act) and DNS rebinding (a foreign name points to our address), by what browsers say in
 * Host, Origin and Sec-Fetch-Site.
 */
#ifndef SERVER_DASHBOARD_ORIGIN_CHECK_H
#define SERVER_DASHBOARD_ORIGIN_CHECK_H

#include "http/exchange.h"

/* True if the Host header names this service. Checked for our own pages and all that they call;
 * true for other paths. False: answered with 421. */
bool origin_check_host(struct exchange *x);

/* True if the request comes from a page of ours. A change must say so, by Origin or Sec-Fetch-Site;
 * a read must not say otherwise. False: answered with 403. */
bool origin_check_origin(struct exchange *x);

#endif
