/* SPDX-License-Identifier: MIT */
/* What all objects share: a record, the fields that were set, and the first setter that failed. */
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

static int record_result(struct ak_object *object, int field, int result) {
  object->json_written = false;
  if (result == APIKEYS_OK) {
    object->changed |= UINT64_C(1) << field;
    if (object->problem != 0 && object->problem_field == field)
      object->problem = 0;
  } else if (object->problem == 0) {
    object->problem = result;
    object->problem_field = field;
    object->problem_text = NULL;
  }
  return result;
}

int ak_object_set_error(struct ak_object *object, int field, int result, const char *text) {
  if (object == NULL)
    return result;
  bool first = object->problem == 0;
  record_result(object, field, result);
  if (first)
    object->problem_text = text;
  return result;
}

int ak_object_set_text(struct ak_object *object, int field, const char *text, size_t length) {
  length = ak_text_length(text, length);
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if ((text == NULL && length > 0) || length > AK_SETTER_TEXT_MAX ||
      (length > 0 && memchr(text, '\0', length) != NULL))
    return record_result(object, field, APIKEYS_ERROR_INVALID_ARGUMENT);
  if (length == 0 && apikeys_schema_field_nullable(object->record.kind, field))
    return record_result(object, field, apikeys_record_set_null(&object->record, field));
  return record_result(
      object, field,
      apikeys_record_set_text(&object->record, field, length > 0 ? text : "", length));
}

int ak_object_set_blob(struct ak_object *object, int field, const void *bytes, size_t length,
                       size_t max) {
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if ((bytes == NULL && length > 0) || length > max)
    return record_result(object, field, APIKEYS_ERROR_INVALID_ARGUMENT);
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
    return record_result(object, field, APIKEYS_ERROR_INVALID_ARGUMENT);
  return ak_object_set_integer(object, field, flag);
}

static int change_slugs(struct ak_object *object, int field, const char *slug, size_t length,
                        void (*change)(struct ak_slugs *, const char *, size_t)) {
  length = ak_text_length(slug, length);
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (slug == NULL || ak_slug_check(slug, length) != 0)
    return record_result(object, field, APIKEYS_ERROR_INVALID_ARGUMENT);
  struct ak_slugs set = {0};
  size_t old_length;
  const char *old = apikeys_record_text(&object->record, field, &old_length);
  ak_slugs_add_all(&set, old, old_length);
  change(&set, slug, length);
  int result = APIKEYS_ERROR_NO_MEMORY;
  if (!set.failed)
    result = set.length > AK_SETTER_TEXT_MAX
                 ? APIKEYS_ERROR_INVALID_ARGUMENT
                 : apikeys_record_set_text(&object->record, field, ak_slugs_text(&set), set.length);
  ak_slugs_release(&set);
  return record_result(object, field, result);
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

int ak_object_set_slugs(struct ak_object *object, int field, const char *text, size_t length) {
  length = ak_text_length(text, length);
  if (object == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  struct ak_slugs set = {0};
  const char *slug;
  size_t at = 0, slug_length;
  int result = text == NULL && length > 0 ? APIKEYS_ERROR_INVALID_ARGUMENT : APIKEYS_OK;
  while (result == APIKEYS_OK && at < length) {
    for (; at < length && text[at] == ' '; at++)
      ;
    for (slug = text + at, slug_length = 0; at < length && text[at] != ' '; at++)
      slug_length++;
    if (slug_length == 0)
      break;
    if (ak_slug_check(slug, slug_length) != 0)
      result = APIKEYS_ERROR_INVALID_ARGUMENT;
    else
      ak_slugs_add(&set, slug, slug_length);
  }
  if (result == APIKEYS_OK)
    result = set.failed ? APIKEYS_ERROR_NO_MEMORY
             : set.length > AK_SETTER_TEXT_MAX
                 ? APIKEYS_ERROR_INVALID_ARGUMENT
                 : apikeys_record_set_text(&object->record, field, ak_slugs_text(&set), set.length);
  ak_slugs_release(&set);
  return record_result(object, field, result);
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
  if (object->problem == 0)
    return APIKEYS_OK;
  const char *name = apikeys_schema_field_name(object->record.kind, object->problem_field);
  if (object->problem == APIKEYS_ERROR_NO_MEMORY)
    return ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  const char *text = object->problem_text;
  return ak_error_set(err, object->problem, name, "%s",
                      text != NULL ? text : "was set to something that it cannot be");
}

int ak_object_check_text(const struct ak_object *object, int field, size_t min, size_t max,
                         apikeys_error *err) {
  size_t length;
  const char *text = apikeys_record_text(&object->record, field, &length);
  const char *problem = ak_text_problem(text, length, min, max);
  if (problem == NULL)
    return APIKEYS_OK;
  const char *name = apikeys_schema_field_name(object->record.kind, field);
  return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, name, "%s", problem);
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
  object->problem = 0;
  object->json_written = false;
}
