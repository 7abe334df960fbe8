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
  apikeys_key *keys[BENCH_BATCH];
  int expected;
};

size_t bench_cache_keys(size_t keys) {
  return keys * 5 / 4 + 1000;
}

apikeys_env *bench_open_env(const struct bench_options *options, size_t cache_keys) {
  char path[4096];
  apikeys_env *env;
  apikeys_error *err = apikeys_error_new();
  apikeys_options *open_options = apikeys_options_new();
  bench_path(path, sizeof path, options, "keys.db");
  apikeys_options_set_cache_keys(open_options, cache_keys);
  if (apikeys_open_sqlite(&env, path, open_options, err) != 0)
    bench_fail("%s", apikeys_error_message(err));
  apikeys_options_free(open_options);
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
  for (size_t i = 0; i < BENCH_BATCH; i++)
    ours->keys[i] = fill == BENCH_FILL_KEY ? apikeys_key_new() : NULL;
  ours->expected = expected;
  apikeys_requirement_add_permission(ours->requirement, S(BENCH_PERMISSION));
  return ours;
}

void bench_ours_free(void *state) {
  struct bench_ours *ours = state;
  apikeys_key_free(ours->key);
  for (size_t i = 0; i < BENCH_BATCH; i++)
    apikeys_key_free(ours->keys[i]);
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

/* Batches follow one another, as the single calls do; inside of one the library may overlap. */
size_t bench_ours_run_batch(void *state, const unsigned char *values, size_t count, size_t stride) {
  const struct bench_ours *ours = state;
  size_t wrong = 0;
  for (size_t at = 0; at < count; at += BENCH_BATCH) {
    size_t batch = count - at < BENCH_BATCH ? count - at : BENCH_BATCH;
    const char *texts[BENCH_BATCH];
    size_t lengths[BENCH_BATCH];
    int results[BENCH_BATCH];
    for (size_t i = 0; i < batch; i++) {
      const unsigned char *entry = values + (at + i) * stride;
      texts[i] = bench_text(entry);
      lengths[i] = bench_length(entry);
    }
    apikeys_key *const *keys = ours->keys[0] != NULL ? ours->keys : NULL;
    int rc = apikeys_validate_many(ours->env, texts, lengths, batch, ours->requirement, NULL, keys,
                                   results, NULL);
    if (rc != 0)
      bench_fail("a batch: %s", apikeys_result_name(rc));
    for (size_t i = 0; i < batch; i++)
      wrong += results[i] != ours->expected;
  }
  return wrong;
}

/* In batches: the quick way to have every key at hand. */
void bench_warm_up(apikeys_env *env, int fill, const struct bench_set *set) {
  struct bench_ours *ours = bench_ours_new(env, fill, APIKEYS_OK);
  size_t wrong = bench_ours_run_batch(ours, set->bytes, set->count, set->stride);
  if (wrong != 0)
    bench_fail("%zu keys were refused", wrong);
  bench_ours_free(ours);
}
