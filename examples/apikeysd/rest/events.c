/* SPDX-License-Identifier: MIT */
/* GET /events. Elsewhere a query may span 30 days at most; here pages are bounded instead, and the
 * environment's event_retention_ms says how long events are kept. */
#include "http/reply.h"
#include "http/timestamp.h"
#include "rest/event_types.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"

#include <string.h>

/* "include=operator_events" adds the operator's events: an addition of ours. */
static size_t types_to_see(const struct exchange *x) {
  const char *include = exchange_parameter(x, "include", NULL);
  return include != NULL && strcmp(include, "operator_events") == 0 ? EVENT_TYPES_ALL
                                                                    : EVENT_TYPES_PUBLIC;
}

/* Refuses a type, and names it if it is text that a type could be. */
static void name_unknown(struct exchange *x, const char *type, size_t length) {
  enum { SHOWN = 64 };
  bool plain = length <= SHOWN && strspn(type, "abcdefghijklmnopqrstuvwxyz_.0123456789") >= length;
  reply_json(x, 422,
             json_pack("{s:s,s:[{s:s,s:s,s:s+%}]}", "message", "Validation failed.", "errors",
                       "code", "unknown_event_type", "field", "events", "message",
                       "There are no events of type ", plain ? type : "(unreadable)",
                       plain ? length : sizeof "(unreadable)" - 1));
}

/* Reads one or more types, separated by commas: "events=a,b". Refuses unknown ones. */
static int add_types(struct list *list, const char *text) {
  int rc = APIKEYS_OK;
  while (rc == APIKEYS_OK && *text != '\0') {
    size_t length = strcspn(text, ",");
    if (length > 0 && !event_type_is_known(text, length, types_to_see(list->x)) &&
        !event_type_is_foreign(text, length)) {
      name_unknown(list->x, text, length);
      return APIKEYS_ERROR_INVALID_ARGUMENT;
    }
    if (length > 0)
      rc = apikeys_filter_add_event_type(list->filter, text, length);
    text += length + (text[length] == ',');
  }
  return rc;
}

/*
 * Clients send "events=a,b" (Node, Python), "events=a&events=b" (Go), or "events[]=a" (older ones).
 */
static int set_types(struct list *list) {
  const struct pairs *query = &list->x->query;
  size_t known = types_to_see(list->x);
  int rc = APIKEYS_OK;
  bool any = false;
  for (size_t i = 0; rc == APIKEYS_OK && i < query->count; i++) {
    const struct pair *pair = &query->at[i];
    if (strcmp(pair->name, "events") != 0 && strcmp(pair->name, "events[]") != 0)
      continue;
    any = any || pair->text[strspn(pair->text, ",")] != '\0';
    rc = add_types(list, pair->text);
  }
  for (size_t i = 0; rc == APIKEYS_OK && !any && i < known; i++)
    rc = apikeys_filter_add_event_type(list->filter, event_types[i], strlen(event_types[i]));
  return rc;
}

static bool set_time(struct list *list, const char *parameter,
                     int (*set)(apikeys_filter *filter, int64_t unix_ms)) {
  size_t length;
  int64_t unix_ms;
  const char *text = exchange_parameter(list->x, parameter, &length);
  if (text == NULL ||
      (timestamp_parse(text, length, &unix_ms) && set(list->filter, unix_ms) == APIKEYS_OK))
    return true;
  reply_json(list->x, 422,
             json_pack("{s:s,s:[{s:s,s:s,s:s}]}", "message", "Validation failed.", "errors", "code",
                       "invalid", "field", parameter, "message", TIMESTAMP_WANTED));
  return false;
}

static bool set_range(struct list *list) {
  if (exchange_parameter(list->x, "after", NULL) != NULL &&
      exchange_parameter(list->x, "range_start", NULL) != NULL) {
    reply_error(list->x, 422, "invalid", "Only one of after and range_start can be given.");
    return false;
  }
  return set_time(list, "range_start", apikeys_filter_set_since_ms) &&
         set_time(list, "range_end", apikeys_filter_set_until_ms);
}

static void list_events(struct exchange *x) {
  struct list list;
  if (!list_open(&list, x))
    return;
  int types = set_types(&list);
  if (types != APIKEYS_OK) {
    if (types != APIKEYS_ERROR_INVALID_ARGUMENT)
      reply_failure(x, types, "Event", "");
  } else if (set_range(&list)) {
    int rc = list_set(&list, apikeys_filter_set_organization_id, "organization_id");
    if (rc == APIKEYS_OK)
      rc = apikeys_event_list(x->service->env, x->actor, list.filter, list.page, x->err);
    list_reply(&list, rc, list_event);
  }
  list_close(&list);
}

static bool may_see(const struct exchange *x, const apikeys_event *event) {
  size_t length;
  const char *type = apikeys_event_type(event, &length);
  return event_type_is_known(type, length, types_to_see(x));
}

static void show_event(struct exchange *x) {
  size_t length, json_length = 0;
  const char *id = exchange_argument(x, "id", &length);
  apikeys_event *event = apikeys_event_new();
  int rc = event == NULL ? APIKEYS_ERROR_NO_MEMORY
                         : apikeys_event_get(x->service->env, x->actor, id, length, event, x->err);
  if (rc == APIKEYS_OK && !may_see(x, event))
    rc = APIKEYS_ERROR_NOT_FOUND;
  if (rc == APIKEYS_OK) {
    const char *json = apikeys_event_json(event, &json_length);
    reply_text(x, 200, json, json_length);
  } else {
    reply_failure(x, rc, "Event", id);
  }
  apikeys_event_free(event);
}

const struct route event_routes[] = {
    {METHOD_GET, "/events", ACCESS_MANAGEMENT, list_events},
    {METHOD_GET, "/events/:id", ACCESS_MANAGEMENT, show_event},
    {0},
};
