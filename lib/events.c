/* SPDX-License-Identifier: MIT */
#include "events.h"

#include "accessors.h"
#include "authority.h"
#include "membership.h"
#include "object_call.h"
#include "text.h"

#include <apikeys/event.h>

#include <stdlib.h>
#include <string.h>

/* -- Appending ---------------------------------------------------------------------------------- */

static void set_optional(apikeys_record *record, int field, const char *text) {
  if (text[0] != '\0')
    ak_record_set_string(record, field, text);
}

/* Ids only: names are joined when events are read, so that a person can be erased. */
static void describe_actor(struct ak_call *call, apikeys_record *event) {
  const apikeys_actor *actor = call->power.actor;
  if (actor == NULL) { /* maintenance */
    apikeys_record_set_integer(event, AK_EVENT_ACTOR_TYPE, APIKEYS_ACTOR_SYSTEM);
    ak_record_set_string(event, AK_EVENT_ACTOR_ID, call->env->id);
    ak_record_set_string(event, AK_EVENT_ACTOR_ORGANIZATION_ID, "");
    ak_record_set_string(event, AK_EVENT_REASON, "maintenance");
    return;
  }
  const char *id = actor->type == APIKEYS_ACTOR_SYSTEM           ? call->env->id
                   : actor->type == APIKEYS_ACTOR_MANAGEMENT_KEY ? actor->key_id
                                                                 : actor->user_id;
  apikeys_record_set_integer(event, AK_EVENT_ACTOR_TYPE, actor->type);
  ak_record_set_string(event, AK_EVENT_ACTOR_ID, id);
  ak_record_set_string(event, AK_EVENT_ACTOR_ORGANIZATION_ID, actor->organization_id);
  set_optional(event, AK_EVENT_REASON, actor->reason);
  set_optional(event, AK_EVENT_REQUEST_ID, actor->request_id);
  set_optional(event, AK_EVENT_ADDRESS, actor->address);
  set_optional(event, AK_EVENT_USER_AGENT, actor->user_agent);
}

static int queue_for_delivery(struct ak_call *call, const apikeys_record *record) {
  if (!ak_subscriptions_any(call->env->subscriptions))
    return APIKEYS_OK;
  if (call->event_count == call->event_capacity) {
    size_t capacity = call->event_capacity > 0 ? call->event_capacity * 2 : 4;
    apikeys_event **events = realloc(call->events, capacity * sizeof(apikeys_event *));
    if (events == NULL)
      return APIKEYS_ERROR_NO_MEMORY;
    call->events = events;
    call->event_capacity = capacity;
  }
  apikeys_event *event = apikeys_event_new();
  if (event == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  call->events[call->event_count++] = event;
  return apikeys_record_copy(&event->object.record, record);
}

static int insert(struct ak_call *call, apikeys_record *event, const char *type,
                  const char *organization_id, const struct ak_json *data) {
  char id[AK_ID_MAX];
  struct ak_random random = ak_random_source(&call->env->options);
  int rc = ak_id_generate(id, "event", call->now_ms, &random);
  if (rc != APIKEYS_OK)
    return rc;
  size_t length;
  const char *text = ak_json_text(data, &length);
  if (text == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  ak_record_set_string(event, AK_ID, id);
  ak_record_set_string(event, AK_EVENT_TYPE, type);
  ak_record_set_string(event, AK_EVENT_ORGANIZATION_ID, organization_id);
  apikeys_record_set_integer(event, AK_EVENT_CREATED_AT, call->now_ms);
  apikeys_record_set_text(event, AK_EVENT_DATA, text, length);
  describe_actor(call, event);
  rc = ak_record_status(event);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&call->transaction, event);
  return rc == APIKEYS_OK ? queue_for_delivery(call, event) : rc;
}

int ak_event_append(struct ak_call *call, const char *type, const char *organization_id,
                    const apikeys_record *record, const apikeys_record *before,
                    const struct ak_shape_extra *extra) {
  struct ak_json data;
  apikeys_record event;
  ak_json_init(&data);
  ak_shape_write(&data, record, before, extra);
  ak_record_init(&event, AK_EVENT);
  int rc = insert(call, &event, type, organization_id, &data);
  ak_record_release(&event);
  ak_json_free(&data);
  return rc;
}

/* -- Reading ------------------------------------------------------------------------------------ */

static int join_name(struct ak_call *call, apikeys_event *event) {
  const apikeys_record *record = &event->object.record;
  event->actor_name[0] = '\0';
  int64_t type = apikeys_record_integer(record, AK_EVENT_ACTOR_TYPE);
  if (type == APIKEYS_ACTOR_SYSTEM || type == APIKEYS_ACTOR_MANAGEMENT_KEY)
    return APIKEYS_OK;
  apikeys_record member;
  ak_record_init(&member, AK_MEMBER);
  int rc = ak_member_find(&call->transaction,
                          apikeys_record_text(record, AK_EVENT_ACTOR_ORGANIZATION_ID, NULL),
                          apikeys_record_text(record, AK_EVENT_ACTOR_ID, NULL), &member);
  if (rc == APIKEYS_OK) {
    size_t length;
    const char *name = apikeys_record_text(&member, AK_MEMBER_DISPLAY_NAME, &length);
    if (length < sizeof event->actor_name)
      memcpy(event->actor_name, name, length + 1);
  }
  ak_record_release(&member);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static int join_names(struct ak_call *call, apikeys_page *page) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < page->count; i++)
    rc = join_name(call, (apikeys_event *)page->objects[i]);
  return rc;
}

