/* SPDX-License-Identifier: MIT */
/* Creating keys, each acknowledged and durable: beside a bare INSERT, and by several at once. */
#include "bench.h"

#include <apikeys.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S(text) (text), strlen(text)

enum { CREATES_A_ROUND = 10, CREATORS = 8 };

struct creator {
  apikeys_env *env;
  apikeys_actor *actor;
  apikeys_key_spec *spec;
};

/* A store of its own, with one key. */
static apikeys_env *open_fresh(const struct bench_options *options) {
  static const char *const endings[] = {"", "-wal", "-shm", ".root", "-revocations"};
  char path[4096], name[4200];
  struct bench_set one;
  apikeys_env *env;
  bench_path(path, sizeof path, options, "create.db");
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
    snprintf(name, sizeof name, "%s%s", path, endings[i]);
    unlink(name);
  }
  bench_set_make(&one, 1, 60);
  bench_make_store(path, &one);
  bench_set_release(&one);
  if (apikeys_open_sqlite(&env, path, NULL, NULL) != 0)
    bench_fail("cannot open %s", path);
  return env;
}

static struct creator new_creator(apikeys_env *env) {
  struct creator creator = {.env = env, .actor = apikeys_actor_new()};
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_actor_set_system(creator.actor, S("benchmark"));
  if (apikeys_organization_list(env, creator.actor, filter, page, NULL) != 0 ||
      apikeys_page_count(page) != 1)
    bench_fail("no organization to create keys for");
  creator.spec = bench_key_spec(apikeys_organization_id(apikeys_page_organization(page, 0), NULL));
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return creator;
}

static void free_creator(const struct creator *creator) {
  apikeys_key_spec_free(creator->spec);
  apikeys_actor_free(creator->actor);
}

static void create_one(const struct creator *creator) {
  char value[APIKEYS_VALUE_MAX];
  int rc = apikeys_key_create(creator->env, creator->actor, creator->spec, NULL, value,
                              sizeof value, NULL, NULL);
  if (rc != 0)
    bench_fail("create: %s", apikeys_result_name(rc));
}

int bench_create(const struct bench_options *options) {
  double cpu[2][BENCH_ROUNDS_MAX], wall[2][BENCH_ROUNDS_MAX];
  apikeys_env *env = open_fresh(options);
  struct creator creator = new_creator(env);
  struct bench_insert *insert = bench_insert_open(options);
  for (int r = 0; r < options->rounds; r++) {
    int64_t cpu_ns[2] = {0}, wall_ns[2] = {0};
    for (int i = 0; i < 2 * CREATES_A_ROUND; i++) {
      int64_t cpu_before = bench_cpu_ns(), wall_before = bench_wall_ns();
      if (i % 2 == 0)
        bench_insert_one(insert);
      else
        create_one(&creator);
      wall_ns[i % 2] += bench_wall_ns() - wall_before;
      cpu_ns[i % 2] += bench_cpu_ns() - cpu_before;
    }
    for (int i = 0; i < 2; i++) {
      cpu[i][r] = (double)cpu_ns[i] / CREATES_A_ROUND;
      wall[i][r] = (double)wall_ns[i] / CREATES_A_ROUND;
    }
  }
  bench_emit("create", "reference", "bare INSERT", 1, "ns", cpu[0], wall[0], options->rounds);
  bench_emit("create", "libapikeys", "create", 1, "ns", cpu[1], wall[1], options->rounds);
  bench_insert_close(insert);
  free_creator(&creator);
  bench_close_env(env);
  return 0;
}

/* -- Several at once --------------------------------------------------------------------------- */

struct worker {
  pthread_t thread;
  struct creator creator;
  int64_t until;
  size_t created;
};

static void *work(void *argument) {
  struct worker *worker = argument;
  do {
    create_one(&worker->creator);
    worker->created++;
  } while (bench_wall_ns() < worker->until);
  return NULL;
}

static double keys_a_second(apikeys_env *env, int threads, int milliseconds) {
  struct worker workers[CREATORS];
  size_t created = 0;
  int64_t begun = bench_wall_ns();
  for (int i = 0; i < threads; i++) {
    workers[i] = (struct worker){.creator = new_creator(env),
                                 .until = begun + (int64_t)milliseconds * 1000000};
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
      bench_fail("no thread");
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(workers[i].thread, NULL);
    created += workers[i].created;
    free_creator(&workers[i].creator);
  }
  return (double)created / ((double)(bench_wall_ns() - begun) / 1e9);
}

int bench_creators(const struct bench_options *options) {
  double rate[2][BENCH_ROUNDS_MAX];
  apikeys_env *env = open_fresh(options);
  for (int r = 0; r < options->rounds; r++) {
    rate[0][r] = keys_a_second(env, 1, options->milliseconds);
    rate[1][r] = keys_a_second(env, CREATORS, options->milliseconds);
  }
  bench_emit("creators", "libapikeys", "1 creator", 1, "keys/s", rate[0], NULL, options->rounds);
  bench_emit("creators", "libapikeys", "8 creators", 1, "keys/s", rate[1], NULL, options->rounds);
  bench_close_env(env);
  return 0;
}
