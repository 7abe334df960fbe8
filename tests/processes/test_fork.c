/* SPDX-License-Identifier: MIT */
/*
 * fork(): what a child may do with an environment that it inherited. Without preparation nothing,
 * and it is told so; prepared, parent and child go on, each with its own.
 *
 * A child does not assert, which is for the test's own process: it says where it failed.
 */
#include "support/process.h"
#include "support/suite.h"
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct family {
  struct world world;
  char organization[64];
  struct made_key key;     /* made before the fork */
  int to_parent, to_child; /* the child's ends of two pipes */
  int from_child, from_parent;
};

static void set_up(struct family *family, int backend) {
  world_open(&family->world, (enum backend)backend);
  make_organization(&family->world, "Acme", family->organization);
  make_key(&family->world, key_spec(family->organization, "before", ""), &family->key);
  int up[2], down[2];
  ck_assert_int_eq(pipe(up), 0);
  ck_assert_int_eq(pipe(down), 0);
  family->from_child = up[0];
  family->to_parent = up[1];
  family->from_parent = down[0];
  family->to_child = down[1];
}

static void tear_down(struct family *family) {
  close(family->from_child);
  close(family->to_parent);
  close(family->from_parent);
  close(family->to_child);
  world_close(&family->world);
}

static pid_t start_child(struct family *family, int (*life)(struct family *)) {
  fflush(NULL);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0)
    _exit(life(family));
  return child;
}

