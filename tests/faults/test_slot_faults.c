/* SPDX-License-Identifier: MIT */
/*
 * Every step (steps.h) on a store whose n-th slot call fails, with every code, for every n until
 * the step no longer notices: the code is passed on, a change and its event are both there or
 * neither. And a rotation of the root key whose outcome nobody knows.
 */
#include "steps.h"

#include "support/suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { BREACH = 7 }; /* a positive number: no code of a store's */

struct failing {
  apikeys_storage inner;
  long countdown; /* to the call that fails; 0: none does */
  int code;
  int struck;
  int commits_only;
  int happens; /* the next commit of unknown outcome */
};

static int count_down(struct failing *failing) {
  if (failing->countdown == 0 || --failing->countdown > 0)
    return 0;
  failing->struck = 1;
  return failing->code;
}

static int fails(struct failing *failing) {
  return failing->commits_only ? 0 : count_down(failing);
}

#define PASS(slot, ...)                                                                            \
  struct failing *failing = self;                                                                  \
  int rc = fails(failing);                                                                         \
  return rc != 0 ? rc : failing->inner.slot(failing->inner.self, __VA_ARGS__)

static int begin(void *self, int mode, apikeys_transaction **transaction) {
  PASS(begin, mode, transaction);
}

static int commit(void *self, apikeys_transaction *transaction) {
  struct failing *failing = self;
  int rc = count_down(failing);
  if (rc == 0)
    return failing->inner.commit(failing->inner.self, transaction);
  if (rc == APIKEYS_ERROR_OUTCOME_UNKNOWN && failing->happens)
    (void)failing->inner.commit(failing->inner.self, transaction);
  else
    failing->inner.rollback(failing->inner.self, transaction);
  return rc;
}

static void rollback(void *self, apikeys_transaction *transaction) {
  struct failing *failing = self;
  failing->inner.rollback(failing->inner.self, transaction);
}

static int get(void *self, apikeys_transaction *transaction, const apikeys_query *query,
               apikeys_record *out) {
  PASS(get, transaction, query, out);
}

static int insert(void *self, apikeys_transaction *transaction, apikeys_record *record) {
  PASS(insert, transaction, record);
}

static int update(void *self, apikeys_transaction *transaction, const apikeys_record *record) {
  PASS(update, transaction, record);
}

static int remove_record(void *self, apikeys_transaction *transaction, int kind, int64_t number) {
  PASS(remove, transaction, kind, number);
}

static int count(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                 uint64_t *counted) {
  PASS(count, transaction, query, counted);
}

static int scan(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                apikeys_visitor visit, void *visit_data) {
  PASS(scan, transaction, query, visit, visit_data);
}

static int raise_field(void *self, apikeys_transaction *transaction, const apikeys_record *record,
                       int field) {
  PASS(raise, transaction, record, field);
}

static void destroy(void *self) {
  struct failing *failing = self;
  failing->inner.destroy(failing->inner.self);
}

/* -- The stage --------------------------------------------------------------------------------- */

static struct stage stage;
static struct failing failing;

static void open_failing(enum backend backend) {
  struct world *world = &stage.world;
  apikeys_close(world->env);
  memset(&failing, 0, sizeof failing);
  int rc = backend == BACKEND_SQLITE
               ? apikeys_storage_sqlite(&failing.inner, world->path, -1, world->err)
               : apikeys_storage_memory(&failing.inner, world->err);
  ck_assert_int_eq(rc, APIKEYS_OK);
  const apikeys_storage storage = {.struct_size = sizeof storage,
                                   .capabilities = failing.inner.capabilities,
                                   .self = &failing,
                                   .destroy = destroy,
                                   .begin = begin,
                                   .commit = commit,
                                   .rollback = rollback,
                                   .get = get,
                                   .insert = insert,
                                   .update = update,
                                   .remove = remove_record,
                                   .count = count,
                                   .scan = scan,
                                   .raise = raise_field};
  ck_assert_int_eq(apikeys_open_storage(&world->env, &storage, world->options, world->err), 0);
}

