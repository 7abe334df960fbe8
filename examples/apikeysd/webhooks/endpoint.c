/* SPDX-License-Identifier: MIT */
/* Webhook endpoints as documents. */
#include "webhooks/endpoint.h"

#include "clock.h"

#include <apikeys/document.h>

#include <stdlib.h>
#include <string.h>

static int parse(struct endpoint *endpoint) {
  size_t length;
  const char *body = apikeys_document_body(endpoint->document, &length);
  endpoint->fields = length > 0 ? json_loadb(body, length, 0, NULL) : json_object();
  return endpoint->fields != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
}

int endpoint_new(struct endpoint *endpoint) {
  *endpoint = (struct endpoint){.document = apikeys_document_new()};
  return endpoint->document != NULL ? parse(endpoint) : APIKEYS_ERROR_NO_MEMORY;
}

int endpoint_get(struct endpoint *endpoint, apikeys_env *env, const apikeys_actor *actor,
                 const char *id, size_t length, apikeys_error *err) {
  *endpoint = (struct endpoint){.document = apikeys_document_new()};
  int rc = endpoint->document == NULL ? APIKEYS_ERROR_NO_MEMORY
                                      : apikeys_document_get(env, actor, WEBHOOK_ENDPOINTS, id,
                                                             length, endpoint->document, err);
  return rc == APIKEYS_OK ? parse(endpoint) : rc;
}

int endpoint_set_body(struct endpoint *endpoint) {
  char *body = json_dumps(endpoint->fields, JSON_COMPACT);
  int rc = body == NULL ? APIKEYS_ERROR_NO_MEMORY
                        : apikeys_document_set_body(endpoint->document, body, strlen(body));
  free(body);
  return rc;
}

void endpoint_close(struct endpoint *endpoint) {
  json_decref(endpoint->fields);
  apikeys_document_free(endpoint->document);
  *endpoint = (struct endpoint){0};
}

const char *endpoint_id(const struct endpoint *endpoint) {
  return apikeys_document_id(endpoint->document, NULL);
}

static const char *text(const struct endpoint *endpoint, const char *field) {
  const char *value = json_string_value(json_object_get(endpoint->fields, field));
  return value != NULL ? value : "";
}

const char *endpoint_url(const struct endpoint *endpoint) {
  return text(endpoint, "endpoint_url");
}

bool endpoint_is_enabled(const struct endpoint *endpoint) {
  return strcmp(text(endpoint, "status"), "enabled") == 0;
}

int64_t endpoint_enabled_at_ms(const struct endpoint *endpoint) {
  return json_integer_value(json_object_get(endpoint->fields, "enabled_at_ms"));
}

void endpoint_enable(struct endpoint *endpoint, bool enabled) {
  if (enabled && !endpoint_is_enabled(endpoint)) {
    json_object_set_new(endpoint->fields, "enabled_at_ms", json_integer(clock_unix_ms()));
    json_object_del(endpoint->fields, "disabled_reason");
    json_object_del(endpoint->fields, "disabled_at_ms");
    json_object_del(endpoint->fields, "failing_since_ms");
  }
  json_object_set_new(endpoint->fields, "status", json_string(enabled ? "enabled" : "disabled"));
}

void endpoint_disable_for(struct endpoint *endpoint, const char *reason) {
  endpoint_enable(endpoint, false);
  json_object_set_new(endpoint->fields, "disabled_reason", json_string(reason));
  json_object_set_new(endpoint->fields, "disabled_at_ms", json_integer(clock_unix_ms()));
}

int64_t endpoint_failing_since_ms(const struct endpoint *endpoint) {
  return json_integer_value(json_object_get(endpoint->fields, "failing_since_ms"));
}

void endpoint_set_failing(struct endpoint *endpoint, bool failing) {
  if (!failing)
    json_object_del(endpoint->fields, "failing_since_ms");
  else if (endpoint_failing_since_ms(endpoint) == 0)
    json_object_set_new(endpoint->fields, "failing_since_ms", json_integer(clock_unix_ms()));
}

bool endpoint_wants(const struct endpoint *endpoint, const char *event_type) {
  json_t *wanted;
  size_t i;
  json_array_foreach(json_object_get(endpoint->fields, "events"), i, wanted) {
    if (strcmp(json_string_value(wanted), event_type) == 0)
      return true;
  }
  return false;
}

int endpoint_secret(const struct endpoint *endpoint, char out[WEBHOOK_SECRET_LENGTH + 1]) {
  size_t length = 0;
  int rc = apikeys_document_secret(endpoint->document, out, WEBHOOK_SECRET_LENGTH, &length);
  out[rc == APIKEYS_OK ? length : 0] = '\0';
  return rc;
}

/* -- All of them ------------------------------------------------------------------------------- */

static int visit_page(const apikeys_page *page, endpoint_visitor visit, void *user_data) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(page); i++) {
    struct endpoint endpoint = {.document = apikeys_page_document(page, i)};
    rc = parse(&endpoint);
    if (rc == APIKEYS_OK)
      rc = visit(&endpoint, user_data);
    json_decref(endpoint.fields); /* the document is the page's */
  }
  return rc;
}

int endpoint_each(apikeys_env *env, const apikeys_actor *actor, endpoint_visitor visit,
                  void *user_data, apikeys_error *err) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  const char *after = "";
  size_t after_length = 0;
  int rc = filter == NULL || page == NULL
               ? APIKEYS_ERROR_NO_MEMORY
               : apikeys_filter_set_collection(filter, WEBHOOK_ENDPOINTS);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_order(filter, APIKEYS_ORDER_OLDEST_FIRST);
  do {
    if (rc == APIKEYS_OK)
      rc = apikeys_filter_set_after(filter, after, after_length);
    if (rc == APIKEYS_OK)
      rc = apikeys_document_list(env, actor, filter, page, err);
    if (rc == APIKEYS_OK)
      rc = visit_page(page, visit, user_data);
    after = rc == APIKEYS_OK ? apikeys_page_after(page, &after_length) : "";
  } while (*after != '\0');
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}
