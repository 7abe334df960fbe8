/* SPDX-License-Identifier: MIT */
/* What a second thread costs the first one: every key equally, and all threads on eight keys. */
#include "bench.h"

#include <apikeys.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOT_KEYS = 8, THREADS_MAX = 64 };

struct worker {
  pthread_t thread;
  pthread_barrier_t *start;
  const struct bench_contender *contender;
  int milliseconds;
  uint64_t random;
  struct bench_round round;
};

static void *work(void *argument) {
  struct worker *worker = argument;
  pthread_barrier_wait(worker->start);
  bench_one_round(worker->contender, worker->milliseconds, &worker->random, &worker->round);
  return NULL;
}

/* The mean of the threads' rounds, which all run at the same time. */
static struct bench_round run_together(const struct bench_contender *contenders, int threads,
                                       int milliseconds) {
  struct worker workers[THREADS_MAX];
  struct bench_round sum = {0};
  pthread_barrier_t start;
  pthread_barrier_init(&start, NULL, (unsigned)threads);
  for (int i = 0; i < threads; i++) {
    workers[i] = (struct worker){.start = &start,
                                 .contender = &contenders[i],
                                 .milliseconds = milliseconds,
                                 .random = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(i + 1)};
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
      bench_fail("no thread");
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(workers[i].thread, NULL);
    sum.cpu_ns += workers[i].round.cpu_ns / threads;
    sum.wall_ns += workers[i].round.wall_ns / threads;
    sum.wrong += workers[i].round.wrong;
  }
  pthread_barrier_destroy(&start);
  return sum;
}

/* One thread and many, alternately. */
static void compare(const struct bench_options *options, const char *group,
                    const struct bench_contender *contenders, const char *what) {
  double cpu[2][BENCH_ROUNDS_MAX], wall[2][BENCH_ROUNDS_MAX];
  for (int r = 0; r < 2 * options->rounds; r++) {
    int many = r % 2, threads = many ? options->threads : 1;
    struct bench_round round = run_together(contenders, threads, options->milliseconds);
    if (round.wrong != 0)
      bench_fail("%llu wrong answers with %d threads", (unsigned long long)round.wrong, threads);
    cpu[many][r / 2] = round.cpu_ns;
    wall[many][r / 2] = round.wall_ns;
  }
  for (int many = 0; many < 2; many++) {
    char name[80];
    snprintf(name, sizeof name, "%s, %d thread%s", what, many ? options->threads : 1,
             many ? "s" : "");
    bench_emit(options->scenario, group, name, options->keys, "ns", cpu[many], wall[many],
               options->rounds);
  }
}

static void compare_ours(const struct bench_options *options, apikeys_env *env,
                         const struct bench_set *set, const char *what) {
  struct bench_contender contenders[THREADS_MAX] = {{0}};
  for (int i = 0; i < options->threads; i++) {
    contenders[i].set = set;
    contenders[i].state = bench_ours_new(env, BENCH_DECIDE, APIKEYS_OK);
    contenders[i].run = bench_ours_run;
  }
  compare(options, "libapikeys", contenders, what);
  for (int i = 0; i < options->threads; i++)
    bench_ours_free(contenders[i].state);
}

static void compare_floor(const struct bench_options *options, const struct bench_set *set) {
  struct bench_contender contenders[THREADS_MAX] = {{0}};
  contenders[0].set = set;
  bench_open_floor(&contenders[0], options);
  for (int i = 1; i < options->threads; i++)
    contenders[i] = contenders[0]; /* nobody writes to it */
  compare(options, "reference", contenders, "floor");
  contenders[0].close(contenders[0].state);
}

void bench_compare_threads(const struct bench_options *options, apikeys_env *env,
                           const struct bench_set *set) {
  struct bench_set hot = *set;
  hot.count = set->count < HOT_KEYS ? set->count : HOT_KEYS;
  if (options->threads > THREADS_MAX)
    bench_fail("at most %d threads", THREADS_MAX);
  compare_floor(options, set);
  compare_ours(options, env, set, "every key");
  compare_ours(options, env, &hot, "8 hot keys");
}

int bench_threads(const struct bench_options *options) {
  struct bench_set set;
  char path[4096];
  bench_path(path, sizeof path, options, "values");
  bench_set_map(&set, path);
  apikeys_env *env = bench_open_env(options, bench_cache_keys(options->keys));
  bench_warm_up(env, BENCH_DECIDE, &set);
  bench_compare_threads(options, env, &set);
  bench_close_env(env);
  bench_set_release(&set);
  return 0;
}
