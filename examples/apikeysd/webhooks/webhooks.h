/* SPDX-License-Identifier: MIT */
/*
 * Webhooks: every event goes, as JSON and signed, to the endpoints that want it. A thread of its
 * own reads the events behind a durable cursor, plans a delivery for each endpoint, and makes those
 * that are due; all that it has to remember lies in the environment's store, so that a restart
 * loses nothing, and several services on one store share the work.
 */
#ifndef SERVER_WEBHOOKS_WEBHOOKS_H
#define SERVER_WEBHOOKS_WEBHOOKS_H

#include "service.h"

struct webhooks;

/* NULL: said why in the log. */
struct webhooks *webhooks_start(struct service *service);
/* Ends the thread; deliveries under way have a few seconds, then they are given back. */
void webhooks_stop(struct webhooks *webhooks);

/* There may be something to do: a delivery was made due, an endpoint was changed. */
void webhooks_wake(struct webhooks *webhooks);

#endif