static void parent_goes_on(struct family *family) {
  struct made_key after;
  make_key(&family->world, key_spec(family->organization, "after", ""), &after);
  ck_assert_int_eq(validate(&family->world, after.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(validate(&family->world, family->key.value, NULL), APIKEYS_OK);
}

/* -- Without preparation ----------------------------------------------------------------------- */

static int use_what_is_inherited(struct family *family) {
  struct world *world = &family->world;
  struct made_key made = {.value = "untouched"};
  apikeys_page *page = apikeys_page_new();
  apikeys_filter *filter = apikeys_filter_new();
  CHECK(validate(world, family->key.value, NULL) == APIKEYS_ERROR_FORKED);
  CHECK(apikeys_error_code(world->err) == APIKEYS_ERROR_FORKED);
  CHECK(try_key(world, world->system, key_spec(family->organization, "k", ""), &made) ==
        APIKEYS_ERROR_FORKED);
  CHECK(strcmp(made.value, "untouched") == 0);
  CHECK(apikeys_key_revoke(world->env, world->system, S(family->key.id), NULL, 0, NULL,
                           world->err) == APIKEYS_ERROR_FORKED);
  CHECK(apikeys_event_list(world->env, world->system, filter, page, world->err) ==
        APIKEYS_ERROR_FORKED);
  CHECK(apikeys_maintain(world->env, world->err) == APIKEYS_ERROR_FORKED);
  CHECK(apikeys_prepare_fork(world->env, world->err) == APIKEYS_ERROR_FORKED);
  apikeys_filter_free(filter);
  apikeys_page_free(page);
  return 0;
}

START_TEST(an_inherited_environment_answers_nothing) {
  struct family family;
  set_up(&family, _i);
  await_good_end(start_child(&family, use_what_is_inherited));
  parent_goes_on(&family);
  tear_down(&family);
}
END_TEST

static int open_the_same_file(struct family *family) {
  apikeys_env *env = NULL;
  CHECK(apikeys_open_sqlite(&env, family->world.path, family->world.options, family->world.err) ==
        APIKEYS_ERROR_FORKED);
  CHECK(env == NULL);
  return 0;
}

START_TEST(a_child_cannot_open_what_its_parent_had_open) {
  struct family family;
  set_up(&family, BACKEND_SQLITE);
  await_good_end(start_child(&family, open_the_same_file));
  parent_goes_on(&family);
  tear_down(&family);
}
END_TEST

static int close_what_is_inherited(struct family *family) {
  apikeys_close(family->world.env);
  return 0;
}

START_TEST(closing_in_the_child_harms_nobody) {
  struct family family;
  set_up(&family, _i);
  await_good_end(start_child(&family, close_what_is_inherited));
  parent_goes_on(&family);
  if (_i == BACKEND_SQLITE) {
    world_reopen(&family.world);
    parent_goes_on(&family);
  }
  tear_down(&family);
}
END_TEST

static int open_one_of_its_own(struct family *family) {
  apikeys_env *env;
  CHECK(apikeys_open_memory(&env, NULL, family->world.err) == APIKEYS_OK);
  apikeys_close(env);
  return 0;
}

START_TEST(a_child_may_open_an_environment_of_its_own) {
  struct family family;
  set_up(&family, _i);
  await_good_end(start_child(&family, open_one_of_its_own));
  tear_down(&family);
}
END_TEST

/* -- Prepared ---------------------------------------------------------------------------------- */

static int make_and_send(struct family *family) {
  struct world *world = &family->world;
  struct made_key made;
  CHECK(validate(world, family->key.value, NULL) == APIKEYS_OK);
  CHECK(try_key(world, world->system, key_spec(family->organization, "child's", ""), &made) == 0);
  CHECK(validate(world, made.value, NULL) == APIKEYS_OK);
  CHECK(write(family->to_parent, &made, sizeof made) == (ssize_t)sizeof made);
  return 0;
}

static void receive_key(const struct family *family, struct made_key *made) {
  ck_assert_int_eq(read(family->from_child, made, sizeof *made), (ssize_t)sizeof *made);
}

START_TEST(prepared_both_go_on_and_draw_different_values) {
  struct family family;
  struct made_key childs, parents;
  set_up(&family, _i);
  struct world *world = &family.world;
  ck_assert_int_eq(apikeys_prepare_fork(world->env, world->err), 0);
  pid_t child = start_child(&family, make_and_send);
  make_key(world, key_spec(family.organization, "parent's", ""), &parents);
  await_good_end(child);
  receive_key(&family, &childs);
  ck_assert_str_ne(childs.value, parents.value);
  ck_assert_str_ne(childs.id, parents.id);
  ck_assert_int_eq(validate(world, parents.value, NULL), APIKEYS_OK);
  /* One file is one environment for both; two memories are two. */
  ck_assert_int_eq(validate(world, childs.value, NULL),
                   _i == BACKEND_SQLITE ? APIKEYS_OK : APIKEYS_UNKNOWN);
  parent_goes_on(&family);
  tear_down(&family);
}
END_TEST

static int see_a_revocation(struct family *family) {
  struct world *world = &family->world;
  struct made_key parents;
  CHECK(validate(world, family->key.value, NULL) == APIKEYS_OK);
  CHECK(write(family->to_parent, "r", 1) == 1);
  CHECK(read(family->from_parent, &parents, sizeof parents) == (ssize_t)sizeof parents);
  CHECK(validate(world, family->key.value, NULL) == APIKEYS_REVOKED);
  CHECK(validate(world, parents.value, NULL) == APIKEYS_OK);
  CHECK(apikeys_key_revoke(world->env, world->system, S(parents.id), NULL, 0, NULL, world->err) ==
        APIKEYS_OK);
  return 0;
}

START_TEST(prepared_on_one_file_they_see_each_others_changes) {
  struct family family;
  struct made_key made;
  char ready;
  set_up(&family, BACKEND_SQLITE);
  struct world *world = &family.world;
  ck_assert_int_eq(apikeys_prepare_fork(world->env, world->err), 0);
  pid_t child = start_child(&family, see_a_revocation);
  close(family.to_parent); /* so that a child that failed ends the wait below */
  family.to_parent = -1;
  ck_assert_int_eq(read(family.from_child, &ready, 1), 1);
  ck_assert_int_eq(
      apikeys_key_revoke(world->env, world->system, S(family.key.id), NULL, 0, NULL, world->err),
      0);
  make_key(world, key_spec(family.organization, "later", ""), &made);
  ck_assert_int_eq(write(family.to_child, &made, sizeof made), (ssize_t)sizeof made);
  await_good_end(child);
  ck_assert_int_eq(validate(world, made.value, NULL), APIKEYS_REVOKED);
  tear_down(&family);
}
END_TEST

START_TEST(one_preparation_is_for_the_forks_until_the_next_use) {
  struct family family;
  set_up(&family, _i);
  struct world *world = &family.world;
  ck_assert_int_eq(apikeys_prepare_fork(world->env, world->err), 0);
  parent_goes_on(&family);
  await_good_end(start_child(&family, use_what_is_inherited));
  ck_assert_int_eq(apikeys_prepare_fork(world->env, world->err), 0);
  await_good_end(start_child(&family, make_and_send));
  await_good_end(start_child(&family, make_and_send));
  await_good_end(start_child(&family, close_what_is_inherited));
  parent_goes_on(&family);
  tear_down(&family);
}
END_TEST

int main(void) {
  const TTest *const on_each_back_end[] = {
      an_inherited_environment_answers_nothing,
      closing_in_the_child_harms_nobody,
      a_child_may_open_an_environment_of_its_own,
      prepared_both_go_on_and_draw_different_values,
      one_preparation_is_for_the_forks_until_the_next_use,
  };
  Suite *suite = suite_create("fork");
  TCase *tcase = tcase_create("parent and child");
  for (size_t i = 0; i < sizeof on_each_back_end / sizeof on_each_back_end[0]; i++)
    tcase_add_loop_test(tcase, on_each_back_end[i], 0, BACKEND_COUNT);
  tcase_add_test(tcase, a_child_cannot_open_what_its_parent_had_open);
  tcase_add_test(tcase, prepared_on_one_file_they_see_each_others_changes);
  tcase_set_timeout(tcase, 120);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
