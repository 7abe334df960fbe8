/* SPDX-License-Identifier: MIT */
/*
 * Two processes on one database. What one was told is done, the other sees at once; every event of
 * one reaches a durable cursor of the other; and what was acknowledged survives kill -9.
 *
 * The second process is forked before anything is open, and says on standard error what failed.
 */
#include "support/process.h"
#include "support/suite.h"
#include "support/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 1000, EVENTS = 400, CYCLES = 60, ACKNOWLEDGED_MAX = 4096 };

struct hello {
  char path[96];
  char organization[64];
};

struct message {
  char what; /* 'c': created, 'r': revoked */
  struct made_key key;
};

/* The other process' world: opened by the path that it is told. */
static int join(struct process *process, struct world *world, struct hello *hello) {
  memset(world, 0, sizeof *world);
  CHECK(process_receive(process, hello, sizeof *hello));
  world->err = apikeys_error_new();
  world->system = apikeys_actor_new();
  CHECK(apikeys_actor_set_system(world->system, S("the other")) == 0);
  CHECK(apikeys_open_sqlite(&world->env, hello->path, NULL, world->err) == 0);
  return 0;
}

static int leave(struct world *world) {
  apikeys_close(world->env);
  apikeys_actor_free(world->system);
  apikeys_error_free(world->err);
  return 0;
}

static void invite(struct process *process, struct world *world, struct hello *hello) {
  world_open(world, BACKEND_SQLITE);
  memset(hello, 0, sizeof *hello);
  snprintf(hello->path, sizeof hello->path, "%s", world->path);
  make_organization(world, "Acme", hello->organization);
  ck_assert(process_send(process, hello, sizeof *hello));
}

static int revoke(struct world *world, const struct made_key *key) {
  return apikeys_key_revoke(world->env, world->system, S(key->id), NULL, 0, NULL, world->err);
}

/* -- Revocation -------------------------------------------------------------------------------- */

/* Each round: we make a key, the other finds it good; one revokes it, and neither finds it good. */
static int answer_rounds(struct process *process) {
  struct world world;
  struct hello hello;
  struct made_key key;
  CHECK(join(process, &world, &hello) == 0);
  for (int round = 0; round < rounds_of(ROUNDS); round++) {
    char word = 'y';
    CHECK(process_receive(process, &key, sizeof key));
    CHECK(validate(&world, key.value, NULL) == APIKEYS_OK);
    if (round % 2 == 1)
      CHECK(revoke(&world, &key) == APIKEYS_OK);
    CHECK(process_send(process, &word, 1));
    CHECK(process_receive(process, &word, 1));
    CHECK(validate(&world, key.value, NULL) == APIKEYS_REVOKED);
    CHECK(process_send(process, &word, 1));
  }
  return leave(&world);
}

START_TEST(a_key_revoked_in_one_process_is_refused_in_the_other) {
  struct process process;
  struct world world;
  struct hello hello;
  process_start(&process, answer_rounds);
  invite(&process, &world, &hello);
  for (int round = 0; round < rounds_of(ROUNDS); round++) {
    struct made_key key = {.id = ""};
    char word = 'n';
    make_key(&world, key_spec(hello.organization, "k", ""), &key);
    ck_assert(process_send(&process, &key, sizeof key));
    ck_assert(process_receive(&process, &word, 1));
    ck_assert_int_eq(revoke(&world, &key),
                     round % 2 == 1 ? APIKEYS_ERROR_ALREADY_REVOKED : APIKEYS_OK);
    ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
    ck_assert(process_send(&process, &word, 1));
    ck_assert(process_receive(&process, &word, 1));
  }
  process_finish(&process);
  world_close(&world);
}
END_TEST

/* -- Events ------------------------------------------------------------------------------------ */

static int poll_to_the_end(struct process *process) {
  struct world world;
  struct hello hello;
  int64_t seen = 0;
  int ended = 0;
  apikeys_page *page = apikeys_page_new();
  CHECK(join(process, &world, &hello) == 0);
  while (!ended) {
    CHECK(apikeys_event_poll(world.env, world.system, S("other"), 7, page, world.err) == 0);
    size_t count = apikeys_page_count(page);
    for (size_t i = 0; i < count; i++) {
      const apikeys_event *event = apikeys_page_event(page, i);
      CHECK(apikeys_event_number(event) == seen + 1);
      seen++;
      ended = strcmp(apikeys_event_type(event, NULL), "organization.deleted") == 0;
    }
    if (count > 0)
      CHECK(apikeys_event_acknowledge(world.env, world.system, S("other"), seen, world.err) == 0);
  }
  CHECK(process_send(process, &seen, sizeof seen));
  apikeys_page_free(page);
  return leave(&world);
}

