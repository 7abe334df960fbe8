/* SPDX-License-Identifier: MIT */
/* Deliveries as documents: their fields, their retry times, and batched writes. */
#include "webhooks/delivery.h"

#include "clock.h"
#include "http/timestamp.h"

#include <apikeys/document.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Fields: webhook_endpoint_id, event_id, event (its type), status, attempts (in all),
 * tries (of the present round), last_attempt_ms, last_status, last_error.
 */

enum { BACK_OFF = 7 };

#define DAY_MS INT64_C(86400000)
#define KEEP_DELIVERED_MS (7 * DAY_MS)
/* Pending ones too: those of an endpoint that was deleted or left disabled. */
#define KEEP_OTHERS_MS (30 * DAY_MS)

const char *const delivery_status_names[DELIVERY_STATUSES] = {"pending", "delivered", "failed"};

void delivery_group(char out[DELIVERY_GROUP_MAX], const char *endpoint_id,
                    enum delivery_status status) {
  snprintf(out, DELIVERY_GROUP_MAX, "%s %s", endpoint_id, delivery_status_names[status]);
}

/* -- Reading ----------------------------------------------------------------------------------- */

int delivery_read(struct delivery *delivery, apikeys_document *document) {
  size_t length;
  const char *body = apikeys_document_body(document, &length);
  *delivery = (struct delivery){document, json_loadb(body, length, 0, NULL)};
  return delivery->fields != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
}

int delivery_get(struct delivery *delivery, apikeys_env *env, const apikeys_actor *actor,
                 const char *id, size_t length, apikeys_error *err) {
  *delivery = (struct delivery){.document = apikeys_document_new()};
  int rc = delivery->document == NULL ? APIKEYS_ERROR_NO_MEMORY
                                      : apikeys_document_get(env, actor, WEBHOOK_DELIVERIES, id,
                                                             length, delivery->document, err);
  return rc == APIKEYS_OK ? delivery_read(delivery, delivery->document) : rc;
}

int delivery_of_list(struct delivery *delivery, apikeys_document *listed) {
  size_t length;
  int rc = delivery_read(delivery, listed);
  delivery->document = apikeys_document_new();
  if (rc == APIKEYS_OK && delivery->document == NULL)
    rc = APIKEYS_ERROR_NO_MEMORY;
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_collection(delivery->document, WEBHOOK_DELIVERIES);
  const char *id = apikeys_document_id(listed, &length);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_id(delivery->document, id, length);
  return rc == APIKEYS_OK
             ? apikeys_document_set_version(delivery->document, apikeys_document_version(listed))
             : rc;
}

void delivery_close(struct delivery *delivery) {
  json_decref(delivery->fields);
  apikeys_document_free(delivery->document);
  *delivery = (struct delivery){0};
}

static const char *text(const struct delivery *delivery, const char *field) {
  const char *value = json_string_value(json_object_get(delivery->fields, field));
  return value != NULL ? value : "";
}

static json_int_t number(const struct delivery *delivery, const char *field) {
  return json_integer_value(json_object_get(delivery->fields, field));
}

const char *delivery_endpoint_id(const struct delivery *delivery) {
  return text(delivery, "webhook_endpoint_id");
}

const char *delivery_event_id(const struct delivery *delivery) {
  return text(delivery, "event_id");
}

enum delivery_status delivery_status(const struct delivery *delivery) {
  enum delivery_status status = DELIVERY_PENDING;
  while (status < DELIVERY_FAILED &&
         strcmp(text(delivery, "status"), delivery_status_names[status]) != 0)
    status++;
  return status;
}

