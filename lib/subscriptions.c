/* SPDX-License-Identifier: MIT */
#include "subscriptions.h"

#include "env.h"
#include "error.h"

#include <stdlib.h>

/*
 * A subscription lives while its owner, or a delivery that is under way, holds a reference. `live`
 * is cleared when the owner lets go, and no callback starts any more; one under way on another
 * thread ends first, and then `destroy` is called.
 */
struct apikeys_subscription {
  apikeys_env *env;
  apikeys_event_callback callback;
  void *user_data;
  void (*destroy)(void *user_data);
  bool live;          /* all of these under the list's lock */
  bool linked;
  unsigned references;
  apikeys_subscription *next;
};

void ak_subscriptions_init(struct ak_subscriptions *subscriptions) {
  pthread_mutex_init(&subscriptions->lock, NULL);
  subscriptions->first = NULL;
}

void ak_subscriptions_release(struct ak_subscriptions *subscriptions) {
  pthread_mutex_destroy(&subscriptions->lock);
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
  gone->linked = false;
}

/* Drops a reference; the last one takes it off the list, and calls destroy outside the lock. */
static void drop(struct ak_subscriptions *subscriptions, apikeys_subscription *subscription) {
  pthread_mutex_lock(&subscriptions->lock);
  bool last = --subscription->references == 0;
  if (last && subscription->linked)
    unlink_locked(subscriptions, subscription);
  pthread_mutex_unlock(&subscriptions->lock);
  if (!last)
    return;
  apikeys_env *env = subscription->env;
  if (subscription->destroy != NULL)
    subscription->destroy(subscription->user_data);
  free(subscription);
  ak_env_drop(env);
}

void ak_subscriptions_close(struct ak_subscriptions *subscriptions) {
  pthread_mutex_lock(&subscriptions->lock);
  for (apikeys_subscription *s = subscriptions->first; s != NULL; s = s->next)
    s->live = false;
  pthread_mutex_unlock(&subscriptions->lock);
}

/* The next live one behind `after` (or the first), with a reference of ours. */
static apikeys_subscription *take_next(struct ak_subscriptions *subscriptions,
                                       apikeys_subscription *after) {
  pthread_mutex_lock(&subscriptions->lock);
  apikeys_subscription *next = after != NULL ? after->next : subscriptions->first;
  while (next != NULL && !next->live)
    next = next->next;
  if (next != NULL)
    next->references++;
  pthread_mutex_unlock(&subscriptions->lock);
  return next;
}

void ak_subscriptions_deliver(struct ak_subscriptions *subscriptions, apikeys_event *event) {
  /* The one being called stays linked while we hold it, so its `next` stays good. */
  apikeys_subscription *subscription = take_next(subscriptions, NULL);
  while (subscription != NULL) {
    subscription->callback(event, subscription->user_data);
    apikeys_subscription *next = take_next(subscriptions, subscription);
    drop(subscriptions, subscription);
    subscription = next;
  }
}

int apikeys_subscribe(apikeys_env *env, apikeys_event_callback callback, void *user_data,
                      void (*destroy)(void *user_data), apikeys_subscription **subscription,
                      apikeys_error *err) {
  int rc = ak_env_enter(env);
  if (rc == APIKEYS_OK && (callback == NULL || subscription == NULL))
    rc = APIKEYS_ERROR_INVALID_ARGUMENT;
  apikeys_subscription *made = NULL;
  if (rc == APIKEYS_OK && (made = calloc(1, sizeof *made)) == NULL)
    rc = APIKEYS_ERROR_NO_MEMORY;
  if (rc != APIKEYS_OK) {
    if (destroy != NULL)
      destroy(user_data);
    return ak_error_code(err, rc);
  }
  *made = (apikeys_subscription){.env = ak_env_share(env),
                                 .callback = callback,
                                 .user_data = user_data,
                                 .destroy = destroy,
                                 .live = true,
                                 .linked = true,
                                 .references = 1};
  pthread_mutex_lock(&env->subscriptions.lock);
  apikeys_subscription **link = &env->subscriptions.first;
  while (*link != NULL)
    link = &(*link)->next;
  *link = made;
  pthread_mutex_unlock(&env->subscriptions.lock);
  *subscription = made;
  return ak_error_clear(err);
}

void apikeys_subscription_free(apikeys_subscription *subscription) {
  if (subscription == NULL)
    return;
  struct ak_subscriptions *subscriptions = &subscription->env->subscriptions;
  pthread_mutex_lock(&subscriptions->lock);
  subscription->live = false;
  pthread_mutex_unlock(&subscriptions->lock);
  drop(subscriptions, subscription);
}
