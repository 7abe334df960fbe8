/* SPDX-License-Identifier: MIT */
/* GET /metrics: Prometheus's text format, version 0.0.4. */
#include "config.h"
#include "http/reply.h"
#include "http/server.h"
#include "metrics_counts.h"
#include "service.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_counter(const metrics_counter *counter) {
  return atomic_load_explicit(counter, memory_order_relaxed);
}

static void family(FILE *out, const char *name, const char *type, const char *help) {
  fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(FILE *out, const char *name, const char *help, double value) {
  family(out, name, "gauge", help);
  fprintf(out, "%s %.17g\n", name, value);
}

static void labelled(FILE *out, const char *name, const char *label, const char *text,
                     const metrics_counter *counter) {
  fprintf(out, "%s{%s=\"%s\"} %llu\n", name, label, text,
          (unsigned long long)read_counter(counter));
}

/* "ERROR_BUSY" as a label: "busy". */
static const char *result_label(char *label, size_t size, size_t index) {
  int rc = index < METRICS_RESULTS ? apikeys_result_at(index) : 0;
  const char *name = index < METRICS_RESULTS ? apikeys_result_name(rc) : "OTHER";
  if (strncmp(name, "ERROR_", 6) == 0)
    name += 6;
  size_t i = 0;
  for (; name[i] != '\0' && i < size - 1; i++)
    label[i] = (char)tolower((unsigned char)name[i]);
  label[i] = '\0';
  return label;
}

/* Writes a histogram. `unit`: how many of the counts' units are a second. `labels` as they stand
 * before "le", or "". The counts are read once, so that they agree with each other. */
static void histogram(FILE *out, const char *name, const char *labels,
                      const struct histogram *histogram, const int64_t *bounds, double unit) {
  unsigned long long sum = read_counter(&histogram->sum), below = 0;
  size_t length = strlen(labels);
  for (size_t i = 0; bounds[i] != 0; i++) {
    below += read_counter(&histogram->at[i]);
    fprintf(out, "%s_bucket{%sle=\"%g\"} %llu\n", name, labels, (double)bounds[i] / unit, below);
  }
  below += read_counter(&histogram->at[METRICS_BUCKETS]);
  fprintf(out, "%s_bucket{%sle=\"+Inf\"} %llu\n", name, labels, below);
  /* Without "le" the last comma goes, and without labels the braces. */
  const char *open = length > 0 ? "{" : "", *close = length > 0 ? "}" : "";
  int shown = length > 0 ? (int)length - 1 : 0;
  fprintf(out, "%s_sum%s%.*s%s %.9f\n", name, open, shown, labels, close, (double)sum / unit);
  fprintf(out, "%s_count%s%.*s%s %llu\n", name, open, shown, labels, close, below);
}

/* -- Validations ------------------------------------------------------------------------------- */

/* Outcomes that are answers are listed from the start, failures once they happen. */
static void write_validations(FILE *out, const struct metrics *metrics) {
  char label[48];
  family(out, "apikeysd_validations_total", "counter", "Validations of values, by outcome.");
  for (size_t i = 0; i <= METRICS_RESULTS; i++)
    if ((i < METRICS_RESULTS && apikeys_result_at(i) >= 0) ||
        read_counter(&metrics->validations[i]) > 0)
      labelled(out, "apikeysd_validations_total", "outcome", result_label(label, sizeof label, i),
               &metrics->validations[i]);
  family(out, "apikeysd_validation_duration_seconds", "histogram",
         "Time that the library took for a validation, without HTTP.");
  histogram(out, "apikeysd_validation_duration_seconds", "", &metrics->validation_ns,
            metrics_validation_bounds_ns, 1e9);
}

/* -- HTTP -------------------------------------------------------------------------------------- */

static const char *const class_names[CLASSES] = {"validation", "api",    "widget",
                                                 "dashboard",  "health", "other"};

static void write_status(FILE *out, const struct metrics *metrics, size_t class, size_t status) {
  unsigned long long count = read_counter(&metrics->requests[class][status]);
  if (count == 0)
    return;
  fprintf(out, "apikeysd_http_requests_total{class=\"%s\",code=\"", class_names[class]);
  if (status < METRICS_STATUSES)
    fprintf(out, "%d", metrics_statuses[status]);
  else
    fprintf(out, "other");
  fprintf(out, "\"} %llu\n", count);
}

static void write_requests(FILE *out, const struct metrics *metrics) {
  char labels[48];
  family(out, "apikeysd_http_requests_total", "counter",
         "Requests that are over, by class and status code.");
  for (size_t class = 0; class < CLASSES; class ++)
    for (size_t status = 0; status <= METRICS_STATUSES; status++)
      write_status(out, metrics, class, status);
  family(out, "apikeysd_http_request_duration_seconds", "histogram",
         "Time from a request's head to the last byte of its answer.");
  for (size_t class = 0; class < CLASSES; class ++) {
    snprintf(labels, sizeof labels, "class=\"%s\",", class_names[class]);
    histogram(out, "apikeysd_http_request_duration_seconds", labels, &metrics->request_us[class],
              metrics_request_bounds_us, 1e6);
  }
}

static void write_connections(FILE *out, const struct service *service) {
  gauge(out, "apikeysd_http_connections", "Connections that are open now.",
        http_server_connections(service->http));
  gauge(out, "apikeysd_http_connections_max",
        "As many connections may be open (--max-connections).", service->config->max_connections);
}

static void write_waiting(FILE *out, const struct service *service) {
  gauge(out, "apikeysd_http_changes_waiting", "Requests that wait for the store, or are in it.",
        http_server_waiting(service->http));
  family(out, "apikeysd_http_connections_over_limit_total", "counter",
         "Connections beyond the limits: answered with 503, or closed without an answer.");
  for (int closed = 0; closed < 2; closed++)
    fprintf(out, "apikeysd_http_connections_over_limit_total{result=\"%s\"} %llu\n",
            closed ? "closed" : "answered",
            (unsigned long long)http_server_over_limit(service->http, closed));
}

static void write_refusals(FILE *out, const struct metrics *metrics) {
  static const char *const names[CREDENTIALS] = {"management_key", "widget_token", "sign_in"};
  family(out, "apikeysd_refused_authentications_total", "counter",
         "Requests whose credential proved nothing, by its kind.");
  for (size_t i = 0; i < CREDENTIALS; i++)
    labelled(out, "apikeysd_refused_authentications_total", "credential", names[i],
             &metrics->refused[i]);
  family(out, "apikeysd_throttled_requests_total", "counter",
         "Requests turned away because their address was refused too often.");
  fprintf(out, "apikeysd_throttled_requests_total %llu\n",
          (unsigned long long)read_counter(&metrics->throttled));
}

/* -- The cache --------------------------------------------------------------------------------- */

static void write_cache(FILE *out, const apikeys_env *env) {
  static const struct {
    int number;
    const char *name, *help;
  } counters[] = {
      {APIKEYS_METRIC_CACHE_MISSES, "apikeysd_cache_misses_total",
       "Validations, of management keys too, that memory could not answer and the store was "
       "asked."},
      {APIKEYS_METRIC_CACHE_FILLS, "apikeysd_cache_fills_total", "Keys put into the cache."},
      {APIKEYS_METRIC_CACHE_EVICTIONS, "apikeysd_cache_evictions_total",
       "Keys that had to leave the cache for another one: it is too small if this rises steadily."},
      {APIKEYS_METRIC_CACHE_DROPS, "apikeysd_cache_drops_total",
       "Keys dropped from the cache as they had changed, or might have."},
  };
  gauge(out, "apikeysd_cache_keys", "Keys that are in the cache now.",
        (double)apikeys_environment_metric(env, APIKEYS_METRIC_CACHE_KEYS));
  gauge(out, "apikeysd_cache_capacity", "Keys that the cache has room for.",
        (double)apikeys_environment_metric(env, APIKEYS_METRIC_CACHE_CAPACITY));
  gauge(out, "apikeysd_revocation_journal_behind",
        "1 while the revocation journal cannot be written.",
        (double)apikeys_environment_metric(env, APIKEYS_METRIC_JOURNAL_BEHIND));
  for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
    family(out, counters[i].name, "counter", counters[i].help);
    fprintf(out, "%s %llu\n", counters[i].name,
            (unsigned long long)apikeys_environment_metric(env, counters[i].number));
  }
}

