/* SPDX-License-Identifier: MIT */
/* Counts requests, validations, failures and deliveries. */
#include "metrics.h"

#include "http/router.h"
#include "metrics_counts.h"

#include <stdlib.h>
#include <string.h>

/* A validation from memory takes well under a microsecond, one from the store about ten; the upper
 * bounds show waits for a writer. */
const int64_t metrics_validation_bounds_ns[] = {250,     500,      1000,      2500,       5000,
                                                10000,   25000,    50000,     100000,     250000,
                                                1000000, 10000000, 100000000, 1000000000, 0};
const int64_t metrics_request_bounds_us[] = {50,    100,   250,    500,    1000,    2500,     5000,
                                             10000, 25000, 100000, 500000, 2500000, 10000000, 0};

const int metrics_statuses[] = {200, 201, 204, 302, 304, 400, 401, 403, 404, 405, 409,
                                411, 413, 414, 421, 422, 429, 431, 500, 503, 505, 0};

_Static_assert(sizeof metrics_validation_bounds_ns / sizeof(int64_t) <= METRICS_BUCKETS + 1,
               "room for all buckets");
_Static_assert(sizeof metrics_request_bounds_us / sizeof(int64_t) <= METRICS_BUCKETS + 1,
               "room for all buckets");
_Static_assert(sizeof metrics_statuses / sizeof(int) <= METRICS_STATUSES + 1,
               "room for all statuses");

struct metrics *metrics_new(void) {
  return calloc(1, sizeof(struct metrics));
}

void metrics_free(struct metrics *metrics) {
  free(metrics);
}

static void add(metrics_counter *counter, uint64_t amount) {
  atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static void observe(struct histogram *histogram, const int64_t *bounds, int64_t took) {
  size_t i = 0;
  while (bounds[i] != 0 && took > bounds[i])
    i++;
  add(&histogram->at[bounds[i] != 0 ? i : METRICS_BUCKETS], 1);
  add(&histogram->sum, took > 0 ? (uint64_t)took : 0);
}

static size_t result_index(int rc) {
  size_t i = 0;
  while (i < METRICS_RESULTS && (i >= apikeys_result_count() || apikeys_result_at(i) != rc))
    i++;
  return i;
}

void metrics_validation(struct metrics *metrics, int rc, int64_t took_ns) {
  if (metrics == NULL)
    return;
  add(&metrics->validations[result_index(rc)], 1);
  observe(&metrics->validation_ns, metrics_validation_bounds_ns, took_ns);
}

/* -- Requests ---------------------------------------------------------------------------------- */

static enum request_class class_of(const struct exchange *x) {
  static const struct {
    const char *prefix;
    enum request_class class;
  } classes[] = {
      {"/api_keys/validations", CLASS_VALIDATION},
      {"/healthz", CLASS_HEALTH},
      {"/readyz", CLASS_HEALTH},
      {"/_widgets/", CLASS_WIDGET},
      {"/widget/", CLASS_WIDGET},
      {"/dashboard", CLASS_DASHBOARD},
      {"/demo", CLASS_OTHER},
  };
  /* No route: the path is unknown, or the request was refused before routing. */
  if (x->route == NULL)
    return CLASS_OTHER;
  for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
    if (strncmp(x->path, classes[i].prefix, strlen(classes[i].prefix)) == 0)
      return classes[i].class;
  return x->route->access == ACCESS_MANAGEMENT ? CLASS_API : CLASS_OTHER;
}

static size_t status_index(int status) {
  size_t i = 0;
  while (metrics_statuses[i] != 0 && metrics_statuses[i] != status)
    i++;
  return metrics_statuses[i] != 0 ? i : METRICS_STATUSES;
}

void metrics_request(struct metrics *metrics, const struct exchange *x, int64_t took_us) {
  if (metrics == NULL)
    return;
  enum request_class class = class_of(x);
  add(&metrics->requests[class][status_index(x->status)], 1);
  observe(&metrics->request_us[class], metrics_request_bounds_us, took_us);
}

/* -- Others ------------------------------------------------------------------------------------ */

void metrics_refused(struct metrics *metrics, const struct exchange *x) {
  enum access access = x->route != NULL ? x->route->access : ACCESS_PUBLIC;
  enum credential credential = CREDENTIAL_SIGN_IN; /* its route is open to everybody */
  if (access == ACCESS_MANAGEMENT)
    credential = CREDENTIAL_MANAGEMENT_KEY;
  else if (access == ACCESS_WIDGET)
    credential = CREDENTIAL_WIDGET_TOKEN;
  if (metrics != NULL)
    add(&metrics->refused[credential], 1);
}

void metrics_throttled(struct metrics *metrics) {
  if (metrics != NULL)
    add(&metrics->throttled, 1);
}

void metrics_failure(struct metrics *metrics, int rc) {
  if (metrics != NULL)
    add(&metrics->failures[result_index(rc)], 1);
}

void metrics_maintenance(struct metrics *metrics, bool good) {
  if (metrics != NULL)
    add(&metrics->maintenance[good], 1);
}

void metrics_attempt(struct metrics *metrics, enum attempt_result result) {
  if (metrics != NULL)
    add(&metrics->deliveries[result], 1);
}

void metrics_endpoint_disabled(struct metrics *metrics) {
  if (metrics != NULL)
    add(&metrics->endpoints_disabled, 1);
}

void metrics_deliveries_waiting(struct metrics *metrics, int64_t count) {
  if (metrics != NULL)
    atomic_store_explicit(&metrics->deliveries_waiting, count, memory_order_relaxed);
}
