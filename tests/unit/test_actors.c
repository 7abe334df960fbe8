/* SPDX-License-Identifier: MIT */
/*
 * Who acts is asked at each call: what was true when the actor was made counts for nothing. The
 * call that asks here is the listing of an organization's keys.
 */
#include "support/expect.h"

#define MANAGE "widgets:api-keys:manage"

struct company {
  struct world world;
  char organization[64];
};

static void found(struct company *company, int backend) {
  world_open(&company->world, (enum backend)backend);
  make_role(&company->world, "", "manager", MANAGE);
  make_organization(&company->world, "Acme", company->organization);
  make_member(&company->world, company->organization, "ada", "manager");
}

static int act(struct company *company, const apikeys_actor *actor) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_organization_id(filter, S(company->organization));
  int rc = apikeys_key_list(company->world.env, actor, filter, page, company->world.err);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}

static apikeys_actor *token_actor(struct company *company, const char *user_id) {
  struct world *world = &company->world;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  size_t length;
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  apikeys_widget_token_spec_set_organization_id(spec, S(company->organization));
  apikeys_widget_token_spec_set_user_id(spec, S(user_id));
  apikeys_widget_token_spec_add_scope(spec, S(MANAGE));
  ck_assert_int_eq(apikeys_widget_token_create(world->env, world->system, spec, token, sizeof token,
                                               &length, world->err),
                   0);
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_widget_token(world->env, actor, token, length, world->err), 0);
  apikeys_widget_token_spec_free(spec);
  return actor;
}

static apikeys_actor *vouched_actor(struct company *company, const char *permission) {
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_vouched_member(actor, S(company->organization), S("guest")),
                   0);
  if (permission != NULL)
    ck_assert_int_eq(apikeys_actor_add_permission(actor, S(permission)), 0);
  return actor;
}

static apikeys_actor *key_actor(struct company *company, const char *value) {
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(
      apikeys_actor_set_management_key(company->world.env, actor, S(value), company->world.err), 0);
  return actor;
}

static void take_role(struct company *company) {
  apikeys_role *role = apikeys_role_new();
  apikeys_role_set_slug(role, S("manager"));
  apikeys_role_clear_permissions(role);
  ck_assert_int_eq(
      apikeys_role_update(company->world.env, company->world.system, role, company->world.err), 0);
  apikeys_role_free(role);
}

static void set_status(struct company *company, int status) {
  apikeys_member *member = apikeys_member_new();
  apikeys_member_set_organization_id(member, S(company->organization));
  apikeys_member_set_user_id(member, S("ada"));
  apikeys_member_set_status(member, status);
  ck_assert_int_eq(
      apikeys_member_update(company->world.env, company->world.system, member, company->world.err),
      0);
  apikeys_member_free(member);
}

static void delete_member(struct company *company) {
  ck_assert_int_eq(apikeys_member_delete(company->world.env, company->world.system,
                                         S(company->organization), S("ada"), company->world.err),
                   0);
}

static void delete_organization(struct company *company) {
  ck_assert_int_eq(apikeys_organization_delete(company->world.env, company->world.system,
                                               S(company->organization), company->world.err),
                   0);
}