/* The world's environment is replaced by one whose store fails on command. */
static void set_up(enum backend backend) {
  struct world *world = &stage.world;
  char root[128];
  memset(&stage, 0, sizeof stage);
  world_open(world, backend);
  snprintf(root, sizeof root, "%s.root", world->path);
  int rc = backend == BACKEND_SQLITE ? apikeys_options_set_root_key_file(world->options, root)
                                     : apikeys_options_set_root_key_in_store(world->options, 1);
  ck_assert_int_eq(rc, APIKEYS_OK);
  open_failing(backend);
  stage_furnish(&stage);
}

static int passed_on(int rc, int code) {
  return rc == (code == BREACH ? APIKEYS_ERROR_STORAGE_CONTRACT : code) ||
         /* only a commit may say so: from another slot it is a breach */
         (code == APIKEYS_ERROR_OUTCOME_UNKNOWN && rc == APIKEYS_ERROR_STORAGE_CONTRACT);
}

static long torture(const struct step *step, int code) {
  long points = 0;
  int rc = APIKEYS_OK;
  int64_t event = 0;
  failing.struck = 1;
  failing.code = code;
  for (long n = 1; failing.struck; n++) {
    char where[64];
    snprintf(where, sizeof where, "slot call %ld gives %d", n, code);
    if (rc == APIKEYS_OK || rc == APIKEYS_ERROR_OUTCOME_UNKNOWN)
      event = step_begin(&stage, step);
    failing.struck = 0;
    failing.happens = !failing.happens;
    failing.countdown = n;
    rc = step->run(&stage);
    failing.countdown = 0;
    bool done = rc == APIKEYS_OK && (!failing.struck || step->goes_on);
    ck_assert_msg(done || (failing.struck && passed_on(rc, code)), "%s: %s: %s (%s)", where,
                  step->name, apikeys_result_name(rc), apikeys_error_message(stage.world.err));
    step_end(&stage, step, rc, event, where);
    event = last_event(&stage.world, NULL);
    points += failing.struck;
  }
  return points;
}

START_TEST(every_failure_of_the_store_is_passed_on_and_nothing_else_happens) {
  static const int codes[] = {APIKEYS_ERROR_BUSY,
                              APIKEYS_ERROR_STORAGE,
                              APIKEYS_ERROR_STORAGE_FULL,
                              APIKEYS_ERROR_CORRUPT,
                              APIKEYS_ERROR_NO_MEMORY,
                              APIKEYS_ERROR_OUTCOME_UNKNOWN,
                              BREACH};
  long points = 0;
  set_up((enum backend)_i);
  for (size_t i = 0; i < step_count; i++)
    for (size_t j = 0; j < sizeof codes / sizeof codes[0]; j++)
      if (!(steps[i].rotates && codes[j] == APIKEYS_ERROR_OUTCOME_UNKNOWN)) /* see below */
        points += torture(&steps[i], codes[j]);
  world_close(&stage.world);
  ck_assert_int_gt(points, 500);
  printf("%s: %ld failures of the store, each passed on\n",
         _i == BACKEND_SQLITE ? "SQLite" : "memory", points);
}
END_TEST

/* -- What is left of a deleted organization ---------------------------------------------------- */

enum { LEFT_KEYS = 130, LEFT_MEMBERS = 120 };

static void fill_organization(struct world *world, const char *id) {
  char user[32];
  make_role(world, id, "org-role", "");
  for (int i = 0; i < LEFT_MEMBERS; i++) {
    snprintf(user, sizeof user, "user_%d", i);
    make_member(world, id, user, "org-role");
  }
  for (int i = 0; i < LEFT_KEYS; i++) {
    struct made_key key;
    make_key(world, i % 2 == 0 ? key_spec(id, "k", "") : member_key_spec(id, "user_1", "k", ""),
             &key);
  }
}

static size_t memberships_of(struct world *world, const char *user) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_user_id(filter, S(user));
  ck_assert_int_eq(apikeys_member_list(world->env, world->system, filter, page, world->err), 0);
  size_t count = apikeys_page_count(page);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return count;
}

