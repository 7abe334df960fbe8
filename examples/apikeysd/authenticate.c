/* SPDX-License-Identifier: MIT */
/* Checks management keys, widget tokens and sessions, with the throttle around them. */
#include "authenticate.h"

#include "dashboard/sessions.h"
#include "http/reply.h"
#include "log.h"
#include "mask.h"
#include "metrics.h"
#include "service.h"
#include "throttle.h"

#include <string.h>

enum { CONTEXT_MAX = 255 };

static size_t at_most(size_t length) {
  return length < CONTEXT_MAX ? length : CONTEXT_MAX;
}

void authenticate_describe(struct exchange *x) {
  size_t length;
  const char *agent = exchange_header(x, "User-Agent", &length);
  /* What is no text is left out: an actor with a setter's fault may do nothing. */
  if (apikeys_actor_set_request_id(x->actor, x->request_id, APIKEYS_NUL) != APIKEYS_OK)
    apikeys_actor_set_request_id(x->actor, "", 0);
  if (apikeys_actor_set_address(x->actor, x->address, APIKEYS_NUL) != APIKEYS_OK)
    apikeys_actor_set_address(x->actor, "", 0);
  char *masked = agent != NULL ? exchange_copy(x, agent, length) : NULL;
  if (masked != NULL) {
    mask_secrets(masked);
    if (apikeys_actor_set_user_agent(x->actor, masked, at_most(strlen(masked))) != APIKEYS_OK)
      apikeys_actor_set_user_agent(x->actor, "", 0);
  }
}

bool authenticate_system(struct exchange *x, const char *reason) {
  int rc = apikeys_actor_set_system(x->actor, reason, strlen(reason));
  if (rc != APIKEYS_OK)
    reply_failure(x, rc, "Actor", "");
  else
    authenticate_describe(x);
  return rc == APIKEYS_OK;
}

static void refuse_for_now(struct exchange *x, const struct permit *permit) {
  metrics_throttled(x->service->metrics);
  reply_error(x, 429, "rate_limited", "Too many refused requests from your address.");
  reply_header(x, "Retry-After", exchange_format(x, "%d", permit->wait_seconds));
}

static void refused(struct exchange *x, int rc, int status) {
  const char *message = status == 401 ? "Unauthorized" : apikeys_result_text(rc);
  metrics_refused(x->service->metrics, x);
  log_security(x->service->log, x, apikeys_result_name(rc));
  if (status == 401)
    reply_header(x, "WWW-Authenticate", "Bearer");
  reply_error(x, status, status == 401 ? "unauthorized" : "forbidden", "%s", message);
}

/* Ends an authentication: sets and describes the actor, or answers the exchange. */
static bool verified(struct exchange *x, const struct permit *permit, int rc, int refusal) {
  bool unavailable = apikeys_result_category(rc) == APIKEYS_CATEGORY_UNAVAILABLE;
  if (rc == APIKEYS_OK || unavailable)
    throttle_give_back(x->service->throttle, permit);
  if (rc == APIKEYS_OK)
    authenticate_describe(x);
  else if (unavailable)
    reply_failure(x, rc, "Actor", "");
  else if (permit->wait_seconds > 0)
    refuse_for_now(x, permit);
  else
    refused(x, rc, refusal);
  return rc == APIKEYS_OK;
}

bool authenticate_sign_in(struct exchange *x, const char *value, size_t length) {
  struct permit permit = throttle_take(x->service->throttle, THROTTLED_MANAGEMENT_KEYS, x->address);
  int rc = value == NULL
               ? APIKEYS_ERROR_ACTOR_UNKNOWN
               : apikeys_actor_set_management_key(x->service->env, x->actor, value, length, x->err);
  return verified(x, &permit, rc, 401);
}

bool authenticate_management(struct exchange *x) {
  size_t length;
  const char *value = exchange_bearer(x, &length);
  return authenticate_sign_in(x, value, length);
}

bool authenticate_widget(struct exchange *x) {
  size_t length;
  const char *token = exchange_bearer(x, &length);
  if (token == NULL) {
    /* The official widget sends one such request before it has its token; it is no failed guess. */
    reply_error(x, 403, "forbidden", "There is no widget token in the request.");
    return false;
  }
  struct permit permit = throttle_take(x->service->throttle, THROTTLED_WIDGET_TOKENS, x->address);
  int rc = apikeys_actor_set_widget_token(x->service->env, x->actor, token, length, x->err);
  return verified(x, &permit, rc, 403);
}

/* Not throttled: 256 random bits cannot be guessed, and the session's owner must not wait because
 * of others behind the same address. */
bool authenticate_session(struct exchange *x) {
  return sessions_enter(x);
}
