/* SPDX-License-Identifier: MIT */
/* The thread that delivers webhooks: plans, claims, sends with libcurl's multi interface,
 * concludes. Each round writes its claims in one transaction, and its conclusions in one. */
#include "webhooks/webhooks.h"

#include "clock.h"
#include "config.h"
#include "log.h"
#include "metrics.h"
#include "webhooks/attempt.h"
#include "webhooks/fan_out.h"

#include <apikeys/document.h>

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Each endpoint may always have a few attempts at a time. While few are under way in all, one may
 * have more, so that a slow target still gets many a second. */
enum {
  ATTEMPTS_SURE = 4,
  ATTEMPTS_PER_ENDPOINT = 32,
  ATTEMPTS_SHARED = 128,
  ATTEMPTS_MAX = ATTEMPTS_SHARED + ENDPOINTS_MAX * ATTEMPTS_SURE
};
enum { LOOK_MS = 1000, SKIP_MS = 60000, STOP_MS = 3000 };

struct webhooks {
  struct service *service;
  apikeys_actor *actor;
  apikeys_error *err;
  apikeys_subscription *subscription;
  CURLM *multi;
  struct attempt *attempts[ATTEMPTS_MAX];
  size_t attempt_count;
  bool wanted; /* by an enabled endpoint, when last looked */
  int64_t look_at_ms, skip_at_ms;
  pthread_t thread;
  bool has_thread;
  atomic_bool stopping, woken;
};

static int64_t monotonic_ms(void) {
  return clock_monotonic_ns() / 1000000;
}

void webhooks_wake(struct webhooks *webhooks) {
  if (webhooks == NULL)
    return;
  atomic_store(&webhooks->woken, true);
  curl_multi_wakeup(webhooks->multi);
}

static void on_event(apikeys_event *event, void *user_data) {
  (void)event;
  webhooks_wake(user_data);
}

/* Logs a failure of the store, which every round repeats until it ends. */
static void complain(struct webhooks *webhooks, const char *what, int rc) {
  log_line(webhooks->service->log, LOG_WARNING, "webhooks: %s: %s", what, apikeys_result_name(rc));
}

/* -- Attempts ---------------------------------------------------------------------------------- */

static size_t attempts_to(const struct webhooks *webhooks, const char *id) {
  size_t count = 0;
  for (size_t i = 0; i < webhooks->attempt_count; i++)
    count += strcmp(delivery_endpoint_id(&webhooks->attempts[i]->delivery), id) == 0;
  return count;
}

/* A delivery that can never be made: its event was pruned, or its endpoint's secret cannot be
 * opened. */
static int give_up(struct webhooks *webhooks, struct delivery *delivery, const char *problem) {
  const struct delivery_outcome outcome = {.problem = problem, .hopeless = true};
  int result = delivery_conclude(delivery, &outcome);
  deliveries_update(&delivery, &result, 1, webhooks->service->env, webhooks->actor, webhooks->err);
  return result;
}

static int begin_attempt(struct webhooks *webhooks, struct delivery *delivery,
                         const struct endpoint *endpoint, const char *payload, size_t length) {
  char secret[WEBHOOK_SECRET_LENGTH + 1];
  int rc = endpoint_secret(endpoint, secret);
  if (rc != APIKEYS_OK)
    return give_up(webhooks, delivery, "The endpoint has no secret.");
  struct attempt *attempt =
      attempt_new(delivery, endpoint, secret, payload, length, webhooks->service->config);
  sodium_memzero(secret, sizeof secret);
  if (attempt == NULL || curl_multi_add_handle(webhooks->multi, attempt->transfer) != CURLM_OK) {
    attempt_free(attempt); /* the lease runs out, and it is tried again */
    return APIKEYS_ERROR_NO_MEMORY;
  }
  webhooks->attempts[webhooks->attempt_count++] = attempt;
  return APIKEYS_OK;
}

/* -- Claiming ---------------------------------------------------------------------------------- */

