/* SPDX-License-Identifier: MIT */
/*
 * Threads that create a key each (or change one), at once, on a store that can hold one of them up
 * in its commit while others queue behind it: then those share the next transaction, in the order
 * in which they came. Threads do not assert, they note what they saw.
 */
#ifndef CREATORS_H
#define CREATORS_H

#include "world.h"
#include "wrapped_storage.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { CREATORS_MAX = 80 };

struct creators;

enum act { CREATES, UPDATES, REVOKES }; /* the last two to the key whose id is in `made` */

struct creator {
  struct creators *creators;
  apikeys_actor *actor; /* the system, unless set; both are freed at the end */
  apikeys_key_spec *spec;
  enum act act;
  pthread_t thread;
  int rc;
  apikeys_error *err;
  struct made_key made; /* if it was */
  int revoked;          /* the key object that came back says so */
  int told;             /* events that came on this thread before its call returned */
  char told_of[64];     /* the id of the key that the last one was about */
};

struct creators {
  struct world world;
  struct wrapped_storage wrapped;
  apikeys_subscription *subscription;
  char organization[64];
  struct creator opener; /* the one that is held up, if one is */
  struct creator list[CREATORS_MAX];
  size_t count;
  _Atomic int hold; /* the next commit */
  sem_t held, release;
  _Atomic int told_elsewhere; /* events that came on no creator's thread */
  void (*on_event)(struct creator *creator, apikeys_event *event);    /* may be NULL */
  void (*on_slot)(struct creators *creators, enum wrapped_slot slot); /* may be NULL */
};

/* With one organization. The caller frees what it is given, with creators_close() before. */
struct creators *creators_open(enum backend backend);
void creators_close(struct creators *creators);

/* One more, with this specification, which it frees; as the system. */
struct creator *creators_add(struct creators *creators, apikeys_key_spec *spec);
/* `count` more, each with a plain key of the organization. */
void creators_add_plain(struct creators *creators, size_t count);
/* Forget those that were added, so that others can be. */
void creators_clear(struct creators *creators);

/* Wait until so many are queued. */
void creators_await_queue(struct creators *creators, size_t length);

/* Hold one creator up, let those that were added queue behind it; and let them go: all have
 * returned afterwards. What is counted and what fails is best set in between. */
void creators_queue_up(struct creators *creators);
void creators_let_go(struct creators *creators);

/* Start those that were added at once, behind nobody, and wait for them. */
void creators_run(struct creators *creators);

/* How many keys the organization has. */
uint64_t creators_count_keys(struct creators *creators);

#endif
