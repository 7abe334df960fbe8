/* SPDX-License-Identifier: MIT */
/*
 * What permissions, roles, organizations, members, keys, events and settings have in common: a
 * record, which of its fields the caller set, and which setters failed. Nouns add names and rules.
 */
#ifndef AK_OBJECTS_OBJECT_H
#define AK_OBJECTS_OBJECT_H

#include "base/json_writer.h"
#include "base/setter_faults.h"
#include "storage/record.h"

#include <apikeys/list.h>

struct ak_object {
  apikeys_record record;
  uint64_t changed;               /* bit f: field f was set and not written yet */
  struct ak_setter_faults faults; /* the calls that use the object fail with these */
  struct ak_json json;            /* lent by the _json getters */
  bool json_written;              /* and good until the object changes */
};

/* A getter of a const object may keep the JSON that it lends: every object comes from malloc. */
static inline struct ak_object *ak_object_memo(const struct ak_object *object) {
  return (struct ak_object *)(uintptr_t)object;
}

enum { AK_SETTER_TEXT_MAX = 65536 };

/* Allocates `size` bytes that begin with an ak_object. */
void *ak_object_new(size_t size, int kind);
void ak_object_free(struct ak_object *object);
void ak_object_init(struct ak_object *object, int kind);
void ak_object_release(struct ak_object *object);

/* Setters, for public ones to return. `object` may be NULL. */
int ak_object_set_text(struct ak_object *object, int field, const char *text, size_t length);
int ak_object_set_blob(struct ak_object *object, int field, const void *bytes, size_t length,
                       size_t max); /* of a nullable field; length 0: NULL */
int ak_object_set_integer(struct ak_object *object, int field, int64_t integer);
int ak_object_set_flag(struct ak_object *object, int field, int flag); /* 0 or 1 */
int ak_object_add_slug(struct ak_object *object, int field, const char *slug, size_t length);
int ak_object_remove_slug(struct ak_object *object, int field, const char *slug, size_t length);
int ak_object_clear_slugs(struct ak_object *object, int field);
/* Replaces the set by the slugs in a text, which blanks separate. */
int ak_object_set_slugs(struct ak_object *object, int field, const char *text, size_t length);

/* The same as set_text for a field of several parts that gets one more: an older fault stays. */
int ak_object_extend_text(struct ak_object *object, int field, const char *text, size_t length);

/* A setter's failure: `result`, which the calls that use the object will give as well. `reason` is
 * static, and says what a value must be. */
int ak_object_set_error(struct ak_object *object, int field, int result, const char *reason);

/* Getters; "" and 0 for a NULL object. */
const char *ak_object_text(const struct ak_object *object, int field, size_t *length);
int64_t ak_object_integer(const struct ak_object *object, int field);

/* The number of slugs in a set, and the i-th one: lent, not NUL-terminated. */
size_t ak_object_slug_count(const struct ak_object *object, int field);
int ak_object_slug_at(const struct ak_object *object, int field, size_t i, const char **slug,
                      size_t *length);

bool ak_object_changed(const struct ak_object *object, int field);

/* The code of the setter that failed, with its field's name, or 0. */
int ak_object_check(const struct ak_object *object, apikeys_error *err);
/* 0 if the field's text is `min` to `max` bytes and clean, else APIKEYS_ERROR_INVALID_ARGUMENT. */
int ak_object_check_text(const struct ak_object *object, int field, size_t min, size_t max,
                         apikeys_error *err);
/* The same for a name (ak_text_name_problem); one that is stored and not set anew may stay. */
int ak_object_check_name(const struct ak_object *object, int field, size_t min, size_t max,
                         apikeys_error *err);

/* Copy what was set onto `stored`. APIKEYS_ERROR_NO_MEMORY. */
int ak_object_apply(const struct ak_object *object, apikeys_record *stored);

/* True if both, of one kind, have the same values. */
bool ak_records_equal(const apikeys_record *a, const apikeys_record *b);

/* The object becomes what `record` holds (which takes the old one): nothing can fail. */
void ak_object_swap_record(struct ak_object *object, apikeys_record *record);

/* The same where the record was changed in place. */
void ak_object_mark_saved(struct ak_object *object);

struct apikeys_permission {
  struct ak_object object;
};
struct apikeys_role {
  struct ak_object object;
};
struct apikeys_organization {
  struct ak_object object;
};
struct apikeys_member {
  struct ak_object object;
};
struct apikeys_document {
  struct ak_object object;
};
struct apikeys_settings {
  struct ak_object object;
};
struct apikeys_key {
  struct ak_object object;
  int64_t last_used_at;
  bool value_replaced; /* by a repeated creation */
};
struct apikeys_event {
  struct ak_object object;
  char actor_name[256];
};

#endif
