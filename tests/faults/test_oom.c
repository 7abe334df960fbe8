/* SPDX-License-Identifier: MIT */
/*
 * Every allocation fails once: for each call, the n-th one of it, for all n, and in a second run
 * all from the n-th on. The call then fails with a negative code, has changed nothing, has touched
 * no output and leaked nothing, and the environment goes on.
 */
#include "support/suite.h"
#include "support/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* -- The allocator: glibc's own, which can be told to fail ------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *memory);

static long countdown; /* 0: nothing fails */
static int sticky, fired;
static long live;

static int fails(void) {
  if (countdown == 0 || --countdown > 0)
    return 0;
  fired = 1;
  errno = ENOMEM;
  countdown = sticky; /* 1: the next one, too */
  return 1;
}

static void *counted(void *memory) {
  live += memory != NULL;
  return memory;
}

void *malloc(size_t size) {
  return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size) {
  return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size) {
  if (fails())
    return NULL;
  void *memory = __libc_realloc(old, size);
  live += old == NULL && memory != NULL;
  return memory;
}

void free(void *memory) {
  live -= memory != NULL;
  __libc_free(memory);
}

static void fail_from(long n) {
  fired = 0;
  countdown = n;
}

static void fail_no_more(void) {
  countdown = 0;
}

/* -- Calls on an open environment -------------------------------------------------------------- */

struct scene {
  struct world world;
  char organization[64];
  struct made_key good, target;
  apikeys_key_spec *creation, *change;
  apikeys_key *key;
  apikeys_page *page;
  apikeys_filter *keys, *events;
  char value[APIKEYS_VALUE_MAX];
};

static int create_key(struct scene *scene) {
  return apikeys_key_create(scene->world.env, scene->world.system, scene->creation, scene->key,
                            scene->value, sizeof scene->value, NULL, scene->world.err);
}

static int validate_key(struct scene *scene) {
  return apikeys_validate(scene->world.env, S(scene->good.value), NULL, NULL, scene->key,
                          scene->world.err);
}

static int list_keys(struct scene *scene) {
  return apikeys_key_list(scene->world.env, scene->world.system, scene->keys, scene->page,
                          scene->world.err);
}

static int list_events(struct scene *scene) {
  return apikeys_event_list(scene->world.env, scene->world.system, scene->events, scene->page,
                            scene->world.err);
}

static int update_key(struct scene *scene) {
  return apikeys_key_update(scene->world.env, scene->world.system, S(scene->target.id),
                            scene->change, scene->key, scene->world.err);
}

static int revoke_key(struct scene *scene) {
  return apikeys_key_revoke(scene->world.env, scene->world.system, S(scene->target.id), S("leaked"),
                            scene->key, scene->world.err);
}

static int maintain(struct scene *scene) {
  return apikeys_maintain(scene->world.env, scene->world.err);
}

static const struct {
  const char *name;
  int (*call)(struct scene *);
} calls[] = {{"create", create_key},       {"validate", validate_key}, {"list keys", list_keys},
             {"list events", list_events}, {"update", update_key},     {"revoke", revoke_key},
             {"maintain", maintain}};

static void new_target(struct scene *scene) {
  make_key(&scene->world, key_spec(scene->organization, "target", ""), &scene->target);
}

static void set_up(struct scene *scene, int backend) {
  memset(scene, 0, sizeof *scene);
  world_open(&scene->world, (enum backend)backend);
  make_permission(&scene->world, "posts:read", 1, 1);
  make_organization(&scene->world, "Acme", scene->organization);
  make_key(&scene->world, key_spec(scene->organization, "good", "posts:read"), &scene->good);
  scene->creation = key_spec(scene->organization, "new", "posts:read");
  scene->change = apikeys_key_spec_new();
  apikeys_key_spec_set_name(scene->change, S("changed"));
  apikeys_key_spec_add_permission(scene->change, S("posts:read"));
  scene->keys = apikeys_filter_new();
  apikeys_filter_set_organization_id(scene->keys, S(scene->organization));
  scene->events = apikeys_filter_new();
}

static void tear_down(struct scene *scene) {
  apikeys_filter_free(scene->events);
  apikeys_filter_free(scene->keys);
  apikeys_key_spec_free(scene->change);
  apikeys_key_spec_free(scene->creation);
  world_close(&scene->world);
}

static void check_nothing_happened(struct scene *scene, const char *name, long n, int rc,
                                   int64_t event) {
  ck_assert_msg(rc == APIKEYS_ERROR_NO_MEMORY, "%s, allocation %ld: %s", name, n,
                apikeys_result_name(rc));
  ck_assert_int_eq(apikeys_error_code(scene->world.err), rc);
  ck_assert_str_eq(scene->value, "untouched");
  ck_assert_str_eq(apikeys_key_id(scene->key, NULL), "");
  ck_assert_uint_eq(apikeys_page_count(scene->page), 0);
  ck_assert_int_eq(last_event(&scene->world, NULL), event);
  ck_assert_int_eq(validate(&scene->world, scene->good.value, "posts:read"), APIKEYS_OK);
  ck_assert_int_eq(validate(&scene->world, scene->target.value, NULL), APIKEYS_OK);
}

