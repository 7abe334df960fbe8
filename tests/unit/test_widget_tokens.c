/* SPDX-License-Identifier: MIT */
#include "support/expect.h"

#include <stdio.h>

#define MANAGE "widgets:api-keys:manage"
#define MANAGE_SELF "widgets:user-api-keys:manage-self"

struct company {
  struct world world;
  char organization[64];
};

static void found(struct company *company, int backend) {
  world_open(&company->world, (enum backend)backend);
  make_role(&company->world, "", "manager", MANAGE);
  make_organization(&company->world, "Acme", company->organization);
  make_member(&company->world, company->organization, "ada", "manager");
  make_member(&company->world, company->organization, "bob", NULL);
}

/* `user` and `scope` may be NULL. */
static apikeys_widget_token_spec *spec_for(const struct company *company, const char *user,
                                           const char *scope) {
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  ck_assert_int_eq(apikeys_widget_token_spec_set_organization_id(spec, S(company->organization)),
                   0);
  if (user != NULL)
    ck_assert_int_eq(apikeys_widget_token_spec_set_user_id(spec, S(user)), 0);
  if (scope != NULL)
    ck_assert_int_eq(apikeys_widget_token_spec_add_scope(spec, S(scope)), 0);
  return spec;
}

/* Frees the specification. */
static int try_token(struct company *company, apikeys_widget_token_spec *spec,
                     char token[APIKEYS_WIDGET_TOKEN_MAX]) {
  size_t length = 0;
  int rc = apikeys_widget_token_create(company->world.env, company->world.system, spec, token,
                                       APIKEYS_WIDGET_TOKEN_MAX, &length, company->world.err);
  if (rc == APIKEYS_OK)
    ck_assert_uint_eq(strlen(token), length);
  apikeys_widget_token_spec_free(spec);
  return rc;
}

static void make_token(struct company *company, const char *user, const char *scope,
                       char token[APIKEYS_WIDGET_TOKEN_MAX]) {
  ck_assert_int_eq(try_token(company, spec_for(company, user, scope), token), 0);
}

/* Verifies it and creates an organization's key with it: the first failure of the two. */
static int use_token(struct company *company, const char *token, size_t length) {
  apikeys_actor *actor = apikeys_actor_new();
  int rc =
      apikeys_actor_set_widget_token(company->world.env, actor, token, length, company->world.err);
  ck_assert_int_eq(apikeys_actor_type(actor),
                   rc == 0 ? APIKEYS_ACTOR_WIDGET_TOKEN : APIKEYS_ACTOR_NOBODY);
  if (rc == APIKEYS_OK)
    rc = try_key(&company->world, actor, key_spec(company->organization, "k", ""), NULL);
  apikeys_actor_free(actor);
  return rc;
}

/* One part of the token as a browser's atob() reads it: without '-' and '_'. */
static void decode_part(const char *token, int part, char *out) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (part-- > 0)
    token = strchr(token, '.') + 1;
  unsigned pool = 0;
  int bits = 0;
  for (size_t i = 0, length = strcspn(token, "."); i < length; i++) {
    const char *digit = strchr(digits, token[i]);
    ck_assert_msg(digit != NULL, "atob() would not take %c", token[i]);
    pool = (pool << 6 | (unsigned)(digit - digits)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      *out++ = (char)(pool >> bits & 0xff);
    }
  }
  *out = '\0';
}

static void expect_in(const char *text, const char *part) {
  ck_assert_msg(strstr(text, part) != NULL, "%s is not in %s", part, text);
}

START_TEST(the_claims_are_what_the_widget_reads) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX], text[APIKEYS_WIDGET_TOKEN_MAX], claim[128];
  found(&company, _i);
  make_token(&company, "ada", MANAGE, token);
  decode_part(token, 0, text);
  expect_in(text, "\"alg\":\"HS256\"");
  expect_in(text, "\"kid\":\"1\"");
  expect_in(text, "\"typ\":\"JWT\"");
  decode_part(token, 1, text);
  expect_in(text, "\"aud\":\"widgets\"");
  expect_in(text, "\"sub\":\"ada\"");
  expect_in(text, "\"permissions\":[\"" MANAGE "\"]");
  snprintf(claim, sizeof claim, "\"org_id\":\"%s\"", company.organization);
  expect_in(text, claim);
  snprintf(claim, sizeof claim, "\"iss\":\"%s\"", apikeys_environment_id(company.world.env, NULL));
  expect_in(text, claim);
  long long now = (long long)(company.world.now_ms / 1000);
  snprintf(claim, sizeof claim, "\"iat\":%lld,\"exp\":%lld", now, now + 3600);
  expect_in(text, claim);
  world_close(&company.world);
}
END_TEST

