/* SPDX-License-Identifier: MIT */
/* Appends an event inside the change's transaction. */
#include "operation/events.h"

#include "base/arithmetic.h"

#include <apikeys/event.h>

#include <stdlib.h>
#include <string.h>

/* -- Appending --------------------------------------------------------------------------------- */

static void set_optional(apikeys_record *record, int field, const char *text) {
  if (text[0] != '\0')
    ak_record_set_string(record, field, text);
}

/* Ids only: names are joined when events are read, so that a person can be erased. */
static void describe_actor(struct ak_op *op, apikeys_record *event) {
  const apikeys_actor *actor = op->power.actor;
  apikeys_record_set_integer(event, AK_EVENT_SOURCE, actor != NULL ? actor->source : 0);
  if (actor == NULL) { /* maintenance */
    apikeys_record_set_integer(event, AK_EVENT_ACTOR_TYPE, APIKEYS_ACTOR_SYSTEM);
    ak_record_set_string(event, AK_EVENT_ACTOR_ID, op->env->id);
    ak_record_set_string(event, AK_EVENT_ACTOR_ORGANIZATION_ID, "");
    ak_record_set_string(event, AK_EVENT_REASON, "maintenance");
    return;
  }
  const char *id = actor->type == APIKEYS_ACTOR_SYSTEM           ? op->env->id
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

static int queue_for_delivery(struct ak_op *op, const apikeys_record *record) {
  if (!ak_subscriptions_any(op->env->subscriptions))
    return APIKEYS_OK;
  if (op->event_count == op->event_capacity) {
    size_t capacity = op->event_capacity > 0 ? op->event_capacity * 2 : 4;
    apikeys_event **events = realloc(op->events, capacity * sizeof(apikeys_event *));
    if (events == NULL)
      return APIKEYS_ERROR_NO_MEMORY;
    op->events = events;
    op->event_capacity = capacity;
  }
  apikeys_event *event = apikeys_event_new();
  if (event == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  op->events[op->event_count++] = event;
  return apikeys_record_copy(&event->object.record, record);
}

static int events_insert(struct ak_op *op, apikeys_record *event, const char *type,
                         const char *organization_id, const struct ak_json *data) {
  char id[AK_ID_MAX];
  struct ak_random random = ak_random_source(&op->env->options);
  int rc = ak_id_generate(id, "event", op->now_ms, &random);
  if (rc != APIKEYS_OK)
    return rc;
  size_t length;
  const char *text = ak_json_text(data, &length);
  if (text == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  ak_record_set_string(event, AK_ID, id);
  ak_record_set_string(event, AK_EVENT_TYPE, type);
  ak_record_set_string(event, AK_EVENT_ORGANIZATION_ID, organization_id);
  apikeys_record_set_integer(event, AK_EVENT_CREATED_AT, op->now_ms);
  apikeys_record_set_text(event, AK_EVENT_DATA, text, length);
  describe_actor(op, event);
  rc = ak_record_status(event);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&op->transaction, event);
  if (rc != APIKEYS_OK)
    return rc;
  op->newest =
      (struct ak_journal_entry){apikeys_record_integer(event, AK_NUMBER), op->now_ms, {0}, {0}};
  ak_ulid_pack(op->newest.event, id, strlen(id));
  return queue_for_delivery(op, event);
}

int ak_event_append(struct ak_op *op, const char *type, const char *organization_id,
                    const apikeys_record *record, const apikeys_record *before,
                    const struct ak_object_json_extra *extra) {
  struct ak_json data;
  apikeys_record event;
  ak_json_init(&data);
  ak_object_json_write(&data, record, before, extra);
  ak_record_init(&event, AK_EVENT);
  int rc = events_insert(op, &event, type, organization_id, &data);
  ak_record_release(&event);
  ak_json_free(&data);
  return rc;
}

int ak_event_floor(struct ak_op *op, int64_t *floor) {
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_op_environment(op, &environment);
  *floor = apikeys_record_integer(&environment, AK_ENVIRONMENT_EVENT_FLOOR);
  ak_record_release(&environment);
  return rc;
}

/* -- Pruning ----------------------------------------------------------------------------------- */

/* The oldest events, as far as they are from before this time. */
struct old_events {
  int64_t before_ms;
  int64_t keep; /* the number of the first event that stays */
  size_t count;
};

/* Ends at the first that is young enough, so that what is left is without gaps. */
static int visit_old(const apikeys_record *event, void *visit_data) {
  struct old_events *old = visit_data;
  int64_t number = apikeys_record_integer(event, AK_NUMBER);
  bool is_old = apikeys_record_integer(event, AK_EVENT_CREATED_AT) < old->before_ms;
  if (!is_old || !ak_number_after(number, &old->keep)) {
    old->keep = number;
    return 1;
  }
  old->count++;
  return 0;
}

int ak_events_prune(struct ak_op *op, apikeys_record *environment, int64_t before_ms,
                    struct ak_budget *budget, uint64_t *pruned) {
  struct old_events old = {.before_ms = before_ms};
  apikeys_query query;
  *pruned = 0;
  if (budget->left == 0)
    return APIKEYS_OK;
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  query.limit = budget->left;
  int rc = ak_scan(&op->transaction, &query, visit_old, &old);
  if (rc < 0 || old.count == 0)
    return rc < 0 ? rc : APIKEYS_OK;
  size_t before = budget->left;
  ak_query_until(&query, old.keep);
  rc = ak_remove_some(&op->transaction, &query, budget);
  *pruned = before - budget->left;
  if (rc != APIKEYS_OK)
    return rc;
  return apikeys_record_set_integer(environment, AK_ENVIRONMENT_EVENT_FLOOR, old.keep);
}
