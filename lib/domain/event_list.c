/* SPDX-License-Identifier: MIT */
/* Event lists and subscriptions: the calls that read events. The object is event_object.c. */
#include "domain/event_list.h"
#include "access/authority.h"
#include "access/effective_permissions.h"
#include "base/text.h"
#include "operation/crud.h"
#include "operation/events.h"

#include <apikeys/event.h>

#include <string.h>

/* -- Reading ----------------------------------------------------------------------------------- */

static void take_name(apikeys_event *event, const apikeys_record *named, int field) {
  size_t length;
  const char *name = apikeys_record_text(named, field, &length);
  if (length < sizeof event->actor_name)
    memcpy(event->actor_name, name, length + 1);
}

static int join_key_name(struct ak_op *op, apikeys_event *event) {
  size_t length;
  const char *id = apikeys_record_text(&event->object.record, AK_EVENT_ACTOR_ID, &length);
  apikeys_query query;
  apikeys_record key;
  ak_record_init(&key, AK_API_KEY);
  ak_query_environment(&query, AK_API_KEY, 0);
  ak_query_equal_text(&query, id, length);
  int rc = ak_get(&op->transaction, &query, &key);
  if (rc == APIKEYS_OK)
    take_name(event, &key, AK_API_KEY_NAME);
  ak_record_release(&key);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static int join_name(struct ak_op *op, apikeys_event *event) {
  const apikeys_record *record = &event->object.record;
  event->actor_name[0] = '\0';
  int64_t type = apikeys_record_integer(record, AK_EVENT_ACTOR_TYPE);
  if (type == APIKEYS_ACTOR_SYSTEM)
    return APIKEYS_OK;
  if (type == APIKEYS_ACTOR_MANAGEMENT_KEY)
    return join_key_name(op, event);
  apikeys_record member;
  ak_record_init(&member, AK_MEMBER);
  int rc = ak_member_find(&op->transaction,
                          apikeys_record_text(record, AK_EVENT_ACTOR_ORGANIZATION_ID, NULL),
                          apikeys_record_text(record, AK_EVENT_ACTOR_ID, NULL), &member);
  if (rc == APIKEYS_OK)
    take_name(event, &member, AK_MEMBER_DISPLAY_NAME);
  ak_record_release(&member);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

int ak_event_join_names(struct ak_op *op, apikeys_page *page) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < page->count; i++)
    rc = join_name(op, (apikeys_event *)page->objects[i]);
  return rc;
}

static int get_event(struct ak_op *op, const char *id, size_t length, apikeys_event *out) {
  int rc = ak_allow(&op->power, "apikeys:events:read");
  if (rc == APIKEYS_OK)
    rc = ak_check_lookup(op, &(struct ak_text){id, length}, "id");
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  ak_query_any(&query, AK_EVENT, 0);
  ak_query_equal_text(&query, id, length);
  rc = ak_get(&op->transaction, &query, &out->object.record);
  return rc == APIKEYS_OK ? join_name(op, out) : rc;
}

int apikeys_event_get(apikeys_env *env, const apikeys_actor *actor, const char *id, size_t length,
                      apikeys_event *event, apikeys_error *err) {
  length = ak_text_length(id, length);
  if (event == NULL || id == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, event == NULL ? "event" : "id",
                        "is NULL");
  struct ak_op op;
  int rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_event found;
  memset(&found, 0, sizeof found);
  ak_object_init(&found.object, AK_EVENT);
  rc = ak_op_end(&op, get_event(&op, id, length, &found));
  if (rc == APIKEYS_OK) {
    ak_object_swap_record(&event->object, &found.object.record);
    memcpy(event->actor_name, found.actor_name, sizeof event->actor_name);
  }
  ak_object_release(&found.object);
  return rc;
}

static int list_events(struct ak_op *op, const apikeys_filter *filter, apikeys_page *page) {
  int rc = ak_filter_check(filter,
                           AK_FILTER_PAGING | AK_FILTER_ORGANIZATION | AK_FILTER_EVENT_TYPES |
                               AK_FILTER_SINCE | AK_FILTER_UNTIL,
                           op->err);
  if (rc == APIKEYS_OK)
    rc = ak_allow(&op->power, "apikeys:events:read");
  if (rc != APIKEYS_OK)
    return rc;
  struct ak_listing listing = {.op = op,
                               .filter = filter,
                               .kind = AK_EVENT,
                               .order = APIKEYS_ORDER_OLDEST_FIRST,
                               .query_count = 1};
  apikeys_query *query = &listing.queries[0];
  unsigned set = filter != NULL ? filter->set : 0;
  if ((set & AK_FILTER_ORGANIZATION) != 0) {
    size_t length = strlen(filter->organization_id);
    ak_query_of(query, AK_EVENT, AK_EVENT_BY_ORGANIZATION, filter->organization_id, length);
    ak_query_equal_text(query, filter->organization_id, length);
  } else {
    ak_query_any(query, AK_EVENT, AK_EVENT_BY_NUMBER);
  }
  if ((set & AK_FILTER_EVENT_TYPES) != 0)
    ak_query_where_text(query, AK_CONDITION_ONE_OF, AK_EVENT_TYPE,
                        ak_slugs_text(&filter->event_types), filter->event_types.length);
  if ((set & AK_FILTER_SINCE) != 0)
    ak_query_where_integer(query, AK_CONDITION_AT_LEAST, AK_EVENT_CREATED_AT, filter->since_ms);
  if ((set & AK_FILTER_UNTIL) != 0)
    ak_query_where_integer(query, AK_CONDITION_BELOW, AK_EVENT_CREATED_AT, filter->until_ms);
  rc = ak_list(&listing, page);
  if (rc == APIKEYS_ERROR_CURSOR_UNKNOWN &&
      ak_id_check(filter->cursor, strlen(filter->cursor), "event") == 0) {
    /* Events are never taken away but by pruning: an id that is not there was pruned. */
    int64_t floor = 0;
    rc = ak_event_floor(op, &floor);
    if (rc == APIKEYS_OK)
      rc = ak_error_set(op->err,
                        floor > 1 ? APIKEYS_ERROR_CURSOR_EXPIRED : APIKEYS_ERROR_CURSOR_UNKNOWN,
                        "cursor", NULL);
  }
  return rc == APIKEYS_OK ? ak_event_join_names(op, page) : rc;
}

int apikeys_event_list(apikeys_env *env, const apikeys_actor *actor, const apikeys_filter *filter,
                       apikeys_page *page, apikeys_error *err) {
  return ak_list_op(env, actor, filter, page, AK_EVENT, list_events, err);
}

/* -- Subscribing ------------------------------------------------------------------------------- */

int apikeys_subscribe(apikeys_env *env, apikeys_event_callback callback, void *user_data,
                      void (*destroy)(void *user_data), apikeys_subscription **subscription,
                      apikeys_error *err) {
  int rc = ak_env_enter(env);
  if (rc == APIKEYS_OK && (callback == NULL || subscription == NULL))
    rc = APIKEYS_ERROR_INVALID_ARGUMENT;
  if (rc == APIKEYS_OK)
    rc = ak_subscriptions_add(env->subscriptions, callback, user_data, destroy, subscription);
  if (rc != APIKEYS_OK && destroy != NULL)
    destroy(user_data);
  return ak_error_code(err, rc);
}