json_t *delivery_json(const struct delivery *delivery) {
  json_t *json = json_pack("{s:s,s:s}", "object", "webhook_delivery", "id",
                           apikeys_document_id(delivery->document, NULL));
  static const char *const as_they_are[] = {
      "webhook_endpoint_id", "event_id",  "event", "status", "attempts",
      "last_status",         "last_error"};
  for (size_t i = 0; json != NULL && i < sizeof as_they_are / sizeof as_they_are[0]; i++)
    json_object_set(json, as_they_are[i], json_object_get(delivery->fields, as_they_are[i]));
  if (json == NULL)
    return NULL;
  json_object_set_new(json, "last_attempt_at", timestamp_json(number(delivery, "last_attempt_ms")));
  json_object_set_new(json, "next_attempt_at",
                      timestamp_json(apikeys_document_due_at_ms(delivery->document)));
  json_object_set_new(json, "created_at",
                      timestamp_json(apikeys_document_created_at_ms(delivery->document)));
  json_object_set_new(json, "updated_at",
                      timestamp_json(apikeys_document_updated_at_ms(delivery->document)));
  return json;
}

/* -- Writing ----------------------------------------------------------------------------------- */

/* Writes the fields into the document. */
static int set_document(struct delivery *delivery, int64_t due_at_ms) {
  enum delivery_status status = delivery_status(delivery);
  int64_t keep_ms = status == DELIVERY_DELIVERED ? KEEP_DELIVERED_MS : KEEP_OTHERS_MS;
  char group[DELIVERY_GROUP_MAX];
  char *body = json_dumps(delivery->fields, JSON_COMPACT);
  apikeys_document *document = delivery->document;
  delivery_group(group, delivery_endpoint_id(delivery), status);
  int rc = body == NULL ? APIKEYS_ERROR_NO_MEMORY
                        : apikeys_document_set_body(document, body, strlen(body));
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_group(document, group, strlen(group));
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_due_at_ms(document, due_at_ms);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_expires_at_ms(document, clock_unix_ms() + keep_ms);
  free(body);
  return rc;
}

/* "event_X" to "we_Y" is "whd_X_Y". */
static int set_id(apikeys_document *document, const char *event_id, const char *endpoint_id) {
  char id[128];
  const char *event = strchr(event_id, '_'), *endpoint = strchr(endpoint_id, '_');
  int length = snprintf(id, sizeof id, "whd%s%s", event != NULL ? event : event_id,
                        endpoint != NULL ? endpoint : endpoint_id);
  return length < 0 || (size_t)length >= sizeof id
             ? APIKEYS_ERROR_INVALID_ARGUMENT
             : apikeys_document_set_id(document, id, (size_t)length);
}

int delivery_new(struct delivery *delivery, const apikeys_event *event, const char *endpoint_id) {
  const char *event_id = apikeys_event_id(event, NULL);
  *delivery = (struct delivery){
      apikeys_document_new(),
      json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:n,s:n}", "webhook_endpoint_id", endpoint_id,
                "event_id", event_id, "event", apikeys_event_type(event, NULL), "status",
                delivery_status_names[DELIVERY_PENDING], "attempts", 0, "tries", 0,
                "last_attempt_ms", 0, "last_status", "last_error")};
  int rc = delivery->document == NULL || delivery->fields == NULL
               ? APIKEYS_ERROR_NO_MEMORY
               : apikeys_document_set_collection(delivery->document, WEBHOOK_DELIVERIES);
  if (rc == APIKEYS_OK)
    rc = set_id(delivery->document, event_id, endpoint_id);
  return rc == APIKEYS_OK ? set_document(delivery, clock_unix_ms()) : rc;
}

static void set_number(struct delivery *delivery, const char *field, json_int_t value) {
  json_object_set_new(delivery->fields, field, json_integer(value));
}

static void set_status(struct delivery *delivery, enum delivery_status status) {
  json_object_set_new(delivery->fields, "status", json_string(delivery_status_names[status]));
}

/* -- A delivery's life ------------------------------------------------------------------------- */

int delivery_claim(struct delivery *delivery) {
  int64_t now = clock_unix_ms();
  set_number(delivery, "attempts", number(delivery, "attempts") + 1);
  set_number(delivery, "tries", number(delivery, "tries") + 1);
  set_number(delivery, "last_attempt_ms", now);
  return set_document(delivery, now + DELIVERY_LEASE_MS);
}

