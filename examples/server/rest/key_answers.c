/* SPDX-License-Identifier: MIT */
#include "rest/key_answers.h"

#include "http/reply.h"
#include "service.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value is of letters and digits: nothing in it needs escaping. */
void key_reply(struct exchange *x, int status, apikeys_key *key, const char *value) {
  size_t length = 0, size = 0;
  const char *json = apikeys_key_json(key, &length);
  char *text = NULL;
  FILE *out = json != NULL && length > 1 ? open_memstream(&text, &size) : NULL;
  if (out != NULL) {
    fwrite(json, 1, length - 1, out);
    if (value != NULL)
      fprintf(out, ",\"value\":\"%s\"", value);
    fputc('}', out);
    if (fclose(out) != 0) {
      free(text);
      text = NULL;
    }
  }
  reply_take(x, status, text, size);
}

static int set_permissions(apikeys_key_spec *spec, const json_t *permissions) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < json_array_size(permissions); i++) {
    const json_t *slug = json_array_get(permissions, i);
    rc = apikeys_key_spec_add_permission(spec, json_string_value(slug), json_string_length(slug));
  }
  return rc;
}

static int set_idempotency_key(struct exchange *x, apikeys_key_spec *spec) {
  size_t length;
  const char *text = exchange_header(x, "Idempotency-Key", &length);
  return text != NULL ? apikeys_key_spec_set_idempotency_key(spec, text, length) : APIKEYS_OK;
}

static int create(struct exchange *x, const apikeys_key_spec *spec) {
  char value[APIKEYS_VALUE_MAX];
  apikeys_key *key = apikeys_key_new();
  int rc = key == NULL ? APIKEYS_ERROR_NO_MEMORY
                       : apikeys_key_create(x->service->env, x->actor, spec, key, value,
                                            sizeof value, NULL, x->err);
  if (rc == APIKEYS_OK)
    key_reply(x, 201, key, value);
  sodium_memzero(value, sizeof value);
  apikeys_key_free(key);
  return rc;
}

void key_create(struct form *form, apikeys_key_spec *spec, const char *owner_noun,
                const char *owner_id, int invalid) {
  struct exchange *x = form->x;
  size_t length;
  const char *name = form_text(form, "name", FORM_REQUIRED, &length);
  json_t *permissions = form_texts(form, "permissions");
  int64_t expires_at_ms = form_time_ms(form, "expires_at");
  if (form_good(form)) {
    int rc = apikeys_key_spec_set_name(spec, name, length);
    if (rc == APIKEYS_OK)
      rc = set_permissions(spec, permissions);
    if (rc == APIKEYS_OK && expires_at_ms != 0)
      rc = apikeys_key_spec_set_expires_at_ms(spec, expires_at_ms);
    if (rc == APIKEYS_OK)
      rc = set_idempotency_key(x, spec);
    if (rc == APIKEYS_OK)
      rc = create(x, spec);
    if (rc != APIKEYS_OK)
      reply_failure(x, rc, owner_noun, owner_id);
  }
  if (x->status == 422)
    x->status = invalid;
}
