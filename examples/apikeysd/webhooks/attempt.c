/* SPDX-License-Identifier: MIT */
/* One HTTP transfer of libcurl: its options, its signature header, its outcome. */
#include "webhooks/attempt.h"

#include "clock.h"
#include "webhooks/target.h"

#include <apikeys.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT_MS = 5000, WHOLE_MS = 15000, ANSWER_MAX = 16384 };
enum { IDLE_SECONDS = 10, CONNECTION_SECONDS = 60 };

/* Checks the address that is connected to: no second look-up can return another one. */
static curl_socket_t open_socket(void *user_data, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
  struct attempt *attempt = user_data;
  if (purpose != CURLSOCKTYPE_IPCXN ||
      (!attempt->allow_private && !target_address_is_public(&address->addr, address->addrlen))) {
    attempt->refused_address = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Discards the answer. Short answers are read to their end, so that the target sees no broken
 * connection. */
static size_t ignore(char *bytes, size_t size, size_t count, void *user_data) {
  struct attempt *attempt = user_data;
  (void)bytes;
  attempt->received += size * count;
  return attempt->received <= ANSWER_MAX ? size * count : 0;
}

static bool add_header(struct attempt *attempt, const char *header) {
  struct curl_slist *longer = curl_slist_append(attempt->headers, header);
  if (longer != NULL)
    attempt->headers = longer;
  return longer != NULL;
}

static bool set_headers(struct attempt *attempt, const char *secret, size_t length) {
  char signature[SIGNATURE_MAX], header[SIGNATURE_MAX + 24];
  signature_write(signature, secret, strlen(secret), clock_unix_ms(), attempt->payload, length);
  snprintf(header, sizeof header, "WorkOS-Signature: %s", signature);
  return add_header(attempt, header) && add_header(attempt, "Content-Type: application/json") &&
         add_header(attempt, "Expect:");
}

static bool set_up(struct attempt *attempt, const char *url, size_t length,
                   const struct config *config) {
  CURL *transfer = attempt->transfer;
  char agent[48];
  snprintf(agent, sizeof agent, "apikeysd/%s", apikeys_version_text());
#define SET(option, value) (curl_easy_setopt(transfer, option, value) == CURLE_OK)
  return SET(CURLOPT_URL, url) && SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length) &&
         SET(CURLOPT_POSTFIELDS, attempt->payload) && SET(CURLOPT_HTTPHEADER, attempt->headers) &&
         SET(CURLOPT_USERAGENT, agent) && SET(CURLOPT_PRIVATE, attempt) &&
         SET(CURLOPT_PROTOCOLS_STR, config->webhook_allow_http ? "http,https" : "https") &&
         SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
         SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PROXY, "") && SET(CURLOPT_NOPROXY, "*") &&
         SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) &&
         SET(CURLOPT_TIMEOUT_MS, (long)WHOLE_MS) &&
         /* Each connection's address is looked up and checked when it is made; it serves the
          * further tries of the next seconds, and not for long, so that a new address is seen. */
         SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L) && SET(CURLOPT_MAXAGE_CONN, (long)IDLE_SECONDS) &&
         SET(CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_SECONDS) &&
         SET(CURLOPT_OPENSOCKETFUNCTION, open_socket) && SET(CURLOPT_OPENSOCKETDATA, attempt) &&
         SET(CURLOPT_WRITEFUNCTION, ignore) && SET(CURLOPT_WRITEDATA, attempt) &&
         (config->webhook_ca_file == NULL || SET(CURLOPT_CAINFO, config->webhook_ca_file));
#undef SET
}

struct attempt *attempt_new(struct delivery *delivery, const struct endpoint *endpoint,
                            const char *secret, const char *payload, size_t length,
                            const struct config *config) {
  struct attempt *attempt = calloc(1, sizeof *attempt);
  if (attempt == NULL) {
    delivery_close(delivery);
    return NULL;
  }
  attempt->delivery = *delivery;
  *delivery = (struct delivery){0};
  attempt->allow_private = config->webhook_allow_private;
  attempt->transfer = curl_easy_init();
  attempt->payload = strndup(payload, length);
  if (attempt->transfer == NULL || attempt->payload == NULL ||
      !set_headers(attempt, secret, length) ||
      !set_up(attempt, endpoint_url(endpoint), length, config)) {
    attempt_free(attempt);
    return NULL;
  }
  return attempt;
}

void attempt_free(struct attempt *attempt) {
  if (attempt == NULL)
    return;
  curl_easy_cleanup(attempt->transfer);
  curl_slist_free_all(attempt->headers);
  free(attempt->payload);
  delivery_close(&attempt->delivery);
  free(attempt);
}

static const char *problem_of(const struct attempt *attempt, CURLcode code, long status) {
  if (attempt->refused_address)
    return "The host's address is not public.";
  if (status >= 200 && status < 300)
    return NULL; /* however the rest of the answer went */
  if (status >= 300 && status < 400)
    return "The target answered with a redirect, which is not followed.";
  if (status == HTTP_GONE)
    return "The target answered that it is gone.";
  if (status != 0)
    return "The target answered with an error.";
  return code == CURLE_OK ? "The target gave no answer." : curl_easy_strerror(code);
}

struct delivery_outcome attempt_outcome(const struct attempt *attempt, CURLcode code) {
  struct delivery_outcome outcome = {0};
  curl_easy_getinfo(attempt->transfer, CURLINFO_RESPONSE_CODE, &outcome.http_status);
  outcome.problem = problem_of(attempt, code, outcome.http_status);
  outcome.hopeless = outcome.http_status == HTTP_GONE;
  curl_off_t retry_after = 0; /* seconds, also where the target gave a date */
  if (curl_easy_getinfo(attempt->transfer, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK)
    outcome.retry_after_seconds = retry_after;
  return outcome;
}
