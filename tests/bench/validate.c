/* SPDX-License-Identifier: MIT */
/* Who validates how fast: everybody, in turns, over one set of keys. */
#include "bench.h"

#include <apikeys.h>

#include <string.h>

enum { CONTENDERS_MAX = 24, REFUSED = 2000 };

struct field {
  const struct bench_options *options;
  struct bench_contender contenders[CONTENDERS_MAX];
  size_t count;
};

static bool wanted(const struct field *field, const char *name) {
  return field->options->only == NULL || strstr(name, field->options->only) != NULL;
}

static struct bench_contender *add(struct field *field, const char *group, const char *name,
                                   const struct bench_set *set) {
  struct bench_contender *contender = &field->contenders[field->count];
  if (!wanted(field, name))
    return NULL;
  memset(contender, 0, sizeof *contender);
  contender->name = name;
  contender->of = group;
  contender->set = set;
  field->count++;
  return contender;
}

static void add_ours(struct field *field, const char *name, const struct bench_set *set,
                     apikeys_env *env, bool batch, int fill, int expected) {
  struct bench_contender *contender = add(field, "libapikeys", name, set);
  if (contender == NULL)
    return;
  contender->state = bench_ours_new(env, fill, expected);
  contender->run = batch ? bench_ours_run_batch : bench_ours_run;
  contender->close = bench_ours_free;
}

static void add_reference(struct field *field, const struct bench_set *set) {
  struct bench_contender *contender;
  if ((contender = add(field, "reference", "floor", set)) != NULL)
    bench_open_floor(contender, field->options);
  if ((contender = add(field, "reference", "baseline", set)) != NULL)
    bench_open_baseline(contender, field->options, false);
}

/* Those whose libraries were there at the build, and whose servers are there now. */
static void add_alternatives(struct field *field, const struct bench_set *set) {
  const struct bench_options *options = field->options;
  struct bench_contender *contender;
  if ((contender = add(field, "alternatives", "SQLite tuned", set)) != NULL)
    bench_open_baseline(contender, options, true);
#ifndef BENCH_WITHOUT_LIBMACAROONS
  if ((contender = add(field, "alternatives", "libmacaroons", set)) != NULL)
    bench_open_macaroons(contender, options);
#endif
#ifndef BENCH_WITHOUT_LIBJWT
  if ((contender = add(field, "alternatives", "libjwt HS256", set)) != NULL)
    bench_open_jwt(contender, options, false);
  contender = add(field, "alternatives", "libjwt ES256", set);
  if (contender != NULL && !bench_open_jwt(contender, options, true))
    field->count--;
#endif
#ifndef BENCH_WITHOUT_HIREDIS
  if (options->redis != NULL && (contender = add(field, "alternatives", "Redis", set)) != NULL)
    bench_open_redis(contender, options);
#endif
#ifndef BENCH_WITHOUT_LIBPQ
  if (options->postgres != NULL &&
      (contender = add(field, "alternatives", "PostgreSQL", set)) != NULL)
    bench_open_postgres(contender, options);
#endif
}

int bench_validate(const struct bench_options *options) {
  struct field field = {.options = options};
  struct bench_set set, strangers, damaged;
  char path[4096];
  bench_path(path, sizeof path, options, "values");
  bench_set_map(&set, path);
  bench_strangers(&strangers, REFUSED);
  bench_damaged(&damaged, &strangers);
  apikeys_env *cached = bench_open_env(options, bench_cache_keys(options->keys));
  apikeys_env *uncached = bench_open_env(options, 0);

  add_reference(&field, &set);
  const int good = APIKEYS_OK;
  add_ours(&field, "warm", &set, cached, false, BENCH_DECIDE, good);
  add_ours(&field, "warm, key filled", &set, cached, false, BENCH_FILL_KEY, good);
  add_ours(&field, "warm, batch of 32", &set, cached, true, BENCH_DECIDE, good);
  add_ours(&field, "cold", &set, uncached, false, BENCH_DECIDE, good);
  add_ours(&field, "cold, key filled", &set, uncached, false, BENCH_FILL_KEY, good);
  add_ours(&field, "cold, batch of 32", &set, uncached, true, BENCH_DECIDE, good);
  add_ours(&field, "unknown", &strangers, cached, false, BENCH_DECIDE, APIKEYS_UNKNOWN);
  add_ours(&field, "malformed", &damaged, cached, false, BENCH_DECIDE, APIKEYS_MALFORMED);
  add_alternatives(&field, &set);
  if (wanted(&field, "warm"))
    bench_warm_up(cached, BENCH_FILL_KEY, &set);

  bench_take_turns(field.contenders, field.count, options);
  for (size_t i = 0; i < field.count; i++)
    field.contenders[i].close(field.contenders[i].state);
  bench_close_env(cached);
  bench_close_env(uncached);
  bench_set_release(&damaged);
  bench_set_release(&strangers);
  bench_set_release(&set);
  return 0;
}

/* The warm path where it was first: a back-end that always knows its generation. */
int bench_memory_store(const struct bench_options *options) {
  struct field field = {.options = options};
  struct bench_set set;
  struct bench_contender *contender;
  apikeys_env *env = bench_fill_memory(&set, options->keys);
  bench_warm_up(env, BENCH_FILL_KEY, &set);
  if ((contender = add(&field, "reference", "floor", &set)) != NULL)
    bench_open_floor(contender, options);
  add_ours(&field, "warm", &set, env, false, BENCH_DECIDE, APIKEYS_OK);
  add_ours(&field, "warm, key filled", &set, env, false, BENCH_FILL_KEY, APIKEYS_OK);
  add_ours(&field, "warm, batch of 32", &set, env, true, BENCH_DECIDE, APIKEYS_OK);
  bench_take_turns(field.contenders, field.count, options);
  for (size_t i = 0; i < field.count; i++)
    field.contenders[i].close(field.contenders[i].state);
  bench_compare_threads(options, env, &set);
  bench_close_env(env);
  bench_set_release(&set);
  return 0;
}