/* A batch of claims: deliveries of all endpoints, as far as each has room. */
struct claims {
  struct webhooks *webhooks;
  struct delivery deliveries[DELIVERIES_AT_ONCE];
  size_t owners[DELIVERIES_AT_ONCE]; /* whose each is: a place in `endpoints` */
  size_t count;
  struct endpoint endpoints[ENDPOINTS_MAX];
  size_t endpoint_count;
};

/* Begins the try of a delivery that was claimed. */
static int send_claimed(struct webhooks *webhooks, struct delivery *delivery,
                        const struct endpoint *endpoint) {
  const char *event_id = delivery_event_id(delivery);
  size_t length = 0;
  apikeys_event *event = apikeys_event_new();
  int rc = event == NULL ? APIKEYS_ERROR_NO_MEMORY
                         : apikeys_event_get(webhooks->service->env, webhooks->actor, event_id,
                                             strlen(event_id), event, webhooks->err);
  const char *payload = rc == APIKEYS_OK ? apikeys_event_json(event, &length) : NULL;
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = give_up(webhooks, delivery, "The event is not kept any more.");
  else if (rc == APIKEYS_OK)
    rc = payload == NULL ? APIKEYS_ERROR_NO_MEMORY
                         : begin_attempt(webhooks, delivery, endpoint, payload, length);
  apikeys_event_free(event);
  return rc;
}

/* Another process claimed or ended the delivery after it was listed. */
static bool is_taken(int rc) {
  return rc == APIKEYS_ERROR_CHANGED || rc == APIKEYS_ERROR_NOT_FOUND;
}

static int claim_all(struct claims *claims) {
  struct webhooks *webhooks = claims->webhooks;
  struct delivery *deliveries[DELIVERIES_AT_ONCE] = {0};
  int results[DELIVERIES_AT_ONCE];
  if (claims->count == 0)
    return APIKEYS_OK;
  for (size_t i = 0; i < claims->count; i++) {
    deliveries[i] = &claims->deliveries[i];
    results[i] = delivery_claim(deliveries[i]);
  }
  int rc = deliveries_update(deliveries, results, claims->count, webhooks->service->env,
                             webhooks->actor, webhooks->err);
  for (size_t i = 0; i < claims->count; i++) {
    if (results[i] == APIKEYS_OK)
      results[i] = send_claimed(webhooks, deliveries[i], &claims->endpoints[claims->owners[i]]);
    if (rc == APIKEYS_OK && !is_taken(results[i]))
      rc = results[i];
  }
  return rc;
}

static void close_claims(struct claims *claims) {
  while (claims->count > 0)
    delivery_close(&claims->deliveries[--claims->count]);
  while (claims->endpoint_count > 0)
    endpoint_close(&claims->endpoints[--claims->endpoint_count]);
}

static int list_due(struct webhooks *webhooks, const char *endpoint, int limit,
                    apikeys_page *page) {
  char group[DELIVERY_GROUP_MAX];
  apikeys_filter *filter = apikeys_filter_new();
  delivery_group(group, endpoint, DELIVERY_PENDING);
  int rc = filter == NULL ? APIKEYS_ERROR_NO_MEMORY
                          : apikeys_filter_set_collection(filter, WEBHOOK_DELIVERIES);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_group(filter, group, strlen(group));
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_due_until_ms(filter, clock_unix_ms());
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_limit(filter, limit);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_order(filter, APIKEYS_ORDER_OLDEST_FIRST);
  if (rc == APIKEYS_OK)
    rc =
        apikeys_document_list(webhooks->service->env, webhooks->actor, filter, page, webhooks->err);
  apikeys_filter_free(filter);
  return rc;
}

