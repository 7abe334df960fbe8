/* SPDX-License-Identifier: MIT */
/* A clock that is set back revives nothing, and one that jumps is told of. */
#include "support/deeds.h"
#include "support/suite.h"

#include <stdlib.h>

#define MANAGE "widgets:api-keys:manage"

struct company {
  struct world world;
  char organization[64];
};

static void setup(struct company *company, int backend) {
  world_open(&company->world, (enum backend)backend);
  make_posts(&company->world);
  make_role(&company->world, "", "manager", MANAGE);
  make_organization(&company->world, "Acme", company->organization);
  make_member(&company->world, company->organization, "ada", "manager");
}

static void teardown(struct company *company) {
  world_close(&company->world);
}

START_TEST(an_expired_management_key_stays_expired) {
  struct company company;
  setup(&company, _i);
  struct world *world = &company.world;
  struct made_key key;
  apikeys_key_spec *spec = management_key_spec("ops", "apikeys:keys:read");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + HOUR_MS);
  make_key(world, spec, &key);
  apikeys_actor *actor = apikeys_actor_new();
  ok(world, apikeys_actor_set_management_key_by_id(world->env, actor, S(key.id), world->err));
  world->now_ms += HOUR_MS;
  ck_assert_int_eq(apikeys_actor_set_management_key_by_id(world->env, actor, S(key.id), world->err),
                   APIKEYS_ERROR_ACTOR_UNKNOWN);
  world->now_ms -= HOUR_MS;
  ck_assert_int_eq(apikeys_actor_set_management_key_by_id(world->env, actor, S(key.id), world->err),
                   APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(apikeys_actor_set_management_key(world->env, actor, S(key.value), world->err),
                   APIKEYS_ERROR_ACTOR_UNKNOWN);
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

static void make_token(struct company *company, char token[APIKEYS_WIDGET_TOKEN_MAX]) {
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  apikeys_widget_token_spec_set_organization_id(spec, S(company->organization));
  apikeys_widget_token_spec_set_user_id(spec, S("ada"));
  apikeys_widget_token_spec_add_scope(spec, S(MANAGE));
  ok(&company->world,
     apikeys_widget_token_create(company->world.env, company->world.system, spec, token,
                                 APIKEYS_WIDGET_TOKEN_MAX, NULL, company->world.err));
  apikeys_widget_token_spec_free(spec);
}

static int set_token(struct company *company, apikeys_actor *actor, const char *token) {
  return apikeys_actor_set_widget_token(company->world.env, actor, S(token), company->world.err);
}

START_TEST(an_expired_widget_token_stays_expired) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, _i);
  struct world *world = &company.world;
  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  ok(world, set_token(&company, actor, token));
  world->now_ms += HOUR_MS;
  ck_assert_int_eq(set_token(&company, actor, token), APIKEYS_ERROR_TOKEN_EXPIRED);
  world->now_ms -= HOUR_MS / 2;
  ck_assert_int_eq(set_token(&company, actor, token), APIKEYS_ERROR_TOKEN_EXPIRED);
  make_token(&company, token);
  world->now_ms += HOUR_MS;
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

/* The actor that it made, too. */
START_TEST(an_actor_by_an_expired_token_stays_refused) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, _i);
  struct world *world = &company.world;
  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  ok(world, set_token(&company, actor, token));
  ok(world, try_key(world, actor, key_spec(company.organization, "k", ""), NULL));
  world->now_ms += HOUR_MS;
  ck_assert_int_eq(try_key(world, actor, key_spec(company.organization, "k", ""), NULL),
                   APIKEYS_ERROR_TOKEN_EXPIRED);
  world->now_ms -= HOUR_MS;
  ck_assert_int_eq(try_key(world, actor, key_spec(company.organization, "k", ""), NULL),
                   APIKEYS_ERROR_TOKEN_EXPIRED);
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

START_TEST(a_widget_token_is_refused_before_it_was_issued) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, _i);
  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  company.world.now_ms -= 60 * 1000;
  ok(&company.world, set_token(&company, actor, token)); /* a minute's leeway */
  company.world.now_ms -= 30 * (int64_t)DAY_MS;
  ck_assert_int_eq(set_token(&company, actor, token), APIKEYS_ERROR_TOKEN_INVALID);
  apikeys_actor_free(actor);
  teardown(&company);
}
END_TEST

START_TEST(an_idle_key_stays_refused) {
  struct company company;
  struct made_key key;
  setup(&company, _i);
  struct world *world = &company.world;
  change_setting(world, apikeys_settings_set_idle_lifetime_ms, DAY_MS);
  make_key(world, key_spec(company.organization, "k", ""), &key);
  ok(world, validate(world, key.value, NULL));
  world->now_ms += 2 * (int64_t)DAY_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_REVOKED);
  world->now_ms -= 2 * (int64_t)DAY_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_REVOKED);
  teardown(&company);
}
END_TEST

START_TEST(a_document_that_expired_does_not_come_back) {
  struct company company;
  setup(&company, _i);
  struct world *world = &company.world;
  apikeys_document *document = apikeys_document_new();
  apikeys_document_set_collection(document, S("sessions"));
  apikeys_document_set_id(document, S("one"));
  apikeys_document_set_expires_at_ms(document, world->now_ms + HOUR_MS);
  ok(world, apikeys_document_create(world->env, world->system, document, world->err));
  for (int i = 0; i < 2; i++) {
    world->now_ms += i == 0 ? HOUR_MS : -HOUR_MS;
    ck_assert_int_eq(apikeys_document_get(world->env, world->system, S("sessions"), S("one"),
                                          document, world->err),
                     APIKEYS_ERROR_NOT_FOUND);
  }
  apikeys_document_free(document);
  teardown(&company);
}
END_TEST