START_TEST(payloads_suit_atob_whoever_the_user_is) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX], text[APIKEYS_WIDGET_TOKEN_MAX];
  static const char *const users[] = {"a>b", "a?b", "a~b", "a>>>???~~~", "\"quoted\\\"", "<>&/"};
  found(&company, _i);
  for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
    make_member(&company.world, company.organization, users[i], "manager");
    make_token(&company, users[i], MANAGE, token);
    decode_part(token, 1, text);
    ck_assert_int_eq(use_token(&company, S(token)), 0);
  }
  world_close(&company.world);
}
END_TEST

START_TEST(a_token_holds_what_the_user_holds_of_what_was_asked) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX], text[APIKEYS_WIDGET_TOKEN_MAX];
  found(&company, _i);
  apikeys_widget_token_spec *spec = spec_for(&company, "ada", MANAGE);
  apikeys_widget_token_spec_add_scope(spec, S(MANAGE_SELF));
  ck_assert_int_eq(try_token(&company, spec, token), 0);
  decode_part(token, 1, text);
  expect_in(text, "\"permissions\":[\"" MANAGE "\"]");
  expect_failure(&company.world, try_token(&company, spec_for(&company, "bob", MANAGE), token),
                 APIKEYS_ERROR_PERMISSION_NOT_HELD, "scopes");
  world_close(&company.world);
}
END_TEST

START_TEST(without_a_user_it_acts_for_the_organization) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX], text[APIKEYS_WIDGET_TOKEN_MAX];
  found(&company, _i);
  make_token(&company, NULL, MANAGE, token);
  decode_part(token, 1, text);
  ck_assert_ptr_null(strstr(text, "\"sub\""));
  ck_assert_int_eq(use_token(&company, S(token)), 0);
  world_close(&company.world);
}
END_TEST

START_TEST(without_scopes_it_may_do_nothing) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX], text[APIKEYS_WIDGET_TOKEN_MAX];
  found(&company, _i);
  static const char *const users[] = {NULL, "ada", "bob"};
  for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
    make_token(&company, users[i], NULL, token);
    decode_part(token, 1, text);
    expect_in(text, "\"permissions\":[]");
    ck_assert_int_eq(use_token(&company, S(token)), APIKEYS_ERROR_NOT_ALLOWED);
  }
  world_close(&company.world);
}
END_TEST

START_TEST(every_changed_character_is_refused) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  found(&company, _i);
  make_token(&company, "ada", MANAGE, token);
  size_t length = strlen(token);
  for (size_t i = 0; i < length; i++) {
    char kept = token[i];
    token[i] = kept == 'A' ? 'B' : 'A';
    ck_assert_int_eq(use_token(&company, token, length), APIKEYS_ERROR_TOKEN_INVALID);
    token[i] = kept;
    ck_assert_int_eq(use_token(&company, token, i), APIKEYS_ERROR_TOKEN_INVALID);
  }
  token[length] = 'A';
  ck_assert_int_eq(use_token(&company, token, length + 1), APIKEYS_ERROR_TOKEN_INVALID);
  ck_assert_int_eq(use_token(&company, token, length), 0);
  world_close(&company.world);
}
END_TEST

START_TEST(a_token_expires_when_it_says) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  found(&company, _i);
  apikeys_widget_token_spec *spec = spec_for(&company, "ada", MANAGE);
  ck_assert_int_eq(apikeys_widget_token_spec_set_lifetime_ms(spec, 60000), 0);
  ck_assert_int_eq(try_token(&company, spec, token), 0);
  company.world.now_ms += 59999;
  ck_assert_int_eq(use_token(&company, S(token)), 0);
  company.world.now_ms += 1;
  ck_assert_int_eq(use_token(&company, S(token)), APIKEYS_ERROR_TOKEN_EXPIRED);
  world_close(&company.world);
}
END_TEST