/* The n-th commit of the deletion fails: the organization is not found and its keys are refused all
 * the same if the first one was good, and maintenance takes away the rest. */
START_TEST(what_a_broken_off_deletion_left_is_swept_by_maintenance) {
  struct world *world = &stage.world;
  set_up((enum backend)_i);
  for (long n = 2; n <= 4; n++) {
    char id[64];
    struct made_key key, own;
    make_organization(world, "Large", id);
    fill_organization(world, id);
    make_key(world, key_spec(id, "k", ""), &key);
    make_key(world, member_key_spec(id, "user_2", "k", ""), &own);
    ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_OK);
    ck_assert_int_eq(validate(world, own.value, NULL), APIKEYS_OK);
    failing.commits_only = 1;
    failing.code = APIKEYS_ERROR_BUSY;
    failing.happens = 0;
    failing.struck = 0;
    failing.countdown = n;
    ck_assert_int_eq(apikeys_organization_delete(world->env, world->system, S(id), world->err), 0);
    ck_assert_int_eq(failing.struck, 1);
    failing.countdown = 0;
    failing.commits_only = 0;
    ck_assert_int_gt(validate(world, key.value, NULL), 0);
    ck_assert_int_gt(validate(world, own.value, NULL), 0);
    ck_assert_uint_eq(memberships_of(world, "user_119"), 1);
    apikeys_actor *member = member_actor(id, "user_2");
    ck_assert_int_eq(try_key(world, member, member_key_spec(id, "user_2", "k", ""), NULL),
                     APIKEYS_ERROR_ACTOR_UNKNOWN);
    apikeys_actor_free(member);
    ck_assert_int_eq(apikeys_maintain(world->env, world->err), APIKEYS_OK);
    ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_REVOKED);
    ck_assert_int_eq(validate(world, own.value, NULL), APIKEYS_REVOKED);
    ck_assert_uint_eq(memberships_of(world, "user_119"), 0);
  }
  world_close(world);
}
END_TEST

/* Whoever tries it again meanwhile must not throw away the only file that opens the store. */
START_TEST(a_rotation_in_doubt_is_settled_by_the_next_call_and_the_next_open) {
  struct world *world = &stage.world;
  set_up(BACKEND_SQLITE);
  failing.commits_only = 1;
  failing.code = APIKEYS_ERROR_OUTCOME_UNKNOWN;
  failing.happens = _i;
  failing.countdown = 1;
  ck_assert_int_eq(apikeys_rotate_root_key(world->env, world->system, NULL, 0, 0, world->err),
                   APIKEYS_ERROR_OUTCOME_UNKNOWN);
  ck_assert_int_eq(failing.struck, 1);
  ck_assert_int_eq(validate(world, stage.good.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(apikeys_rotate_root_key(world->env, world->system, NULL, 0, 0, world->err),
                   APIKEYS_OK);
  ck_assert_int_eq(validate(world, stage.good.value, NULL), APIKEYS_OK);
  open_failing(BACKEND_SQLITE);
  ck_assert_int_eq(validate(world, stage.good.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(apikeys_rotate_root_key(world->env, world->system, NULL, 0, 0, world->err),
                   APIKEYS_OK);
  ck_assert_int_eq(validate(world, stage.good.value, NULL), APIKEYS_OK);
  world_close(world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("slot faults");
  TCase *tcase = tcase_create("failing slots");
  tcase_add_loop_test(tcase, every_failure_of_the_store_is_passed_on_and_nothing_else_happens, 0,
                      BACKEND_COUNT);
  tcase_add_loop_test(tcase, what_a_broken_off_deletion_left_is_swept_by_maintenance, 0,
                      BACKEND_COUNT);
  tcase_add_loop_test(tcase, a_rotation_in_doubt_is_settled_by_the_next_call_and_the_next_open, 0,
                      2);
  tcase_set_timeout(tcase, 280);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