START_TEST(a_durable_cursor_sees_every_event_of_another_process_once_and_in_order) {
  struct process process;
  struct world world;
  struct hello hello;
  int64_t seen = 0;
  process_start(&process, poll_to_the_end);
  invite(&process, &world, &hello);
  for (int i = 0; i < EVENTS; i += 2) {
    struct made_key key;
    make_key(&world, key_spec(hello.organization, "k", ""), &key);
    ck_assert_int_eq(revoke(&world, &key), APIKEYS_OK);
  }
  ck_assert_int_eq(
      apikeys_organization_delete(world.env, world.system, S(hello.organization), world.err), 0);
  ck_assert(process_receive(&process, &seen, sizeof seen));
  ck_assert_int_eq(seen, last_event(&world, NULL));
  ck_assert_int_gt(seen, EVENTS);
  process_finish(&process);
  world_close(&world);
}
END_TEST

/* -- kill -9 ----------------------------------------------------------------------------------- */

/* Writes for ever, and says of each change that it is made once the library said so. */
static int write_until_killed(struct process *process) {
  struct world world;
  struct hello hello;
  CHECK(join(process, &world, &hello) == 0);
  for (;;) {
    struct message message;
    memset(&message, 0, sizeof message);
    message.what = 'c';
    CHECK(try_key(&world, world.system, key_spec(hello.organization, "k", ""), &message.key) == 0);
    CHECK(process_send(process, &message, sizeof message));
    CHECK(revoke(&world, &message.key) == 0);
    message.what = 'r';
    CHECK(process_send(process, &message, sizeof message));
  }
}

/* Reads `count` acknowledgements, kills the writer, and reads what is left. */
static size_t read_and_kill(struct process *process, size_t count, struct message *messages) {
  size_t read_so_far = 0;
  while (read_so_far < ACKNOWLEDGED_MAX &&
         process_receive(process, &messages[read_so_far], sizeof *messages))
    if (++read_so_far == count)
      ck_assert_int_eq(kill(process->pid, SIGKILL), 0);
  int status;
  ck_assert_int_eq(waitpid(process->pid, &status, 0), process->pid);
  ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  ck_assert_uint_ge(read_so_far, count);
  close(process->in);
  close(process->out);
  return read_so_far;
}

/* That each acknowledged change has its event, in order: the cursor goes from one to the next. */
static void check_events(struct world *world, const struct message *messages, size_t count) {
  apikeys_page *page = apikeys_page_new();
  size_t found = 0;
  do {
    ck_assert_int_eq(
        apikeys_event_poll(world->env, world->system, S("audit"), 100, page, world->err), 0);
    for (size_t i = 0; i < apikeys_page_count(page); i++) {
      const apikeys_event *event = apikeys_page_event(page, i);
      const char *type =
          found < count && messages[found].what == 'r' ? "api_key.revoked" : "api_key.created";
      found += found < count && strcmp(apikeys_event_type(event, NULL), type) == 0 &&
               strstr(apikeys_event_data(event, NULL), messages[found].key.id) != NULL;
      ck_assert_int_eq(apikeys_event_acknowledge(world->env, world->system, S("audit"),
                                                 apikeys_event_number(event), world->err),
                       0);
    }
  } while (apikeys_page_count(page) > 0);
  ck_assert_uint_eq(found, count);
  apikeys_page_free(page);
}

START_TEST(what_was_acknowledged_survives_the_death_of_its_writer) {
  static struct message messages[ACKNOWLEDGED_MAX];
  struct world world;
  struct hello hello = {.path = ""};
  struct process process;
  world_open(&world, BACKEND_SQLITE);
  snprintf(hello.path, sizeof hello.path, "%s", world.path);
  make_organization(&world, "Acme", hello.organization);
  for (int cycle = 0; cycle < rounds_of(CYCLES); cycle++) {
    apikeys_close(world.env);
    process_start(&process, write_until_killed);
    ck_assert(process_send(&process, &hello, sizeof hello));
    size_t count = read_and_kill(&process, 1 + (size_t)cycle % 13, messages);
    ck_assert_int_eq(apikeys_open_sqlite(&world.env, world.path, world.options, world.err), 0);
    for (size_t i = 0; i < count; i++) {
      int last = i + 1 == count; /* a revocation may have been made and not been told */
      int rc = validate(&world, messages[i].key.value, NULL);
      ck_assert(rc == APIKEYS_REVOKED || (last && messages[i].what == 'c' && rc == APIKEYS_OK));
    }
    check_events(&world, messages, count);
  }
  world_close(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("two processes");
  TCase *tcase = tcase_create("on one database");
  tcase_add_test(tcase, a_key_revoked_in_one_process_is_refused_in_the_other);
  tcase_add_test(tcase, a_durable_cursor_sees_every_event_of_another_process_once_and_in_order);
  tcase_add_test(tcase, what_was_acknowledged_survives_the_death_of_its_writer);
  tcase_set_timeout(tcase, 240);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
