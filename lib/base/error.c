/* SPDX-License-Identifier: MIT */
/* The error object, and the table of all codes with their names, texts and categories. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct apikeys_error {
  int code;
  char field[48];
  char subject[256];
  char message[512];
};

struct result {
  int number;
  int category;
  const char *name;
  const char *text;
};

static const struct result results[] = {
#define RESULT_ROW(name, number, category, text)                                                   \
  {(number), APIKEYS_CATEGORY_##category, #name, text},
    APIKEYS_RESULT_MAP(RESULT_ROW)
#undef RESULT_ROW
};

static const struct result unknown_result = {0, APIKEYS_CATEGORY_UNAVAILABLE, "UNKNOWN_RESULT",
                                             "a result code that this version does not know"};

static const struct result *find_result(int number) {
  for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
    if (results[i].number == number)
      return &results[i];
  return &unknown_result;
}

size_t apikeys_result_count(void) {
  return sizeof results / sizeof results[0];
}

int apikeys_result_at(size_t i) {
  return i < apikeys_result_count() ? results[i].number : APIKEYS_ERROR_INVALID_ARGUMENT;
}

const char *apikeys_result_name(int result) {
  return find_result(result)->name;
}

const char *apikeys_result_text(int result) {
  return find_result(result)->text;
}

int apikeys_result_category(int result) {
  return find_result(result)->category;
}

const char *apikeys_category_name(int category) {
  static const char *const names[] = {"GOOD",    "UNAUTHENTICATED", "FORBIDDEN", "LIMITED",
                                      "INVALID", "ABSENT",          "CONFLICT",  "UNAVAILABLE"};
  _Static_assert(sizeof names / sizeof names[0] == APIKEYS_CATEGORY_UNAVAILABLE + 1,
                 "all have one");
  return category >= 0 && (size_t)category < sizeof names / sizeof names[0] ? names[category]
                                                                            : "UNKNOWN_CATEGORY";
}

int apikeys_result_status(int result) {
  switch (apikeys_result_category(result)) {
  case APIKEYS_CATEGORY_GOOD:
    return 200;
  case APIKEYS_CATEGORY_UNAUTHENTICATED:
    return 401;
  case APIKEYS_CATEGORY_FORBIDDEN:
    return 403;
  case APIKEYS_CATEGORY_LIMITED:
    return 429;
  case APIKEYS_CATEGORY_INVALID:
    return 422;
  case APIKEYS_CATEGORY_ABSENT:
    return 404;
  case APIKEYS_CATEGORY_CONFLICT:
    return 409;
  default:
    return 503;
  }
}

apikeys_error *apikeys_error_new(void) {
  return calloc(1, sizeof(apikeys_error));
}

void apikeys_error_free(apikeys_error *err) {
  free(err);
}

void apikeys_error_clear(apikeys_error *err) {
  ak_error_clear(err);
}

int apikeys_error_code(const apikeys_error *err) {
  return err != NULL ? err->code : APIKEYS_ERROR_INVALID_ARGUMENT;
}

const char *apikeys_error_message(const apikeys_error *err) {
  if (err == NULL)
    return "";
  return err->message[0] != '\0' ? err->message : apikeys_result_text(err->code);
}

const char *apikeys_error_field(const apikeys_error *err) {
  return err != NULL ? err->field : "";
}

const char *apikeys_error_subject(const apikeys_error *err) {
  return err != NULL ? err->subject : "";
}

int ak_error_clear(apikeys_error *err) {
  if (err != NULL) {
    err->code = APIKEYS_OK;
    err->field[0] = err->subject[0] = err->message[0] = '\0';
  }
  return APIKEYS_OK;
}

int ak_error_code(apikeys_error *err, int code) {
  ak_error_clear(err);
  if (err != NULL)
    err->code = code;
  return code;
}

int ak_error_set(apikeys_error *err, int code, const char *field, const char *format, ...) {
  if (err == NULL)
    return code;
  ak_error_code(err, code);
  snprintf(err->field, sizeof err->field, "%s", field);
  int used = 0;
  if (field[0] != '\0')
    used = snprintf(err->message, sizeof err->message, "%s: ", field);
  size_t start = used > 0 ? (size_t)used : 0;
  if (format == NULL) {
    snprintf(err->message + start, sizeof err->message - start, "%s", apikeys_result_text(code));
    return code;
  }
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(err->message + start, sizeof err->message - start, format, arguments);
  va_end(arguments);
  return code;
}

void ak_error_set_subject(apikeys_error *err, const char *text, size_t length) {
  if (err == NULL)
    return;
  if (length >= sizeof err->subject)
    length = sizeof err->subject - 1;
  memcpy(err->subject, text, length);
  err->subject[length] = '\0';
}
