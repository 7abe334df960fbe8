/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  int (*run)(const struct bench_options *options);
} scenarios[] = {
    {"validate", bench_validate}, {"memory-store", bench_memory_store},
    {"threads", bench_threads},   {"changes", bench_changes},
    {"changer", bench_changer},   {"memory", bench_memory},
    {"size", bench_size},         {"create", bench_create},
    {"creators", bench_creators}, {"pages", bench_pages},
    {"maintain", bench_maintain},
};

static void usage(void) {
  fprintf(stderr,
          "usage: bench SCENARIO --directory D [--keys N] [--rounds N] [--ms N]\n"
          "             [--threads N] [--redis SOCKET] [--postgres CONNECTION] [--only TEXT]\n"
          "scenarios: fill");
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
    fprintf(stderr, " %s", scenarios[i].name);
  fprintf(stderr, "\n");
  exit(2);
}

static void parse(struct bench_options *options, int count, char **words) {
  for (int i = 2; i + 1 < count; i += 2) {
    const char *name = words[i], *value = words[i + 1];
    if (strcmp(name, "--directory") == 0)
      options->directory = value;
    else if (strcmp(name, "--keys") == 0)
      options->keys = strtoul(value, NULL, 10);
    else if (strcmp(name, "--rounds") == 0)
      options->rounds = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--ms") == 0)
      options->milliseconds = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--threads") == 0)
      options->threads = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--redis") == 0)
      options->redis = value;
    else if (strcmp(name, "--postgres") == 0)
      options->postgres = value;
    else if (strcmp(name, "--only") == 0)
      options->only = value;
    else
      usage();
  }
  if (count % 2 != 0 || options->directory == NULL || options->keys < 1 || options->rounds < 1 ||
      options->rounds > BENCH_ROUNDS_MAX || options->milliseconds < 1 || options->threads < 1)
    usage();
}

int main(int count, char **words) {
  struct bench_options options = {.keys = 10000, .rounds = 11, .milliseconds = 20, .threads = 2};
  if (count < 2)
    usage();
  options.scenario = words[1];
  parse(&options, count, words);
  if (sodium_init() < 0)
    bench_fail("libsodium does not start");
  if (strcmp(options.scenario, "memory-store") != 0)
    bench_fill(&options);
  if (strcmp(options.scenario, "fill") == 0)
    return 0;
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
    if (strcmp(options.scenario, scenarios[i].name) == 0)
      return scenarios[i].run(&options);
  usage();
}
