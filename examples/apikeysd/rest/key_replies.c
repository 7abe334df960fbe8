/* SPDX-License-Identifier: MIT */
/* Creates and lists keys for the routes of all owners, and writes keys as JSON. */
#include "rest/key_replies.h"

#include "http/reply.h"
#include "http/timestamp.h"
#include "idempotency_in_flight.h"
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
    if (apikeys_key_value_replaced(key))
      fprintf(out, ",\"replaced\":true");
    fputc('}', out);
    if (fclose(out) != 0) {
      free(text);
      text = NULL;
    }
  }
  reply_take(x, status, text, size);
}

json_t *key_json(apikeys_key *key) {
  size_t length = 0;
  const char *text = apikeys_key_json(key, &length);
  json_t *json = text != NULL ? json_loadb(text, length, 0, NULL) : NULL;
  if (json != NULL && apikeys_key_revoked_at_ms(key) != 0) {
    json_object_set_new(json, "revoked_at", timestamp_json(apikeys_key_revoked_at_ms(key)));
    json_object_set_new(json, "revoked_reason", json_string(apikeys_key_revoked_reason(key, NULL)));
  }
  return json;
}

/* -- Creating ---------------------------------------------------------------------------------- */

static int set_permissions(struct form *form, apikeys_key_spec *spec) {
  const json_t *permissions = form_texts(form, "permissions");
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < json_array_size(permissions); i++) {
    const json_t *slug = json_array_get(permissions, i);
    rc = apikeys_key_spec_add_permission(spec, json_string_value(slug), json_string_length(slug));
  }
  if (rc == APIKEYS_ERROR_INVALID_ARGUMENT) /* text that no slug can be */
    form_refuse(form, "unknown_permission", "permissions");
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_OK : rc;
}

int key_set_idempotency_key(struct form *form, apikeys_key_spec *spec) {
  size_t length;
  const char *text = exchange_header(form->x, "Idempotency-Key", &length);
  int rc = text != NULL ? apikeys_key_spec_set_idempotency_key(spec, text, length) : APIKEYS_OK;
  if (rc == APIKEYS_ERROR_INVALID_ARGUMENT)
    form_refuse(form, "invalid", "idempotency_key");
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_OK : rc;
}

static int set_all(struct form *form, apikeys_key_spec *spec) {
  size_t length;
  const char *name = form_text(form, "name", FORM_REQUIRED, &length);
  int rc = name != NULL ? apikeys_key_spec_set_name(spec, name, length) : APIKEYS_OK;
  if (rc == APIKEYS_OK)
    rc = set_permissions(form, spec);
  int64_t expires_at_ms = form_time_ms(form, "expires_at");
  if (rc == APIKEYS_OK && expires_at_ms != 0)
    rc = apikeys_key_spec_set_expires_at_ms(spec, expires_at_ms);
  return rc == APIKEYS_OK ? key_set_idempotency_key(form, spec) : rc;
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

/* A repeat during the first request would get a value that is dead already. */
static void create_once(struct exchange *x, const apikeys_key_spec *spec, const char *owner_noun,
                        const char *owner_id) {
  struct in_flight_entry entry;
  const char *idempotency_key = exchange_header(x, "Idempotency-Key", NULL);
  if (idempotency_key != NULL &&
      !in_flight_enter(x->service->in_flight, &entry, owner_id, idempotency_key)) {
    reply_error(x, 409, "idempotency_key_in_flight",
                "A request with this idempotency key is being answered.");
    reply_header(x, "Retry-After", "1");
    return;
  }
  int rc = create(x, spec);
  if (rc == APIKEYS_ERROR_INVALID_ARGUMENT && strcmp(apikeys_error_field(x->err), "owner") == 0)
    rc = APIKEYS_ERROR_NOT_FOUND; /* text that can be no id matches nothing */
  if (rc != APIKEYS_OK)
    reply_failure(x, rc, owner_noun, owner_id);
  if (idempotency_key != NULL)
    in_flight_leave(x->service->in_flight, &entry);
}

void key_create(struct form *form, apikeys_key_spec *spec, const char *owner_noun,
                const char *owner_id, int invalid) {
  struct exchange *x = form->x;
  int rc = set_all(form, spec);
  if (rc != APIKEYS_OK)
    reply_failure(x, rc, owner_noun, owner_id);
  else if (form_good(form))
    create_once(x, spec, owner_noun, owner_id);
  if (x->status == 422)
    x->status = invalid;
}

/* -- Listing ----------------------------------------------------------------------------------- */

static void reply_keys(struct list *list, bool revoked) {
  json_t *values = revoked ? json_array() : NULL;
  for (size_t i = 0; revoked && i < apikeys_page_count(list->page); i++)
    json_array_append_new(values, key_json(apikeys_page_key(list->page, i)));
  if (revoked)
    list_reply_values(list, values);
  else
    list_reply(list, APIKEYS_OK, list_key);
  json_decref(values);
}

void key_list(struct list *list, int rc, const char *owner_noun, const char *owner_id) {
  struct exchange *x = list->x;
  bool revoked;
  if (!list_flag(list, "revoked", &revoked))
    return;
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_revoked(list->filter, revoked);
  if (rc == APIKEYS_OK)
    rc = list_set(list, apikeys_filter_set_search, "search");
  if (rc == APIKEYS_OK)
    rc = apikeys_key_list(x->service->env, x->actor, list->filter, list->page, x->err);
  if (rc == APIKEYS_OK)
    reply_keys(list, revoked);
  else
    list_fail(list, rc, owner_noun, owner_id);
}
