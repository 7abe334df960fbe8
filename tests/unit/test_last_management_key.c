/* SPDX-License-Identifier: MIT */
/* The last management key that can make others is let go of by the system alone. */
#include "support/deeds.h"
#include "support/suite.h"

#define ALL "apikeys:management-keys:read apikeys:management-keys:write apikeys:keys:read"

struct office {
  struct world world;
  struct made_key key;
  apikeys_actor *ops;
};

static void setup(struct office *office, int backend) {
  world_open(&office->world, (enum backend)backend);
  office->ops = management_actor(&office->world, ALL, &office->key);
}

static void teardown(struct office *office) {
  apikeys_actor_free(office->ops);
  world_close(&office->world);
}

static int revoke(struct office *office, const apikeys_actor *actor, const char *id) {
  return apikeys_key_revoke(office->world.env, actor, S(id), NULL, 0, NULL, office->world.err);
}

static int expire(struct office *office, const apikeys_actor *actor, const char *id,
                  int64_t at_ms) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_expires_at_ms(spec, at_ms);
  int rc = apikeys_key_update(office->world.env, actor, S(id), spec, NULL, office->world.err);
  apikeys_key_spec_free(spec);
  return rc;
}

static int take_scope(struct office *office, const apikeys_actor *actor, const char *id) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_clear_permissions(spec);
  apikeys_key_spec_add_permission(spec, S("apikeys:keys:read"));
  int rc = apikeys_key_update(office->world.env, actor, S(id), spec, NULL, office->world.err);
  apikeys_key_spec_free(spec);
  return rc;
}

static void expect_kept(struct office *office, int rc) {
  ck_assert_int_eq(rc, APIKEYS_ERROR_LAST_MANAGEMENT_KEY);
  ck_assert_str_eq(apikeys_error_subject(office->world.err), office->key.id);
  apikeys_actor *again = apikeys_actor_new();
  ok(&office->world, apikeys_actor_set_management_key(office->world.env, again,
                                                      S(office->key.value), office->world.err));
  apikeys_actor_free(again);
}

START_TEST(it_is_not_let_go_of) {
  struct office office;
  setup(&office, _i);
  const char *id = office.key.id;
  expect_kept(&office, revoke(&office, office.ops, id));
  expect_kept(&office, expire(&office, office.ops, id, 1));
  expect_kept(&office, expire(&office, office.ops, id, office.world.now_ms + DAY_MS));
  expect_kept(&office, take_scope(&office, office.ops, id));
  teardown(&office);
}
END_TEST

/* Neither a key without the scope, nor one that ends, nor a revoked one is a way back. */
START_TEST(lesser_keys_do_not_count) {
  struct office office;
  struct made_key other;
  setup(&office, _i);
  make_key(&office.world, management_key_spec("reads", "apikeys:management-keys:read"), &other);
  make_key(&office.world, management_key_spec("revoked", ALL), &other);
  ok(&office.world, revoke(&office, office.ops, other.id));
  apikeys_key_spec *spec = management_key_spec("ends", ALL);
  apikeys_key_spec_set_expires_at_ms(spec, office.world.now_ms + DAY_MS);
  make_key(&office.world, spec, &other);
  expect_kept(&office, revoke(&office, office.ops, office.key.id));
  teardown(&office);
}
END_TEST

START_TEST(with_another_one_it_may_go) {
  struct office office;
  struct made_key other;
  setup(&office, _i);
  make_key(&office.world, management_key_spec("other", ALL), &other);
  ok(&office.world, revoke(&office, office.ops, office.key.id));
  teardown(&office);
}
END_TEST

START_TEST(the_system_may_let_go_of_it) {
  struct office office;
  setup(&office, _i);
  ok(&office.world, revoke(&office, office.world.system, office.key.id));
  teardown(&office);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("last management key");
  TCase *tests = tcase_create("last management key");
  tcase_add_loop_test(tests, it_is_not_let_go_of, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, lesser_keys_do_not_count, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, with_another_one_it_may_go, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, the_system_may_let_go_of_it, 0, BACKEND_COUNT);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
