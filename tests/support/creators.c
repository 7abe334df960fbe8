/* SPDX-License-Identifier: MIT */
#include "creators.h"

#include "deeds.h"
#include "operation/env_handle.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local struct creator *self; /* whose thread this is */

/* -- A thread ---------------------------------------------------------------------------------- */

static void note_event(apikeys_event *event, void *user_data) {
  struct creators *creators = user_data;
  if (self == NULL) {
    creators->told_elsewhere++;
    return;
  }
  const char *data = apikeys_event_data(event, NULL);
  const char *id = strstr(data, "api_key_");
  self->told++;
  snprintf(self->told_of, sizeof self->told_of, "%.*s", (int)strcspn(id, "\""), id);
  if (creators->on_event != NULL)
    creators->on_event(self, event);
}

static int act(struct creator *creator, apikeys_key *key) {
  apikeys_env *env = creator->creators->world.env;
  struct made_key *made = &creator->made;
  switch (creator->act) {
  case UPDATES:
    return apikeys_key_update(env, creator->actor, S(made->id), creator->spec, key, creator->err);
  case REVOKES:
    return apikeys_key_revoke(env, creator->actor, S(made->id), NULL, 0, key, creator->err);
  default:
    return apikeys_key_create(env, creator->actor, creator->spec, key, made->value,
                              sizeof made->value, NULL, creator->err);
  }
}

static void *live(void *argument) {
  struct creator *creator = argument;
  apikeys_key *key = apikeys_key_new();
  self = creator;
  creator->rc = act(creator, key);
  creator->revoked = apikeys_key_revoked_at_ms(key) != 0;
  if (creator->rc == APIKEYS_OK)
    snprintf(creator->made.id, sizeof creator->made.id, "%s", apikeys_key_id(key, NULL));
  apikeys_key_free(key);
  return NULL;
}

static void start(struct creator *creator) {
  ck_assert_int_eq(pthread_create(&creator->thread, NULL, live, creator), 0);
}

static void join(struct creator *creator) {
  ck_assert_int_eq(pthread_join(creator->thread, NULL), 0);
}

/* -- All of them ------------------------------------------------------------------------------- */

static void in_slot(enum wrapped_slot slot, void *data) {
  struct creators *creators = data;
  if (slot == SLOT_COMMIT && atomic_exchange(&creators->hold, 0)) {
    sem_post(&creators->held);
    while (sem_wait(&creators->release) != 0)
      ;
  }
  if (creators->on_slot != NULL)
    creators->on_slot(creators, slot);
}

static void open_wrapped(struct creators *creators, enum backend backend) {
  struct world *world = &creators->world;
  apikeys_storage inner, storage;
  world_open(world, backend);
  apikeys_close(world->env);
  char root[128];
  snprintf(root, sizeof root, "%s.root", world->path);
  if (backend == BACKEND_SQLITE) {
    ok(world, apikeys_options_set_root_key_file(world->options, root));
    ok(world, apikeys_storage_sqlite(&inner, world->path, -1, world->err));
  } else {
    ok(world, apikeys_options_set_root_key_in_store(world->options, 1));
    ok(world, apikeys_storage_memory(&inner, world->err));
  }
  wrap_storage(&creators->wrapped, &inner, &storage);
  ok(world, apikeys_open_storage(&world->env, &storage, world->options, world->err));
  creators->wrapped.intrude = in_slot;
  creators->wrapped.intrude_data = creators;
}

static void fill(struct creators *creators, struct creator *creator, apikeys_key_spec *spec) {
  *creator = (struct creator){.creators = creators, .spec = spec};
  creator->actor = apikeys_actor_new();
  creator->err = apikeys_error_new();
  ck_assert_int_eq(apikeys_actor_set_system(creator->actor, S("test")), 0);
}

static void empty(struct creator *creator) {
  apikeys_actor_free(creator->actor);
  apikeys_key_spec_free(creator->spec);
  apikeys_error_free(creator->err);
}

struct creators *creators_open(enum backend backend) {
  struct creators *creators = calloc(1, sizeof *creators);
  ck_assert_ptr_nonnull(creators);
  sem_init(&creators->held, 0, 0);
  sem_init(&creators->release, 0, 0);
  open_wrapped(creators, backend);
  make_organization(&creators->world, "Acme", creators->organization);
  ok(&creators->world, apikeys_subscribe(creators->world.env, note_event, creators, NULL,
                                         &creators->subscription, creators->world.err));
  return creators;
}

void creators_clear(struct creators *creators) {
  for (size_t i = 0; i < creators->count; i++)
    empty(&creators->list[i]);
  creators->count = 0;
}

void creators_close(struct creators *creators) {
  creators_clear(creators);
  empty(&creators->opener);
  apikeys_subscription_free(creators->subscription);
  world_close(&creators->world);
  sem_destroy(&creators->release);
  sem_destroy(&creators->held);
  free(creators);
}

struct creator *creators_add(struct creators *creators, apikeys_key_spec *spec) {
  ck_assert_uint_lt(creators->count, CREATORS_MAX);
  struct creator *creator = &creators->list[creators->count++];
  fill(creators, creator, spec);
  return creator;
}

void creators_add_plain(struct creators *creators, size_t count) {
  for (size_t i = 0; i < count; i++)
    creators_add(creators, key_spec(creators->organization, "k", ""));
}

/* That a thread has begun to wait is no event: it can only be looked at. */
void creators_await_queue(struct creators *creators, size_t length) {
  struct ak_leader_queue *queue = &creators->world.env->write_queue;
  size_t queued;
  do {
    sched_yield();
    pthread_mutex_lock(&queue->lock);
    queued = queue->waiting.count;
    pthread_mutex_unlock(&queue->lock);
  } while (queued < length);
}

void creators_queue_up(struct creators *creators) {
  empty(&creators->opener);
  fill(creators, &creators->opener, management_key_spec("first", ""));
  creators->hold = 1;
  start(&creators->opener);
  while (sem_wait(&creators->held) != 0)
    ;
  for (size_t i = 0; i < creators->count; i++) {
    start(&creators->list[i]);
    creators_await_queue(creators, i + 1);
  }
}

static void join_all(struct creators *creators) {
  for (size_t i = 0; i < creators->count; i++)
    join(&creators->list[i]);
}

void creators_let_go(struct creators *creators) {
  sem_post(&creators->release);
  join(&creators->opener);
  join_all(creators);
}

void creators_run(struct creators *creators) {
  for (size_t i = 0; i < creators->count; i++)
    start(&creators->list[i]);
  join_all(creators);
}

uint64_t creators_count_keys(struct creators *creators) {
  struct world *world = &creators->world;
  apikeys_filter *filter = apikeys_filter_new();
  uint64_t count;
  apikeys_filter_set_organization_id(filter, S(creators->organization));
  ok(world, apikeys_key_count(world->env, world->system, filter, &count, world->err));
  apikeys_filter_free(filter);
  return count;
}