/* -- The store --------------------------------------------------------------------------------- */

static double file_bytes(const char *database, const char *suffix) {
  char path[4096];
  struct stat about;
  return snprintf(path, sizeof path, "%s%s", database, suffix) < (int)sizeof path &&
                 stat(path, &about) == 0
             ? (double)about.st_size
             : 0;
}

static void write_failures(FILE *out, const struct metrics *metrics) {
  char label[48];
  family(
      out, "apikeysd_store_failures_total", "counter",
      "Calls of the library that could not be done, by result: the store, the root key, memory.");
  for (size_t i = 0; i <= METRICS_RESULTS; i++) {
    bool always = i < METRICS_RESULTS && (apikeys_result_at(i) == APIKEYS_ERROR_BUSY ||
                                          apikeys_result_at(i) == APIKEYS_ERROR_STORAGE);
    if (always || read_counter(&metrics->failures[i]) > 0)
      labelled(out, "apikeysd_store_failures_total", "result", result_label(label, sizeof label, i),
               &metrics->failures[i]);
  }
}

static void write_store(FILE *out, const struct service *service) {
  const struct metrics *metrics = service->metrics;
  write_failures(out, metrics);
  double log_bytes = file_bytes(service->config->database, "-wal");
  gauge(out, "apikeysd_store_bytes", "Size of the database and its write-ahead log.",
        file_bytes(service->config->database, "") + log_bytes);
  gauge(out, "apikeysd_store_log_bytes",
        "Size of the write-ahead log; it grows while a reader stays, and is shortened afterwards.",
        log_bytes);
  family(out, "apikeysd_maintenance_runs_total", "counter",
         "Rounds of maintenance, which flushes last-used times, by outcome.");
  labelled(out, "apikeysd_maintenance_runs_total", "outcome", "good", &metrics->maintenance[1]);
  labelled(out, "apikeysd_maintenance_runs_total", "outcome", "failed", &metrics->maintenance[0]);
}

