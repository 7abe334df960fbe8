/* SPDX-License-Identifier: MIT */
/* What all objects share: a record, the fields that were set, and the setters that failed. */
#include "objects/object.h"

#include "base/error.h"
#include "base/slug_set.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void ak_object_init(struct ak_object *object, int kind) {
  memset(object, 0, sizeof *object);
  ak_record_init(&object->record, kind);
  ak_json_init(&object->json);
}

void *ak_object_new(size_t size, int kind) {
  struct ak_object *object = calloc(1, size);
  if (object != NULL)
    ak_object_init(object, kind);
  return object;
}

void ak_object_release(struct ak_object *object) {
  ak_record_release(&object->record);
  ak_json_free(&object->json);
}

void ak_object_free(struct ak_object *object) {
  if (object == NULL)
    return;
  ak_object_release(object);
  free(object);
}

static int object_changed(struct ak_object *object, int field, int result) {
  object->json_written = false;
  if (result != APIKEYS_OK)
    return ak_setter_fault_keep(&object->faults, field, result, NULL);
  object->changed |= UINT64_C(1) << field;
  return APIKEYS_OK;
}

/* The result of setting a whole field: a good one clears the field's older fault. */
static int record_result(struct ak_object *object, int field, int result) {
  if (result == APIKEYS_OK)
    ak_setter_fault_clear(&object->faults, field);
  return object_changed(object, field, result);
}

int ak_object_set_error(struct ak_object *object, int field, int result, const char *reason) {
  if (object == NULL)
    return result;
  object->json_written = false;
  return ak_setter_fault_keep(&object->faults, field, result, reason);
}

static int object_refuse(struct ak_object *object, int field, const char *reason) {
  return ak_object_set_error(object, field, APIKEYS_ERROR_INVALID_ARGUMENT, reason);
}

static const char *setter_text_problem(const char *text, size_t length) {
  if (text == NULL && length > 0)
    return "is NULL";
  if (length > AK_SETTER_TEXT_MAX)
    return "is too long";
  return length > 0 && memchr(text, '\0', length) != NULL ? "must not contain U+0000" : NULL;
}

int ak_object_set_text(struct ak_object *object, int field, const char *text, size_t length) {
  length = ak_text_length(text, length);
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  const char *problem = setter_text_problem(text, length);
  if (problem != NULL)
    return object_refuse(object, field, problem);
  if (length == 0 && apikeys_schema_field_nullable(object->record.kind, field))
    return record_result(object, field, apikeys_record_set_null(&object->record, field));
  return record_result(
      object, field,
      apikeys_record_set_text(&object->record, field, length > 0 ? text : "", length));
}

int ak_object_extend_text(struct ak_object *object, int field, const char *text, size_t length) {
  const char *problem = setter_text_problem(text, length);
  if (problem != NULL)
    return object_refuse(object, field, problem);
  return object_changed(object, field,
                        apikeys_record_set_text(&object->record, field, text, length));
}

int ak_object_set_blob(struct ak_object *object, int field, const void *bytes, size_t length,
                       size_t max) {
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if ((bytes == NULL && length > 0) || length > max)
    return object_refuse(object, field, bytes == NULL ? "is NULL" : "is too long");
  return record_result(object, field,
                       length == 0
                           ? apikeys_record_set_null(&object->record, field)
                           : apikeys_record_set_blob(&object->record, field, bytes, length));
}

int ak_object_set_integer(struct ak_object *object, int field, int64_t integer) {
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return record_result(object, field, apikeys_record_set_integer(&object->record, field, integer));
}

int ak_object_set_flag(struct ak_object *object, int field, int flag) {
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (flag != 0 && flag != 1)
    return object_refuse(object, field, AK_FLAG_REASON);
  return ak_object_set_integer(object, field, flag);
}

/* Stores a set of slugs: all of it, or one of them changed. */
static int put_slugs(struct ak_object *object, int field, const struct ak_slugs *set, bool all) {
  if (!set->failed && set->length > AK_SETTER_TEXT_MAX)
    return object_refuse(object, field, "is too long");
  int result = set->failed ? APIKEYS_ERROR_NO_MEMORY
                           : apikeys_record_set_text(&object->record, field, ak_slugs_text(set),
                                                     set->length);
  return all ? record_result(object, field, result) : object_changed(object, field, result);
}

static int change_slugs(struct ak_object *object, int field, const char *slug, size_t length,
                        void (*change)(struct ak_slugs *, const char *, size_t)) {
  length = ak_text_length(slug, length);
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (slug == NULL || ak_slug_check(slug, length) != 0)
    return object_refuse(object, field, AK_SLUG_REASON);
  struct ak_slugs set = {0};
  size_t old_length;
  const char *old = apikeys_record_text(&object->record, field, &old_length);
  ak_slugs_add_all(&set, old, old_length);
  change(&set, slug, length);
  int result = put_slugs(object, field, &set, false);
  ak_slugs_release(&set);
  return result;
}

int ak_object_add_slug(struct ak_object *object, int field, const char *slug, size_t length) {
  return change_slugs(object, field, slug, length, ak_slugs_add);
}

int ak_object_remove_slug(struct ak_object *object, int field, const char *slug, size_t length) {
  return change_slugs(object, field, slug, length, ak_slugs_remove);
}

int ak_object_clear_slugs(struct ak_object *object, int field) {
  return ak_object_set_text(object, field, "", 0);
}

