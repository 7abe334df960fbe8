/* SPDX-License-Identifier: MIT */
/*
 * The thread that writes last-used times by itself: when it runs, that it ends, and that neither a
 * fork nor a signal nor a store in trouble meets it unprepared.
 */
#include "support/deeds.h"
#include "support/suite.h"
#include "support/wrapped_storage.h"

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHORTEST_MS = 100, LONGEST_MS = 3600000 };

/* A shop whose store tells, and waits for, what other threads do in it. */
struct shop {
  struct world world;
  struct wrapped_storage wrapped;
  int (*begin)(void *self, int mode, apikeys_transaction **transaction);
  char organization[64];
  struct made_key key;
  pthread_t owner;
  pthread_mutex_t lock;
  pthread_cond_t news;
  int written; /* transactions of other threads that wrote a use */
  int refused; /* and those that were not begun */
  int warnings;
  bool refusing;
  bool raised;
};

static struct shop *the_shop; /* of the slot that has nowhere to keep it */

static void announce(struct shop *shop, int *counter) {
  pthread_mutex_lock(&shop->lock);
  ++*counter;
  pthread_cond_broadcast(&shop->news);
  pthread_mutex_unlock(&shop->lock);
}

static void await(struct shop *shop, const int *counter, int value) {
  pthread_mutex_lock(&shop->lock);
  while (*counter < value)
    pthread_cond_wait(&shop->news, &shop->lock);
  pthread_mutex_unlock(&shop->lock);
}

static void look_on(enum wrapped_slot slot, void *data) {
  struct shop *shop = data;
  if (pthread_equal(pthread_self(), shop->owner))
    return;
  if (slot == SLOT_RAISE)
    shop->raised = true;
  if (slot != SLOT_COMMITTED || !shop->raised)
    return;
  shop->raised = false;
  announce(shop, &shop->written);
}

static int begin_or_refuse(void *self, int mode, apikeys_transaction **transaction) {
  struct shop *shop = the_shop;
  pthread_mutex_lock(&shop->lock);
  bool refusing = shop->refusing && mode == APIKEYS_TRANSACTION_WRITE;
  pthread_mutex_unlock(&shop->lock);
  if (!refusing)
    return shop->begin(self, mode, transaction);
  announce(shop, &shop->refused);
  return APIKEYS_ERROR_STORAGE_FULL;
}

static void note_warning(int level, const char *message, size_t length, void *data) {
  struct shop *shop = data;
  if (level == APIKEYS_LOG_WARNING && holds_bytes(message, length, S("were not written yet")))
    announce(shop, &shop->warnings);
}

static void open_shop(struct shop *shop, int interval_ms) {
  static const char root[32] = "root";
  apikeys_storage storage;
  memset(shop, 0, sizeof *shop);
  the_shop = shop;
  shop->owner = pthread_self();
  pthread_mutex_init(&shop->lock, NULL);
  pthread_cond_init(&shop->news, NULL);
  world_open(&shop->world, BACKEND_MEMORY);
  apikeys_close(shop->world.env);
  struct world *world = &shop->world;
  wrap_memory_storage(&shop->wrapped, &storage);
  shop->wrapped.intrude = look_on;
  shop->wrapped.intrude_data = shop;
  shop->begin = storage.begin;
  storage.begin = begin_or_refuse;
  ok(world, apikeys_options_set_root_key(world->options, root, sizeof root));
  ok(world, apikeys_options_set_log(world->options, note_warning, shop, NULL));
  ok(world, apikeys_options_set_flush_interval_ms(world->options, interval_ms));
  ok(world, apikeys_open_storage(&world->env, &storage, world->options, world->err));
  make_organization(world, "Acme", shop->organization);
  make_key(world, key_spec(shop->organization, "CI", ""), &shop->key);
}

static void close_shop(struct shop *shop) {
  world_close(&shop->world);
  pthread_cond_destroy(&shop->news);
  pthread_mutex_destroy(&shop->lock);
}

