/* SPDX-License-Identifier: MIT */
/* The counters, which metrics.c writes and metrics_text.c reads. */
#ifndef SERVER_METRICS_COUNTS_H
#define SERVER_METRICS_COUNTS_H

#include "metrics.h"

#include <apikeys.h>

#include <stdatomic.h>

typedef _Atomic uint64_t metrics_counter;

#define METRICS_ONE_MORE(name, number, category, text) +1
enum {
  METRICS_RESULTS =
      0 APIKEYS_RESULT_MAP(METRICS_ONE_MORE), /* and one for those of a newer library */
  METRICS_BUCKETS = 16,
  METRICS_STATUSES = 24
};

enum request_class {
  CLASS_VALIDATION,
  CLASS_API,
  CLASS_WIDGET,
  CLASS_DASHBOARD,
  CLASS_HEALTH,
  CLASS_OTHER,
  CLASSES
};

enum credential {
  CREDENTIAL_MANAGEMENT_KEY,
  CREDENTIAL_WIDGET_TOKEN,
  CREDENTIAL_SIGN_IN,
  CREDENTIALS
};

/* A histogram: `at` counts each duration once, in its own bucket. */
struct histogram {
  metrics_counter at[METRICS_BUCKETS + 1]; /* the last: longer than all bounds */
  metrics_counter sum;                     /* in the unit of the bounds */
};

struct metrics {
  metrics_counter
      validations[METRICS_RESULTS + 1]; /* by the result's place in the library's table */
  struct histogram validation_ns;
  metrics_counter requests[CLASSES][METRICS_STATUSES + 1];
  struct histogram request_us[CLASSES];
  metrics_counter refused[CREDENTIALS];
  metrics_counter throttled;
  metrics_counter failures[METRICS_RESULTS + 1];
  metrics_counter maintenance[2]; /* failed, good */
  metrics_counter deliveries[ATTEMPT_RESULTS];
  metrics_counter endpoints_disabled;
  _Atomic int64_t deliveries_waiting;
};

/* Ascending, ended by 0; METRICS_BUCKETS at most. */
extern const int64_t metrics_validation_bounds_ns[];
extern const int64_t metrics_request_bounds_us[];
/* Ended by 0, METRICS_STATUSES at most; other statuses are counted behind the last. */
extern const int metrics_statuses[];

#endif
