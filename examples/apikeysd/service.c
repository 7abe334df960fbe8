/* SPDX-License-Identifier: MIT */
#include "service.h"

#include "config.h"
#include "demo.h"
#include "first_key.h"
#include "idempotency_in_flight.h"
#include "log.h"
#include "metrics.h"
#include "secret_file.h"
#include "throttle.h"
#include "webhooks/webhooks.h"

#include <string.h>

enum { ROOT_KEY_BYTES = 32 };

static void log_from_library(int level, const char *message, size_t length, void *user_data) {
  log_line(user_data, level == APIKEYS_LOG_SECURITY ? LOG_INFO : LOG_WARNING, "%.*s", (int)length,
           message);
}

/* The library checks a file of its own more strictly than a credential can be. */
static int set_root_key_credential(apikeys_options *options, const char *path, struct log *log) {
  size_t length;
  char *bytes = secret_file_read(log, "root-key", path, ROOT_KEY_BYTES, SECRET_OF_GROUP, &length);
  int rc = APIKEYS_ERROR_ROOT_KEY_MISSING;
  if (bytes != NULL && length == ROOT_KEY_BYTES) {
    rc = apikeys_options_set_root_key(options, bytes, length);
  } else if (bytes != NULL) {
    log_line(log, LOG_ERROR, "root-key: %s: %zu bytes instead of 32", path, length);
    rc = APIKEYS_ERROR_ROOT_KEY_MALFORMED;
  }
  secret_file_free(bytes, length);
  return rc;
}

static int set_options(apikeys_options *options, const struct config *config, struct log *log) {
  int rc = apikeys_options_set_log(options, log_from_library, log, NULL);
  if (rc == APIKEYS_OK && config->root_key_file != NULL)
    rc = apikeys_options_set_root_key_file(options, config->root_key_file);
  else if (rc == APIKEYS_OK && config->root_key_credential != NULL)
    rc = set_root_key_credential(options, config->root_key_credential, log);
  return rc;
}

static bool open_environment(struct service *service) {
  apikeys_options *options = apikeys_options_new();
  apikeys_error *err = apikeys_error_new();
  int rc = options == NULL ? APIKEYS_ERROR_NO_MEMORY
                           : set_options(options, service->config, service->log);
  if (rc == APIKEYS_OK)
    rc = apikeys_open_sqlite(&service->env, service->config->database, options, err);
  if (rc != APIKEYS_OK)
    log_line(service->log, LOG_ERROR, "%s: %s: %s", service->config->database,
             apikeys_result_name(rc),
             apikeys_error_code(err) == rc ? apikeys_error_message(err) : apikeys_result_text(rc));
  apikeys_error_free(err);
  apikeys_options_free(options);
  return rc == APIKEYS_OK;
}

bool service_start(struct service *service, const struct config *config, struct log *log) {
  *service = (struct service){.config = config, .log = log, .started_at = time(NULL)};
  service->throttle = throttle_new(config->failures_per_minute);
  service->in_flight = in_flight_new();
  service->metrics = metrics_new();
  if (service->throttle == NULL || service->in_flight == NULL || service->metrics == NULL ||
      !open_environment(service))
    return false;
  first_key_ensure(service);
  if (config->demo && (service->demo = demo_start(service)) == NULL)
    return false;
  service->webhooks = webhooks_start(service);
  return service->webhooks != NULL;
}

bool service_recover(const struct config *config, struct log *log) {
  struct service service = {.config = config, .log = log};
  bool good = open_environment(&service) && first_key_recover(&service);
  apikeys_close(service.env);
  return good;
}

void service_stop(struct service *service) {
  webhooks_stop(service->webhooks);
  demo_stop(service->demo);
  apikeys_close(service->env);
  metrics_free(service->metrics);
  in_flight_free(service->in_flight);
  throttle_free(service->throttle);
}
