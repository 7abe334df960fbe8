/* SPDX-License-Identifier: MIT */
/* Bytes: of memory for a key that the cache holds, of the disk for a key in the store. */
#include "bench.h"

#include <apikeys.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static double resident_bytes(void) {
  unsigned long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2)
    bench_fail("cannot read /proc/self/statm");
  fclose(file);
  return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void emit(const struct bench_options *options, const char *name, double bytes) {
  bench_emit(options->scenario, "libapikeys", name, options->keys, "bytes", &bytes, NULL, 1);
}

struct growth {
  double bytes;
  double keys; /* that the cache holds */
};

static struct growth validate_all(const struct bench_options *options, const struct bench_set *set,
                                  size_t cache_keys, int fill) {
  double before = resident_bytes();
  apikeys_env *env = bench_open_env(options, cache_keys);
  bench_warm_up(env, fill, set);
  struct growth growth = {.bytes = resident_bytes() - before,
                          .keys =
                              (double)apikeys_environment_metric(env, APIKEYS_METRIC_CACHE_KEYS)};
  bench_close_env(env);
  return growth;
}

/* A cache made for as many keys as there are, every key in it but for one in a thousand: beyond
 * what the same validations leave in memory without one. */
static void emit_cached(const struct bench_options *options, const struct bench_set *set, int fill,
                        double without, const char *name) {
  struct growth with = validate_all(options, set, options->keys, fill);
  emit(options, name, (with.bytes - without) / with.keys);
}

int bench_memory(const struct bench_options *options) {
  struct bench_set set, some;
  char path[4096];
  bench_path(path, sizeof path, options, "values");
  bench_set_map(&set, path);
  some = set;
  some.count = set.count < 20000 ? set.count : 20000; /* enough to fill SQLite's own caches */
  double without = validate_all(options, &some, 0, BENCH_DECIDE).bytes;
  emit_cached(options, &set, BENCH_DECIDE, without, "per cached key, decision only");
  emit_cached(options, &set, BENCH_FILL_KEY, without, "per cached key, with key objects");
  bench_set_release(&set);
  return 0;
}

static void visit(const char *name, int64_t bytes, void *data) {
  const struct bench_options *options = data;
  double each = (double)bytes / (double)options->keys;
  if (name[0] == '\0')
    emit(options, "stored per key", each);
  else if (each >= 1)
    emit(options, name, each);
}

int bench_size(const struct bench_options *options) {
  char path[4096];
  struct bench_options copy = *options;
  bench_path(path, sizeof path, options, "keys.db");
  bench_store_sizes(path, visit, &copy);
  return 0;
}
