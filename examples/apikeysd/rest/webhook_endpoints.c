/* SPDX-License-Identifier: MIT */
/* Webhook endpoints. Their secrets are in every answer, as the official clients expect, so reading
 * them takes the scope apikeys:documents:read. */
#include "http/body.h"
#include "http/reply.h"
#include "http/timestamp.h"
#include "log.h"
#include "mask.h"
#include "new_id.h"
#include "rest/event_types.h"
#include "rest/idempotent_post.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"
#include "webhooks/delivery.h"
#include "webhooks/target.h"
#include "webhooks/webhooks.h"

#include <apikeys/document.h>

#include <sodium.h>
#include <string.h>

#define NOUN "Webhook endpoint"

static json_t *endpoint_json(const struct endpoint *endpoint) {
  char secret[WEBHOOK_SECRET_LENGTH + 1];
  if (endpoint_secret(endpoint, secret) != APIKEYS_OK)
    return NULL;
  json_t *json = json_pack("{s:s,s:s,s:s}", "object", "webhook_endpoint", "id",
                           endpoint_id(endpoint), "secret", secret);
  sodium_memzero(secret, sizeof secret);
  if (json == NULL)
    return NULL;
  json_object_update(json, endpoint->fields);
  json_object_del(json, "enabled_at_ms"); /* our own */
  json_object_del(json, "failing_since_ms");
  json_t *disabled_at = json_object_get(json, "disabled_at_ms");
  if (disabled_at != NULL)
    json_object_set_new(json, "disabled_at", timestamp_json(json_integer_value(disabled_at)));
  json_object_del(json, "disabled_at_ms");
  json_object_set_new(json, "created_at",
                      timestamp_json(apikeys_document_created_at_ms(endpoint->document)));
  json_object_set_new(json, "updated_at",
                      timestamp_json(apikeys_document_updated_at_ms(endpoint->document)));
  return json;
}

static int get(struct exchange *x, struct endpoint *endpoint) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  return endpoint_get(endpoint, x->service->env, x->actor, id, length, x->err);
}

static void answer(struct exchange *x, int rc, int status, const struct endpoint *endpoint) {
  if (rc == APIKEYS_OK)
    reply_json(x, status, endpoint_json(endpoint));
  else if (x->status == 0)
    reply_failure(x, rc, NOUN, exchange_argument(x, "id", NULL));
}

/* -- What a body says -------------------------------------------------------------------------- */

/* The client's own text may be a secret that was pasted into the wrong place. */
static bool refuse_event_type(struct exchange *x, const char *type) {
  json_t *masked = mask_json(type);
  const char *shown = json_string_value(masked);
  reply_json(x, 422,
             json_pack("{s:s,s:s,s:[{s:s,s:s,s:s+}]}", "message", "Validation failed.", "code",
                       "invalid_request_parameters", "errors", "code", "unknown_event_type",
                       "field", "events", "message", "There are no events of type ",
                       shown != NULL ? shown : "?"));
  json_decref(masked);
  return false;
}

static bool set_events(struct form *form, struct endpoint *endpoint, enum presence presence) {
  json_t *events = form_texts(form, "events"), *event;
  size_t i;
  if (events == NULL || json_array_size(events) == 0) {
    if (form_has(form, "events") || presence == FORM_REQUIRED)
      form_refuse(form, "required", "events");
    return true;
  }
  json_array_foreach(events, i, event) {
    if (!event_type_is_known(json_string_value(event), json_string_length(event),
                             EVENT_TYPES_PUBLIC))
      return refuse_event_type(form->x, json_string_value(event));
  }
  if (json_array_size(events) > EVENT_TYPES_PUBLIC)
    form_refuse(form, "invalid", "events"); /* some of them twice */
  json_object_set(endpoint->fields, "events", events);
  return true;
}

static bool set_url(struct form *form, struct endpoint *endpoint, enum presence presence) {
  size_t length;
  const char *url = form_text(form, "endpoint_url", presence, &length), *problem;
  if (url == NULL)
    return true;
  problem = strlen(url) != length ? "The URL is malformed."
                                  : target_problem(url, form->x->service->config);
  if (problem != NULL) {
    reply_error(form->x, 422, "invalid_url", "%s", problem);
    return false;
  }
  json_object_set_new(endpoint->fields, "endpoint_url", json_stringn(url, length));
  return true;
}