/* -- Webhooks ---------------------------------------------------------------------------------- */

static void write_deliveries(FILE *out, const struct metrics *metrics) {
  static const char *const names[ATTEMPT_RESULTS] = {"good", "retried", "failed"};
  family(out, "apikeysd_webhook_deliveries_total", "counter",
         "Attempts to deliver an event to a webhook endpoint, by outcome.");
  for (size_t i = 0; i < ATTEMPT_RESULTS; i++)
    labelled(out, "apikeysd_webhook_deliveries_total", "outcome", names[i],
             &metrics->deliveries[i]);
  family(out, "apikeysd_webhook_endpoints_disabled_total", "counter",
         "Webhook endpoints disabled because they were gone or nothing arrived for too long.");
  fprintf(out, "apikeysd_webhook_endpoints_disabled_total %llu\n",
          (unsigned long long)read_counter(&metrics->endpoints_disabled));
  gauge(out, "apikeysd_webhook_deliveries_waiting",
        "Deliveries that wait to be tried, or tried again.",
        (double)atomic_load_explicit(&metrics->deliveries_waiting, memory_order_relaxed));
}

/* -- The process ------------------------------------------------------------------------------- */

static double resident_bytes(void) {
  unsigned long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (file == NULL)
    return 0;
  if (fscanf(file, "%lu %lu", &size, &resident) != 2)
    resident = 0;
  fclose(file);
  return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void write_process(FILE *out, const struct service *service) {
  struct timespec cpu = {0};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  family(out, "apikeysd_build_info", "gauge", "Always 1; the label tells the version.");
  fprintf(out, "apikeysd_build_info{version=\"%s\"} 1\n", apikeys_version_text());
  gauge(out, "process_start_time_seconds", "When the process started, in Unix time.",
        (double)service->started_at);
  family(out, "process_cpu_seconds_total", "counter", "Processor time, user's and system's.");
  fprintf(out, "process_cpu_seconds_total %.3f\n", (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
  gauge(out, "process_resident_memory_bytes", "Memory that is resident.", resident_bytes());
}

/* -- All of it --------------------------------------------------------------------------------- */

static void write_all(FILE *out, const struct service *service) {
  write_validations(out, service->metrics);
  write_requests(out, service->metrics);
  write_connections(out, service);
  write_waiting(out, service);
  write_refusals(out, service->metrics);
  write_cache(out, service->env);
  write_store(out, service);
  write_deliveries(out, service->metrics);
  write_process(out, service);
}

void metrics_answer(struct exchange *x) {
  char *text = NULL;
  size_t size = 0;
  if (strcmp(x->path, "/metrics") != 0) {
    reply_error(x, 404, "not_found", "Only /metrics is served here.");
    return;
  }
  if (x->method != METHOD_GET) {
    reply_error(x, 405, "method_not_allowed", "The path '/metrics' does not take this method.");
    reply_header(x, "Allow", "GET");
    return;
  }
  FILE *out = open_memstream(&text, &size);
  if (out != NULL) {
    write_all(out, x->service);
    if (fclose(out) != 0) {
      free(text);
      text = NULL;
    }
  }
  reply_take(x, 200, text, text != NULL ? size : 0);
  if (x->status == 200)
    x->reply_type = "text/plain; version=0.0.4; charset=utf-8";
}