static void use_at(struct shop *shop, int64_t at_ms) {
  apikeys_request *request = apikeys_request_new();
  ok(&shop->world, apikeys_request_set_time_ms(request, at_ms));
  ok(&shop->world,
     apikeys_validate(shop->world.env, S(shop->key.value), NULL, request, NULL, shop->world.err));
  apikeys_request_free(request);
}

/* -- This process's threads -------------------------------------------------------------------- */

enum { THREADS_MAX = 64 };

struct threads {
  char ids[THREADS_MAX][16];
  int count;
};

static void list_threads(struct threads *threads) {
  DIR *directory = opendir("/proc/self/task");
  ck_assert_ptr_nonnull(directory);
  threads->count = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    if (entry->d_name[0] != '.' && threads->count < THREADS_MAX)
      snprintf(threads->ids[threads->count++], sizeof threads->ids[0], "%.15s", entry->d_name);
  closedir(directory);
}

static int count_threads(void) {
  struct threads threads;
  list_threads(&threads);
  return threads.count;
}

static bool is_among(const char *id, const struct threads *threads) {
  for (int i = 0; i < threads->count; i++)
    if (strcmp(threads->ids[i], id) == 0)
      return true;
  return false;
}

static unsigned long long blocked_signals(const char *id) {
  char path[64], line[256];
  unsigned long long blocked = 0;
  snprintf(path, sizeof path, "/proc/self/task/%s/status", id);
  FILE *status = fopen(path, "r");
  ck_assert_ptr_nonnull(status);
  while (fgets(line, sizeof line, status) != NULL)
    if (strncmp(line, "SigBlk:", 7) == 0)
      blocked = strtoull(line + 7, NULL, 16);
  fclose(status);
  return blocked;
}

/* -- Tests ------------------------------------------------------------------------------------- */

START_TEST(use_is_written_without_a_call) {
  struct shop shop;
  open_shop(&shop, SHORTEST_MS);
  use_at(&shop, 5000);
  await(&shop, &shop.written, 1);
  use_at(&shop, 6000);
  await(&shop, &shop.written, 2);
  close_shop(&shop);
}
END_TEST

START_TEST(no_interval_no_thread) {
  int before = count_threads();
  struct shop shop;
  open_shop(&shop, 0);
  ck_assert_int_eq(count_threads(), before);
  close_shop(&shop);
}
END_TEST

/* It would be an hour; what was pending is written all the same. */
START_TEST(closing_waits_for_no_interval_and_leaves_no_thread) {
  struct shop shop;
  int before = count_threads();
  open_shop(&shop, LONGEST_MS);
  ck_assert_int_eq(count_threads(), before + 1);
  use_at(&shop, 5000);
  int raises = shop.wrapped.calls[SLOT_RAISE];
  apikeys_close(shop.world.env);
  shop.world.env = NULL;
  ck_assert_int_eq(shop.wrapped.calls[SLOT_RAISE], raises + 1);
  ck_assert_int_eq(shop.written, 0); /* it was this thread's close */
  ck_assert_int_eq(count_threads(), before);
  close_shop(&shop);
}
END_TEST

static void refuse_writes(struct shop *shop, bool refusing) {
  pthread_mutex_lock(&shop->lock);
  shop->refusing = refusing;
  pthread_mutex_unlock(&shop->lock);
}

START_TEST(what_could_not_be_written_is_said_and_tried_again) {
  struct shop shop;
  open_shop(&shop, SHORTEST_MS);
  refuse_writes(&shop, true);
  use_at(&shop, 5000);
  await(&shop, &shop.refused, 2);
  await(&shop, &shop.warnings, 1);
  refuse_writes(&shop, false);
  await(&shop, &shop.written, 1);
  close_shop(&shop);
}
END_TEST