int delivery_give_back(struct delivery *delivery) {
  set_number(delivery, "attempts", number(delivery, "attempts") - 1);
  set_number(delivery, "tries", number(delivery, "tries") - 1);
  return set_document(delivery, clock_unix_ms());
}

/* Exponential back-off: each wait is seven times the one before, so that six of them take days. Up
 * to a fifth is added at random, so that deliveries that failed together do not return together. */
static int64_t wait_ms(int64_t tries, int first_retry_seconds) {
  int64_t wait = (int64_t)first_retry_seconds * 1000;
  for (int64_t i = 1; i < tries; i++)
    wait *= BACK_OFF;
  return wait + (int64_t)randombytes_uniform((uint32_t)(wait / 5 < 1 ? 1 : wait / 5));
}

/* The target's Retry-After makes a wait longer, never shorter. */
static int64_t wait_as_asked_ms(int64_t tries, const struct delivery_outcome *outcome) {
  int64_t wait = wait_ms(tries, outcome->first_retry_seconds), asked = outcome->retry_after_seconds;
  if (asked > DELIVERY_RETRY_AFTER_MAX)
    asked = DELIVERY_RETRY_AFTER_MAX;
  return asked * 1000 > wait ? asked * 1000 : wait;
}

int delivery_conclude(struct delivery *delivery, const struct delivery_outcome *outcome) {
  int64_t now = clock_unix_ms(), tries = number(delivery, "tries");
  json_object_set_new(delivery->fields, "last_status",
                      outcome->http_status > 0 ? json_integer(outcome->http_status) : json_null());
  json_object_set_new(delivery->fields, "last_error",
                      outcome->problem != NULL ? json_string(outcome->problem) : json_null());
  if (outcome->problem == NULL) {
    set_status(delivery, DELIVERY_DELIVERED);
    return set_document(delivery, 0);
  }
  if (outcome->hopeless || tries >= DELIVERY_TRIES) {
    set_status(delivery, DELIVERY_FAILED);
    return set_document(delivery, 0);
  }
  return set_document(delivery, now + wait_as_asked_ms(tries, outcome));
}

int delivery_resend(struct delivery *delivery, apikeys_env *env, const apikeys_actor *actor,
                    apikeys_error *err) {
  set_status(delivery, DELIVERY_PENDING);
  set_number(delivery, "tries", 0);
  int rc = set_document(delivery, clock_unix_ms());
  return rc == APIKEYS_OK ? apikeys_document_update(env, actor, delivery->document, err) : rc;
}

/* -- Many in one transaction ------------------------------------------------------------------- */

int deliveries_create(const struct delivery *deliveries, size_t count, apikeys_env *env,
                      const apikeys_actor *actor, apikeys_error *err) {
  apikeys_document *documents[DELIVERIES_AT_ONCE] = {0};
  int results[DELIVERIES_AT_ONCE];
  for (size_t i = 0; i < count; i++)
    documents[i] = deliveries[i].document;
  int rc = apikeys_document_create_many(env, actor, documents, count, results, err);
  for (size_t i = 0; rc == APIKEYS_OK && i < count; i++)
    rc = results[i] == APIKEYS_ERROR_EXISTS ? APIKEYS_OK : results[i];
  return rc;
}

int deliveries_update(struct delivery *const *deliveries, int *results, size_t count,
                      apikeys_env *env, const apikeys_actor *actor, apikeys_error *err) {
  apikeys_document *documents[DELIVERIES_AT_ONCE] = {0};
  int written[DELIVERIES_AT_ONCE];
  size_t used = 0;
  for (size_t i = 0; i < count; i++)
    if (results[i] == APIKEYS_OK)
      documents[used++] = deliveries[i]->document;
  int rc = apikeys_document_update_many(env, actor, documents, used, written, err);
  used = 0;
  for (size_t i = 0; i < count; i++)
    if (results[i] == APIKEYS_OK)
      results[i] = rc == APIKEYS_OK ? written[used++] : rc;
  return rc;
}
