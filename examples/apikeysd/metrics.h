/* SPDX-License-Identifier: MIT */
/*
 * Counters for Prometheus: relaxed atomics, so counting takes no lock and no memory, and a scrape
 * reads them as they are. Labels come from fixed lists; no text of a client and no id becomes one.
 *
 * All functions may be called from every thread. With NULL for the metrics they do nothing.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "http/exchange.h"

#include <stdint.h>

struct metrics;
struct http_server;

struct metrics *metrics_new(void); /* NULL: out of memory */
void metrics_free(struct metrics *metrics);

/* A validation: its result, and how long the library took. */
void metrics_validation(struct metrics *metrics, int rc, int64_t took_ns);
/* A request that is over: its class, status, and the time from its head to its last byte. */
void metrics_request(struct metrics *metrics, const struct exchange *x, int64_t took_us);
/* A failed authentication. */
void metrics_refused(struct metrics *metrics, const struct exchange *x);
/* A request refused by the throttle. */
void metrics_throttled(struct metrics *metrics);
/* The library answered with a result of the category "unavailable". */
void metrics_failure(struct metrics *metrics, int rc);
void metrics_maintenance(struct metrics *metrics, bool good);

/* One attempt to deliver an event to a webhook endpoint. */
enum attempt_result {
  ATTEMPT_GOOD,     /* the endpoint took it */
  ATTEMPT_RETRIED,  /* it did not, and will be asked again */
  ATTEMPT_GIVEN_UP, /* it did not, and that was the last attempt */
  ATTEMPT_RESULTS
};
void metrics_attempt(struct metrics *metrics, enum attempt_result result);
/* The service disabled an endpoint, because it was gone or nothing arrived for too long. */
void metrics_endpoint_disabled(struct metrics *metrics);
/* Sets how many deliveries are waiting to be tried or tried again. */
void metrics_deliveries_waiting(struct metrics *metrics, int64_t count);

/* Answers GET /metrics in the text format 0.0.4, and everything else with 404: the whole of the
 * metrics listener. */
void metrics_answer(struct exchange *x);

#endif
