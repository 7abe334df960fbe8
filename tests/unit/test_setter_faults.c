/* SPDX-License-Identifier: MIT */
/*
 * A setter that fails is remembered: the call that uses the object names the field and the reason.
 * A later good set of the same field clears it; a good add does not make up for a bad one.
 */
#include "support/deeds.h"
#include "support/expect.h"
#include "support/suite.h"


enum { BAD = APIKEYS_ERROR_INVALID_ARGUMENT };

struct fixture {
  struct world world;
  char organization[64];
  apikeys_page *page;
};

static void setup(struct fixture *f) {
  world_open(&f->world, BACKEND_MEMORY);
  make_permission(&f->world, "posts:read", 1, 1);
  make_organization(&f->world, "Acme", f->organization);
  f->page = apikeys_page_new();
}

static void teardown(struct fixture *f) {
  apikeys_page_free(f->page);
  world_close(&f->world);
}

static int list(struct fixture *f, const apikeys_filter *filter) {
  return apikeys_event_list(f->world.env, f->world.system, filter, f->page, f->world.err);
}

START_TEST(a_filter_names_the_field_and_is_mended) {
  struct fixture f;
  setup(&f);
  apikeys_filter *filter = apikeys_filter_new();
  ck_assert_int_eq(apikeys_filter_set_limit(filter, 1000), BAD);
  ck_assert_int_eq(apikeys_filter_set_order(filter, 7), BAD);
  expect_failure(&f.world, list(&f, filter), BAD, "limit");
  ck_assert_str_eq(apikeys_error_message(f.world.err), "limit: must be 1 to 100");
  ck_assert_int_eq(apikeys_filter_set_limit(filter, 100), 0);
  expect_failure(&f.world, list(&f, filter), BAD, "order"); /* the second one is not lost */
  ck_assert_int_eq(apikeys_filter_set_order(filter, APIKEYS_ORDER_OLDEST_FIRST), 0);
  ck_assert_int_eq(list(&f, filter), 0);
  ck_assert_int_eq(apikeys_filter_set_organization_id(filter, S("a b")), BAD);
  expect_failure(&f.world, list(&f, filter), BAD, "organization_id");
  ck_assert_int_eq(apikeys_filter_set_organization_id(filter, NULL, 0), 0);
  ck_assert_int_eq(list(&f, filter), 0);
  apikeys_filter_free(filter);
  teardown(&f);
}
END_TEST

START_TEST(a_good_add_does_not_make_up_for_a_bad_one) {
  struct fixture f;
  setup(&f);
  apikeys_filter *filter = apikeys_filter_new();
  ck_assert_int_eq(apikeys_filter_add_event_type(filter, S("BAD TYPE")), BAD);
  ck_assert_int_eq(apikeys_filter_add_event_type(filter, S("api_key.created")), 0);
  expect_failure(&f.world, list(&f, filter), BAD, "event_types");
  apikeys_filter_clear(filter);
  ck_assert_int_eq(list(&f, filter), 0);
  apikeys_filter_free(filter);

  apikeys_key_spec *spec = apikeys_key_spec_new();
  ck_assert_int_eq(apikeys_key_spec_set_organization(spec, S(f.organization)), 0);
  ck_assert_int_eq(apikeys_key_spec_set_name(spec, S("CI")), 0);
  ck_assert_int_eq(apikeys_key_spec_add_permission(spec, S("posts read")), BAD);
  ck_assert_int_eq(apikeys_key_spec_add_permission(spec, S("posts:read")), 0);
  char value[APIKEYS_VALUE_MAX];
  expect_failure(&f.world,
                 apikeys_key_create(f.world.env, f.world.system, spec, NULL, value, sizeof value,
                                    NULL, f.world.err),
                 BAD, "permissions");
  ck_assert_int_eq(apikeys_key_spec_set_permissions(spec, S("posts:read")), 0);
  ck_assert_int_eq(apikeys_key_create(f.world.env, f.world.system, spec, NULL, value, sizeof value,
                                      NULL, f.world.err),
                   0);
  apikeys_key_spec_free(spec);

  apikeys_organization *organization = apikeys_organization_new();
  ck_assert_int_eq(apikeys_organization_set_name(organization, S("Other")), 0);
  ck_assert_int_eq(apikeys_organization_add_domain(organization, S("no domain")), BAD);
  ck_assert_int_eq(apikeys_organization_add_domain(organization, S("acme.example")), 0);
  expect_failure(
      &f.world, apikeys_organization_create(f.world.env, f.world.system, organization, f.world.err),
      BAD, "domains");
  ck_assert_int_eq(apikeys_organization_clear_domains(organization), 0);
  ck_assert_int_eq(apikeys_organization_set_metadata(organization, S("a b"), S("1")), BAD);
  ck_assert_int_eq(apikeys_organization_set_metadata(organization, S("plan"), S("1")), 0);
  expect_failure(
      &f.world, apikeys_organization_create(f.world.env, f.world.system, organization, f.world.err),
      BAD, "metadata");
  apikeys_organization_free(organization);
  teardown(&f);
}
END_TEST

