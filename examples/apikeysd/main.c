/* SPDX-License-Identifier: MIT */
/*
 * apikeysd, the key service: starts, serves until a signal, stops in good order; or runs a command.
 */
#include "clock.h"
#include "config.h"
#include "http/client_address.h"
#include "http/router.h"
#include "http/server.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "ready_file.h"
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Each round writes a row for every key used since the last, so longer intervals write less. */
enum { MAINTENANCE_SECONDS = 10, METRICS_CONNECTIONS = 16 };

/* Threads for changes. Those that run at a time share a transaction (group commit). */
enum { WRITERS = 8 };

/* Wipes freed JSON, because values of keys pass through it. */
static void wipe_and_free(void *memory) {
  if (memory != NULL)
    sodium_memzero(memory, malloc_usable_size(memory));
  free(memory);
}

static void note_request(const struct exchange *x) {
  int64_t took_us = clock_monotonic_ns() / 1000 - x->began_us;
  metrics_request(x->service->metrics, x, took_us);
  if (x->status >= 500 || x->service->config->access_log)
    log_access(x->service->log, x, took_us);
}

/* Only if the operator set an https --public-url, be it of a proxy: HSTS concerns all ports of a
 * name, and "localhost" is used by others, too. */
static unsigned hsts_seconds(const struct config *config) {
  bool https = config->public_url != NULL && strncmp(config->public_url, "https://", 8) == 0;
  return https ? (unsigned)config->hsts_seconds : 0;
}

/* Everybody behind a proxy of ours comes from its address. */
static unsigned address_limit(const struct service *service, const char *address) {
  const struct config *config = service->config;
  bool proxy = client_address_is_proxy(address, &config->trusted_proxies);
  return (unsigned)(proxy ? config->max_connections_per_proxy
                          : config->max_connections_per_address);
}

static const struct http_options *http_options(struct http_options *options,
                                               struct service *service) {
  const struct config *config = service->config;
  *options = (struct http_options){
      .listen = config->listen,
      .next_port = config->next_port,
      .threads = (unsigned)config->threads,
      .max_connections = (unsigned)config->max_connections,
      .max_connections_per_address = (unsigned)config->max_connections_per_address,
      .address_limit = address_limit,
      .writers = WRITERS,
      .request_timeout = (unsigned)config->request_timeout,
      .stop_seconds = (unsigned)config->stop_seconds,
      .max_body = (size_t)config->max_body,
      .tls_certificate = config->tls_certificate,
      .tls_key = config->tls_key,
      .hsts_seconds = hsts_seconds(config),
      .service = service,
      .answer = router_answer,
      .may_wait = router_may_wait,
      .completed = note_request,
  };
  return options;
}

/* For one scraper and one person: few connections, one thread, the same deadlines. */
static const struct http_options *metrics_options(struct http_options *options,
                                                  struct service *service) {
  *options = (struct http_options){
      .listen = service->config->metrics_listen,
      .next_port = service->config->next_port,
      .threads = 1,
      .max_connections = METRICS_CONNECTIONS,
      .max_connections_per_address = METRICS_CONNECTIONS,
      .request_timeout = (unsigned)service->config->request_timeout,
      .service = service,
      .answer = metrics_answer,
  };
  return options;
}

/* Blocks the signals in every thread; serve_until_told() waits for them. A signal that was ignored
 * at the start stays ignored: a shell's background job must not end with the foreground's. */
static void block_signals(sigset_t *signals) {
  static const int heard[] = {SIGTERM, SIGINT, SIGHUP};
  sigemptyset(signals);
  for (size_t i = 0; i < sizeof heard / sizeof heard[0]; i++) {
    struct sigaction before;
    if (sigaction(heard[i], NULL, &before) != 0 || before.sa_handler != SIG_IGN)
      sigaddset(signals, heard[i]);
  }
  pthread_sigmask(SIG_BLOCK, signals, NULL);
  signal(SIGPIPE, SIG_IGN);
}