/* How many more attempts the endpoint may have now. */
static size_t room_for(const struct claims *claims, const char *id) {
  const struct webhooks *webhooks = claims->webhooks;
  size_t busy = attempts_to(webhooks, id), all = webhooks->attempt_count + claims->count, room = 0;
  if (busy < ATTEMPTS_PER_ENDPOINT && all < ATTEMPTS_SHARED)
    room = ATTEMPTS_PER_ENDPOINT - busy < ATTEMPTS_SHARED - all ? ATTEMPTS_PER_ENDPOINT - busy
                                                                : ATTEMPTS_SHARED - all;
  if (busy < ATTEMPTS_SURE && room < ATTEMPTS_SURE - busy)
    room = ATTEMPTS_SURE - busy;
  return room < ATTEMPTS_MAX - all ? room : ATTEMPTS_MAX - all;
}

static int add_claims(struct claims *claims, const apikeys_page *page) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(page); i++) {
    claims->owners[claims->count] = claims->endpoint_count - 1;
    rc = delivery_of_list(&claims->deliveries[claims->count++], apikeys_page_document(page, i));
  }
  return rc;
}

/* As many as there is room for. Lists have no secrets, so the endpoint is got if it has work. */
static int look_at_endpoint(const struct endpoint *listed, void *user_data) {
  struct claims *claims = user_data;
  struct webhooks *webhooks = claims->webhooks;
  const char *id = endpoint_id(listed);
  if (!endpoint_is_enabled(listed))
    return APIKEYS_OK;
  webhooks->wanted = true;
  size_t room = room_for(claims, id), left = DELIVERIES_AT_ONCE - claims->count;
  if (room > left) {
    room = left;
    webhooks_wake(webhooks); /* the others are claimed in the next round */
  }
  if (room == 0 || claims->endpoint_count == ENDPOINTS_MAX)
    return APIKEYS_OK;
  apikeys_page *page = apikeys_page_new();
  int rc = page == NULL ? APIKEYS_ERROR_NO_MEMORY : list_due(webhooks, id, (int)room, page);
  if (rc == APIKEYS_OK && apikeys_page_count(page) > 0) {
    rc = endpoint_get(&claims->endpoints[claims->endpoint_count++], webhooks->service->env,
                      webhooks->actor, id, strlen(id), webhooks->err);
    if (rc == APIKEYS_OK)
      rc = add_claims(claims, page);
  }
  apikeys_page_free(page);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static void end_attempt(struct webhooks *webhooks, struct attempt *attempt) {
  curl_multi_remove_handle(webhooks->multi, attempt->transfer);
  for (size_t i = 0; i < webhooks->attempt_count; i++)
    if (webhooks->attempts[i] == attempt)
      webhooks->attempts[i] = webhooks->attempts[--webhooks->attempt_count];
  attempt_free(attempt);
}

static void count(struct webhooks *webhooks, const struct delivery *delivery) {
  static const enum attempt_result results[DELIVERY_STATUSES] = {
      [DELIVERY_PENDING] = ATTEMPT_RETRIED,
      [DELIVERY_DELIVERED] = ATTEMPT_GOOD,
      [DELIVERY_FAILED] = ATTEMPT_GIVEN_UP,
  };
  metrics_attempt(webhooks->service->metrics, results[delivery_status(delivery)]);
}

/* -- Endpoints that are dead ------------------------------------------------------------------- */

/* An attempt that has ended, and what came of it. */
struct ended {
  struct attempt *attempt;
  struct delivery_outcome outcome;
};

struct ended_list {
  struct ended at[DELIVERIES_AT_ONCE];
  size_t count;
};

/*
 * The reason to disable the endpoint, or NULL. An endpoint whose deliveries have failed for so long
 * must also have used up all tries of this one, so that a single failure after a quiet time
 * disables nothing.
 */
static const char *reason_to_disable(const struct webhooks *webhooks,
                                     const struct endpoint *endpoint, const struct ended *ended) {
  int64_t patience_ms = (int64_t)webhooks->service->config->webhook_disable_after * 1000;
  int64_t since = endpoint_failing_since_ms(endpoint);
  if (ended->outcome.http_status == HTTP_GONE)
    return "gone";
  if (patience_ms > 0 && since > 0 && clock_unix_ms() - since >= patience_ms &&
      delivery_status(&ended->attempt->delivery) == DELIVERY_FAILED)
    return "failing";
  return NULL;
}

static bool is_to(const struct ended *ended, const char *id) {
  return strcmp(delivery_endpoint_id(&ended->attempt->delivery), id) == 0;
}

/* Notes in the endpoint, in their order, how its attempts went; true if that changed anything. */
static bool note_outcomes(const struct webhooks *webhooks, const struct ended_list *list,
                          const char *id, struct endpoint *endpoint, const char **reason) {
  bool changed = false;
  for (size_t i = 0; i < list->count && endpoint_is_enabled(endpoint); i++) {
    const struct ended *ended = &list->at[i];
    bool failed = ended->outcome.problem != NULL;
    if (!is_to(ended, id))
      continue;
    *reason = failed ? reason_to_disable(webhooks, endpoint, ended) : NULL;
    if (*reason == NULL && failed == (endpoint_failing_since_ms(endpoint) > 0))
      continue;
    changed = true;
    endpoint_set_failing(endpoint, failed);
    if (*reason != NULL)
      endpoint_disable_for(endpoint, *reason);
  }
  return changed;
}

static int judge(struct webhooks *webhooks, const struct ended_list *list, const char *id) {
  apikeys_env *env = webhooks->service->env;
  struct endpoint endpoint;
  const char *reason = NULL;
  int rc = endpoint_get(&endpoint, env, webhooks->actor, id, strlen(id), webhooks->err);
  if (rc != APIKEYS_OK || !note_outcomes(webhooks, list, id, &endpoint, &reason))
    goto out;
  rc = endpoint_set_body(&endpoint);
  if (rc == APIKEYS_OK)
    rc = apikeys_document_update(env, webhooks->actor, endpoint.document, webhooks->err);
  if (rc == APIKEYS_OK && reason != NULL) {
    log_line(webhooks->service->log, LOG_WARNING, "webhook endpoint %s: disabled: %s", id, reason);
    metrics_endpoint_disabled(webhooks->service->metrics);
  }
out:
  endpoint_close(&endpoint);
  return rc;
}

/* If an operator changes the endpoint at the same moment, it is judged again as it is then. */
static void judge_endpoint(struct webhooks *webhooks, const struct ended_list *list,
                           const char *id) {
  int rc = APIKEYS_ERROR_CHANGED;
  for (int i = 0; i < 3 && rc == APIKEYS_ERROR_CHANGED; i++)
    rc = judge(webhooks, list, id);
  if (rc != APIKEYS_OK && rc != APIKEYS_ERROR_NOT_FOUND)
    complain(webhooks, "an endpoint's state could not be kept", rc);
}

static void judge_endpoints(struct webhooks *webhooks, const struct ended_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    const char *id = delivery_endpoint_id(&list->at[i].attempt->delivery);
    bool first = true;
    for (size_t j = 0; j < i; j++)
      first = first && !is_to(&list->at[j], id);
    if (first)
      judge_endpoint(webhooks, list, id);
  }
}