static void set_status(struct form *form, struct endpoint *endpoint) {
  size_t length;
  const char *status = form_text(form, "status", FORM_OPTIONAL, &length);
  if (status == NULL)
    return;
  if (strcmp(status, "enabled") != 0 && strcmp(status, "disabled") != 0)
    form_refuse(form, "invalid", "status");
  else
    endpoint_enable(endpoint, strcmp(status, "enabled") == 0);
}

static bool set_fields(struct form *form, struct endpoint *endpoint, enum presence presence) {
  set_status(form, endpoint);
  return set_url(form, endpoint, presence) && set_events(form, endpoint, presence) &&
         form_good(form);
}

/* -- One of each URL --------------------------------------------------------------------------- */

struct others {
  const char *id, *url;
  size_t count;
  bool same_url;
};

static int compare(const struct endpoint *other, void *user_data) {
  struct others *others = user_data;
  if (strcmp(endpoint_id(other), others->id) != 0) {
    others->count++;
    others->same_url = others->same_url || strcmp(endpoint_url(other), others->url) == 0;
  }
  return APIKEYS_OK;
}

/* Two that are created at the same moment may both pass: then events arrive twice, which receivers
 * must expect anyway. */
static int check_others(struct exchange *x, const struct endpoint *endpoint) {
  struct others others = {.id = endpoint_id(endpoint), .url = endpoint_url(endpoint)};
  int rc = endpoint_each(x->service->env, x->actor, compare, &others, x->err);
  if (rc != APIKEYS_OK)
    return rc;
  if (others.same_url)
    reply_error(x, 409, "duplicate_endpoint", "There is a webhook endpoint with this URL.");
  else if (others.count >= ENDPOINTS_MAX)
    reply_error(x, 422, "too_many_endpoints", "There can be %d webhook endpoints.", ENDPOINTS_MAX);
  return others.same_url || others.count >= ENDPOINTS_MAX ? APIKEYS_ERROR_EXISTS : APIKEYS_OK;
}

/* Endpoint changes leave no event, so they are logged: auditors must see where events are sent. */
static void note(const struct exchange *x, int rc, const char *change,
                 const struct endpoint *endpoint) {
  if (rc == APIKEYS_OK)
    log_change(x->service->log, x, change, endpoint_id(endpoint));
}

/* -- Handlers ---------------------------------------------------------------------------------- */

static int set_new_secret(struct endpoint *endpoint) {
  char secret[WEBHOOK_SECRET_LENGTH + 1];
  signature_new_secret(secret);
  int rc = apikeys_document_set_secret(endpoint->document, secret, WEBHOOK_SECRET_LENGTH);
  sodium_memzero(secret, sizeof secret);
  return rc;
}

static int prepare(struct endpoint *endpoint) {
  char id[NEW_ID_MAX];
  new_id("we", id);
  int rc = endpoint_new(endpoint);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_collection(endpoint->document, WEBHOOK_ENDPOINTS);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_id(endpoint->document, id, strlen(id));
  if (rc == APIKEYS_OK)
    rc = set_new_secret(endpoint);
  if (rc == APIKEYS_OK)
    endpoint_enable(endpoint, true);
  return rc;
}

static void make_endpoint(struct exchange *x) {
  struct form form;
  struct endpoint endpoint;
  if (!form_open(&form, x))
    return;
  int rc = prepare(&endpoint);
  if (rc != APIKEYS_OK || set_fields(&form, &endpoint, FORM_REQUIRED)) {
    if (rc == APIKEYS_OK)
      rc = check_others(x, &endpoint);
    if (rc == APIKEYS_OK)
      rc = endpoint_set_body(&endpoint);
    if (rc == APIKEYS_OK)
      rc = apikeys_document_create(x->service->env, x->actor, endpoint.document, x->err);
    note(x, rc, "webhook_endpoint.created", &endpoint);
    answer(x, rc, 201, &endpoint);
    webhooks_wake(x->service->webhooks);
  }
  endpoint_close(&endpoint);
  form_close(&form);
}

static void create_endpoint(struct exchange *x) {
  idempotent_post(x, make_endpoint);
}

