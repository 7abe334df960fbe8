/* SPDX-License-Identifier: MIT */
/* Plans deliveries: reads events behind a durable cursor, and creates a document for each. */
#include "webhooks/fan_out.h"

#include "webhooks/delivery.h"

#define CURSOR "webhooks", 8

enum { PAGE = 100 };

struct fan {
  apikeys_env *env;
  const apikeys_actor *actor;
  const apikeys_page *events;
  apikeys_error *err;
  struct delivery planned[DELIVERIES_AT_ONCE]; /* not written yet */
  size_t planned_count;
};

static int write_planned(struct fan *fan) {
  int rc = fan->planned_count == 0 ? APIKEYS_OK
                                   : deliveries_create(fan->planned, fan->planned_count, fan->env,
                                                       fan->actor, fan->err);
  while (fan->planned_count > 0)
    delivery_close(&fan->planned[--fan->planned_count]);
  return rc;
}

static int plan_one(struct fan *fan, const apikeys_event *event, const char *endpoint_id) {
  int rc = fan->planned_count == DELIVERIES_AT_ONCE ? write_planned(fan) : APIKEYS_OK;
  return rc == APIKEYS_OK ? delivery_new(&fan->planned[fan->planned_count++], event, endpoint_id)
                          : rc;
}

/* An endpoint gets the events that happen while it exists and is enabled. */
static int plan_for(const struct endpoint *endpoint, void *user_data) {
  struct fan *fan = user_data;
  int64_t since = endpoint_enabled_at_ms(endpoint);
  int rc = APIKEYS_OK;
  if (!endpoint_is_enabled(endpoint))
    return rc;
  for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(fan->events); i++) {
    const apikeys_event *event = apikeys_page_event(fan->events, i);
    if (apikeys_event_created_at_ms(event) >= since &&
        endpoint_wants(endpoint, apikeys_event_type(event, NULL)))
      rc = plan_one(fan, event, endpoint_id(endpoint));
  }
  return rc;
}

/* The cursor moves after the deliveries are stored, so that a crash in between loses none. */
static int plan(struct fan *fan, bool *more) {
  size_t count = apikeys_page_count(fan->events);
  if (count == 0)
    return APIKEYS_OK;
  int rc = endpoint_each(fan->env, fan->actor, plan_for, fan, fan->err);
  int written = write_planned(fan);
  if (rc == APIKEYS_OK)
    rc = written;
  if (rc != APIKEYS_OK)
    return rc;
  *more = count == PAGE;
  const apikeys_event *last = apikeys_page_event(fan->events, count - 1);
  return apikeys_event_acknowledge(fan->env, fan->actor, CURSOR, apikeys_event_number(last),
                                   fan->err);
}

int fan_out(apikeys_env *env, const apikeys_actor *actor, bool *more, apikeys_error *err) {
  apikeys_page *page = apikeys_page_new();
  *more = false;
  int rc = page == NULL ? APIKEYS_ERROR_NO_MEMORY
                        : apikeys_event_poll(env, actor, CURSOR, PAGE, page, err);
  if (rc == APIKEYS_ERROR_CURSOR_EXPIRED) {
    /* Events were pruned before they were read: continue with the oldest that is left. */
    *more = true;
    rc = apikeys_event_acknowledge(env, actor, CURSOR, 1, err);
  } else if (rc == APIKEYS_OK) {
    rc = plan(&(struct fan){.env = env, .actor = actor, .events = page, .err = err}, more);
  }
  apikeys_page_free(page);
  return rc;
}

int fan_out_skip(apikeys_env *env, const apikeys_actor *actor, apikeys_error *err) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  int rc = filter == NULL || page == NULL ? APIKEYS_ERROR_NO_MEMORY
                                          : apikeys_filter_set_limit(filter, 1);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_order(filter, APIKEYS_ORDER_NEWEST_FIRST);
  if (rc == APIKEYS_OK)
    rc = apikeys_event_list(env, actor, filter, page, err);
  if (rc == APIKEYS_OK && apikeys_page_count(page) > 0)
    rc = apikeys_event_acknowledge(env, actor, CURSOR,
                                   apikeys_event_number(apikeys_page_event(page, 0)), err);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}
