/* SPDX-License-Identifier: MIT */
/*
 * Authentication by management key, widget token or dashboard session. Each function returns true
 * with x->actor set, or answers the exchange and returns false. Refusals are counted against the
 * address (throttle.h) and go to the security log.
 */
#ifndef SERVER_AUTHENTICATE_H
#define SERVER_AUTHENTICATE_H

#include "http/exchange.h"

/* 401 if refused, as the SDKs expect it. */
bool authenticate_management(struct exchange *x);
/* 403 if refused, which makes the widgets fetch a new token and try again. */
bool authenticate_widget(struct exchange *x);
/* The same for a management key that came in a body, to sign in with. */
bool authenticate_sign_in(struct exchange *x, const char *value, size_t length);
/* 401 if refused; see dashboard/sessions.h. */
bool authenticate_session(struct exchange *x);

/* Sets the request's id, address and user agent on the actor, for events. */
void authenticate_describe(struct exchange *x);

/* Acts as the service itself; `reason` goes to the events. False: answered with 503. */
bool authenticate_system(struct exchange *x, const char *reason);

#endif