static int get_event(struct ak_call *call, const char *id, size_t length, apikeys_event *out) {
  int rc = ak_allow(call, "apikeys:events:read");
  if (rc == APIKEYS_OK)
    rc = ak_check_lookup(call, &(struct ak_text){id, length}, "id");
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_query query;
  ak_query_any(&query, AK_EVENT, 0);
  ak_query_equal_text(&query, id, length);
  rc = ak_get(&call->transaction, &query, &out->object.record);
  return rc == APIKEYS_OK ? join_name(call, out) : rc;
}

int apikeys_event_get(apikeys_env *env, const apikeys_actor *actor, const char *id, size_t length,
                      apikeys_event *event, apikeys_error *err) {
  if (event == NULL || id == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, event == NULL ? "event" : "id",
                        "is NULL");
  struct ak_call call;
  int rc = ak_call_begin(&call, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_event found;
  memset(&found, 0, sizeof found);
  ak_object_init(&found.object, AK_EVENT);
  rc = ak_call_end(&call, get_event(&call, id, length, &found));
  if (rc == APIKEYS_OK) {
    ak_object_become(&event->object, &found.object.record);
    memcpy(event->actor_name, found.actor_name, sizeof event->actor_name);
  }
  ak_object_release(&found.object);
  return rc;
}

static int event_floor(struct ak_call *call, int64_t *floor) {
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_call_environment(call, &environment);
  *floor = apikeys_record_integer(&environment, AK_ENVIRONMENT_EVENT_FLOOR);
  ak_record_release(&environment);
  return rc;
}

static int list_events(struct ak_call *call, const apikeys_filter *filter, apikeys_page *page) {
  int rc = ak_filter_check(filter,
                           AK_FILTER_PAGING | AK_FILTER_ORGANIZATION | AK_FILTER_EVENT_TYPES |
                               AK_FILTER_SINCE | AK_FILTER_UNTIL,
                           call->err);
  if (rc == APIKEYS_OK)
    rc = ak_allow(call, "apikeys:events:read");
  if (rc != APIKEYS_OK)
    return rc;
  struct ak_listing listing = {.call = call,
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
    rc = event_floor(call, &floor);
    if (rc == APIKEYS_OK)
      rc = ak_error_set(call->err, floor > 1 ? APIKEYS_ERROR_CURSOR_EXPIRED
                                             : APIKEYS_ERROR_CURSOR_UNKNOWN,
                        "cursor", NULL);
  }
  return rc == APIKEYS_OK ? join_names(call, page) : rc;
}

int apikeys_event_list(apikeys_env *env, const apikeys_actor *actor, const apikeys_filter *filter,
                       apikeys_page *page, apikeys_error *err) {
  return ak_list_call(env, actor, filter, page, AK_EVENT, list_events, err);
}

/* -- Subscribing -------------------------------------------------------------------------------- */

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

/* -- Durable cursors ---------------------------------------------------------------------------- */

enum { CURSOR_NAME_MAX = 128 };

static int find_cursor(struct ak_call *call, const char *name, size_t length, apikeys_record *out) {
  apikeys_query query;
  ak_query_environment(&query, AK_EVENT_CURSOR, 0);
  ak_query_equal_text(&query, name, length);
  return ak_get(&call->transaction, &query, out);
}

static int poll_events(struct ak_call *call, const char *name, size_t length, int limit,
                       apikeys_page *page) {
  int64_t position = 0, floor = 0;
  int rc = ak_allow(call, "apikeys:events:read");
  if (rc == APIKEYS_OK)
    rc = event_floor(call, &floor);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_record cursor;
  ak_record_init(&cursor, AK_EVENT_CURSOR);
  rc = find_cursor(call, name, length, &cursor);
  bool used = rc == APIKEYS_OK;
  if (used)
    position = apikeys_record_integer(&cursor, AK_EVENT_CURSOR_POSITION);
  ak_record_release(&cursor);
  if (rc != APIKEYS_OK && rc != APIKEYS_ERROR_NOT_FOUND)
    return rc;
  if (used && position + 1 < floor)
    return ak_error_set(call->err, APIKEYS_ERROR_CURSOR_EXPIRED, "cursor", NULL);
  apikeys_query query;
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  ak_query_from(&query, position + 1);
  query.limit = (size_t)limit;
  rc = ak_scan(&call->transaction, &query, ak_page_visit, page);
  return rc == APIKEYS_OK ? join_names(call, page) : rc;
}

int apikeys_event_poll(apikeys_env *env, const apikeys_actor *actor, const char *name,
                       size_t length, int limit, apikeys_page *page, apikeys_error *err) {
  if (name == NULL || ak_text_problem(name, length, 1, CURSOR_NAME_MAX) != NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "name", "must be 1 to 128 bytes long");
  if (page == NULL || limit < 1 || limit > AK_LIMIT_MAX)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, page == NULL ? "page" : "limit",
                        page == NULL ? "is NULL" : "must be 1 to 100");
  struct ak_call call;
  apikeys_page found;
  ak_page_init(&found, AK_EVENT);
  int rc = ak_call_begin(&call, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_call_end(&call, poll_events(&call, name, length, limit, &found));
  if (rc == APIKEYS_OK)
    ak_page_swap(page, &found);
  ak_page_release(&found);
  return rc;
}

/* Behind the floor there is nothing to come back to: a cursor there moves up to it. */
static int acknowledge(struct ak_call *call, const char *name, size_t length, int64_t number) {
  int64_t floor = 0;
  int rc = ak_allow(call, "apikeys:events:read");
  if (rc == APIKEYS_OK)
    rc = event_floor(call, &floor);
  if (rc != APIKEYS_OK)
    return rc;
  if (number < floor - 1)
    number = floor - 1;
  apikeys_record cursor;
  ak_record_init(&cursor, AK_EVENT_CURSOR);
  apikeys_record_set_text(&cursor, AK_ID, name, length);
  apikeys_record_set_integer(&cursor, AK_EVENT_CURSOR_POSITION, number);
  apikeys_record_set_integer(&cursor, AK_EVENT_CURSOR_UPDATED_AT, call->now_ms);
  rc = ak_record_status(&cursor);
  if (rc == APIKEYS_OK)
    rc = ak_raise(&call->transaction, &cursor, AK_EVENT_CURSOR_POSITION);
  ak_record_release(&cursor);
  return rc;
}

/* An acknowledgement beyond the newest event would skip events that are still to come. */
static int check_number(struct ak_call *call, int64_t number) {
  apikeys_record newest;
  apikeys_query query;
  ak_record_init(&newest, AK_EVENT);
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  query.descending = true;
  query.limit = 1;
  int rc = ak_get(&call->transaction, &query, &newest);
  if (rc == APIKEYS_OK && number > apikeys_record_integer(&newest, AK_NUMBER))
    rc = ak_error_set(call->err, APIKEYS_ERROR_INVALID_ARGUMENT, "number", "is of no event yet");
  ak_record_release(&newest);
  return rc;
}

int apikeys_event_acknowledge(apikeys_env *env, const apikeys_actor *actor, const char *name,
                              size_t length, int64_t number, apikeys_error *err) {
  if (name == NULL || ak_text_problem(name, length, 1, CURSOR_NAME_MAX) != NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "name", "must be 1 to 128 bytes long");
  if (number < 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "number", "must not be negative");
  struct ak_call call;
  int rc = ak_call_begin(&call, env, actor, APIKEYS_TRANSACTION_WRITE, err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = check_number(&call, number);
  return ak_call_end(&call, rc == APIKEYS_OK ? acknowledge(&call, name, length, number) : rc);
}

/* -- Pruning ------------------------------------------------------------------------------------ */

/*
 * Events go from the oldest up to the first that is young enough, so that what is left is without
 * gaps. The condition stops nothing: times are not in the order of numbers where clocks jumped.
 */
static int first_kept(struct ak_call *call, int64_t before_ms, int64_t *number) {
  apikeys_record event;
  apikeys_query query;
  ak_record_init(&event, AK_EVENT);
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  ak_query_where_integer(&query, AK_CONDITION_AT_LEAST, AK_EVENT_CREATED_AT, before_ms);
  query.limit = 1;
  int rc = ak_get(&call->transaction, &query, &event);
  if (rc == APIKEYS_ERROR_NOT_FOUND) {
    apikeys_query newest;
    ak_query_any(&newest, AK_EVENT, AK_EVENT_BY_NUMBER);
    newest.descending = true;
    newest.limit = 1;
    rc = ak_get(&call->transaction, &newest, &event);
    *number = apikeys_record_integer(&event, AK_NUMBER) + 1;
  } else {
    *number = apikeys_record_integer(&event, AK_NUMBER);
  }
  ak_record_release(&event);
  return rc;
}

int ak_events_prune(struct ak_call *call, apikeys_record *environment, int64_t before_ms,
                    uint64_t *pruned) {
  int64_t keep;
  *pruned = 0;
  int rc = first_kept(call, before_ms, &keep);
  if (rc != APIKEYS_OK)
    return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
  apikeys_query query;
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  ak_query_until(&query, keep);
  rc = ak_remove_all(&call->transaction, &query, pruned);
  if (rc != APIKEYS_OK || *pruned == 0)
    return rc;
  return apikeys_record_set_integer(environment, AK_ENVIRONMENT_EVENT_FLOOR, keep);
}

/* -- The event object --------------------------------------------------------------------------- */

AK_NEW_AND_FREE(event, AK_EVENT)
AK_GET_INTEGER(event, int64_t, number, AK_NUMBER)
AK_GET_TEXT(event, id, AK_ID)
AK_GET_TEXT(event, type, AK_EVENT_TYPE)
AK_GET_INTEGER(event, int64_t, created_at_ms, AK_EVENT_CREATED_AT)
AK_GET_TEXT(event, organization_id, AK_EVENT_ORGANIZATION_ID)
AK_GET_TEXT(event, data, AK_EVENT_DATA)
AK_GET_INTEGER(event, int, actor_type, AK_EVENT_ACTOR_TYPE)
AK_GET_TEXT(event, actor_id, AK_EVENT_ACTOR_ID)
AK_GET_TEXT(event, reason, AK_EVENT_REASON)
AK_GET_TEXT(event, request_id, AK_EVENT_REQUEST_ID)
AK_GET_TEXT(event, address, AK_EVENT_ADDRESS)
AK_GET_TEXT(event, user_agent, AK_EVENT_USER_AGENT)

const char *apikeys_event_actor_name(const apikeys_event *event, size_t *length) {
  const char *name = event != NULL ? event->actor_name : "";
  if (length != NULL)
    *length = strlen(name);
  return name;
}

const char *apikeys_event_json(apikeys_event *event, size_t *length) {
  if (length != NULL)
    *length = 0;
  if (event == NULL || apikeys_event_id(event, NULL)[0] == '\0')
    return NULL;
  ak_json_free(&event->object.json);
  ak_shape_write_event(&event->object.json, &event->object.record, event->actor_name);
  return ak_json_text(&event->object.json, length);
}