/* -- Concluding -------------------------------------------------------------------------------- */

/* A delivery that was resent or deleted meanwhile keeps that state. */
static void report(struct webhooks *webhooks, const struct ended *ended, int rc) {
  const struct delivery *delivery = &ended->attempt->delivery;
  if (rc != APIKEYS_OK && !is_taken(rc))
    complain(webhooks, "a delivery's outcome could not be kept", rc);
  else if (ended->outcome.problem != NULL)
    log_line(webhooks->service->log, LOG_INFO, "webhook %s to %s: %s (status %ld)",
             delivery_event_id(delivery), delivery_endpoint_id(delivery), ended->outcome.problem,
             ended->outcome.http_status);
}

static void conclude(struct webhooks *webhooks, struct ended_list *list) {
  struct delivery *deliveries[DELIVERIES_AT_ONCE] = {0};
  int results[DELIVERIES_AT_ONCE];
  for (size_t i = 0; i < list->count; i++) {
    deliveries[i] = &list->at[i].attempt->delivery;
    results[i] = delivery_conclude(deliveries[i], &list->at[i].outcome);
  }
  deliveries_update(deliveries, results, list->count, webhooks->service->env, webhooks->actor,
                    webhooks->err);
  for (size_t i = 0; i < list->count; i++)
    report(webhooks, &list->at[i], results[i]);
  judge_endpoints(webhooks, list);
  for (size_t i = 0; i < list->count; i++) {
    count(webhooks, deliveries[i]);
    end_attempt(webhooks, list->at[i].attempt);
  }
}

