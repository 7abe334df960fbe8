/* SPDX-License-Identifier: MIT */
/* The event object: its getters and its JSON. Calls that fill one are in event_list.c. */
#include "objects/accessors.h"
#include "objects/object_json.h"

#include <apikeys/event.h>

#include <string.h>

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

int apikeys_event_source(const apikeys_event *event) {
  return event != NULL ? ak_event_source(&event->object.record) : 0;
}

const char *apikeys_event_actor_name(const apikeys_event *event, size_t *length) {
  const char *name = event != NULL ? event->actor_name : "";
  if (length != NULL)
    *length = strlen(name);
  return name;
}

const char *apikeys_event_json(const apikeys_event *event, size_t *length) {
  if (length != NULL)
    *length = 0;
  if (event == NULL || apikeys_event_id(event, NULL)[0] == '\0')
    return NULL;
  struct ak_object *object = ak_object_memo(&event->object);
  if (!object->json_written) {
    ak_json_clear(&object->json);
    ak_object_json_write_event(&object->json, &object->record, event->actor_name);
    object->json_written = !ak_json_failed(&object->json);
  }
  return ak_json_text(&object->json, length);
}
