/* SPDX-License-Identifier: MIT */
/* Cross-origin requests of browsers (CORS). Only the widget's endpoints are open to other origins,
 * those that the configuration names. No cookies are used; the widget token is the only proof. */
#ifndef SERVER_WIDGET_CORS_H
#define SERVER_WIDGET_CORS_H

#include "http/exchange.h"

/* Is this a path that other origins may ask? */
bool cors_covers(const struct exchange *x);
/* Answer an OPTIONS request for it. */
void cors_answer_preflight(struct exchange *x);
/* The headers that let the asking origin read this answer: for every answer, early errors too. */
void cors_allow(struct exchange *x);

#endif
