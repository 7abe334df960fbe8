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

/* The same validations without a cache first, so that what SQLite holds is not counted. */
int bench_memory(const struct bench_options *options) {
  struct bench_set set;
  char path[4096];
  bench_path(path, sizeof path, options, "values");
  bench_set_map(&set, path);
  struct bench_set some = set;
  some.count = set.count < 20000 ? set.count : 20000;
  double before = resident_bytes();
  apikeys_env *uncached = bench_open_env(options, false);
  bench_warm_up(uncached, &some);
  double without = resident_bytes() - before;
  bench_close_env(uncached);
  before = resident_bytes();
  apikeys_env *cached = bench_open_env(options, true);
  bench_warm_up(cached, &set);
  double with = resident_bytes() - before;
  emit(options, "memory per cached key", (with - without) / (double)set.count);
  bench_close_env(cached);
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
