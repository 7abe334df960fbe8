/* SPDX-License-Identifier: MIT */
/*
 * States of deliveries to webhook endpoints: our own routes. All of an endpoint's, or with
 * "?status=" those that are pending, delivered or failed. Failed ones can be sent again, one or
 * all.
 */
#include "http/reply.h"
#include "rest/filtered_list.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"
#include "webhooks/delivery.h"
#include "webhooks/webhooks.h"

#include <apikeys/document.h>

#include <string.h>

#define NOUN "Webhook delivery"

/* DELIVERY_STATUSES: all. */
static bool read_status(struct exchange *x, enum delivery_status *status) {
  const char *text = exchange_parameter(x, "status", NULL);
  *status = DELIVERY_STATUSES;
  if (text == NULL)
    return true;
  for (int i = 0; i < DELIVERY_STATUSES; i++)
    if (strcmp(text, delivery_status_names[i]) == 0) {
      *status = (enum delivery_status)i;
      return true;
    }
  reply_invalid(x, "invalid", "status");
  return false;
}

static int check_endpoint(struct exchange *x) {
  struct endpoint endpoint;
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  int rc = endpoint_get(&endpoint, x->service->env, x->actor, id, length, x->err);
  endpoint_close(&endpoint);
  return rc;
}

static int fill_page(struct list *list, enum delivery_status status) {
  struct exchange *x = list->x;
  char group[DELIVERY_GROUP_MAX];
  delivery_group(group, exchange_argument(x, "id", NULL), status);
  int rc = apikeys_filter_set_collection(list->filter, WEBHOOK_DELIVERIES);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_group(list->filter, group, strlen(group));
  return rc == APIKEYS_OK
             ? apikeys_document_list(x->service->env, x->actor, list->filter, list->page, x->err)
             : rc;
}

/* Each status of an endpoint is a group of its own; no group holds all of them. */
static int fetch(struct list *list) {
  return apikeys_document_list(list->x->service->env, list->x->actor, list->filter, list->page,
                               list->x->err);
}

static int look_for_endpoint(const struct list *list, size_t i, json_t **value) {
  struct delivery delivery;
  const char *id = exchange_argument(list->x, "id", NULL);
  int rc = delivery_read(&delivery, apikeys_page_document(list->page, i));
  if (rc == APIKEYS_OK && strcmp(delivery_endpoint_id(&delivery), id) == 0 &&
      (*value = delivery_json(&delivery)) == NULL)
    rc = APIKEYS_ERROR_NO_MEMORY;
  json_decref(delivery.fields);
  return rc;
}

static void list_all(struct list *list) {
  static const struct filtered_list by_endpoint = {fetch, look_for_endpoint};
  int rc = apikeys_filter_set_collection(list->filter, WEBHOOK_DELIVERIES);
  if (rc == APIKEYS_OK)
    filtered_list_reply(list, &by_endpoint, NOUN);
  else
    list_fail(list, rc, NOUN, "");
}

static int add_value(json_t *values, apikeys_document *document) {
  struct delivery delivery;
  int rc = delivery_read(&delivery, document);
  if (rc == APIKEYS_OK && json_array_append_new(values, delivery_json(&delivery)) != 0)
    rc = APIKEYS_ERROR_NO_MEMORY;
  json_decref(delivery.fields);
  return rc;
}

static void list_deliveries(struct exchange *x) {
  struct list list;
  enum delivery_status status;
  if (!read_status(x, &status) || !list_open(&list, x))
    return;
  json_t *values = json_array();
  int rc = check_endpoint(x);
  if (rc != APIKEYS_OK) {
    reply_failure(x, rc, "Webhook endpoint", exchange_argument(x, "id", NULL));
  } else if (status == DELIVERY_STATUSES) {
    list_all(&list);
  } else {
    rc = fill_page(&list, status);
    for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(list.page); i++)
      rc = add_value(values, apikeys_page_document(list.page, i));
    if (rc == APIKEYS_OK)
      list_reply_values(&list, values);
    else
      list_fail(&list, rc, NOUN, "");
  }
  json_decref(values);
  list_close(&list);
}

static void show_delivery(struct exchange *x) {
  struct delivery delivery;
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  int rc = delivery_get(&delivery, x->service->env, x->actor, id, length, x->err);
  if (rc == APIKEYS_OK)
    reply_json(x, 200, delivery_json(&delivery));
  else
    reply_failure(x, rc, NOUN, id);
  delivery_close(&delivery);
}

/* Also resends a delivery that is under way: it then arrives twice. */
static int resend(struct exchange *x, struct delivery *delivery, const char *id, size_t length) {
  int rc = delivery_get(delivery, x->service->env, x->actor, id, length, x->err);
  return rc == APIKEYS_OK ? delivery_resend(delivery, x->service->env, x->actor, x->err) : rc;
}

static void resend_one(struct exchange *x) {
  struct delivery delivery;
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  int rc = resend(x, &delivery, id, length);
  if (rc == APIKEYS_OK)
    reply_json(x, 202, delivery_json(&delivery));
  else
    reply_failure(x, rc, NOUN, id);
  delivery_close(&delivery);
  webhooks_wake(x->service->webhooks);
}

static int resend_page(struct list *list, json_int_t *count) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(list->page); i++) {
    struct delivery delivery;
    size_t length;
    const char *id = apikeys_document_id(apikeys_page_document(list->page, i), &length);
    rc = resend(list->x, &delivery, id, length);
    delivery_close(&delivery);
    *count += rc == APIKEYS_OK;
    if (rc == APIKEYS_ERROR_CHANGED || rc == APIKEYS_ERROR_NOT_FOUND)
      rc = APIKEYS_OK;
  }
  return rc;
}

/* Resends as many as one request has time for; "remaining" says whether to ask again. */
static void resend_failed(struct exchange *x) {
  enum { ROUNDS = 10, PAGE = 100 };
  struct list list;
  json_int_t count = 0;
  if (!list_open(&list, x))
    return;
  int rc = check_endpoint(x);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_limit(list.filter, PAGE);
  size_t found = PAGE;
  for (int i = 0; rc == APIKEYS_OK && found == PAGE && i < ROUNDS; i++) {
    rc = fill_page(&list, DELIVERY_FAILED);
    found = rc == APIKEYS_OK ? apikeys_page_count(list.page) : 0;
    if (rc == APIKEYS_OK)
      rc = resend_page(&list, &count);
  }
  if (rc == APIKEYS_OK)
    reply_json(x, 202, json_pack("{s:I,s:b}", "resent", count, "remaining", found == PAGE));
  else
    reply_failure(x, rc, "Webhook endpoint", exchange_argument(x, "id", NULL));
  list_close(&list);
  webhooks_wake(x->service->webhooks);
}

const struct route webhook_delivery_routes[] = {
    {METHOD_GET, "/webhook_endpoints/:id/deliveries", ACCESS_MANAGEMENT, list_deliveries},
    {METHOD_POST, "/webhook_endpoints/:id/resend_failed", ACCESS_MANAGEMENT, resend_failed},
    {METHOD_GET, "/webhook_deliveries/:id", ACCESS_MANAGEMENT, show_delivery},
    {METHOD_POST, "/webhook_deliveries/:id/resend", ACCESS_MANAGEMENT, resend_one},
    {0},
};
