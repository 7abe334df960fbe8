/* SPDX-License-Identifier: MIT */
/*
 * A webhook endpoint: a URL of a customer's or the operator's, which events it wants, and the
 * secret under which its deliveries are signed. Stored as a document, with the secret as the
 * document's.
 */
#ifndef SERVER_WEBHOOKS_ENDPOINT_H
#define SERVER_WEBHOOKS_ENDPOINT_H

#include "webhooks/signature.h"

#include <apikeys.h>
#include <jansson.h>
#include <stdbool.h>

#define WEBHOOK_ENDPOINTS "webhook_endpoints", 17

enum { ENDPOINTS_MAX = 64 };

struct endpoint {
  apikeys_document *document;
  /* {"endpoint_url", "status", "events", "enabled_at_ms"}; "failing_since_ms" while nothing
   * arrives, "disabled_reason" and "disabled_at_ms" if the service disabled it */
  json_t *fields;
};

/* Each returns a result of the library; the caller closes `endpoint`, also after a failure. */
int endpoint_new(struct endpoint *endpoint);
int endpoint_get(struct endpoint *endpoint, apikeys_env *env, const apikeys_actor *actor,
                 const char *id, size_t length, apikeys_error *err);
/* Write the fields that were changed into the document, to be created or updated. */
int endpoint_set_body(struct endpoint *endpoint);
void endpoint_close(struct endpoint *endpoint);

const char *endpoint_id(const struct endpoint *endpoint);
const char *endpoint_url(const struct endpoint *endpoint);
bool endpoint_is_enabled(const struct endpoint *endpoint);
/* When it was enabled. */
int64_t endpoint_enabled_at_ms(const struct endpoint *endpoint);
void endpoint_enable(struct endpoint *endpoint, bool enabled);
/* Disabled by the service itself; `reason` is shown to clients. */
void endpoint_disable_for(struct endpoint *endpoint, const char *reason);
/* Since when every delivery has failed; 0: the last one arrived. */
int64_t endpoint_failing_since_ms(const struct endpoint *endpoint);
void endpoint_set_failing(struct endpoint *endpoint, bool failing);
bool endpoint_wants(const struct endpoint *endpoint, const char *event_type);
/* The caller wipes it. */
int endpoint_secret(const struct endpoint *endpoint, char out[WEBHOOK_SECRET_LENGTH + 1]);

/* Calls `visit` for each endpoint, oldest first, without its secret. Stops when `visit` returns
 * something other than APIKEYS_OK, and returns that. */
typedef int (*endpoint_visitor)(const struct endpoint *endpoint, void *user_data);
int endpoint_each(apikeys_env *env, const apikeys_actor *actor, endpoint_visitor visit,
                  void *user_data, apikeys_error *err);

#endif
