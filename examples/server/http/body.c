/* SPDX-License-Identifier: MIT */
#include "http/body.h"

#include "http/reply.h"

#include <string.h>

bool form_open(struct form *form, struct exchange *x) {
  json_error_t error;
  *form = (struct form){.x = x};
  if (x->body_length == 0)
    form->object = json_object();
  else
    form->object = json_loadb(x->body, x->body_length, JSON_REJECT_DUPLICATES, &error);
  form->errors = json_array();
  if (json_is_object(form->object) && form->errors != NULL)
    return true;
  /* The parser's own message may repeat a piece of the body, which may be a key's value. */
  if (form->object == NULL && x->body_length > 0)
    reply_error(x, 400, "invalid_json", "The body is not valid JSON (line %d, column %d).",
                error.line, error.column);
  else
    reply_error(x, 400, "invalid_json", "The body must be a JSON object.");
  form_close(form);
  return false;
}

void form_close(struct form *form) {
  json_decref(form->object);
  json_decref(form->errors);
}

void form_refuse(struct form *form, const char *code, const char *field) {
  json_array_append_new(form->errors, json_pack("{s:s,s:s}", "code", code, "field", field));
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

/* -- Dates ------------------------------------------------------------------------------------- */

/* Digits of a fixed number, at *at, which moves behind them. */
static bool digits(const char **at, const char *end, int count, int *out) {
  *out = 0;
  for (int i = 0; i < count; i++, (*at)++) {
    if (*at == end || **at < '0' || **at > '9')
      return false;
    *out = *out * 10 + (**at - '0');
  }
  return true;
}

static bool literal(const char **at, const char *end, char wanted) {
  return *at != end && *(*at)++ == wanted;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years are counted from March. */
static int64_t days_since_epoch(int year, int month, int day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t era = y / 400, year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

static int days_in_month(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/* ".123456": the first three digits count. */
static bool fraction(const char **at, const char *end, int *ms) {
  int scale = 100;
  *ms = 0;
  if (*at == end || **at != '.')
    return true;
  const char *first = ++*at;
  for (; *at != end && **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
    *ms += (**at - '0') * scale;
  return *at != first;
}

/* "Z" or "+02:00", which must be the end. */
static bool offset(const char *at, const char *end, int *minutes) {
  int hour, minute;
  *minutes = 0;
  if (at != end && (*at == 'Z' || *at == 'z'))
    return at + 1 == end;
  if (at == end || (*at != '+' && *at != '-'))
    return false;
  int sign = *at++ == '-' ? -1 : 1;
  if (!digits(&at, end, 2, &hour) || !literal(&at, end, ':') || !digits(&at, end, 2, &minute) ||
      hour > 23 || minute > 59 || at != end)
    return false;
  *minutes = sign * (hour * 60 + minute);
  return true;
}

bool parse_time_ms(const char *text, size_t length, int64_t *out) {
  const char *at = text, *end = text + length;
  int year, month, day, hour, minute, second, ms, behind;
  if (!digits(&at, end, 4, &year) || !literal(&at, end, '-') || !digits(&at, end, 2, &month) ||
      !literal(&at, end, '-') || !digits(&at, end, 2, &day) || !literal(&at, end, 'T') ||
      !digits(&at, end, 2, &hour) || !literal(&at, end, ':') || !digits(&at, end, 2, &minute) ||
      !literal(&at, end, ':') || !digits(&at, end, 2, &second) || !fraction(&at, end, &ms) ||
      !offset(at, end, &behind))
    return false;
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
      hour > 23 || minute > 59 || second > 59)
    return false;
  int64_t minutes = days_since_epoch(year, month, day) * 1440 + hour * 60 + minute - behind;
  *out = (minutes * 60 + second) * 1000 + ms;
  return *out >= 0;
}

int64_t form_time_ms(struct form *form, const char *field) {
  size_t length;
  int64_t ms = 0;
  const char *text = form_text(form, field, FORM_OPTIONAL, &length);
  if (text != NULL && !parse_time_ms(text, length, &ms))
    form_refuse(form, "invalid", field);
  return ms;
}