static void list_endpoints(struct exchange *x) {
  struct list list;
  if (!list_open(&list, x))
    return;
  json_t *values = json_array();
  int rc = apikeys_filter_set_collection(list.filter, WEBHOOK_ENDPOINTS);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_list(x->service->env, x->actor, list.filter, list.page, x->err);
  for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(list.page); i++) {
    struct endpoint endpoint; /* lists have no secrets */
    size_t length;
    const char *id = apikeys_document_id(apikeys_page_document(list.page, i), &length);
    rc = endpoint_get(&endpoint, x->service->env, x->actor, id, length, x->err);
    if (rc == APIKEYS_OK && json_array_append_new(values, endpoint_json(&endpoint)) != 0)
      rc = APIKEYS_ERROR_NO_MEMORY;
    if (rc == APIKEYS_ERROR_NOT_FOUND) /* deleted meanwhile */
      rc = APIKEYS_OK;
    endpoint_close(&endpoint);
  }
  if (rc == APIKEYS_OK)
    list_reply_values(&list, values);
  else
    list_fail(&list, rc, NOUN, "");
  json_decref(values);
  list_close(&list);
}

static void show_endpoint(struct exchange *x) {
  struct endpoint endpoint;
  int rc = get(x, &endpoint);
  answer(x, rc, 200, &endpoint);
  endpoint_close(&endpoint);
}

static void update_endpoint(struct exchange *x) {
  struct form form;
  struct endpoint endpoint;
  if (!form_open(&form, x))
    return;
  int rc = get(x, &endpoint);
  if (rc != APIKEYS_OK || set_fields(&form, &endpoint, FORM_OPTIONAL)) {
    if (rc == APIKEYS_OK && form_has(&form, "endpoint_url"))
      rc = check_others(x, &endpoint);
    if (rc == APIKEYS_OK)
      rc = endpoint_set_body(&endpoint);
    if (rc == APIKEYS_OK)
      rc = apikeys_document_update(x->service->env, x->actor, endpoint.document, x->err);
    note(x, rc, "webhook_endpoint.updated", &endpoint);
    answer(x, rc, 200, &endpoint);
    webhooks_wake(x->service->webhooks);
  }
  endpoint_close(&endpoint);
  form_close(&form);
}

/*
 * The new secret signs all deliveries at once, and the old one none, because the official clients
 * read only the first signature in the header. Deliveries that the receiver refuses until it knows
 * the new secret are tried again for days.
 */
static void rotate_secret(struct exchange *x) {
  struct endpoint endpoint;
  int rc = get(x, &endpoint);
  if (rc == APIKEYS_OK)
    rc = set_new_secret(&endpoint);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_update(x->service->env, x->actor, endpoint.document, x->err);
  note(x, rc, "webhook_endpoint.secret_renewed", &endpoint);
  answer(x, rc, 200, &endpoint);
  endpoint_close(&endpoint);
}

/* Its pending deliveries stay, unsent, until they expire. */
static void delete_endpoint(struct exchange *x) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  int rc =
      apikeys_document_delete(x->service->env, x->actor, WEBHOOK_ENDPOINTS, id, length, 0, x->err);
  if (rc == APIKEYS_OK) {
    log_change(x->service->log, x, "webhook_endpoint.deleted", id);
    reply_nothing(x);
  } else {
    reply_failure(x, rc, NOUN, id);
  }
}

#define ENDPOINTS "/webhook_endpoints"

const struct route webhook_endpoint_routes[] = {
    {METHOD_POST, ENDPOINTS, ACCESS_MANAGEMENT, create_endpoint},
    {METHOD_GET, ENDPOINTS, ACCESS_MANAGEMENT, list_endpoints},
    {METHOD_GET, ENDPOINTS "/:id", ACCESS_MANAGEMENT, show_endpoint},
    {METHOD_PATCH, ENDPOINTS "/:id", ACCESS_MANAGEMENT, update_endpoint},
    {METHOD_DELETE, ENDPOINTS "/:id", ACCESS_MANAGEMENT, delete_endpoint},
    {METHOD_POST, ENDPOINTS "/:id/rotate_secret", ACCESS_MANAGEMENT, rotate_secret},
    {0},
};
