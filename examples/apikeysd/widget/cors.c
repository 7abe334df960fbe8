/* SPDX-License-Identifier: MIT */
/* CORS headers and preflight answers. */
#include "widget/cors.h"

#include "config.h"
#include "http/reply.h"
#include "service.h"

#include <string.h>

/* Authorization is not covered by "*", so all are named. */
#define ALLOWED_HEADERS                                                                            \
  "authorization, content-type, idempotency-key, workos-widgets-type, workos-widgets-version, "    \
  "x-elevated-access-token"

bool cors_covers(const struct exchange *x) {
  static const char *const open[] = {"/_widgets/", "/widget/", "/demo/widget-token"};
  for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
    if (strncmp(x->path, open[i], strlen(open[i])) == 0)
      return true;
  return false;
}

static bool origin_allowed(const struct config *config, const char *origin) {
  for (size_t i = 0; i < config->allowed_origins.count; i++) {
    const char *allowed = config->allowed_origins.at[i];
    if (strcmp(allowed, "*") == 0 || strcmp(allowed, origin) == 0)
      return true;
  }
  return false;
}

void cors_allow(struct exchange *x) {
  if (!cors_covers(x))
    return;
  const char *origin = exchange_header(x, "Origin", NULL);
  reply_header(x, "Vary", "Origin");
  if (origin != NULL && origin_allowed(x->service->config, origin)) {
    reply_header(x, "Access-Control-Allow-Origin", origin);
    reply_header(x, "Access-Control-Expose-Headers", "X-Request-ID, Retry-After");
  }
}

void cors_answer_preflight(struct exchange *x) {
  reply_nothing(x);
  reply_header(x, "Access-Control-Allow-Methods", "GET, POST, DELETE");
  reply_header(x, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
  reply_header(x, "Access-Control-Max-Age", "600");
}