START_TEST(another_environments_token_is_refused) {
  struct company here, there;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  found(&here, _i);
  found(&there, _i);
  make_token(&there, "ada", MANAGE, token);
  ck_assert_int_eq(use_token(&here, S(token)), APIKEYS_ERROR_TOKEN_INVALID);
  ck_assert_int_eq(use_token(&there, S(token)), 0);
  world_close(&there.world);
  world_close(&here.world);
}
END_TEST

static void rotate(struct company *company) {
  struct world *world = &company->world;
  ck_assert_int_eq(apikeys_rotate_root_key(world->env, world->system, NULL, 0, 0, world->err), 0);
}

START_TEST(a_rotated_root_key_leaves_tokens_their_hour) {
  struct company company;
  char old[APIKEYS_WIDGET_TOKEN_MAX], new[APIKEYS_WIDGET_TOKEN_MAX], text[APIKEYS_WIDGET_TOKEN_MAX];
  if (_i == BACKEND_MEMORY)
    return; /* its root key is nobody's to rotate without bytes: see the test of root keys */
  found(&company, _i);
  make_token(&company, "ada", MANAGE, old);
  company.world.now_ms += 1000;
  rotate(&company);
  make_token(&company, "ada", MANAGE, new);
  decode_part(new, 0, text);
  expect_in(text, "\"kid\":\"2\"");
  company.world.now_ms += 3599 * 1000 - 1;
  ck_assert_int_eq(use_token(&company, S(old)), 0);
  ck_assert_int_eq(use_token(&company, S(new)), 0);
  company.world.now_ms += 1;
  ck_assert_int_eq(use_token(&company, S(old)), APIKEYS_ERROR_TOKEN_EXPIRED);
  ck_assert_int_eq(use_token(&company, S(new)), 0);
  world_close(&company.world);
}
END_TEST

START_TEST(tokens_outlive_any_number_of_rotations_but_no_theft) {
  struct company company;
  struct world *world = &company.world;
  char tokens[8][APIKEYS_WIDGET_TOKEN_MAX];
  if (_i == BACKEND_MEMORY)
    return; /* as above */
  found(&company, _i);
  for (int i = 0; i < 8; i++) {
    make_token(&company, "ada", MANAGE, tokens[i]);
    rotate(&company);
    world->now_ms += 60000;
  }
  int64_t epoch = 7;
  ck_assert_int_eq(apikeys_root_key_epoch(world->env, world->system, &epoch, world->err), 0);
  ck_assert_int_eq(epoch, 0);
  for (int i = 0; i < 8; i++)
    ck_assert_int_eq(use_token(&company, S(tokens[i])), 0);
  world_reopen(world);
  ck_assert_int_eq(use_token(&company, S(tokens[0])), 0);
  ck_assert_int_eq(apikeys_rotate_root_key(world->env, world->system, NULL, 0,
                                           APIKEYS_ROTATE_COMPROMISED, world->err),
                   0);
  for (int i = 0; i < 8; i++)
    ck_assert_int_eq(use_token(&company, S(tokens[i])), APIKEYS_ERROR_TOKEN_INVALID);
  make_token(&company, "ada", MANAGE, tokens[0]);
  ck_assert_int_eq(use_token(&company, S(tokens[0])), 0);
  ck_assert_int_eq(apikeys_rotate_root_key(world->env, world->system, NULL, 0, 2, world->err),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  /* The epoch stays through rotations without the flag, and moves with the next that has it. */
  int64_t first, second;
  ck_assert_int_eq(apikeys_root_key_epoch(world->env, world->system, &first, world->err), 0);
  ck_assert_int_ne(first, 0);
  ck_assert_int_eq(apikeys_rotate_root_key(world->env, world->system, NULL, 0, 0, world->err), 0);
  ck_assert_int_eq(use_token(&company, S(tokens[0])), 0);
  world_reopen(world);
  ck_assert_int_eq(apikeys_root_key_epoch(world->env, world->system, &second, world->err), 0);
  ck_assert_int_eq(second, first);
  ck_assert_int_eq(apikeys_rotate_root_key(world->env, world->system, NULL, 0,
                                           APIKEYS_ROTATE_COMPROMISED, world->err),
                   0);
  ck_assert_int_eq(apikeys_root_key_epoch(world->env, world->system, &second, world->err), 0);
  ck_assert_int_gt(second, first);
  ck_assert_int_eq(apikeys_root_key_epoch(world->env, world->system, NULL, world->err),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  world_close(world);
}
END_TEST

START_TEST(it_is_made_for_those_who_are_there) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX] = "mine";
  found(&company, _i);
  expect_failure(&company.world, try_token(&company, spec_for(&company, "eve", MANAGE), token),
                 APIKEYS_ERROR_NOT_FOUND, "user_id");
  ck_assert_int_eq(apikeys_organization_delete(company.world.env, company.world.system,
                                               S(company.organization), company.world.err),
                   0);
  expect_failure(&company.world, try_token(&company, spec_for(&company, NULL, MANAGE), token),
                 APIKEYS_ERROR_NOT_FOUND, "organization_id");
  ck_assert_str_eq(token, "mine");
  world_close(&company.world);
}
END_TEST