START_TEST(more_faults_than_are_kept_are_not_forgotten) {
  struct fixture f;
  setup(&f);
  apikeys_filter *filter = apikeys_filter_new();
  ck_assert_int_eq(apikeys_filter_set_limit(filter, 0), BAD);
  ck_assert_int_eq(apikeys_filter_set_order(filter, 0), BAD);
  ck_assert_int_eq(apikeys_filter_set_search(filter, NULL, 1), BAD);
  ck_assert_int_eq(apikeys_filter_set_revoked(filter, 2), BAD);
  ck_assert_int_eq(apikeys_filter_set_owner_type(filter, 99), BAD);
  ck_assert_int_eq(apikeys_filter_set_limit(filter, 1), 0);
  ck_assert_int_eq(apikeys_filter_set_order(filter, APIKEYS_ORDER_NEWEST_FIRST), 0);
  ck_assert_int_eq(apikeys_filter_set_search(filter, NULL, 0), 0);
  ck_assert_int_eq(apikeys_filter_set_revoked(filter, 0), 0);
  ck_assert_int_eq(list(&f, filter), BAD);
  apikeys_filter_clear(filter);
  ck_assert_int_eq(list(&f, filter), 0);
  apikeys_filter_free(filter);
  teardown(&f);
}
END_TEST

START_TEST(an_idempotency_key_that_was_refused_is_not_left_out) {
  struct fixture f;
  setup(&f);
  char value[APIKEYS_VALUE_MAX];
  apikeys_key_spec *spec = key_spec(f.organization, "CI", "");
  ck_assert_int_eq(apikeys_key_spec_set_idempotency_key(spec, S("a\nb")), BAD);
  expect_failure(&f.world,
                 apikeys_key_create(f.world.env, f.world.system, spec, NULL, value, sizeof value,
                                    NULL, f.world.err),
                 BAD, "idempotency_key");
  ck_assert_int_eq(apikeys_key_spec_set_idempotency_key(spec, S("ab")), 0);
  ck_assert_int_eq(apikeys_key_create(f.world.env, f.world.system, spec, NULL, value, sizeof value,
                                      NULL, f.world.err),
                   0);
  apikeys_key_spec_free(spec);
  teardown(&f);
}
END_TEST

START_TEST(a_requirement_names_the_field) {
  struct fixture f;
  setup(&f);
  struct made_key key;
  make_key(&f.world, key_spec(f.organization, "CI", "posts:read"), &key);
  apikeys_requirement *need = apikeys_requirement_new();
  ck_assert_int_eq(apikeys_requirement_set_accept_management_keys(need, 2), BAD);
  ck_assert_int_eq(apikeys_requirement_set_accept_management_keys(need, 0), 0);
  ck_assert_int_eq(apikeys_requirement_add_permission(need, S("posts:read")), 0);
  ck_assert_int_eq(apikeys_validate(f.world.env, S(key.value), need, NULL, NULL, f.world.err), 0);
  apikeys_requirement_free(need);

  need = apikeys_requirement_new();
  ck_assert_int_eq(apikeys_requirement_add_permission(need, S("posts read")), BAD);
  ck_assert_int_eq(apikeys_requirement_add_permission(need, S("posts:read")), 0);
  for (int i = 0; i < 3; i++) /* from the store, and from memory */
    expect_failure(&f.world,
                   apikeys_validate(f.world.env, S(key.value), need, NULL, NULL, f.world.err), BAD,
                   "permissions");
  apikeys_requirement_free(need);
  teardown(&f);
}
END_TEST

START_TEST(a_request_names_the_field_and_is_mended) {
  struct fixture f;
  setup(&f);
  struct made_key key;
  make_key(&f.world, key_spec(f.organization, "CI", "posts:read"), &key);
  const char *values[] = {key.value};
  const size_t lengths[] = {APIKEYS_NUL};
  int results[1];
  apikeys_request *request = apikeys_request_new();
  ck_assert_int_eq(apikeys_request_set_time_ms(request, -1), BAD);
  expect_failure(&f.world,
                 apikeys_validate(f.world.env, S(key.value), NULL, request, NULL, f.world.err), BAD,
                 "time_ms");
  expect_failure(&f.world,
                 apikeys_validate_many(f.world.env, values, lengths, 1, NULL, request, NULL,
                                       results, f.world.err),
                 BAD, "time_ms");
  ck_assert_int_eq(results[0], BAD);
  ck_assert_int_eq(apikeys_request_set_time_ms(request, 0), 0);
  ck_assert_int_eq(apikeys_request_set_address(request, S("a\nb")), BAD);
  expect_failure(&f.world,
                 apikeys_validate(f.world.env, S(key.value), NULL, request, NULL, f.world.err), BAD,
                 "address");
  ck_assert_int_eq(apikeys_request_set_address(request, S("192.0.2.7")), 0);
  ck_assert_int_eq(apikeys_validate(f.world.env, S(key.value), NULL, request, NULL, f.world.err),
                   0);
  apikeys_request_free(request);
  teardown(&f);
}
END_TEST

