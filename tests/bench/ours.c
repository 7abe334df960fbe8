/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <apikeys.h>

#include <stdlib.h>
#include <string.h>

#define S(text) (text), strlen(text)

struct bench_ours {
  apikeys_env *env;
  apikeys_requirement *requirement;
  apikeys_key *key; /* NULL: the decision alone */
  int expected;
};

apikeys_env *bench_open_env(const struct bench_options *options, bool cached) {
  char path[4096];
  apikeys_env *env;
  apikeys_error *err = apikeys_error_new();
  (void)cached;
  bench_path(path, sizeof path, options, "keys.db");
  if (apikeys_open_sqlite(&env, path, NULL, err) != 0)
    bench_fail("%s", apikeys_error_message(err));
  apikeys_error_free(err);
  return env;
}

void bench_close_env(apikeys_env *env) {
  apikeys_close(env);
}

struct bench_ours *bench_ours_new(apikeys_env *env, int fill, int expected) {
  struct bench_ours *ours = bench_alloc(sizeof *ours);
  ours->env = env;
  ours->requirement = apikeys_requirement_new();
  ours->key = fill == BENCH_FILL_KEY ? apikeys_key_new() : NULL;
  ours->expected = expected;
  apikeys_requirement_add_permission(ours->requirement, S(BENCH_PERMISSION));
  return ours;
}

void bench_ours_free(void *state) {
  struct bench_ours *ours = state;
  apikeys_key_free(ours->key);
  apikeys_requirement_free(ours->requirement);
  free(ours);
}

static bool validate(const struct bench_ours *ours, const unsigned char *entry) {
  return apikeys_validate(ours->env, bench_text(entry), bench_length(entry), ours->requirement,
                          NULL, ours->key, NULL) == ours->expected;
}

size_t bench_ours_run(void *state, const unsigned char *values, size_t count, size_t stride) {
  const struct bench_ours *ours = state;
  BENCH_CHAIN(entry, validate(ours, entry));
}

void bench_warm_up(apikeys_env *env, const struct bench_set *set) {
  struct bench_ours *ours = bench_ours_new(env, BENCH_DECIDE, APIKEYS_OK);
  size_t wrong = bench_ours_run(ours, set->bytes, set->count, set->stride);
  if (wrong != 0)
    bench_fail("%zu keys were refused", wrong);
  bench_ours_free(ours);
}
