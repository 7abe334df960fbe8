/* SPDX-License-Identifier: MIT */
/* Probes for supervisors and load balancers: is the process alive, and can it answer? */
#include "authenticate.h"
#include "http/reply.h"
#include "routes.h"
#include "service.h"

#include <string.h>

/* Changes succeed while the revocation journal is behind: that is said, and no reason for 503. */
static void show_good(struct exchange *x) {
  static const char behind[] = "{\"status\":\"ok\",\"revocation_journal\":\"behind\"}";
  static const char good[] = "{\"status\":\"ok\"}";
  if (apikeys_environment_metric(x->service->env, APIKEYS_METRIC_JOURNAL_BEHIND) != 0)
    reply_text(x, 200, behind, sizeof behind - 1);
  else
    reply_text(x, 200, good, sizeof good - 1);
}

static void show_alive(struct exchange *x) {
  static const char good[] = "{\"status\":\"ok\"}";
  reply_text(x, 200, good, sizeof good - 1);
}

/* Ready: the store answers, takes changes as far as is known, and the service is not stopping. */
static void show_ready(struct exchange *x) {
  if (atomic_load(&x->service->draining)) {
    reply_error(x, 503, "draining", "The service is about to stop.");
    return;
  }
  apikeys_settings *settings = apikeys_settings_new();
  int rc = settings == NULL ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
  if (rc == APIKEYS_OK && authenticate_system(x, "readiness"))
    rc = apikeys_settings_get(x->service->env, x->actor, settings, x->err);
  apikeys_settings_free(settings);
  if (rc == APIKEYS_OK)
    rc = atomic_load(&x->service->write_failure);
  if (rc == APIKEYS_OK)
    show_good(x);
  else
    reply_failure(x, rc, "Environment", "");
}

const struct route health_routes[] = {
    {METHOD_GET, "/healthz", ACCESS_PUBLIC, show_alive},
    {METHOD_GET, "/readyz", ACCESS_PUBLIC, show_ready},
    {0},
};
