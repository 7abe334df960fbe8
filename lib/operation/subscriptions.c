/* SPDX-License-Identifier: MIT */
/* Event callbacks of this process. */
#include "operation/subscriptions.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * A subscription lives while its owner, or a delivery that is under way, holds a reference. `live`
 * is cleared when the owner lets go, and no callback starts any more; one under way on another
 * thread ends first, and then `destroy` is called.
 */
struct apikeys_subscription {
  struct ak_subscriptions *list;
  apikeys_event_callback callback;
  void *user_data;
  void (*destroy)(void *user_data);
  uint64_t number; /* rises: a delivery goes to those that were there when it began */
  bool live;       /* all of these under the list's lock */
  unsigned references;
  apikeys_subscription *next;
};

/* The list lives while the environment or a subscription's handle does. */
struct ak_subscriptions {
  pthread_mutex_t lock;
  unsigned references; /* under the lock, as all below */
  uint64_t last_number;
  apikeys_subscription *first;
};

struct ak_subscriptions *ak_subscriptions_new(void) {
  struct ak_subscriptions *subscriptions = calloc(1, sizeof *subscriptions);
  if (subscriptions == NULL)
    return NULL;
  pthread_mutex_init(&subscriptions->lock, NULL);
  subscriptions->references = 1;
  return subscriptions;
}

static struct ak_subscriptions *share(struct ak_subscriptions *subscriptions) {
  pthread_mutex_lock(&subscriptions->lock);
  subscriptions->references++;
  pthread_mutex_unlock(&subscriptions->lock);
  return subscriptions;
}

static void subscriptions_release(struct ak_subscriptions *subscriptions) {
  pthread_mutex_lock(&subscriptions->lock);
  bool last = --subscriptions->references == 0;
  pthread_mutex_unlock(&subscriptions->lock);
  if (!last)
    return;
  pthread_mutex_destroy(&subscriptions->lock);
  free(subscriptions);
}

bool ak_subscriptions_any(struct ak_subscriptions *subscriptions) {
  pthread_mutex_lock(&subscriptions->lock);
  bool any = subscriptions->first != NULL;
  pthread_mutex_unlock(&subscriptions->lock);
  return any;
}

static void unlink_locked(struct ak_subscriptions *subscriptions, apikeys_subscription *gone) {
  apikeys_subscription **link = &subscriptions->first;
  while (*link != NULL && *link != gone)
    link = &(*link)->next;
  if (*link != NULL)
    *link = gone->next;
}

/* Drops a reference; the last one takes it off the list, and calls destroy outside the lock. */
static void subscriptions_drop(apikeys_subscription *subscription) {
  struct ak_subscriptions *subscriptions = subscription->list;
  pthread_mutex_lock(&subscriptions->lock);
  bool last = --subscription->references == 0;
  if (last)
    unlink_locked(subscriptions, subscription);
  pthread_mutex_unlock(&subscriptions->lock);
  if (!last)
    return;
  if (subscription->destroy != NULL)
    subscription->destroy(subscription->user_data);
  free(subscription);
  subscriptions_release(subscriptions);
}

void ak_subscriptions_close(struct ak_subscriptions *subscriptions) {
  if (subscriptions == NULL)
    return;
  pthread_mutex_lock(&subscriptions->lock);
  for (apikeys_subscription *s = subscriptions->first; s != NULL; s = s->next)
    s->live = false;
  pthread_mutex_unlock(&subscriptions->lock);
  subscriptions_release(subscriptions);
}

/* The next live one behind `after` (or the first), with a reference of ours. New ones come at the
 * end: one that a callback adds is numbered above `last`, and does not get the event of before. */
static apikeys_subscription *take_next(struct ak_subscriptions *subscriptions,
                                       apikeys_subscription *after, uint64_t last) {
  pthread_mutex_lock(&subscriptions->lock);
  apikeys_subscription *next = after != NULL ? after->next : subscriptions->first;
  while (next != NULL && !next->live)
    next = next->next;
  if (next != NULL && next->number > last)
    next = NULL;
  if (next != NULL)
    next->references++;
  pthread_mutex_unlock(&subscriptions->lock);
  return next;
}

void ak_subscriptions_deliver(struct ak_subscriptions *subscriptions, apikeys_event *event) {
  /* The one being called stays linked while we hold it, so its `next` stays good. */
  pthread_mutex_lock(&subscriptions->lock);
  uint64_t last = subscriptions->last_number;
  pthread_mutex_unlock(&subscriptions->lock);
  apikeys_subscription *subscription = take_next(subscriptions, NULL, last);
  while (subscription != NULL) {
    subscription->callback(event, subscription->user_data);
    apikeys_subscription *next = take_next(subscriptions, subscription, last);
    subscriptions_drop(subscription);
    subscription = next;
  }
}

int ak_subscriptions_add(struct ak_subscriptions *subscriptions, apikeys_event_callback callback,
                         void *user_data, void (*destroy)(void *user_data),
                         apikeys_subscription **out) {
  apikeys_subscription *made = calloc(1, sizeof *made);
  if (made == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  *made = (apikeys_subscription){.list = share(subscriptions),
                                 .callback = callback,
                                 .user_data = user_data,
                                 .destroy = destroy,
                                 .live = true,
                                 .references = 1};
  pthread_mutex_lock(&subscriptions->lock);
  apikeys_subscription **link = &subscriptions->first;
  while (*link != NULL)
    link = &(*link)->next;
  *link = made;
  made->number = ++subscriptions->last_number;
  pthread_mutex_unlock(&subscriptions->lock);
  *out = made;
  return APIKEYS_OK;
}

void apikeys_subscription_free(apikeys_subscription *subscription) {
  if (subscription == NULL)
    return;
  struct ak_subscriptions *subscriptions = subscription->list;
  pthread_mutex_lock(&subscriptions->lock);
  subscription->live = false;
  pthread_mutex_unlock(&subscriptions->lock);
  subscriptions_drop(subscription);
}