/* How many allocations the call makes: the first n that none of them reached. */
static long fail_each(struct scene *scene, size_t which) {
  int rc = APIKEYS_OK;
  for (long n = 1;; n++) {
    if (rc == APIKEYS_OK) /* it may be used up; and maintenance must not grow with n */
      new_target(scene);
    scene->key = apikeys_key_new();
    scene->page = apikeys_page_new();
    snprintf(scene->value, sizeof scene->value, "untouched");
    int64_t event = last_event(&scene->world, NULL);
    fail_from(n);
    rc = calls[which].call(scene);
    fail_no_more();
    if (rc != APIKEYS_OK)
      check_nothing_happened(scene, calls[which].name, n, rc, event);
    apikeys_page_free(scene->page);
    apikeys_key_free(scene->key);
    if (!fired) {
      ck_assert_int_eq(rc, APIKEYS_OK);
      return n - 1;
    }
  }
}

static void fail_every_call(int backend) {
  struct scene scene;
  set_up(&scene, backend);
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    long n = fail_each(&scene, i);
    printf("%s, %s: %ld allocations%s\n", backend == BACKEND_SQLITE ? "SQLite" : "memory",
           calls[i].name, n, sticky ? ", sticky" : "");
  }
  tear_down(&scene);
}

START_TEST(a_call_without_memory_changes_nothing) {
  int backend = _i / 2;
  struct scene scene;
  set_up(&scene, backend); /* what is made once per process is made here */
  new_target(&scene);
  last_event(&scene.world, NULL);
  tear_down(&scene);
  sticky = _i % 2;
  printf("\n");
  long before = live;
  fail_every_call(backend);
  ck_assert_int_eq(live, before);
}
END_TEST

/* -- Opening ----------------------------------------------------------------------------------- */

static void remove_files(const char *path) {
  static const char *const suffixes[] = {"", "-wal", "-shm", ".root", ".root.next", "-revocations"};
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    char file[128];
    snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
    unlink(file);
  }
}

/* A SQLite file has thousands of allocations, most of them SQLite's: every 13th of them will do,
 * unless the soak run wants all. */
static long stride(const char *path, long n) {
  return path == NULL || n < 60 || getenv("APIKEYS_SOAK") != NULL ? 1 : 13;
}

/* Opens with each allocation failing; `path`: NULL in memory. `fresh`: a new one each time. */
static long fail_open(const char *path, int fresh) {
  apikeys_error *err = apikeys_error_new();
  apikeys_env *const untouched = (apikeys_env *)&live;
  for (long n = 1;; n += stride(path, n)) {
    apikeys_env *env = untouched;
    if (fresh && path != NULL)
      remove_files(path);
    long before = live;
    fail_from(n);
    int rc = path == NULL ? apikeys_open_memory(&env, NULL, err)
                          : apikeys_open_sqlite(&env, path, NULL, err);
    fail_no_more();
    if (rc == APIKEYS_OK)
      apikeys_close(env);
    long after = live;
    /* SQLite's commit without memory cannot say what became of it: opening again tells. */
    int unknown = path != NULL && rc == APIKEYS_ERROR_OUTCOME_UNKNOWN;
    if (unknown) {
      ck_assert_int_eq(apikeys_open_sqlite(&env, path, NULL, err), APIKEYS_OK);
      apikeys_close(env);
      env = untouched;
    }
    ck_assert_msg(rc == APIKEYS_OK || rc == APIKEYS_ERROR_NO_MEMORY || unknown,
                  "open, allocation %ld: %s (%s)", n, apikeys_result_name(rc),
                  apikeys_error_message(err));
    ck_assert(rc == APIKEYS_OK || env == untouched);
    ck_assert_msg(after == before, "open, allocation %ld: %ld left", n, after - before);
    if (!fired) {
      ck_assert_int_eq(rc, APIKEYS_OK);
      apikeys_error_free(err);
      return n - 1;
    }
  }
}

START_TEST(an_open_without_memory_leaves_nothing) {
  struct world world;
  world_open(&world, BACKEND_SQLITE); /* makes the directory, and what is made once */
  apikeys_close(world.env);
  sticky = _i;
  printf("\nopen, memory: %ld allocations\n", fail_open(NULL, 1));
  printf("open, SQLite, existing: up to %ld allocations\n", fail_open(world.path, 0));
  printf("open, SQLite, new: up to %ld allocations\n", fail_open(world.path, 1));
  ck_assert_int_eq(apikeys_open_sqlite(&world.env, world.path, world.options, world.err), 0);
  world_close(&world);
}
END_TEST

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 4096);
  Suite *suite = suite_create("out of memory");
  TCase *tcase = tcase_create("each allocation");
  tcase_add_loop_test(tcase, a_call_without_memory_changes_nothing, 0, 2 * BACKEND_COUNT);
  tcase_add_loop_test(tcase, an_open_without_memory_leaves_nothing, 0, 2);
  tcase_set_timeout(tcase, 240);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
