/* SPDX-License-Identifier: MIT */
/*
 * How long a creation waits beside maintenance that revokes every key of the store for being idle:
 * each of its transactions is bounded, so the longest wait is what matters.
 */
#include "bench.h"

#include <apikeys.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define S(text) (text), strlen(text)

static const int64_t day_ms = INT64_C(86400000);
enum { IDLE_DAYS = 30, LATER_DAYS = 60, WAITS_MAX = 1 << 20 };

/* The store's keys were made just now: by this clock they are all idle. */
static int64_t later(void *data) {
  (void)data;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + LATER_DAYS * day_ms;
}

static void must(int rc, const char *what) {
  if (rc != 0)
    bench_fail("%s: %s", what, apikeys_result_name(rc));
}

/* A copy of the filled store, which other scenarios go on using. */
static void copy_store(const struct bench_options *options, const apikeys_actor *actor,
                       const char *path) {
  static const char *const endings[] = {"", "-wal", "-shm", "-revocations"};
  char from[4096], name[4200];
  apikeys_env *env;
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
    snprintf(name, sizeof name, "%s%s", path, endings[i]);
    unlink(name);
  }
  bench_path(from, sizeof from, options, "keys.db");
  must(apikeys_open_sqlite(&env, from, NULL, NULL), "open");
  must(apikeys_backup(env, actor, path, NULL), "backup");
  apikeys_close(env);
}

static apikeys_env *open_copy(const struct bench_options *options, const char *path) {
  char root[4096];
  apikeys_env *env;
  apikeys_options *open_options = apikeys_options_new();
  bench_path(root, sizeof root, options, "keys.db.root");
  must(apikeys_options_set_root_key_file(open_options, root), "root key file");
  must(apikeys_options_set_clock(open_options, later, NULL, NULL), "clock");
  must(apikeys_open_sqlite(&env, path, open_options, NULL), "open the copy");
  apikeys_options_free(open_options);
  return env;
}

static void set_idle_lifetime(apikeys_env *env, const apikeys_actor *actor) {
  apikeys_settings *settings = apikeys_settings_new();
  must(apikeys_settings_set_idle_lifetime_ms(settings, IDLE_DAYS * day_ms), "setting");
  must(apikeys_settings_update(env, actor, settings, NULL), "settings");
  apikeys_settings_free(settings);
}

static apikeys_key_spec *first_organization_spec(apikeys_env *env, const apikeys_actor *actor) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  must(apikeys_organization_list(env, actor, filter, page, NULL), "organizations");
  if (apikeys_page_count(page) == 0)
    bench_fail("no organization to create keys for");
  apikeys_key_spec *spec =
      bench_key_spec(apikeys_organization_id(apikeys_page_organization(page, 0), NULL));
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return spec;
}

struct maintainer {
  pthread_t thread;
  apikeys_env *env;
  _Atomic int done;
  int64_t ns;
};

static void *maintain(void *argument) {
  struct maintainer *maintainer = argument;
  int64_t begun = bench_wall_ns();
  must(apikeys_maintain(maintainer->env, NULL), "maintain");
  maintainer->ns = bench_wall_ns() - begun;
  atomic_store(&maintainer->done, 1);
  return NULL;
}

static double create_timed(apikeys_env *env, const apikeys_actor *actor,
                           const apikeys_key_spec *spec) {
  char value[APIKEYS_VALUE_MAX];
  int64_t begun = bench_wall_ns();
  must(apikeys_key_create(env, actor, spec, NULL, value, sizeof value, NULL, NULL), "create");
  return (double)(bench_wall_ns() - begun) / 1e6;
}

static int compare_waits(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int bench_maintain(const struct bench_options *options) {
  static double waits[WAITS_MAX];
  char path[4096];
  int count = 0;
  struct maintainer maintainer = {.ns = 0};
  apikeys_actor *actor = apikeys_actor_new();
  must(apikeys_actor_set_system(actor, S("benchmark")), "actor");
  bench_path(path, sizeof path, options, "maintain.db");
  copy_store(options, actor, path);
  apikeys_env *env = open_copy(options, path); /* as another process would */
  maintainer.env = open_copy(options, path);
  set_idle_lifetime(env, actor);
  apikeys_key_spec *spec = first_organization_spec(env, actor);
  if (pthread_create(&maintainer.thread, NULL, maintain, &maintainer) != 0)
    bench_fail("no thread");
  do {
    waits[count++] = create_timed(env, actor, spec);
  } while (!atomic_load(&maintainer.done) && count < WAITS_MAX);
  pthread_join(maintainer.thread, NULL);
  qsort(waits, (size_t)count, sizeof *waits, compare_waits);
  double median = waits[count / 2], longest = waits[count - 1];
  double seconds = (double)maintainer.ns / 1e9;
  bench_emit("maintain", "libapikeys", "longest creation", options->keys, "ms", &longest, NULL, 1);
  bench_emit("maintain", "libapikeys", "median creation", options->keys, "ms", &median, NULL, 1);
  bench_emit("maintain", "libapikeys", "maintenance", options->keys, "s", &seconds, NULL, 1);
  apikeys_key_spec_free(spec);
  apikeys_actor_free(actor);
  apikeys_close(maintainer.env);
  apikeys_close(env);
  return 0;
}
