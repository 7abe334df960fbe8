/* SPDX-License-Identifier: MIT */
/*
 * Who asks: management keys, widget tokens, dashboard sessions. Each returns true with x->actor
 * set, or answers the exchange and returns false. Refusals are counted against the address
 * (throttle.h) and go to the security log.
 */
#ifndef SERVER_AUTHENTICATE_H
#define SERVER_AUTHENTICATE_H

#include "http/exchange.h"

/* 401, as the SDKs expect it. */
bool authenticate_management(struct exchange *x);
/* 403, which makes the widgets fetch a new token and try again. */
bool authenticate_widget(struct exchange *x);
/* The same for a value that came in a body, to sign in with. */
bool authenticate_sign_in(struct exchange *x, const char *value, size_t length);
/* 401; see dashboard/sessions.h. */
bool authenticate_session(struct exchange *x);

/* The request's id, address and user agent on the actor, for events. */
void authenticate_describe(struct exchange *x);

/* Act as the service itself; `reason` goes to the events. False: answered with 503. */
bool authenticate_system(struct exchange *x, const char *reason);

#endif
