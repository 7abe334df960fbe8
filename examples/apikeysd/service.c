/* SPDX-License-Identifier: MIT */
/* The service's parts: opens the environment, starts and stops them; and the two commands. */
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

#include <apikeys/document.h>
#include <errno.h>

#include <string.h>
#include <unistd.h>

enum { ROOT_KEY_BYTES = 32 };

static void log_from_library(int level, const char *message, size_t length, void *user_data) {
  log_line(user_data, level == APIKEYS_LOG_SECURITY ? LOG_INFO : LOG_WARNING, "%.*s", (int)length,
           message);
}

/* 32 bytes, to be freed by secret_file_free(). NULL: the log says why. */
static char *read_root_key(struct log *log, const char *setting, const char *path) {
  size_t length;
  char *bytes = secret_file_read(log, setting, path, ROOT_KEY_BYTES, SECRET_OF_GROUP, &length);
  if (bytes == NULL || length == ROOT_KEY_BYTES)
    return bytes;
  log_line(log, LOG_ERROR, "%s: %s: %zu bytes instead of 32", setting, path, length);
  secret_file_free(bytes, length);
  return NULL;
}

/* The library checks a file of its own more strictly than a credential can be. */
static int set_root_key_credential(apikeys_options *options, const char *path, struct log *log) {
  char *bytes = read_root_key(log, "root-key", path);
  int rc = bytes != NULL ? apikeys_options_set_root_key(options, bytes, ROOT_KEY_BYTES)
                         : APIKEYS_ERROR_ROOT_KEY_MISSING;
  secret_file_free(bytes, ROOT_KEY_BYTES);
  return rc;
}

static int set_options(apikeys_options *options, const struct config *config, struct log *log) {
  int rc = apikeys_options_set_log(options, log_from_library, log, NULL);
  if (rc == APIKEYS_OK && config->root_key_file != NULL)
    rc = apikeys_options_set_root_key_file(options, config->root_key_file);
  else if (rc == APIKEYS_OK && config->root_key_credential != NULL)
    rc = set_root_key_credential(options, config->root_key_credential, log);
  if (rc == APIKEYS_OK && config->revocation_journal != NULL)
    rc = apikeys_options_set_revocation_journal(options, config->revocation_journal);
  if (rc == APIKEYS_OK)
    rc = apikeys_options_set_require_journal(options, !config->allow_missing_journal);
  if (rc == APIKEYS_OK)
    rc = apikeys_options_set_accept_restore(options, config->accept_restore);
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

/* For commands: they need an existing database, so that a misspelt path creates no new one. */
static bool open_existing(struct service *service) {
  const char *path = service->config->database;
  if (access(path, F_OK) == 0)
    return open_environment(service);
  log_line(service->log, LOG_ERROR, "%s: %s", path, strerror(errno));
  return false;
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

void service_note_failure(struct service *service, int rc) {
  if (rc == APIKEYS_ERROR_STORAGE_FULL || rc == APIKEYS_ERROR_READ_ONLY)
    atomic_store(&service->write_failure, rc);
}

/* A document of our own, which each probe overwrites. */
static int write_probe(apikeys_env *env, apikeys_actor *actor, apikeys_document *document) {
  int rc = apikeys_actor_set_system(actor, "write probe", APIKEYS_NUL);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_collection(document, "probes", APIKEYS_NUL);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_id(document, "write", APIKEYS_NUL);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_set_body(document, "{}", APIKEYS_NUL);
  return rc == APIKEYS_OK ? apikeys_document_put(env, actor, document, NULL) : rc;
}

void service_probe_writes(struct service *service) {
  int known = atomic_load(&service->write_failure);
  if (known == APIKEYS_OK)
    return;
  apikeys_actor *actor = apikeys_actor_new();
  apikeys_document *document = apikeys_document_new();
  if (actor != NULL && document != NULL &&
      write_probe(service->env, actor, document) == APIKEYS_OK &&
      atomic_compare_exchange_strong(&service->write_failure, &known, APIKEYS_OK))
    log_line(service->log, LOG_INFO, "the store takes changes again (%s is over)",
             apikeys_result_name(known));
  apikeys_document_free(document);
  apikeys_actor_free(actor);
}

bool service_recover(const struct config *config, struct log *log) {
  struct service service = {.config = config, .log = log};
  bool good = open_existing(&service) && (config->accept_restore || first_key_recover(&service));
  apikeys_close(service.env);
  return good;
}

static bool rotate(const struct service *service, const char *bytes) {
  const struct config *config = service->config;
  const char *reason = config->compromised ? "rotate-root-key --compromised" : "rotate-root-key";
  apikeys_actor *system = apikeys_actor_new();
  apikeys_error *err = apikeys_error_new();
  int rc = system == NULL || err == NULL ? APIKEYS_ERROR_NO_MEMORY
                                         : apikeys_actor_set_system(system, reason, strlen(reason));
  if (rc == APIKEYS_OK)
    rc = apikeys_rotate_root_key(service->env, system, bytes, bytes != NULL ? ROOT_KEY_BYTES : 0,
                                 config->compromised ? APIKEYS_ROTATE_COMPROMISED : 0, err);
  if (rc == APIKEYS_OK)
    log_line(service->log, LOG_INFO,
             "%s: done; back the root key up, and keep the one before for "
             "backups from before",
             reason);
  else
    log_line(service->log, LOG_ERROR, "%s: %s: %s", reason, apikeys_result_name(rc),
             apikeys_error_code(err) == rc ? apikeys_error_message(err) : apikeys_result_text(rc));
  apikeys_error_free(err);
  apikeys_actor_free(system);
  return rc == APIKEYS_OK;
}

bool service_rotate_root_key(const struct config *config, struct log *log) {
  struct service service = {.config = config, .log = log};
  const char *path = config->new_root_key_file;
  char *bytes = path != NULL ? read_root_key(log, "new-root-key-file", path) : NULL;
  bool good = (path == NULL || bytes != NULL) && open_existing(&service) && rotate(&service, bytes);
  secret_file_free(bytes, ROOT_KEY_BYTES);
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
