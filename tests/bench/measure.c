/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* -- Clocks ------------------------------------------------------------------------------------ */

static int64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t bench_wall_ns(void) {
  return read_clock(CLOCK_MONOTONIC);
}

int64_t bench_cpu_ns(void) {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t bench_process_cpu_ns(int pid) {
  clockid_t clock;
  return clock_getcpuclockid(pid, &clock) == 0 ? read_clock(clock) : 0;
}

uint64_t bench_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* -- Rounds ------------------------------------------------------------------------------------ */

/*
 * The values lie side by side in a small buffer, as a request's bytes lie in the cache when it has
 * just been read; fetching them from the table of all values is nobody's cost.
 */
static void gather(unsigned char *buffer, const struct bench_set *set, size_t count,
                   uint64_t *random) {
  for (size_t i = 0; i < count; i++)
    memcpy(buffer + i * set->stride,
           set->bytes + (size_t)(bench_random(random) % set->count) * set->stride, set->stride);
}

/* One stretch of validations, of about that long; returns how many. */
static uint64_t stretch(const struct bench_contender *contender, unsigned char *buffer,
                        size_t chunk, int64_t limit, uint64_t *random, int64_t *cpu, int64_t *wall,
                        uint64_t *wrong) {
  uint64_t operations = 0;
  *cpu = *wall = 0;
  do {
    gather(buffer, contender->set, chunk, random);
    int64_t wall_before = bench_wall_ns(), cpu_before = bench_cpu_ns();
    *wrong += contender->run(contender->state, buffer, chunk, contender->set->stride);
    *cpu += bench_cpu_ns() - cpu_before;
    *wall += bench_wall_ns() - wall_before;
    operations += chunk;
  } while (*wall < limit);
  return operations;
}

/* Half as long again untimed, in front: caches, page tables and branch predictors were somebody
 * else's a moment ago. */
void bench_one_round(const struct bench_contender *contender, int milliseconds, uint64_t *random,
                     struct bench_round *round) {
  size_t chunk = contender->chunk > 0 ? contender->chunk : BENCH_CHUNK;
  unsigned char *buffer = bench_alloc((chunk + 1) * contender->set->stride);
  int64_t limit = (int64_t)milliseconds * 1000000, cpu, wall, served = 0;
  memset(round, 0, sizeof *round);
  stretch(contender, buffer, chunk, limit / 2, random, &cpu, &wall, &round->wrong);
  if (contender->served_ns != NULL)
    served = contender->served_ns(contender->state);
  round->operations = stretch(contender, buffer, chunk, limit, random, &cpu, &wall, &round->wrong);
  if (contender->served_ns != NULL)
    cpu += contender->served_ns(contender->state) - served;
  round->cpu_ns = (double)cpu / (double)round->operations;
  round->wall_ns = (double)wall / (double)round->operations;
  free(buffer);
}

struct figures {
  double cpu[BENCH_ROUNDS_MAX];
  double wall[BENCH_ROUNDS_MAX];
};

void bench_take_turns(struct bench_contender *contenders, size_t count,
                      const struct bench_options *options) {
  struct figures *figures = bench_alloc(count * sizeof *figures);
  uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
  for (int r = 0; r < options->rounds; r++) {
    for (size_t i = 0; i < count; i++) {
      size_t at = (i + (size_t)r) % count; /* everybody follows everybody */
      struct bench_round round;
      bench_one_round(&contenders[at], options->milliseconds, &random, &round);
      if (round.wrong != 0)
        bench_fail("%s: %llu wrong answers", contenders[at].name, (unsigned long long)round.wrong);
      figures[at].cpu[r] = round.cpu_ns;
      figures[at].wall[r] = round.wall_ns;
    }
  }
  for (size_t i = 0; i < count; i++)
    bench_emit(options->scenario, contenders[i].of, contenders[i].name, options->keys, "ns",
               figures[i].cpu, figures[i].wall, options->rounds);
  free(figures);
}

/* -- Results ----------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double bench_median(const double *values, int count) {
  double sorted[BENCH_ROUNDS_MAX];
  memcpy(sorted, values, (size_t)count * sizeof *sorted);
  qsort(sorted, (size_t)count, sizeof *sorted, compare);
  return count % 2 != 0 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static void print_list(const char *name, const double *values, int count) {
  printf(",\"%s\":[", name);
  for (int i = 0; i < count; i++)
    printf("%s%.1f", i > 0 ? "," : "", values[i]);
  printf("]");
}

void bench_emit(const char *scenario, const char *group, const char *name, size_t keys,
                const char *unit, const double *figures, const double *wall, int count) {
  printf("{\"scenario\":\"%s\",\"group\":\"%s\",\"name\":\"%s\",\"keys\":%zu,\"unit\":\"%s\","
         "\"median\":%.1f",
         scenario, group, name, keys, unit, bench_median(figures, count));
  print_list("rounds", figures, count);
  if (wall != NULL) {
    printf(",\"wall_median\":%.1f", bench_median(wall, count));
    print_list("wall_rounds", wall, count);
  }
  printf("}\n");
  fflush(stdout);
}

void bench_fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "bench: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  exit(1);
}

void *bench_alloc(size_t bytes) {
  void *memory = calloc(1, bytes > 0 ? bytes : 1);
  if (memory == NULL)
    bench_fail("out of memory");
  return memory;
}

void bench_path(char *out, size_t size, const struct bench_options *options, const char *name) {
  int length = snprintf(out, size, "%s/%s", options->directory, name);
  if (length < 0 || (size_t)length >= size)
    bench_fail("the directory's name is too long");
}