START_TEST(the_hosts_signals_are_not_handled_on_it) {
  struct threads before, after;
  list_threads(&before);
  struct shop shop;
  open_shop(&shop, LONGEST_MS);
  list_threads(&after);
  int found = 0;
  for (int i = 0; i < after.count; i++)
    if (!is_among(after.ids[i], &before)) {
      unsigned long long blocked = blocked_signals(after.ids[i]);
      found++;
      for (int signal = 1; signal < 32; signal++)
        if (signal != 9 && signal != 19) /* nobody blocks SIGKILL and SIGSTOP */
          ck_assert_msg((blocked >> (signal - 1) & 1) == 1, "signal %d", signal);
    }
  ck_assert_int_eq(found, 1);
  ck_assert((blocked_signals(after.ids[0]) & 1) == 0); /* and the host's own thread is as it was */
  close_shop(&shop);
}
END_TEST

static void await_child(pid_t child) {
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child failed: status %d",
                status);
}

/* A child does not assert: its exit status says it, and the test's timeout if it waits for ever. */
START_TEST(both_sides_of_a_prepared_fork_have_one) {
  struct shop shop;
  int before = count_threads();
  open_shop(&shop, SHORTEST_MS);
  ok(&shop.world, apikeys_prepare_fork(shop.world.env, shop.world.err));
  ck_assert_int_eq(count_threads(), before);
  fflush(NULL);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  int written = shop.written;
  use_at(&shop, 5000);
  await(&shop, &shop.written, written + 1);
  if (child == 0) {
    apikeys_close(shop.world.env);
    _exit(0);
  }
  await_child(child);
  close_shop(&shop);
}
END_TEST

START_TEST(an_unprepared_child_may_close) {
  struct shop shop;
  open_shop(&shop, SHORTEST_MS);
  use_at(&shop, 5000);
  fflush(NULL);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    apikeys_close(shop.world.env);
    _exit(0);
  }
  await_child(child);
  await(&shop, &shop.written, 1);
  close_shop(&shop);
}
END_TEST

/* A process that may have no more threads: root is asked for none, so root it must not be. */
static int open_without_threads(void) {
  const struct rlimit none = {0, 0};
  apikeys_env *env = NULL;
  apikeys_options *options = apikeys_options_new();
  if ((geteuid() == 0 && setuid(65534) != 0) || setrlimit(RLIMIT_NPROC, &none) != 0)
    return 2;
  int rc = apikeys_options_set_flush_interval_ms(options, LONGEST_MS);
  if (rc == APIKEYS_OK)
    rc = apikeys_open_memory(&env, options, NULL);
  apikeys_options_free(options);
  return rc == APIKEYS_ERROR_NO_MEMORY && env == NULL ? 0 : 1;
}

START_TEST(no_thread_to_be_had_no_environment) {
  fflush(NULL);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0)
    _exit(open_without_threads());
  await_child(child);
}
END_TEST

START_TEST(an_interval_has_bounds) {
  apikeys_options *options = apikeys_options_new();
  static const int good[] = {0, SHORTEST_MS, LONGEST_MS};
  static const int bad[] = {-1, 1, SHORTEST_MS - 1, LONGEST_MS + 1};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    ck_assert_int_eq(apikeys_options_set_flush_interval_ms(options, good[i]), APIKEYS_OK);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    ck_assert_int_eq(apikeys_options_set_flush_interval_ms(options, bad[i]),
                     APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_options_set_flush_interval_ms(NULL, SHORTEST_MS),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_options_free(options);
}
END_TEST

int main(void) {
  Suite *s = suite_create("flush_thread");
  TCase *tc = tcase_create("flush_thread");
  tcase_add_test(tc, use_is_written_without_a_call);
  tcase_add_test(tc, no_interval_no_thread);
  tcase_add_test(tc, closing_waits_for_no_interval_and_leaves_no_thread);
  tcase_add_test(tc, what_could_not_be_written_is_said_and_tried_again);
  tcase_add_test(tc, the_hosts_signals_are_not_handled_on_it);
  tcase_add_test(tc, both_sides_of_a_prepared_fork_have_one);
  tcase_add_test(tc, an_unprepared_child_may_close);
  tcase_add_test(tc, no_thread_to_be_had_no_environment);
  tcase_add_test(tc, an_interval_has_bounds);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
