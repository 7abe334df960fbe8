/* SPDX-License-Identifier: MIT */
/*
 * Webhooks: every event goes, as signed JSON, to the endpoints that want it. A thread reads the
 * events behind a durable cursor, plans a delivery for each endpoint, and makes those that are due.
 * All state is in the environment's store, so that a restart loses nothing, and several services on
 * one store share the work.
 */
#ifndef SERVER_WEBHOOKS_WEBHOOKS_H
#define SERVER_WEBHOOKS_WEBHOOKS_H

#include "service.h"

struct webhooks;

/* NULL: the log says why. */
struct webhooks *webhooks_start(struct service *service);
/* Stops the thread. Attempts under way have a few seconds, then their deliveries are given back. */
void webhooks_stop(struct webhooks *webhooks);

/* Wakes the thread: a delivery was made due, or an endpoint was changed. */
void webhooks_wake(struct webhooks *webhooks);

#endif
