/* SPDX-License-Identifier: MIT */
/* The running service: the state that all its parts share. */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include <apikeys.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

struct service {
  const struct config *config;
  struct log *log;
  apikeys_env *env;
  struct throttle *throttle;
  struct in_flight *in_flight;
  struct metrics *metrics;
  struct http_server *http; /* once it serves */
  struct demo *demo;        /* NULL without --demo */
  struct webhooks *webhooks;
  time_t started_at;
  atomic_bool draining;     /* told to stop, and still serving */
  atomic_int write_failure; /* with which code changes fail; 0: they do not, as far as is known */
};

/* Opens the environment and starts the background work. False: the log says why. */
bool service_start(struct service *service, const struct config *config, struct log *log);
/* "apikeysd recover": makes a management key in the environment, also while a service runs on
 * it. */
bool service_recover(const struct config *config, struct log *log);
/* "apikeysd rotate-root-key": likewise; a service that runs follows to the new key by itself. */
bool service_rotate_root_key(const struct config *config, struct log *log);
/* Stops the service and flushes recorded use. Also after a start that failed half-way. */
void service_stop(struct service *service);

/* A call failed. A full or read-only store is remembered, for /readyz. */
void service_note_failure(struct service *service, int rc);
/* Where changes failed so: tries one, and forgets the failure if it succeeds. */
void service_probe_writes(struct service *service);

#endif