static void collect_finished(struct webhooks *webhooks, struct ended_list *list) {
  int left;
  CURLMsg *message;
  list->count = 0;
  while (list->count < DELIVERIES_AT_ONCE &&
         (message = curl_multi_info_read(webhooks->multi, &left)) != NULL) {
    struct ended ended;
    CURLcode code = message->data.result;
    if (message->msg != CURLMSG_DONE || curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                                                          (char **)&ended.attempt) != CURLE_OK)
      continue;
    ended.outcome = attempt_outcome(ended.attempt, code);
    ended.outcome.first_retry_seconds = webhooks->service->config->webhook_first_retry;
    list->at[list->count++] = ended;
  }
}

/* True: there is room again. */
static bool conclude_finished(struct webhooks *webhooks) {
  struct ended_list list;
  bool any = false;
  do {
    collect_finished(webhooks, &list);
    if (list.count > 0)
      conclude(webhooks, &list);
    any = any || list.count > 0;
  } while (list.count == DELIVERIES_AT_ONCE);
  return any;
}

/* -- The thread -------------------------------------------------------------------------------- */

static void plan(struct webhooks *webhooks) {
  apikeys_env *env = webhooks->service->env;
  bool more = false;
  int rc = APIKEYS_OK;
  if (webhooks->wanted)
    rc = fan_out(env, webhooks->actor, &more, webhooks->err);
  else if (monotonic_ms() >= webhooks->skip_at_ms) {
    webhooks->skip_at_ms = monotonic_ms() + SKIP_MS;
    rc = fan_out_skip(env, webhooks->actor, webhooks->err);
  }
  if (rc != APIKEYS_OK)
    complain(webhooks, "events could not be read", rc);
  if (more)
    webhooks_wake(webhooks);
}

/* Finds the enabled endpoints, and claims what is due to them. */
static void look(struct webhooks *webhooks) {
  struct claims claims = {.webhooks = webhooks};
  bool wanted_before = webhooks->wanted;
  webhooks->wanted = false;
  int rc = endpoint_each(webhooks->service->env, webhooks->actor, look_at_endpoint, &claims,
                         webhooks->err);
  if (rc == APIKEYS_OK)
    rc = claim_all(&claims);
  close_claims(&claims);
  if (rc != APIKEYS_OK) {
    complain(webhooks, "deliveries could not be begun", rc);
    webhooks->wanted = webhooks->wanted || wanted_before;
  }
}

static void measure(struct webhooks *webhooks) {
  uint64_t waiting;
  apikeys_filter *filter = apikeys_filter_new();
  if (filter != NULL && apikeys_filter_set_collection(filter, WEBHOOK_DELIVERIES) == APIKEYS_OK &&
      apikeys_filter_set_due_until_ms(filter, INT64_MAX - 1) == APIKEYS_OK &&
      apikeys_document_count(webhooks->service->env, webhooks->actor, filter, &waiting,
                             webhooks->err) == APIKEYS_OK)
    metrics_deliveries_waiting(webhooks->service->metrics, (int64_t)waiting);
  apikeys_filter_free(filter);
}

