/* SPDX-License-Identifier: MIT */
/*
 * Creations that can be repeated when an answer was lost: "Idempotency-Key", for all that the
 * library does not make safe itself, as it does for keys.
 *
 *   static void create_organization(struct exchange *x) {
 *     idempotent_post(x, make_organization);
 *   }
 *
 * For 24 hours, for the same actor and path: the same request again gets the answer that the first
 * one got, another one is refused with 422, and one that comes while the first is being answered,
 * in any process, with 409. A refusal is not kept: the request may be tried again.
 *
 * The answer is kept beside what was made, not in one transaction with it: if the process is killed
 * between the two, a repeat a minute later makes a second one.
 */
#ifndef SERVER_REST_IDEMPOTENT_POST_H
#define SERVER_REST_IDEMPOTENT_POST_H

#include "http/exchange.h"

/* Calls `make`, which answers the exchange with 201 if it made something, or repeats its answer. */
void idempotent_post(struct exchange *x, void (*make)(struct exchange *x));

#endif