/* As with the kernel's coarse clock, which lags behind the one that dated the key. */
START_TEST(use_is_never_before_creation) {
  struct company company;
  struct made_key key;
  setup(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "k", ""), &key);
  int64_t created_at = world->now_ms;
  for (int i = 0; i < 2; i++) { /* by the store, then from memory */
    world->now_ms = created_at - 4;
    ok(world, validate(world, key.value, NULL));
    apikeys_key *got = get_key(world, key.id);
    ck_assert_int_ge(apikeys_key_last_used_at_ms(got), created_at);
    apikeys_key_free(got);
  }
  teardown(&company);
}
END_TEST

struct lines {
  int forward, back;
};

static void count_lines(int level, const char *message, size_t length, void *data) {
  struct lines *lines = data;
  (void)length;
  lines->forward += level == APIKEYS_LOG_WARNING && strstr(message, "jumped forward") != NULL;
  lines->back += level == APIKEYS_LOG_WARNING && strstr(message, "was set back") != NULL;
}

START_TEST(a_jump_of_the_clock_is_logged) {
  struct world world;
  struct lines lines = {0};
  world_open(&world, BACKEND_SQLITE);
  ok(&world, apikeys_options_set_log(world.options, count_lines, &lines, NULL));
  world_reopen(&world);
  ok(&world, apikeys_maintain(world.env, world.err));
  world.now_ms += 30 * 1000; /* as a correction by the network's time may be */
  ok(&world, apikeys_maintain(world.env, world.err));
  ck_assert_int_eq(lines.forward + lines.back, 0);
  world.now_ms += DAY_MS;
  ok(&world, apikeys_maintain(world.env, world.err));
  ck_assert_int_eq(lines.forward, 1);
  world.now_ms -= DAY_MS;
  ok(&world, apikeys_maintain(world.env, world.err));
  ck_assert_int_eq(lines.forward, 1);
  ck_assert_int_eq(lines.back, 1);
  world_close(&world);
}
END_TEST

/* A key that a forward glitch makes expire must not take with it what is made afterwards. */
START_TEST(a_forward_glitch_concerns_one_kind_of_deadline) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  setup(&company, _i);
  struct world *world = &company.world;
  struct made_key key, later;
  apikeys_key_spec *spec = key_spec(company.organization, "year", "posts:read");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + INT64_C(365) * 24 * HOUR_MS);
  make_key(world, spec, &key);
  world->now_ms += INT64_C(366) * 24 * HOUR_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_EXPIRED);
  world->now_ms -= INT64_C(366) * 24 * HOUR_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_EXPIRED);

  apikeys_actor *actor = apikeys_actor_new();
  make_token(&company, token);
  ok(world, set_token(&company, actor, token));
  apikeys_actor_free(actor);

  apikeys_document *document = apikeys_document_new();
  apikeys_document_set_collection(document, S("answers"));
  apikeys_document_set_id(document, S("one"));
  apikeys_document_set_body(document, S("{}"));
  apikeys_document_set_expires_at_ms(document, world->now_ms + HOUR_MS);
  ok(world, apikeys_document_create(world->env, world->system, document, world->err));
  ok(world,
     apikeys_document_get(world->env, world->system, S("answers"), S("one"), document, world->err));
  apikeys_document_free(document);

  make_key(world, key_spec(company.organization, "for good", "posts:read"), &later);
  ck_assert_int_eq(validate(world, later.value, "posts:read"), 0);
  teardown(&company);
}
END_TEST

/* Changes go by the same rule as validations. */
START_TEST(a_change_does_not_revive_what_has_expired) {
  struct company company;
  setup(&company, _i);
  struct world *world = &company.world;
  struct made_key key;
  apikeys_key_spec *spec = key_spec(company.organization, "hour", "posts:read");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + HOUR_MS);
  make_key(world, spec, &key);
  world->now_ms += HOUR_MS;
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_EXPIRED);
  world->now_ms -= HOUR_MS / 2;
  apikeys_key_spec *change = apikeys_key_spec_new();
  apikeys_key_spec_set_expires_at_ms(change, world->now_ms + 2 * HOUR_MS);
  ck_assert_int_eq(
      apikeys_key_update(world->env, world->system, S(key.id), change, NULL, world->err),
      APIKEYS_ERROR_ALREADY_EXPIRED);
  apikeys_key_spec_free(change);
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_EXPIRED);
  teardown(&company);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("clock");
  TCase *tests = tcase_create("clock");
  tcase_add_loop_test(tests, an_expired_management_key_stays_expired, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_expired_widget_token_stays_expired, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_actor_by_an_expired_token_stays_refused, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, a_widget_token_is_refused_before_it_was_issued, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, an_idle_key_stays_refused, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, a_document_that_expired_does_not_come_back, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, use_is_never_before_creation, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, a_forward_glitch_concerns_one_kind_of_deadline, 0, BACKEND_COUNT);
  tcase_add_loop_test(tests, a_change_does_not_revive_what_has_expired, 0, BACKEND_COUNT);
  tcase_add_test(tests, a_jump_of_the_clock_is_logged);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