START_TEST(an_actor_names_the_field_and_is_mended) {
  struct fixture f;
  setup(&f);
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_member(actor, S(f.organization), S("a b")), BAD);
  expect_failure(&f.world, apikeys_event_list(f.world.env, actor, NULL, f.page, f.world.err),
                 APIKEYS_ERROR_ACTOR_UNKNOWN, "user_id");
  ck_assert_int_eq(apikeys_actor_set_system(actor, S("a test")), 0);
  ck_assert_int_eq(apikeys_actor_set_address(actor, S("a\nb")), BAD);
  expect_failure(&f.world, apikeys_event_list(f.world.env, actor, NULL, f.page, f.world.err), BAD,
                 "address");
  ck_assert_int_eq(apikeys_actor_set_address(actor, S("192.0.2.7")), 0);
  ck_assert_int_eq(apikeys_event_list(f.world.env, actor, NULL, f.page, f.world.err), 0);
  ck_assert_int_eq(apikeys_actor_set_vouched_member(actor, S(f.organization), S("ada")), 0);
  ck_assert_int_eq(apikeys_actor_add_permission(actor, S("posts read")), BAD);
  ck_assert_int_eq(apikeys_actor_add_permission(actor, S("posts:read")), 0);
  expect_failure(&f.world, apikeys_event_list(f.world.env, actor, NULL, f.page, f.world.err), BAD,
                 "permissions");
  apikeys_actor_free(actor);
  teardown(&f);
}
END_TEST

START_TEST(a_widget_token_specification_names_the_field_and_is_mended) {
  struct fixture f;
  setup(&f);
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  ck_assert_int_eq(apikeys_widget_token_spec_set_organization_id(spec, S(f.organization)), 0);
  ck_assert_int_eq(apikeys_widget_token_spec_set_lifetime_ms(spec, 1), BAD);
  expect_failure(&f.world,
                 apikeys_widget_token_create(f.world.env, f.world.system, spec, token, sizeof token,
                                             NULL, f.world.err),
                 BAD, "lifetime_ms");
  ck_assert_int_eq(apikeys_widget_token_spec_set_lifetime_ms(spec, 60000), 0);
  ck_assert_int_eq(apikeys_widget_token_create(f.world.env, f.world.system, spec, token,
                                               sizeof token, NULL, f.world.err),
                   0);
  ck_assert_int_eq(apikeys_widget_token_spec_add_scope(spec, S("posts:read")), BAD);
  ck_assert_int_eq(apikeys_widget_token_spec_add_scope(spec, S("widgets:api-keys:manage")), 0);
  expect_failure(&f.world,
                 apikeys_widget_token_create(f.world.env, f.world.system, spec, token, sizeof token,
                                             NULL, f.world.err),
                 BAD, "scopes");
  apikeys_widget_token_spec_free(spec);
  teardown(&f);
}
END_TEST

START_TEST(removing_one_cursor_leaves_the_other) {
  struct fixture f;
  setup(&f);
  apikeys_filter *filter = apikeys_filter_new();
  ck_assert_int_eq(apikeys_filter_set_after(filter, S("event_of_no_such_id")), 0);
  ck_assert_int_eq(apikeys_filter_set_before(filter, S("x")), BAD);
  ck_assert_int_eq(apikeys_filter_set_before(filter, NULL, 0), 0);
  expect_failure(&f.world, list(&f, filter), APIKEYS_ERROR_CURSOR_UNKNOWN, "cursor");
  apikeys_filter_free(filter);
  teardown(&f);
}
END_TEST

int main(void) {
  Suite *s = suite_create("setter_faults");
  TCase *tc = tcase_create("setter_faults");
  tcase_add_test(tc, a_filter_names_the_field_and_is_mended);
  tcase_add_test(tc, a_good_add_does_not_make_up_for_a_bad_one);
  tcase_add_test(tc, more_faults_than_are_kept_are_not_forgotten);
  tcase_add_test(tc, an_idempotency_key_that_was_refused_is_not_left_out);
  tcase_add_test(tc, a_requirement_names_the_field);
  tcase_add_test(tc, a_request_names_the_field_and_is_mended);
  tcase_add_test(tc, an_actor_names_the_field_and_is_mended);
  tcase_add_test(tc, a_widget_token_specification_names_the_field_and_is_mended);
  tcase_add_test(tc, removing_one_cursor_leaves_the_other);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
