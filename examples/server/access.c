/* SPDX-License-Identifier: MIT */
#include "access.h"

#include "dashboard/sessions.h"
#include "http/reply.h"
#include "log.h"
#include "metrics.h"
#include "service.h"
#include "throttle.h"

#include <string.h>

enum { CONTEXT_MAX = 255 };

static size_t at_most(size_t length) {
  return length < CONTEXT_MAX ? length : CONTEXT_MAX;
}

void access_describe(struct exchange *x) {
  size_t length;
  const char *agent = exchange_header(x, "User-Agent", &length);
  apikeys_actor_set_request_id(x->actor, x->request_id, strlen(x->request_id));
  apikeys_actor_set_address(x->actor, x->address, strlen(x->address));
  /* One that is no text is left out: the library refuses it, and the rest stays. */
  if (agent != NULL)
    apikeys_actor_set_user_agent(x->actor, agent, at_most(length));
}

bool access_system(struct exchange *x, const char *reason) {
  int rc = apikeys_actor_set_system(x->actor, reason, strlen(reason));
  if (rc != APIKEYS_OK)
    reply_failure(x, rc, "Actor", "");
  else
    access_describe(x);
  return rc == APIKEYS_OK;
}

static bool throttled(struct exchange *x) {
  int seconds = throttle_wait(x->service->throttle, x->address);
  if (seconds == 0)
    return false;
  metrics_throttled(x->service->metrics);
  reply_error(x, 429, "rate_limited", "Too many refused requests from your address.");
  reply_header(x, "Retry-After", exchange_format(x, "%d", seconds));
  return true;
}

static void refused(struct exchange *x, int rc, int status) {
  const char *message = status == 401 ? "Unauthorized" : apikeys_result_text(rc);
  throttle_count(x->service->throttle, x->address);
  metrics_refused(x->service->metrics, x);
  log_security(x->service->log, x, apikeys_result_name(rc));
  if (status == 401)
    reply_header(x, "WWW-Authenticate", "Bearer");
  reply_error(x, status, status == 401 ? "unauthorized" : "forbidden", "%s", message);
}

/* What a verification said: the actor is set and described, or the exchange is answered. */
static bool verified(struct exchange *x, int rc, int refusal) {
  if (rc == APIKEYS_OK)
    access_describe(x);
  else if (apikeys_result_category(rc) == APIKEYS_CATEGORY_UNAVAILABLE)
    reply_failure(x, rc, "Actor", "");
  else
    refused(x, rc, refusal);
  return rc == APIKEYS_OK;
}

bool access_sign_in(struct exchange *x, const char *value, size_t length) {
  if (throttled(x))
    return false;
  int rc = value == NULL
               ? APIKEYS_ERROR_ACTOR_UNKNOWN
               : apikeys_actor_set_management_key(x->actor, x->service->env, value, length, x->err);
  return verified(x, rc, 401);
}

bool access_management(struct exchange *x) {
  size_t length;
  const char *value = exchange_bearer(x, &length);
  return access_sign_in(x, value, length);
}

bool access_widget(struct exchange *x) {
  size_t length;
  const char *token = exchange_bearer(x, &length);
  if (token == NULL) {
    /* The official widget asks like this before it has its token: no failed guess. */
    reply_error(x, 403, "forbidden", "There is no widget token in the request.");
    return false;
  }
  if (throttled(x))
    return false;
  return verified(
      x, apikeys_actor_set_widget_token(x->actor, x->service->env, token, length, x->err), 403);
}

/* Not throttled: nobody guesses 256 bits, and the session's owner should not wait because of
 * others behind the same address. */
bool access_session(struct exchange *x) {
  return sessions_enter(x);
}
