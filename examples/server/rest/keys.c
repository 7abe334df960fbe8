/* SPDX-License-Identifier: MIT */
/* Organizations' API keys: create, list, revoke, expire. */
#include "http/body.h"
#include "http/reply.h"
#include "routes.h"
#include "service.h"

#include <string.h>

static void revoke(struct exchange *x) {
  size_t length;
  const char *id = exchange_argument(x, "id", &length);
  int rc = apikeys_key_revoke(x->service->env, x->actor, id, length, NULL, 0, NULL, x->err);
  if (rc == APIKEYS_OK)
    reply_nothing(x);
  else
    reply_failure(x, rc, "API Key", id);
}

const struct route key_routes[] = {
    {METHOD_DELETE, "/api_keys/:id", ACCESS_MANAGEMENT, revoke},
    {0},
};
