/* SPDX-License-Identifier: MIT */
/* In-process subscribers: who is told of committed events. */
#ifndef AK_SUBSCRIPTIONS_H
#define AK_SUBSCRIPTIONS_H

#include <apikeys/event.h>

#include <pthread.h>
#include <stdbool.h>

struct ak_subscriptions {
  pthread_mutex_t lock;
  apikeys_subscription *first;
};

void ak_subscriptions_init(struct ak_subscriptions *subscriptions);
void ak_subscriptions_release(struct ak_subscriptions *subscriptions);
bool ak_subscriptions_any(struct ak_subscriptions *subscriptions);
/* Forget all of them: the environment is closing. Their handles stay for their owners to free. */
void ak_subscriptions_close(struct ak_subscriptions *subscriptions);

/* Call every subscriber, with no lock held. Subscribers come and go meanwhile. */
void ak_subscriptions_deliver(struct ak_subscriptions *subscriptions, apikeys_event *event);

#endif
