/* SPDX-License-Identifier: MIT */
/* Callbacks of this process that receive committed events. */
#ifndef AK_OPERATION_SUBSCRIPTIONS_H
#define AK_OPERATION_SUBSCRIPTIONS_H

#include <apikeys/event.h>

#include <stdbool.h>

struct ak_subscriptions;

struct ak_subscriptions *ak_subscriptions_new(void); /* NULL: out of memory */

/* APIKEYS_ERROR_NO_MEMORY, with `destroy` not called. */
int ak_subscriptions_add(struct ak_subscriptions *subscriptions, apikeys_event_callback callback,
                         void *user_data, void (*destroy)(void *user_data),
                         apikeys_subscription **out);

bool ak_subscriptions_any(struct ak_subscriptions *subscriptions);
/* The environment is gone: none is called any more. Their handles stay for their owners to free. */
void ak_subscriptions_close(struct ak_subscriptions *subscriptions);

/* Call every subscriber, with no lock held. Subscribers come and go meanwhile. */
void ak_subscriptions_deliver(struct ak_subscriptions *subscriptions, apikeys_event *event);

#endif