static bool has_terminal(void) {
  int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

/* SIGHUP reads the certificate again. Without TLS it ends the service if that had a terminal,
 * because then the terminal is gone. */
static bool is_end(const struct service *service, int number, bool on_terminal) {
  return number == SIGTERM || number == SIGINT ||
         (number == SIGHUP && !http_server_reload(service->http) && on_terminal);
}

/* The open files are no longer those at the path, so only opening them again helps. */
static bool is_replaced(int rc) {
  return rc == APIKEYS_ERROR_STORE_REPLACED || rc == APIKEYS_ERROR_STORE_WENT_BACK;
}

/* False: the store is lost. */
static bool maintain(struct service *service, apikeys_error *err) {
  int rc = apikeys_maintain(service->env, err);
  metrics_maintenance(service->metrics, rc == APIKEYS_OK);
  service_note_failure(service, rc);
  service_probe_writes(service);
  if (rc != APIKEYS_OK)
    log_line(service->log, is_replaced(rc) ? LOG_ERROR : LOG_WARNING, "maintenance: %s",
             apikeys_error_message(err));
  return !is_replaced(rc);
}

/* Runs maintenance until a signal ends the service, or until the store is lost (false). After the
 * return a second signal kills the process. */
static bool serve_until_told(struct service *service, const sigset_t *signals) {
  static const struct timespec interval = {.tv_sec = MAINTENANCE_SECONDS};
  apikeys_error *err = apikeys_error_new();
  bool on_terminal = has_terminal(), good = true;
  int number;
  while (good && !is_end(service, number = sigtimedwait(signals, NULL, &interval), on_terminal))
    if (number < 0)
      good = maintain(service, err);
  apikeys_error_free(err);
  return good;
}

/* /readyz says 503 meanwhile, so that load balancers send requests elsewhere. */
static void drain(struct service *service, const sigset_t *signals) {
  const struct timespec time = {.tv_sec = service->config->drain_seconds};
  atomic_store(&service->draining, true);
  notify_supervisor("STOPPING=1");
  if (time.tv_sec == 0)
    return;
  log_line(service->log, LOG_INFO, "draining for %d seconds", service->config->drain_seconds);
  sigtimedwait(signals, NULL, &time); /* one more ends the wait */
}

static bool is_loopback(const char *address) {
  return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0 ||
         strncmp(address, "localhost:", 10) == 0;
}

/* Unless a proxy ends TLS and the operator has said so. */
static void warn_of_plain_http(const struct config *config, struct log *log) {
  bool https = config->tls_certificate != NULL ||
               (config->public_url != NULL && strncmp(config->public_url, "https://", 8) == 0);
  if (!https && !is_loopback(config->listen))
    log_line(log, LOG_WARNING,
             "serving plain HTTP on %s: keys can be read on their way; give --tls-certificate, or "
             "an https --public-url if a proxy ends TLS",
             config->listen);
}

/* -1: the store is lost, and is to be opened anew. */
static int run(const struct config *config, struct log *log, const sigset_t *signals) {
  struct service service;
  struct http_options options;
  struct http_server *metrics = NULL;
  bool lost = false;
  bool good = service_start(&service, config, log) &&
              (service.http = http_server_start(http_options(&options, &service))) != NULL;
  if (good && config->metrics_listen != NULL)
    good = (metrics = http_server_start(metrics_options(&options, &service))) != NULL;
  if (good)
    warn_of_plain_http(config, log);
  good = good && ready_file_write(&service, service.http, metrics);
  if (good) {
    lost = !serve_until_told(&service, signals);
    if (!lost) {
      drain(&service, signals);
      signal(SIGHUP, SIG_IGN); /* it must not cut the stop short */
    }
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    log_line(log, LOG_INFO, "stopping");
  }
  http_server_stop(metrics);
  http_server_stop(service.http);
  service_stop(&service);
  if (lost && strcmp(config->on_replaced, "reopen") == 0)
    return -1;
  return good && !lost ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Starts the program again, so that nothing opened, derived or cached of the old store is left. */
static int begin_anew(struct log *log, char **argv) {
  log_line(log, LOG_WARNING, "opening the database anew");
  execv("/proc/self/exe", argv);
  log_line(log, LOG_ERROR, "cannot start anew: %s", strerror(errno));
  return EXIT_FAILURE;
}

static int run_command(const struct config *config, struct log *log, const sigset_t *signals) {
  switch (config->command) {
  case COMMAND_RECOVER:
    return service_recover(config, log) ? EXIT_SUCCESS : EXIT_FAILURE;
  case COMMAND_ROTATE_ROOT_KEY:
    return service_rotate_root_key(config, log) ? EXIT_SUCCESS : EXIT_FAILURE;
  default:
    return run(config, log, signals);
  }
}

int main(int argc, char **argv) {
  struct config config = {0};
  sigset_t signals;
  block_signals(&signals);
  if (sodium_init() < 0)
    return EXIT_FAILURE;
  json_set_alloc_funcs(malloc, wipe_and_free);

  int status = 2;
  struct log *log = NULL;
  enum config_outcome outcome = config_read(&config, argc, argv);
  if (outcome == CONFIG_HELP)
    status = EXIT_SUCCESS;
  else if (outcome == CONFIG_GOOD && (log = log_new(config.log_level)) == NULL)
    fprintf(stderr, "apikeysd: log-level: must be error, warning, info or debug\n");
  else if (outcome == CONFIG_GOOD)
    status = run_command(&config, log, &signals);
  if (status < 0)
    status = begin_anew(log, argv);
  log_free(log);
  config_free(&config);
  return status;
}
