/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks' common ground: what is validated, who validates it, and how that is timed.
 *
 * A contender answers one question about one value: good for a required permission, or refused? All
 * contenders of a run take turns in one process, a short round each, and a figure is the median of
 * its rounds. So what disturbs the machine disturbs all of them, and ratios hold where nanoseconds
 * do not. Nothing here judges a time; what is checked is every answer.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_PERMISSION "posts:read"

/* ------------------------------------------------------------------------------ values -------- */

/* Texts of a fixed stride, each with its length in front. */
struct bench_set {
  size_t count;
  size_t stride;
  unsigned char *bytes;
  size_t mapped; /* bytes of a mapping; 0: on the heap */
};

void bench_set_make(struct bench_set *set, size_t count, size_t text_max);
void bench_set_put(struct bench_set *set, size_t i, const char *text, size_t length);
void bench_set_release(struct bench_set *set);
void bench_set_save(const struct bench_set *set, const char *path);
void bench_set_map(struct bench_set *set, const char *path);

static inline size_t bench_length(const unsigned char *entry) {
  return (size_t)entry[0] | (size_t)entry[1] << 8;
}

static inline const char *bench_text(const unsigned char *entry) {
  return (const char *)entry + 2;
}

/* ------------------------------------------------------------------------------ contenders ---- */

struct bench_contender {
  const char *name;
  const char *of; /* the row's group in the report */
  const struct bench_set *set;
  void *state;
  /* Validate `count` values, one behind the other; how many answers were wrong. */
  size_t (*run)(void *state, const unsigned char *values, size_t count, size_t stride);
  void (*close)(void *state);
  int64_t (*served_ns)(void *state); /* CPU time of a server so far; NULL: all happens here */
  size_t chunk;                      /* values a time; 0: the default */
  size_t slot;                       /* where its results are */
};

/*
 * The loop of a contender. The next value's address depends on the answer before, as it does in a
 * server that serves one request behind the other: otherwise the processor overlaps the cache
 * misses of many validations, which nobody's requests let it do.
 */
#define BENCH_CHAIN(entry, good)                                                                   \
  size_t wrong = 0;                                                                                \
  const unsigned char *entry = values;                                                             \
  for (size_t i_ = 0; i_ < count; i_++) {                                                          \
    size_t bad_ = !(good);                                                                         \
    __asm__ volatile("" : "+r"(bad_));                                                             \
    wrong += bad_;                                                                                 \
    entry += stride & (bad_ - 1);                                                                  \
  }                                                                                                \
  return wrong

/* ------------------------------------------------------------------------------ measuring ----- */

struct bench_options {
  const char *scenario;
  const char *directory;
  size_t keys;
  int rounds;
  int milliseconds; /* a round, about */
  int threads;
  const char *redis;    /* its socket; NULL: not there */
  const char *postgres; /* how to connect; NULL: not there */
  const char *only;     /* a part of the contenders' names */
};

enum { BENCH_ROUNDS_MAX = 101, BENCH_CHUNK = 512 };

int64_t bench_wall_ns(void);
int64_t bench_cpu_ns(void);            /* of this thread */
int64_t bench_process_cpu_ns(int pid); /* of another process, all its threads */
double bench_median(const double *values, int count);

uint64_t bench_random(uint64_t *state);

/* One contender, one round: gather values, validate them, until the time is over. */
struct bench_round {
  double cpu_ns; /* a validation, here and in its server */
  double wall_ns;
  uint64_t operations;
  uint64_t wrong;
};
void bench_one_round(const struct bench_contender *contender, int milliseconds, uint64_t *random,
                     struct bench_round *round);

/* All of them in turn, and their rows. Ends the program on a wrong answer. */
void bench_take_turns(struct bench_contender *contenders, size_t count,
                      const struct bench_options *options);

/* One row of raw results, as a line of JSON on the standard output. `wall` may be NULL. */
void bench_emit(const char *scenario, const char *group, const char *name, size_t keys,
                const char *unit, const double *figures, const double *wall, int count);

/* A message, and the end of the program. */
void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void *bench_alloc(size_t bytes); /* zeroed */
void bench_path(char *out, size_t size, const struct bench_options *options, const char *name);

/* ------------------------------------------------------------------------------ the stores ---- */

/* Make our store of `keys` keys in the directory, with its values beside it, if it is not there. */
void bench_fill(const struct bench_options *options);
void bench_make_store(const char *path, struct bench_set *values);
struct apikeys_key_spec *bench_key_spec(const char *organization_id);
/* Values that are keys of another environment, and values with a letter changed. */
void bench_strangers(struct bench_set *set, size_t count);
void bench_damaged(struct bench_set *set, const struct bench_set *from);

/* Fill what a contender needs. False: something is not there (the elliptic key pair). */
void bench_open_floor(struct bench_contender *contender, const struct bench_options *options);
void bench_open_baseline(struct bench_contender *contender, const struct bench_options *options,
                         bool tuned);
void bench_open_redis(struct bench_contender *contender, const struct bench_options *options);
void bench_open_postgres(struct bench_contender *contender, const struct bench_options *options);
void bench_open_macaroons(struct bench_contender *contender, const struct bench_options *options);
bool bench_open_jwt(struct bench_contender *contender, const struct bench_options *options,
                    bool elliptic);

/* A bare INSERT, durable: what creating a key cannot cost less than. */
struct bench_insert;
struct bench_insert *bench_insert_open(const struct bench_options *options);
void bench_insert_one(struct bench_insert *insert);
void bench_insert_close(struct bench_insert *insert);

/* Bytes of a store by table and index; under the name "" all of it. */
void bench_store_sizes(const char *path, void (*visit)(const char *name, int64_t bytes, void *data),
                       void *data);

/* -- Ours -------------------------------------------------------------------------------------- */

struct apikeys_env;

enum { BENCH_DECIDE = 0, BENCH_FILL_KEY = 1 };
enum { BENCH_BATCH = 32 };
struct bench_ours;

/* The cache's bound: every key, and some to spare, so that none lacks a place by chance. */
size_t bench_cache_keys(size_t keys);
/* With a cache of that bound; 0: with none. */
struct apikeys_env *bench_open_env(const struct bench_options *options, size_t cache_keys);
void bench_close_env(struct apikeys_env *env);
/* A thread's own view of an environment; `expected` is the answer. */
struct bench_ours *bench_ours_new(struct apikeys_env *env, int fill, int expected);
void bench_ours_free(void *ours);
size_t bench_ours_run(void *ours, const unsigned char *values, size_t count, size_t stride);
size_t bench_ours_run_batch(void *ours, const unsigned char *values, size_t count, size_t stride);
/* On the memory back-end, with keys of its own and a cache for them. */
struct apikeys_env *bench_fill_memory(struct bench_set *set, size_t count);
/* Validate every value once, for decisions alone or for key objects too. */
void bench_warm_up(struct apikeys_env *env, int fill, const struct bench_set *set);

/* ------------------------------------------------------------------------------ scenarios ----- */

int bench_validate(const struct bench_options *options);
int bench_memory_store(const struct bench_options *options);
int bench_threads(const struct bench_options *options);
void bench_compare_threads(const struct bench_options *options, struct apikeys_env *env,
                           const struct bench_set *set);
int bench_changes(const struct bench_options *options);
int bench_changer(const struct bench_options *options);
int bench_memory(const struct bench_options *options);
int bench_size(const struct bench_options *options);
int bench_create(const struct bench_options *options);
int bench_creators(const struct bench_options *options);
int bench_maintain(const struct bench_options *options);
int bench_pages(const struct bench_options *options);

#endif
