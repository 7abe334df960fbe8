/* SPDX-License-Identifier: MIT */
#include "http/body.h"

#include "http/name_check.h"
#include "http/reply.h"
#include "http/timestamp.h"

#include <string.h>

static bool open_with(struct form *form, struct exchange *x, size_t flags) {
  json_error_t error;
  *form = (struct form){.x = x};
  if (x->body_length == 0)
    form->object = json_object();
  else
    form->object = json_loadb(x->body, x->body_length, JSON_REJECT_DUPLICATES | flags, &error);
  form->errors = json_array();
  if (json_is_object(form->object) && form->errors != NULL) {
    if (name_check_fields(x, form->object))
      return true;
    form_close(form);
    return false;
  }
  /* The parser's own message may repeat a piece of the body, which may be a key's value. */
  if (form->object == NULL && x->body_length > 0)
    reply_error(x, 400, "invalid_json", "The body is not valid JSON (line %d, column %d).",
                error.line, error.column);
  else
    reply_error(x, 400, "invalid_json", "The body must be a JSON object.");
  form_close(form);
  return false;
}

bool form_open(struct form *form, struct exchange *x) {
  return open_with(form, x, 0);
}

bool form_open_with_nul(struct form *form, struct exchange *x) {
  return open_with(form, x, JSON_ALLOW_NUL);
}

void form_close(struct form *form) {
  json_decref(form->object);
  json_decref(form->errors);
}

void form_refuse(struct form *form, const char *code, const char *field) {
  json_array_append_new(form->errors, json_pack("{s:s,s:s}", "code", code, "field", field));
}

void form_explain(struct form *form, const char *code, const char *field, const char *message) {
  json_array_append_new(
      form->errors, json_pack("{s:s,s:s,s:s}", "code", code, "field", field, "message", message));
}

bool form_good(struct form *form) {
  if (json_array_size(form->errors) == 0)
    return true;
  reply_json(form->x, 422,
             json_pack("{s:s,s:O}", "message", "Validation failed.", "errors", form->errors));
  return false;
}

bool form_has(const struct form *form, const char *field) {
  return json_object_get(form->object, field) != NULL;
}

const char *form_text(struct form *form, const char *field, enum presence presence,
                      size_t *length) {
  json_t *value = json_object_get(form->object, field);
  *length = 0;
  if (value == NULL || json_is_null(value)) {
    if (presence == FORM_REQUIRED)
      form_refuse(form, "required", field);
    return NULL;
  }
  if (!json_is_string(value)) {
    form_refuse(form, "invalid", field);
    return NULL;
  }
  *length = json_string_length(value);
  return json_string_value(value);
}

json_t *form_texts(struct form *form, const char *field) {
  json_t *value = json_object_get(form->object, field), *element;
  size_t i;
  if (value == NULL || json_is_null(value))
    return NULL;
  bool good = json_is_array(value);
  json_array_foreach(value, i, element) good = good && json_is_string(element);
  if (!good)
    form_refuse(form, "invalid", field);
  return good ? value : NULL;
}

int64_t form_time_ms(struct form *form, const char *field) {
  const json_t *value = json_object_get(form->object, field);
  int64_t ms = 0;
  if (value == NULL || json_is_null(value))
    return 0;
  const char *text = json_string_value(value);
  if (text == NULL || !timestamp_parse(text, json_string_length(value), &ms))
    form_explain(form, "invalid", field, TIMESTAMP_WANTED);
  return ms;
}
