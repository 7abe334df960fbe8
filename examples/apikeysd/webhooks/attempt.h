/* SPDX-License-Identifier: MIT */
/* One attempt to deliver: a signed POST of the event as JSON. It follows no redirect, uses no
 * proxy, checks the address that it connects to, and discards the target's answer. */
#ifndef SERVER_WEBHOOKS_ATTEMPT_H
#define SERVER_WEBHOOKS_ATTEMPT_H

#include "config.h"
#include "webhooks/delivery.h"

#include <curl/curl.h>

enum { HTTP_GONE = 410 };

struct attempt {
  struct delivery delivery;
  CURL *transfer;
  struct curl_slist *headers;
  char *payload;
  size_t received;
  bool allow_private;
  bool refused_address;
};

/* Takes the delivery over, also on failure. NULL: out of memory. The event's JSON is copied;
 * `secret` is used at once. */
struct attempt *attempt_new(struct delivery *delivery, const struct endpoint *endpoint,
                            const char *secret, const char *payload, size_t length,
                            const struct config *config);
void attempt_free(struct attempt *attempt);

/* The transfer's outcome, for delivery_conclude(). */
struct delivery_outcome attempt_outcome(const struct attempt *attempt, CURLcode code);

#endif
