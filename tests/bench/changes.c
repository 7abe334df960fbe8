/* SPDX-License-Identifier: MIT */
/*
 * Warm validation while another process changes keys, a hundred times a second, each change durable
 * before the next. Quiet and busy rounds alternate.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <apikeys.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define S(text) (text), strlen(text)

enum { CHANGES_A_SECOND = 100, VICTIMS = 1000 };

/* -- The process that changes ------------------------------------------------------------------ */

struct victim {
  char id[64];
  bool less; /* has one permission less than at first */
};

static void must(int rc, apikeys_error *err) {
  if (rc != 0)
    bench_fail("%s", apikeys_error_message(err));
}

static struct victim *choose(apikeys_env *env, const apikeys_actor *actor,
                             const struct bench_set *set, size_t *count, apikeys_error *err) {
  apikeys_page *page = apikeys_page_new();
  *count = set->count < VICTIMS ? set->count : VICTIMS;
  struct victim *victims = bench_alloc(*count * sizeof *victims);
  for (size_t i = 0; i < *count; i++) {
    const unsigned char *entry = set->bytes + (set->count / *count * i) * set->stride;
    must(apikeys_key_find(env, actor, bench_text(entry), bench_length(entry), page, err), err);
    snprintf(victims[i].id, sizeof victims[i].id, "%s",
             apikeys_key_id(apikeys_page_key(page, 0), NULL));
  }
  apikeys_page_free(page);
  return victims;
}

/* A real change of what the key may do, which never takes what the validations ask for. */
static void change(apikeys_env *env, const apikeys_actor *actor, struct victim *victim,
                   apikeys_error *err) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_clear_permissions(spec);
  apikeys_key_spec_add_permission(spec, S(BENCH_PERMISSION));
  if (victim->less)
    apikeys_key_spec_add_permission(spec, S("comments:read"));
  victim->less = !victim->less;
  must(apikeys_key_update(env, actor, S(victim->id), spec, NULL, err), err);
  apikeys_key_spec_free(spec);
}

static char command(int timeout_ms, char now) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  char letter = now;
  if (poll(&input, 1, timeout_ms) > 0 && read(STDIN_FILENO, &letter, 1) != 1)
    letter = 'q';
  return letter;
}

/* Reads g (go), s (stop), q (quit); answers one byte to each, at the end the number of changes. */
int bench_changer(const struct bench_options *options) {
  struct bench_set set;
  char path[4096], state = 's';
  size_t victim_count, changes = 0;
  apikeys_error *err = apikeys_error_new();
  apikeys_actor *actor = apikeys_actor_new();
  bench_path(path, sizeof path, options, "values");
  bench_set_map(&set, path);
  must(apikeys_actor_set_system(actor, S("benchmark")), err);
  apikeys_env *env = bench_open_env(options, bench_cache_keys(options->keys));
  struct victim *victims = choose(env, actor, &set, &victim_count, err);
  int64_t next = 0;
  while (state != 'q') {
    int64_t wait = state == 's' ? -1 : (next - bench_wall_ns()) / 1000000;
    char letter = command(state == 's' ? -1 : wait > 0 ? (int)wait : 0, state);
    if (letter != state) {
      state = letter;
      next = bench_wall_ns();
      if (write(STDOUT_FILENO, &letter, 1) != 1)
        break;
    } else if (state == 'g' && bench_wall_ns() >= next) {
      change(env, actor, &victims[changes % victim_count], err);
      changes++;
      next += 1000000000 / CHANGES_A_SECOND;
    }
  }
  printf("%zu", changes);
  fflush(stdout);
  free(victims);
  bench_close_env(env);
  apikeys_actor_free(actor);
  apikeys_error_free(err);
  bench_set_release(&set);
  return 0;
}

/* -- The process that validates ---------------------------------------------------------------- */

struct changer {
  pid_t process;
  int commands;
  int answers;
};

static void start(struct changer *changer, const struct bench_options *options) {
  int commands[2], answers[2];
  char keys[24];
  snprintf(keys, sizeof keys, "%zu", options->keys);
  if (pipe2(commands, 0) != 0 || pipe2(answers, 0) != 0 || (changer->process = fork()) < 0)
    bench_fail("cannot start another process");
  if (changer->process == 0) {
    dup2(commands[0], STDIN_FILENO);
    dup2(answers[1], STDOUT_FILENO);
    close(commands[1]);
    close(answers[0]);
    execl("/proc/self/exe", "bench", "changer", "--directory", options->directory, "--keys", keys,
          (char *)NULL);
    _exit(127);
  }
  close(commands[0]);
  close(answers[1]);
  changer->commands = commands[1];
  changer->answers = answers[0];
}

static void tell(const struct changer *changer, char letter) {
  char answer = 0;
  if (write(changer->commands, &letter, 1) != 1 || read(changer->answers, &answer, 1) != 1 ||
      answer != letter)
    bench_fail("the process that changes keys does not answer");
}

static size_t stop(const struct changer *changer) {
  char text[24] = {0};
  int status;
  tell(changer, 'q');
  ssize_t length = read(changer->answers, text, sizeof text - 1);
  close(changer->commands);
  close(changer->answers);
  if (waitpid(changer->process, &status, 0) < 0 || status != 0 || length < 1)
    bench_fail("the process that changes keys failed");
  return strtoul(text, NULL, 10);
}

int bench_changes(const struct bench_options *options) {
  struct bench_set set;
  struct changer changer;
  char path[4096];
  double cpu[2][BENCH_ROUNDS_MAX], wall[2][BENCH_ROUNDS_MAX], rate;
  uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
  int64_t busy_ns = 0;
  bench_path(path, sizeof path, options, "values");
  bench_set_map(&set, path);
  start(&changer, options); /* before this process has a connection open */
  apikeys_env *env = bench_open_env(options, bench_cache_keys(options->keys));
  bench_warm_up(env, BENCH_DECIDE, &set);
  struct bench_contender contender = {
      .set = &set, .state = bench_ours_new(env, BENCH_DECIDE, APIKEYS_OK), .run = bench_ours_run};
  for (int r = 0; r < 2 * options->rounds; r++) {
    struct bench_round round;
    bool busy = r % 2 != 0;
    if (r > 0)
      tell(&changer, busy ? 'g' : 's');
    int64_t begun = bench_wall_ns();
    bench_one_round(&contender, options->milliseconds, &random, &round);
    busy_ns += busy ? bench_wall_ns() - begun : 0;
    if (round.wrong != 0)
      bench_fail("%llu wrong answers", (unsigned long long)round.wrong);
    cpu[busy][r / 2] = round.cpu_ns;
    wall[busy][r / 2] = round.wall_ns;
  }
  rate = (double)stop(&changer) / ((double)busy_ns / 1e9);
  bench_emit("changes", "libapikeys", "quiet", options->keys, "ns", cpu[0], wall[0],
             options->rounds);
  bench_emit("changes", "libapikeys", "during changes", options->keys, "ns", cpu[1], wall[1],
             options->rounds);
  bench_emit("changes", "libapikeys", "rate", options->keys, "changes/s", &rate, NULL, 1);
  bench_ours_free(contender.state);
  bench_close_env(env);
  bench_set_release(&set);
  return 0;
}