START_TEST(making_one_stores_nothing) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  found(&company, _i);
  int64_t before = last_event(&company.world, NULL);
  make_token(&company, "ada", MANAGE, token);
  ck_assert_int_eq(last_event(&company.world, NULL), before);
  world_close(&company.world);
}
END_TEST

START_TEST(a_specification_takes_only_what_a_token_can_be) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  found(&company, _i);
  static const char *const bad[] = {"", "posts:read", "widgets:", "apikeys:keys:read", "widgets:A"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    apikeys_widget_token_spec *spec = spec_for(&company, "ada", MANAGE);
    ck_assert_int_eq(apikeys_widget_token_spec_add_scope(spec, S(bad[i])),
                     APIKEYS_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(try_token(&company, spec, token), APIKEYS_ERROR_INVALID_ARGUMENT);
  }
  apikeys_widget_token_spec *spec = spec_for(&company, NULL, NULL);
  for (int i = 0; i < 16; i++) {
    char slug[32];
    snprintf(slug, sizeof slug, "widgets:scope-%d", i);
    ck_assert_int_eq(apikeys_widget_token_spec_add_scope(spec, S(slug)), 0);
  }
  ck_assert_int_eq(apikeys_widget_token_spec_add_scope(spec, S("widgets:one-more")),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_widget_token_spec_set_lifetime_ms(spec, 999),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_widget_token_spec_set_lifetime_ms(spec, 3600001),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_widget_token_spec_set_user_id(spec, S("a b")),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_widget_token_spec_set_organization_id(spec, S("org_short")),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_widget_token_spec_free(spec);
  apikeys_widget_token_spec_free(NULL);
  world_close(&company.world);
}
END_TEST

START_TEST(misuse_is_an_error) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX] = "mine";
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_widget_token_spec *empty = apikeys_widget_token_spec_new();
  apikeys_widget_token_spec *spec = spec_for(&company, "ada", MANAGE);
  expect_failure(world,
                 apikeys_widget_token_create(world->env, world->system, empty, token, sizeof token,
                                             NULL, world->err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "organization_id");
  expect_failure(world,
                 apikeys_widget_token_create(world->env, world->system, spec, token,
                                             sizeof token - 1, NULL, world->err),
                 APIKEYS_ERROR_BUFFER_TOO_SMALL, "token");
  expect_failure(
      world,
      apikeys_widget_token_create(world->env, NULL, spec, token, sizeof token, NULL, world->err),
      APIKEYS_ERROR_INVALID_ARGUMENT, "actor");
  ck_assert_int_eq(
      apikeys_widget_token_create(world->env, world->system, NULL, token, sizeof token, NULL, NULL),
      APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_actor_set_widget_token(world->env, NULL, S(token), world->err),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_str_eq(token, "mine");
  ck_assert_uint_eq(apikeys_widget_token_max(), APIKEYS_WIDGET_TOKEN_MAX);
  apikeys_widget_token_spec_free(spec);
  apikeys_widget_token_spec_free(empty);
  world_close(world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      the_claims_are_what_the_widget_reads,
      payloads_suit_atob_whoever_the_user_is,
      a_token_holds_what_the_user_holds_of_what_was_asked,
      without_a_user_it_acts_for_the_organization,
      without_scopes_it_may_do_nothing,
      every_changed_character_is_refused,
      a_token_expires_when_it_says,
      another_environments_token_is_refused,
      a_rotated_root_key_leaves_tokens_their_hour,
      tokens_outlive_any_number_of_rotations_but_no_theft,
      it_is_made_for_those_who_are_there,
      making_one_stores_nothing,
      a_specification_takes_only_what_a_token_can_be,
      misuse_is_an_error,
  };
  return RUN_ON_EACH_BACKEND("widget tokens", tests);
}
