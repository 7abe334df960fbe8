/* SPDX-License-Identifier: MIT */
/* GET /events. */
#include "http/reply.h"
#include "http/timestamp.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"

#include <string.h>

/* Management keys' events are the operator's, not the public's. */
static const char *const public_types[] = {
    "api_key.created",
    "api_key.updated",
    "api_key.revoked",
    "organization.created",
    "organization.updated",
    "organization.deleted",
    "organization_membership.created",
    "organization_membership.updated",
    "organization_membership.deleted",
    "role.created",
    "role.updated",
    "role.deleted",
    "permission.created",
    "permission.updated",
    "permission.deleted",
};

/* One or more types, separated by commas: "events=a,b". */
static int add_types(apikeys_filter *filter, const char *text) {
  int rc = APIKEYS_OK;
  while (rc == APIKEYS_OK && *text != '\0') {
    size_t length = strcspn(text, ",");
    if (length > 0)
      rc = apikeys_filter_add_event_type(filter, text, length);
    text += length + (text[length] == ',');
  }
  return rc;
}

/* "events=a,b" (Node, Python), "events=a&events=b" (Go), "events[]=a" (older ones). */
static int set_types(struct list *list) {
  const struct pairs *query = &list->x->query;
  int rc = APIKEYS_OK;
  bool any = false;
  for (size_t i = 0; rc == APIKEYS_OK && i < query->count; i++) {
    const struct pair *pair = &query->at[i];
    if (strcmp(pair->name, "events") != 0 && strcmp(pair->name, "events[]") != 0)
      continue;
    any = any || pair->length > 0;
    rc = add_types(list->filter, pair->text);
  }
  for (size_t i = 0; rc == APIKEYS_OK && !any && i < sizeof public_types / sizeof public_types[0];
       i++)
    rc = apikeys_filter_add_event_type(list->filter, public_types[i], strlen(public_types[i]));
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
  reply_invalid(list->x, "invalid", parameter);
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
  if (set_types(&list) != APIKEYS_OK) {
    reply_invalid(x, "invalid", "events");
  } else if (set_range(&list)) {
    int rc = list_set(&list, apikeys_filter_set_organization, "organization_id");
    if (rc == APIKEYS_OK)
      rc = apikeys_event_list(x->service->env, x->actor, list.filter, list.page, x->err);
    list_reply(&list, rc, list_event);
  }
  list_close(&list);
}

static void show_event(struct exchange *x) {
  size_t length, json_length = 0;
  const char *id = exchange_argument(x, "id", &length);
  apikeys_event *event = apikeys_event_new();
  int rc = event == NULL ? APIKEYS_ERROR_NO_MEMORY
                         : apikeys_event_get(x->service->env, x->actor, id, length, event, x->err);
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
