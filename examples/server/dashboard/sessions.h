/* SPDX-License-Identifier: MIT */
/* Dashboard sessions: who signed in with a management key, for how long. */
#ifndef SERVER_DASHBOARD_SESSIONS_H
#define SERVER_DASHBOARD_SESSIONS_H

#include "http/exchange.h"

/* True with x->session and x->actor set; else answered with 401. */
bool sessions_enter(struct exchange *x);

#endif