START_TEST(a_new_actor_is_nobody) {
  struct company company;
  found(&company, _i);
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_type(actor), APIKEYS_ACTOR_NOBODY);
  ck_assert_int_eq(apikeys_actor_type(NULL), APIKEYS_ACTOR_NOBODY);
  ck_assert_str_eq(apikeys_actor_organization_id(actor, NULL), "");
  ck_assert_int_eq(act(&company, actor), APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(act(&company, NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_actor_free(actor);
  apikeys_actor_free(NULL);
  world_close(&company.world);
}
END_TEST

START_TEST(an_actor_is_nobody_again) {
  struct company company;
  found(&company, _i);
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_system(actor, S("a test")), 0);
  ck_assert_int_eq(apikeys_actor_set_request_id(actor, S("req_1")), 0);
  ck_assert_int_eq(act(&company, actor), 0);
  ck_assert_int_eq(apikeys_actor_set_nobody(actor), 0);
  ck_assert_int_eq(apikeys_actor_type(actor), APIKEYS_ACTOR_NOBODY);
  ck_assert_int_eq(act(&company, actor), APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(apikeys_actor_set_nobody(NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_actor_free(actor);
  world_close(&company.world);
}
END_TEST

START_TEST(a_member_acts_with_what_their_roles_hold_now) {
  struct company company;
  found(&company, _i);
  apikeys_actor *ada = member_actor(company.organization, "ada");
  apikeys_actor *token = token_actor(&company, "ada");
  ck_assert_int_eq(act(&company, ada), APIKEYS_OK);
  ck_assert_int_eq(act(&company, token), APIKEYS_OK);
  take_role(&company);
  ck_assert_int_eq(act(&company, ada), APIKEYS_ERROR_NOT_ALLOWED);
  ck_assert_int_eq(act(&company, token), APIKEYS_ERROR_NOT_ALLOWED);
  apikeys_actor_free(token);
  apikeys_actor_free(ada);
  world_close(&company.world);
}
END_TEST

START_TEST(only_an_active_member_acts) {
  struct company company;
  found(&company, _i);
  apikeys_actor *ada = member_actor(company.organization, "ada");
  apikeys_actor *stranger = member_actor(company.organization, "eve");
  apikeys_actor *token = token_actor(&company, "ada");
  ck_assert_int_eq(act(&company, stranger), APIKEYS_ERROR_ACTOR_UNKNOWN);
  set_status(&company, APIKEYS_MEMBER_INACTIVE);
  ck_assert_int_eq(act(&company, ada), APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(act(&company, token), APIKEYS_ERROR_ACTOR_UNKNOWN);
  set_status(&company, APIKEYS_MEMBER_PENDING);
  ck_assert_int_eq(act(&company, ada), APIKEYS_ERROR_ACTOR_UNKNOWN);
  set_status(&company, APIKEYS_MEMBER_ACTIVE);
  ck_assert_int_eq(act(&company, ada), APIKEYS_OK);
  ck_assert_int_eq(act(&company, token), APIKEYS_OK);
  delete_member(&company);
  ck_assert_int_eq(act(&company, ada), APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(act(&company, token), APIKEYS_ERROR_ACTOR_UNKNOWN);
  apikeys_actor_free(token);
  apikeys_actor_free(stranger);
  apikeys_actor_free(ada);
  world_close(&company.world);
}
END_TEST

START_TEST(nobody_acts_for_an_organization_that_is_gone) {
  struct company company;
  found(&company, _i);
  apikeys_actor *actors[] = {member_actor(company.organization, "ada"),
                             vouched_actor(&company, MANAGE), token_actor(&company, "ada"),
                             token_actor(&company, "")};
  for (size_t i = 0; i < sizeof actors / sizeof actors[0]; i++)
    ck_assert_int_eq(act(&company, actors[i]), APIKEYS_OK);
  delete_organization(&company);
  for (size_t i = 0; i < sizeof actors / sizeof actors[0]; i++) {
    ck_assert_int_eq(act(&company, actors[i]), APIKEYS_ERROR_ACTOR_UNKNOWN);
    apikeys_actor_free(actors[i]);
  }
  world_close(&company.world);
}
END_TEST

START_TEST(a_vouched_member_holds_what_the_host_says) {
  struct company company;
  found(&company, _i);
  apikeys_actor *plain = vouched_actor(&company, NULL), *manager = vouched_actor(&company, MANAGE);
  ck_assert_int_eq(apikeys_actor_type(manager), APIKEYS_ACTOR_VOUCHED_MEMBER);
  ck_assert_str_eq(apikeys_actor_organization_id(manager, NULL), company.organization);
  ck_assert_str_eq(apikeys_actor_user_id(manager, NULL), "guest");
  ck_assert_int_eq(act(&company, plain), APIKEYS_ERROR_NOT_ALLOWED);
  ck_assert_int_eq(act(&company, manager), APIKEYS_OK);
  ck_assert_int_eq(apikeys_actor_add_permission(manager, S("NO")), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_actor *ada = member_actor(company.organization, "ada");
  ck_assert_int_eq(apikeys_actor_add_permission(ada, S(MANAGE)), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_actor_free(ada);
  apikeys_actor_free(manager);
  apikeys_actor_free(plain);
  world_close(&company.world);
}
END_TEST

START_TEST(a_management_key_acts_while_it_is_good) {
  struct company company;
  struct made_key key;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, management_key_spec("ops", "apikeys:keys:read"), &key);
  apikeys_actor *actor = key_actor(&company, key.value);
  ck_assert_int_eq(apikeys_actor_type(actor), APIKEYS_ACTOR_MANAGEMENT_KEY);
  ck_assert_int_eq(act(&company, actor), APIKEYS_OK);
  ck_assert_int_eq(
      apikeys_key_revoke(world->env, world->system, S(key.id), NULL, 0, NULL, world->err), 0);
  ck_assert_int_eq(act(&company, actor), APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(apikeys_actor_set_management_key(world->env, actor, S(key.value), world->err),
                   APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(apikeys_actor_type(actor), APIKEYS_ACTOR_NOBODY);
  apikeys_actor_free(actor);
  world_close(world);
}
END_TEST

START_TEST(a_management_key_stops_at_its_expiry_and_loses_scopes_at_once) {
  struct company company;
  struct made_key key;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_key_spec *spec = management_key_spec("ops", "apikeys:keys:read");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + 1000);
  make_key(world, spec, &key);
  apikeys_actor *actor = key_actor(&company, key.value);
  spec = apikeys_key_spec_new();
  apikeys_key_spec_clear_permissions(spec);
  world->now_ms += 999;
  ck_assert_int_eq(act(&company, actor), APIKEYS_OK);
  ck_assert_int_eq(apikeys_key_update(world->env, world->system, S(key.id), spec, NULL, world->err),
                   0);
  ck_assert_int_eq(act(&company, actor), APIKEYS_ERROR_NOT_ALLOWED);
  world->now_ms += 1;
  ck_assert_int_eq(act(&company, actor), APIKEYS_ERROR_ACTOR_UNKNOWN);
  apikeys_key_spec_free(spec);
  apikeys_actor_free(actor);
  world_close(world);
}
END_TEST

START_TEST(only_a_management_keys_value_makes_one_act) {
  struct company company;
  struct made_key key;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "k", ""), &key);
  apikeys_actor *actor = apikeys_actor_new();
  static const char *const bad[] = {"", "sk_", "nonsense"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    ck_assert_int_eq(apikeys_actor_set_management_key(world->env, actor, S(bad[i]), world->err),
                     APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(apikeys_actor_set_system(actor, S("x")), 0);
  ck_assert_int_eq(apikeys_actor_set_management_key(world->env, actor, S(key.value), world->err),
                   APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(act(&company, actor), APIKEYS_ERROR_ACTOR_UNKNOWN);
  apikeys_actor_free(actor);
  world_close(world);
}
END_TEST

/* What a session does that somebody signed in to with a management key. */
START_TEST(a_management_key_acts_by_its_id_while_it_is_good) {
  struct company company;
  struct made_key ops, customers;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, management_key_spec("ops", "apikeys:keys:read"), &ops);
  make_key(world, key_spec(company.organization, "k", ""), &customers);
  apikeys_actor *actor = key_actor(&company, ops.value);
  ck_assert_str_eq(apikeys_actor_key_id(actor, NULL), ops.id);
  ck_assert_int_eq(apikeys_actor_set_management_key_by_id(world->env, actor, S(ops.id), world->err),
                   0);
  ck_assert_str_eq(apikeys_actor_key_id(actor, NULL), ops.id);
  ck_assert_int_eq(act(&company, actor), APIKEYS_OK);
  ck_assert_int_eq(
      apikeys_key_revoke(world->env, world->system, S(ops.id), NULL, 0, NULL, world->err), 0);
  ck_assert_int_eq(act(&company, actor), APIKEYS_ERROR_ACTOR_UNKNOWN);
  const char *const bad[] = {ops.id, customers.id, "", "api_key_", "org_x"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    ck_assert_int_eq(apikeys_actor_set_system(actor, S("x")), 0);
    ck_assert_int_eq(
        apikeys_actor_set_management_key_by_id(world->env, actor, S(bad[i]), world->err),
        APIKEYS_ERROR_ACTOR_UNKNOWN);
    ck_assert_int_eq(act(&company, actor), APIKEYS_ERROR_ACTOR_UNKNOWN);
  }
  apikeys_actor_free(actor);
  world_close(world);
}
END_TEST

START_TEST(an_actor_verified_elsewhere_is_unknown_here) {
  struct company here, there;
  struct made_key key;
  found(&here, _i);
  found(&there, _i);
  make_key(&there.world, management_key_spec("ops", "apikeys:keys:read"), &key);
  apikeys_actor *actors[] = {key_actor(&there, key.value), token_actor(&there, "ada")};
  for (size_t i = 0; i < sizeof actors / sizeof actors[0]; i++) {
    ck_assert_int_eq(act(&there, actors[i]), APIKEYS_OK);
    ck_assert_int_eq(act(&here, actors[i]), APIKEYS_ERROR_ACTOR_UNKNOWN);
    apikeys_actor_free(actors[i]);
  }
  world_close(&there.world);
  world_close(&here.world);
}
END_TEST

START_TEST(a_widget_token_stops_at_its_expiry) {
  struct company company;
  found(&company, _i);
  apikeys_actor *actor = token_actor(&company, "ada");
  company.world.now_ms += 3600 * 1000 - 1;
  ck_assert_int_eq(act(&company, actor), APIKEYS_OK);
  company.world.now_ms += 1;
  ck_assert_int_eq(act(&company, actor), APIKEYS_ERROR_TOKEN_EXPIRED);
  apikeys_actor_free(actor);
  world_close(&company.world);
}
END_TEST

static void expect_nobody(struct company *company, apikeys_actor *actor, int rc) {
  ck_assert_int_eq(rc, APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_actor_type(actor), APIKEYS_ACTOR_NOBODY);
  ck_assert_int_eq(act(company, actor), APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(apikeys_actor_set_system(actor, S("again")), 0);
}

START_TEST(a_failed_setter_leaves_nobody) {
  struct company company;
  found(&company, _i);
  const char *id = company.organization;
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_system(actor, long_text(255), 255), 0);
  expect_nobody(&company, actor, apikeys_actor_set_system(actor, "", 0));
  expect_nobody(&company, actor, apikeys_actor_set_system(actor, NULL, 4));
  expect_nobody(&company, actor, apikeys_actor_set_system(actor, long_text(256), 256));
  for (size_t i = 0; i < bad_text_count; i++) {
    const struct bad_text *bad = &bad_texts[i];
    expect_nobody(&company, actor, apikeys_actor_set_system(actor, bad->text, bad->length));
    expect_nobody(&company, actor, apikeys_actor_set_member(actor, S(id), bad->text, bad->length));
  }
  expect_nobody(&company, actor, apikeys_actor_set_member(actor, S(id), "", 0));
  expect_nobody(&company, actor, apikeys_actor_set_member(actor, S(id), NULL, 3));
  expect_nobody(&company, actor, apikeys_actor_set_member(actor, NULL, 30, S("ada")));
  expect_nobody(&company, actor, apikeys_actor_set_member(actor, S("org_x"), S("ada")));
  expect_nobody(&company, actor, apikeys_actor_set_member(actor, S(id), S("a b")));
  expect_nobody(&company, actor, apikeys_actor_set_member(actor, S(id), long_text(129), 129));
  expect_nobody(&company, actor, apikeys_actor_set_vouched_member(actor, S(id), "a\0b", 3));
  ck_assert_int_eq(apikeys_actor_set_member(actor, S(id), long_text(128), 128), 0);
  ck_assert_int_eq(apikeys_actor_set_system(NULL, S("x")), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_actor_free(actor);
  world_close(&company.world);
}
END_TEST

START_TEST(events_keep_what_the_actor_said_until_it_is_somebody_else) {
  struct company company;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_actor *actor = member_actor(company.organization, "ada");
  apikeys_actor_set_request_id(actor, S("req-1"));
  apikeys_actor_set_address(actor, S("192.0.2.7"));
  apikeys_actor_set_user_agent(actor, S("curl/8"));
  ck_assert_int_eq(apikeys_actor_set_address(actor, S("two\nlines")),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_actor_set_address(actor, long_text(256), 256),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_actor_set_address(actor, S("192.0.2.7")), 0);
  for (int turn = 0; turn < 2; turn++) {
    apikeys_filter *filter = apikeys_filter_new();
    apikeys_page *page = apikeys_page_new();
    ck_assert_int_eq(try_key(world, actor, key_spec(company.organization, "k", ""), NULL), 0);
    apikeys_filter_set_order(filter, APIKEYS_ORDER_NEWEST_FIRST);
    ck_assert_int_eq(apikeys_event_list(world->env, world->system, filter, page, world->err), 0);
    const apikeys_event *event = apikeys_page_event(page, 0);
    ck_assert_int_eq(apikeys_event_actor_type(event), APIKEYS_ACTOR_MEMBER);
    ck_assert_str_eq(apikeys_event_actor_id(event, NULL), "ada");
    ck_assert_str_eq(apikeys_event_request_id(event, NULL), turn == 0 ? "req-1" : "");
    ck_assert_str_eq(apikeys_event_address(event, NULL), turn == 0 ? "192.0.2.7" : "");
    ck_assert_str_eq(apikeys_event_user_agent(event, NULL), turn == 0 ? "curl/8" : "");
    ck_assert_int_eq(apikeys_actor_set_member(actor, S(company.organization), S("ada")), 0);
    apikeys_page_free(page);
    apikeys_filter_free(filter);
  }
  apikeys_actor_free(actor);
  world_close(world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_new_actor_is_nobody,
      an_actor_is_nobody_again,
      a_member_acts_with_what_their_roles_hold_now,
      only_an_active_member_acts,
      nobody_acts_for_an_organization_that_is_gone,
      a_vouched_member_holds_what_the_host_says,
      a_management_key_acts_while_it_is_good,
      a_management_key_stops_at_its_expiry_and_loses_scopes_at_once,
      only_a_management_keys_value_makes_one_act,
      a_management_key_acts_by_its_id_while_it_is_good,
      an_actor_verified_elsewhere_is_unknown_here,
      a_widget_token_stops_at_its_expiry,
      a_failed_setter_leaves_nobody,
      events_keep_what_the_actor_said_until_it_is_somebody_else,
  };
  return RUN_ON_EACH_BACKEND("actors", tests);
}