/* Adds the slugs in a text, which blanks separate; false if one is none. */
static bool read_slugs(struct ak_slugs *set, const char *text, size_t length) {
  size_t at = 0;
  while (at < length) {
    size_t start = at;
    while (at < length && text[at] != ' ')
      at++;
    if (at > start && ak_slug_check(text + start, at - start) != 0)
      return false;
    if (at > start)
      ak_slugs_add(set, text + start, at - start);
    at++;
  }
  return true;
}

int ak_object_set_slugs(struct ak_object *object, int field, const char *text, size_t length) {
  length = ak_text_length(text, length);
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  struct ak_slugs set = {0};
  int result = (text == NULL && length > 0) || !read_slugs(&set, text, length)
                   ? object_refuse(object, field, "each " AK_SLUG_REASON)
                   : put_slugs(object, field, &set, true);
  ak_slugs_release(&set);
  return result;
}

size_t ak_object_slug_count(const struct ak_object *object, int field) {
  size_t length;
  const char *set = ak_object_text(object, field, &length);
  return ak_slugs_count(set, length);
}

int ak_object_slug_at(const struct ak_object *object, int field, size_t i, const char **slug,
                      size_t *length) {
  size_t set_length, at = 0, found_length;
  const char *found, *set = ak_object_text(object, field, &set_length);
  if (slug == NULL || length == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  while (ak_slugs_next(set, set_length, &at, &found, &found_length))
    if (i-- == 0) {
      *slug = found;
      *length = found_length;
      return APIKEYS_OK;
    }
  return APIKEYS_ERROR_INVALID_ARGUMENT;
}

const char *ak_object_text(const struct ak_object *object, int field, size_t *length) {
  if (object != NULL)
    return apikeys_record_text(&object->record, field, length);
  if (length != NULL)
    *length = 0;
  return "";
}

int64_t ak_object_integer(const struct ak_object *object, int field) {
  return object != NULL ? apikeys_record_integer(&object->record, field) : 0;
}

bool ak_object_changed(const struct ak_object *object, int field) {
  return (object->changed >> field & 1) != 0;
}

int ak_object_check(const struct ak_object *object, apikeys_error *err) {
  const struct ak_setter_fault *fault = ak_setter_fault_first(&object->faults);
  if (fault == NULL)
    return APIKEYS_OK;
  const char *name = "";
  if (fault->field >= 0)
    name = apikeys_schema_field_name(object->record.kind, fault->field);
  return ak_setter_fault_report(fault, name, err);
}

static int check_field_text(const struct ak_object *object, int field, size_t min, size_t max,
                            const char *(*find_text_problem)(const char *, size_t, size_t, size_t),
                            apikeys_error *err) {
  size_t length;
  const char *text = apikeys_record_text(&object->record, field, &length);
  const char *problem = find_text_problem(text, length, min, max);
  if (problem == NULL)
    return APIKEYS_OK;
  const char *name = apikeys_schema_field_name(object->record.kind, field);
  return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, name, "%s", problem);
}

int ak_object_check_text(const struct ak_object *object, int field, size_t min, size_t max,
                         apikeys_error *err) {
  return check_field_text(object, field, min, max, ak_text_problem, err);
}

int ak_object_check_name(const struct ak_object *object, int field, size_t min, size_t max,
                         apikeys_error *err) {
  return check_field_text(object, field, min, max,
                          ak_object_changed(object, field) ? ak_text_name_problem : ak_text_problem,
                          err);
}

static int copy_field(apikeys_record *to, const apikeys_record *from, int field) {
  size_t length;
  switch (apikeys_record_type(from, field)) {
  case APIKEYS_TYPE_INTEGER:
    return apikeys_record_set_integer(to, field, apikeys_record_integer(from, field));
  case APIKEYS_TYPE_TEXT: {
    const char *text = apikeys_record_text(from, field, &length);
    return apikeys_record_set_text(to, field, text, length);
  }
  case APIKEYS_TYPE_BLOB: {
    const void *bytes = apikeys_record_blob(from, field, &length);
    return apikeys_record_set_blob(to, field, bytes, length);
  }
  default:
    return apikeys_record_set_null(to, field);
  }
}

int ak_object_apply(const struct ak_object *object, apikeys_record *stored) {
  int count = apikeys_schema_field_count(object->record.kind);
  for (int field = 0; field < count; field++) {
    if (!ak_object_changed(object, field))
      continue;
    int rc = copy_field(stored, &object->record, field);
    if (rc != APIKEYS_OK)
      return rc;
  }
  return APIKEYS_OK;
}

bool ak_records_equal(const apikeys_record *a, const apikeys_record *b) {
  int count = apikeys_schema_field_count(a->kind);
  for (int field = 0; field < count; field++) {
    struct ak_field_value left = ak_record_value(a, field), right = ak_record_value(b, field);
    if (ak_field_value_compare(&left, &right) != 0)
      return false;
  }
  return true;
}

void ak_object_swap_record(struct ak_object *object, apikeys_record *record) {
  apikeys_record mine = object->record;
  object->record = *record;
  *record = mine;
  ak_object_mark_saved(object);
}

void ak_object_mark_saved(struct ak_object *object) {
  object->changed = 0;
  object->faults.count = object->faults.more = 0;
  object->json_written = false;
}
