/* SPDX-License-Identifier: MIT */
/*
 * The JSON of every kind of object: one table says which field is which member. The shapes are
 * those of WorkOS's public API, which official clients expect.
 */
#ifndef AK_OBJECTS_OBJECT_JSON_H
#define AK_OBJECTS_OBJECT_JSON_H

#include "base/json_writer.h"
#include "objects/object.h"

/* What is not in a key's record. */
struct ak_object_json_extra {
  int64_t last_used_at;
};

/* The record as one JSON object. With `before`, it ends in "previous_attributes": the members that
 * differ from it, as they were. */
void ak_object_json_write(struct ak_json *json, const apikeys_record *record,
                          const apikeys_record *before, const struct ak_object_json_extra *extra);

/* Through what its actor came: APIKEYS_SOURCE_…. */
int ak_event_source(const apikeys_record *event);

/* An event: the envelope, the stored data, the actor. */
void ak_object_json_write_event(struct ak_json *json, const apikeys_record *event,
                                const char *actor_name);

/* For _json getters: writes object->json, unless it is there, and lends it; NULL: out of memory. */
const char *ak_object_json(const struct ak_object *object, const struct ak_object_json_extra *extra,
                           size_t *length);

#endif