static void work(struct webhooks *webhooks) {
  bool woken = atomic_exchange(&webhooks->woken, false);
  int running, events = 0;
  if (woken || monotonic_ms() >= webhooks->look_at_ms) {
    if (!webhooks->wanted)
      look(webhooks); /* an endpoint may be new */
    plan(webhooks);
    if (webhooks->wanted)
      look(webhooks);
    if (!woken)
      measure(webhooks);
    webhooks->look_at_ms = monotonic_ms() + LOOK_MS;
  }
  curl_multi_perform(webhooks->multi, &running);
  if (conclude_finished(webhooks))
    atomic_store(&webhooks->woken, true);
  if (!atomic_load(&webhooks->woken))
    curl_multi_poll(webhooks->multi, NULL, 0, LOOK_MS, &events);
}

static void give_back_some(struct webhooks *webhooks) {
  struct delivery *deliveries[DELIVERIES_AT_ONCE] = {0};
  int results[DELIVERIES_AT_ONCE];
  size_t some = 0;
  for (; some < webhooks->attempt_count && some < DELIVERIES_AT_ONCE; some++) {
    deliveries[some] = &webhooks->attempts[some]->delivery;
    results[some] = delivery_give_back(deliveries[some]);
  }
  int rc = deliveries_update(deliveries, results, some, webhooks->service->env, webhooks->actor,
                             webhooks->err);
  if (rc != APIKEYS_OK)
    complain(webhooks, "deliveries could not be given back", rc);
  while (some-- > 0)
    end_attempt(webhooks, webhooks->attempts[some]);
}

/* Waits a little for attempts under way; gives the others back. */
static void wind_up(struct webhooks *webhooks) {
  int64_t until = monotonic_ms() + STOP_MS;
  int running, events;
  while (webhooks->attempt_count > 0 && monotonic_ms() < until) {
    curl_multi_perform(webhooks->multi, &running);
    if (!conclude_finished(webhooks))
      curl_multi_poll(webhooks->multi, NULL, 0, 100, &events);
  }
  while (webhooks->attempt_count > 0)
    give_back_some(webhooks);
}

static void *run(void *user_data) {
  struct webhooks *webhooks = user_data;
  while (!atomic_load(&webhooks->stopping))
    work(webhooks);
  wind_up(webhooks);
  return NULL;
}

static bool set_up(struct webhooks *webhooks) {
  static const char reason[] = "webhooks";
  webhooks->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
  webhooks->actor = apikeys_actor_new();
  webhooks->err = apikeys_error_new();
  if (webhooks->multi == NULL || webhooks->actor == NULL || webhooks->err == NULL ||
      apikeys_actor_set_system(webhooks->actor, reason, sizeof reason - 1) != APIKEYS_OK ||
      apikeys_subscribe(webhooks->service->env, on_event, webhooks, NULL, &webhooks->subscription,
                        webhooks->err) != APIKEYS_OK)
    return false;
  webhooks->has_thread = pthread_create(&webhooks->thread, NULL, run, webhooks) == 0;
  return webhooks->has_thread;
}

struct webhooks *webhooks_start(struct service *service) {
  struct webhooks *webhooks = calloc(1, sizeof *webhooks);
  if (webhooks == NULL)
    return NULL;
  webhooks->service = service;
  if (set_up(webhooks))
    return webhooks;
  log_line(service->log, LOG_ERROR, "webhooks: could not be started: %s",
           apikeys_error_message(webhooks->err));
  webhooks_stop(webhooks);
  return NULL;
}

void webhooks_stop(struct webhooks *webhooks) {
  if (webhooks == NULL)
    return;
  apikeys_subscription_free(webhooks->subscription);
  if (webhooks->has_thread) {
    atomic_store(&webhooks->stopping, true);
    curl_multi_wakeup(webhooks->multi);
    pthread_join(webhooks->thread, NULL);
  }
  curl_multi_cleanup(webhooks->multi);
  apikeys_error_free(webhooks->err);
  apikeys_actor_free(webhooks->actor);
  free(webhooks);
}
