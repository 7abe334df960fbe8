/* SPDX-License-Identifier: MIT */
/*
 * A delivery: one event on its way to one endpoint. Stored as a document whose id is made of both
 * ids, so that planning it is idempotent; in a group of its endpoint and status, so that each can
 * be listed; and due when it is to be tried next.
 *
 *   pending ── an answer of 2xx ──> delivered (kept for a week)
 *      │  ^
 *      │  └── resent by somebody
 *      └── the last try in vain ──> failed (kept for a month)
 */
#ifndef SERVER_WEBHOOKS_DELIVERY_H
#define SERVER_WEBHOOKS_DELIVERY_H

#include "webhooks/endpoint.h"

#define WEBHOOK_DELIVERIES "webhook_deliveries", 18

enum delivery_status { DELIVERY_PENDING, DELIVERY_DELIVERED, DELIVERY_FAILED, DELIVERY_STATUSES };

enum {
  DELIVERY_TRIES = 7,              /* the first, and six more */
  DELIVERY_LEASE_MS = 60000,       /* a try whose process died is over by then */
  DELIVERY_RETRY_AFTER_MAX = 86400 /* seconds */
};

extern const char *const delivery_status_names[DELIVERY_STATUSES];

struct delivery {
  apikeys_document *document;
  json_t *fields; /* see delivery.c */
};

/* The group of an endpoint's deliveries of one status; `out` has DELIVERY_GROUP_MAX bytes. */
enum { DELIVERY_GROUP_MAX = 96 };
void delivery_group(char out[DELIVERY_GROUP_MAX], const char *endpoint_id,
                    enum delivery_status status);

/* The event's delivery to the endpoint, due at once: to be given to deliveries_create(). */
int delivery_new(struct delivery *delivery, const apikeys_event *event, const char *endpoint_id);

/* Results of the library; the caller closes `delivery`, also after a failure. */
int delivery_get(struct delivery *delivery, apikeys_env *env, const apikeys_actor *actor,
                 const char *id, size_t length, apikeys_error *err);
/* A listed delivery with a document of its own, so that it can be changed. */
int delivery_of_list(struct delivery *delivery, apikeys_document *listed);
void delivery_close(struct delivery *delivery);

/* Borrows the document: only `fields` is to be freed, by json_decref(). */
int delivery_read(struct delivery *delivery, apikeys_document *document);

const char *delivery_endpoint_id(const struct delivery *delivery);
const char *delivery_event_id(const struct delivery *delivery);
enum delivery_status delivery_status(const struct delivery *delivery);
/* For clients. NULL: out of memory. */
json_t *delivery_json(const struct delivery *delivery);

/*
 * The changes of a delivery's life. The first three change the object; deliveries_update() writes
 * it, if no other process did meanwhile: APIKEYS_ERROR_CHANGED.
 */
/* Lease the delivery for one try: no other process gets it while the lease runs. */
int delivery_claim(struct delivery *delivery);
/* Return the lease as if it had not been taken. */
int delivery_give_back(struct delivery *delivery);
/*
 * The try is over: `http_status` is 0 if there was no answer, `problem` NULL if all went well.
 * It is tried again unless it was the last try, or `hopeless`.
 */
struct delivery_outcome {
  long http_status;
  const char *problem;
  bool hopeless;
  int first_retry_seconds;
  int64_t retry_after_seconds; /* as the target asked; at most DELIVERY_RETRY_AFTER_MAX is heeded */
};
int delivery_conclude(struct delivery *delivery, const struct delivery_outcome *outcome);
/* All tries anew, the first at once. Written at once. */
int delivery_resend(struct delivery *delivery, apikeys_env *env, const apikeys_actor *actor,
                    apikeys_error *err);

/*
 * Up to DELIVERIES_AT_ONCE in one transaction, because most of what a write costs is the wait for
 * the disk. Creating one that exists already is no failure. Updating writes those whose results[i]
 * is APIKEYS_OK, and sets it to what came of each.
 */
enum { DELIVERIES_AT_ONCE = 100 };
int deliveries_create(const struct delivery *deliveries, size_t count, apikeys_env *env,
                      const apikeys_actor *actor, apikeys_error *err);
int deliveries_update(struct delivery *const *deliveries, int *results, size_t count,
                      apikeys_env *env, const apikeys_actor *actor, apikeys_error *err);

#endif
