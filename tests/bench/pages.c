/* SPDX-License-Identifier: MIT */
/* Pages of a list of keys, of 100 each: where the list begins, in its middle, of a large and of a
 * small organization. */
#include "bench.h"

#include <apikeys.h>

#include <stdlib.h>
#include <string.h>

#define S(text) (text), strlen(text)

enum { PAGE = 100 };

struct reader {
  apikeys_env *env;
  apikeys_actor *actor;
  apikeys_page *page;
  apikeys_error *err;
};

static void must(int rc, apikeys_error *err) {
  if (rc != 0)
    bench_fail("%s", apikeys_error_message(err));
}

static void read_pages(const struct reader *reader, const struct bench_options *options,
                       const char *name, const apikeys_filter *filter, size_t expected) {
  double cpu[BENCH_ROUNDS_MAX], wall[BENCH_ROUNDS_MAX];
  for (int r = 0; r < options->rounds; r++) {
    int64_t cpu_begun = bench_cpu_ns(), wall_begun = bench_wall_ns(), wall_ns;
    int pages = 0;
    do {
      must(apikeys_key_list(reader->env, reader->actor, filter, reader->page, reader->err),
           reader->err);
      if (apikeys_page_count(reader->page) != expected)
        bench_fail("a page of %zu keys", apikeys_page_count(reader->page));
      pages++;
      wall_ns = bench_wall_ns() - wall_begun;
    } while (wall_ns < (int64_t)options->milliseconds * 1000000);
    cpu[r] = (double)(bench_cpu_ns() - cpu_begun) / pages;
    wall[r] = (double)wall_ns / pages;
  }
  bench_emit("pages", "libapikeys", name, options->keys, "ns", cpu, wall, options->rounds);
}

/* The key of one value. */
static void find(const struct reader *reader, const struct bench_set *set, size_t i,
                 apikeys_page *found) {
  const unsigned char *entry = set->bytes + i * set->stride;
  must(apikeys_key_find(reader->env, reader->actor, bench_text(entry), bench_length(entry), found,
                        reader->err),
       reader->err);
}

static size_t at_most(size_t count) {
  return count < PAGE ? count : PAGE;
}

/* Half of all keys are the first organization's, see fill.c; lists begin with the newest. */
static void read_large(const struct reader *reader, const struct bench_options *options,
                       const struct bench_set *set) {
  apikeys_page *found = apikeys_page_new();
  apikeys_filter *filter = apikeys_filter_new();
  size_t keys = set->count / 2;
  find(reader, set, keys / 2, found);
  const apikeys_key *middle = apikeys_page_key(found, 0);
  apikeys_filter_set_limit(filter, PAGE);
  apikeys_filter_set_organization_id(filter, S(apikeys_key_organization_id(middle, NULL)));
  read_pages(reader, options, "first page of a large organization", filter, at_most(keys));
  apikeys_filter_set_after(filter, S(apikeys_key_id(middle, NULL)));
  read_pages(reader, options, "page in its middle", filter, at_most(keys / 2));
  apikeys_filter_free(filter);
  apikeys_page_free(found);
}

static void read_small(const struct reader *reader, const struct bench_options *options,
                       const struct bench_set *set) {
  apikeys_page *found = apikeys_page_new();
  apikeys_filter *filter = apikeys_filter_new();
  find(reader, set, set->count / 2, found);
  apikeys_filter_set_limit(filter, PAGE);
  apikeys_filter_set_organization_id(
      filter, S(apikeys_key_organization_id(apikeys_page_key(found, 0), NULL)));
  read_pages(reader, options, "first page of a small organization", filter,
             at_most(set->count - set->count / 2));
  apikeys_filter_free(filter);
  apikeys_page_free(found);
}

int bench_pages(const struct bench_options *options) {
  struct reader reader = {.env = bench_open_env(options, 0),
                          .actor = apikeys_actor_new(),
                          .page = apikeys_page_new(),
                          .err = apikeys_error_new()};
  struct bench_set set;
  char path[4096];
  bench_path(path, sizeof path, options, "values");
  bench_set_map(&set, path);
  apikeys_actor_set_system(reader.actor, S("benchmark"));
  read_large(&reader, options, &set);
  read_small(&reader, options, &set);
  apikeys_page_free(reader.page);
  apikeys_actor_free(reader.actor);
  apikeys_error_free(reader.err);
  bench_close_env(reader.env);
  bench_set_release(&set);
  return 0;
}
