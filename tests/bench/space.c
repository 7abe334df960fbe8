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

/* What validations of that many keys leave in memory, beyond what they leave without a cache. */
static double cached_bytes(const struct bench_options *options, const struct bench_set *set,
                           bool cached, int fill) {
  double before = resident_bytes();
  apikeys_env *env = bench_open_env(options, cached);
  bench_warm_up(env, fill, set);
  double bytes = resident_bytes() - before;
  bench_close_env(env);
  return bytes;
}

int bench_memory(const struct bench_options *options) {
  struct bench_set set, some;
  char path[4096];
  bench_path(path, sizeof path, options, "values");
  bench_set_map(&set, path);
  some = set;
  some.count = set.count < 20000 ? set.count : 20000; /* enough to fill SQLite's own caches */
  double without = cached_bytes(options, &some, false, BENCH_DECIDE);
  double decisions = cached_bytes(options, &set, true, BENCH_DECIDE) - without;
  double objects = cached_bytes(options, &set, true, BENCH_FILL_KEY) - without;
  emit(options, "per cached key, decision only", decisions / (double)set.count);
  emit(options, "per cached key, with key objects", objects / (double)set.count);
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
