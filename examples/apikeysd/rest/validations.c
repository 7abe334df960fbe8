/* SPDX-License-Identifier: MIT */
/* POST /api_keys/validations: is this value a good key? */
#include "clock.h"
#include "http/body.h"
#include "http/reply.h"
#include "metrics.h"
#include "routes.h"
#include "service.h"

#include <string.h>

static void reply_key(struct exchange *x) {
  static const char before[] = "{\"api_key\":";
  size_t length = 0, used = sizeof before - 1;
  const char *json = apikeys_key_json(x->key, &length);
  char *text = json != NULL ? exchange_memory(x, used + length + 1) : NULL;
  if (text != NULL) {
    memcpy(text, before, used);
    memcpy(text + used, json, length);
    text[used + length] = '}';
  }
  reply_own(x, 200, text, used + length + 1);
}

/* The answer does not tell the reason, because it may reach another party. */
static void answer(struct exchange *x, int rc) {
  static char none[] = "{\"api_key\":null}";
  if (rc == APIKEYS_OK)
    reply_key(x);
  else if (rc > 0)
    reply_own(x, 200, none, sizeof none - 1);
  else
    reply_failure(x, rc, "API Key", "");
}

static void validate_value(struct exchange *x, const char *value, size_t length) {
  int64_t began_ns = clock_monotonic_ns();
  int rc = apikeys_validate(x->service->env, value, length, NULL, NULL, x->key, x->err);
  metrics_validation(x->service->metrics, rc, clock_monotonic_ns() - began_ns);
  answer(x, rc);
}

static void validate_form(struct exchange *x) {
  struct form form;
  size_t length;
  if (!form_open_with_nul(&form, x)) /* a text with U+0000 is no key, but is text */
    return;
  const char *value = form_text(&form, "value", FORM_REQUIRED, &length);
  if (form_good(&form))
    validate_value(x, value, length);
  form_close(&form);
}

static const char *skip(const char *at, const char *text) {
  size_t length = strlen(text);
  at += strspn(at, " \t\r\n");
  return strncmp(at, text, length) == 0 ? at + length : NULL;
}

/* Fast path: the value in {"value":"…"}, if the body has nothing else and nothing is escaped. NULL:
 * parse the body. */
static const char *plain_value(const struct exchange *x, size_t *length) {
  const char *value = skip(x->body, "{");
  if (value == NULL || (value = skip(value, "\"value\"")) == NULL ||
      (value = skip(value, ":")) == NULL || (value = skip(value, "\"")) == NULL)
    return NULL;
  *length = strcspn(value, "\"\\");
  for (size_t i = 0; i < *length; i++)
    if (value[i] < 0x20 || value[i] > 0x7e)
      return NULL;
  const char *end = value[*length] == '"' ? skip(value + *length + 1, "}") : NULL;
  return end != NULL && skip(end, "") == x->body + x->body_length ? value : NULL;
}

static void validate(struct exchange *x) {
  size_t length;
  const char *value = plain_value(x, &length);
  if (value != NULL)
    validate_value(x, value, length);
  else
    validate_form(x);
}

const struct route validation_routes[] = {
    {METHOD_POST, "/api_keys/validations", ACCESS_MANAGEMENT, validate},
    {0},
};
