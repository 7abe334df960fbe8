/* SPDX-License-Identifier: MIT */
/* A key's whole life, with everything that comes out of the library kept, and searched for it. */
#include "support/deeds.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>

struct outputs {
  char *text;
  size_t length;
};

static void keep(struct outputs *outputs, const char *bytes, size_t length) {
  outputs->text = realloc(outputs->text, outputs->length + length + 1);
  memcpy(outputs->text + outputs->length, bytes, length);
  outputs->length += length;
  outputs->text[outputs->length++] = '\n';
}

static void keep_log(int level, const char *message, size_t length, void *user_data) {
  (void)level;
  keep(user_data, message, length);
}

static void keep_error(struct outputs *outputs, struct world *world, int rc) {
  ck_assert_int_ne(rc, 0);
  keep(outputs, S(apikeys_error_message(world->err)));
  keep(outputs, S(apikeys_error_field(world->err)));
  keep(outputs, S(apikeys_error_subject(world->err)));
}

static void keep_file(struct outputs *outputs, const struct world *world, const char *suffix) {
  char path[128];
  size_t length;
  snprintf(path, sizeof path, "%s%s", world->path, suffix);
  char *bytes = read_bytes(path, &length);
  ck_assert_ptr_nonnull(bytes);
  keep(outputs, bytes, length);
  free(bytes);
}

static void keep_events(struct outputs *outputs, struct world *world) {
  apikeys_page *page = list_all_events(world);
  for (size_t i = 0; i < apikeys_page_count(page); i++)
    keep(outputs, S(apikeys_event_json(apikeys_page_event(page, i), NULL)));
  apikeys_page_free(page);
}

static void live(struct world *world, struct outputs *outputs, const struct made_key *key) {
  char forged[APIKEYS_VALUE_MAX], damaged[APIKEYS_VALUE_MAX];
  forge_value(forged, key->value);
  snprintf(damaged, sizeof damaged, "%s", key->value);
  damaged[strlen(damaged) - 1] ^= 1;
  ok(world, validate(world, key->value, NULL));
  keep_error(outputs, world, validate(world, key->value, "posts:write"));
  keep_error(outputs, world, validate(world, forged, NULL));
  keep_error(outputs, world, validate(world, damaged, NULL));
  keep_error(outputs, world, revoke_key(world, key->value, NULL)); /* the value for the id */
  apikeys_page *page = apikeys_page_new();
  ok(world, apikeys_key_find(world->env, world->system, S(key->value), page, world->err));
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  keep(outputs, S(apikeys_key_json(apikeys_page_key(page, 0), NULL)));
  keep_error(outputs, world,
             apikeys_key_find(world->env, world->system, S(damaged), page, world->err));
  apikeys_page_free(page);
  apikeys_actor *actor = apikeys_actor_new();
  keep_error(outputs, world,
             apikeys_actor_set_management_key(world->env, actor, S(key->value), world->err));
  keep_error(outputs, world,
             apikeys_actor_set_widget_token(world->env, actor, S(key->value), world->err));
  apikeys_actor_free(actor);
  ok(world, apikeys_maintain(world->env, world->err));
  ok(world, apikeys_rotate_root_key(world->env, world->system, NULL, 0, 0, world->err));
  ok(world, validate(world, key->value, NULL));
  ok(world, expire_key(world, key->id, 1));
  keep_error(outputs, world, validate(world, key->value, NULL));
  ok(world, revoke_key(world, key->id, "over"));
  keep_error(outputs, world, validate(world, key->value, NULL));
  keep_error(outputs, world, revoke_key(world, key->id, NULL));
}

START_TEST(no_output_holds_the_value_or_its_secret) {
  enum { SECRET = 32, CHECKSUM = 6, PART = 12 };
  struct world world;
  struct outputs outputs = {NULL, 0};
  struct made_key key;
  char organization[64], lookup_id[17];
  world_open(&world, BACKEND_SQLITE);
  ok(&world, apikeys_options_set_log(world.options, keep_log, &outputs, NULL));
  world_reopen(&world);
  make_posts(&world);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "CI", "posts:read"), &key);
  live(&world, &outputs, &key);
  keep_events(&outputs, &world);
  keep_file(&outputs, &world, "");
  keep_file(&outputs, &world, "-wal");

  /* The search finds what is there. */
  lookup_id_of(lookup_id, key.value);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S(lookup_id)), 1);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S("validation refused")), 1);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S(key.value)), 0);
  const char *secret = key.value + strlen(key.value) - SECRET - CHECKSUM;
  for (size_t i = 0; i + PART <= SECRET; i++)
    ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, secret + i, PART), 0);
  free(outputs.text);
  world_close(&world);
}
END_TEST

/* Each way of pasting a value wrongly, and what the log says of it. */
START_TEST(the_log_says_what_stands_around_a_malformed_value) {
  static const struct {
    const char *before, *behind, *said;
  } wrong[] = {{"", " ", "(blanks around the value)"},
               {"\t", "", "(blanks around the value)"},
               {"", "\r\n", "(a newline around the value)"},
               {"\"", "\"", "(quotes around the value)"},
               {"", ",", "(a comma or semicolon behind the value)"},
               {"\xEF\xBB\xBF", "", "(a byte order mark before the value)"}};
  struct world world;
  struct outputs outputs = {NULL, 0};
  struct made_key key;
  char organization[64], text[APIKEYS_VALUE_MAX + 8];
  world_open(&world, BACKEND_SQLITE);
  ok(&world, apikeys_options_set_log(world.options, keep_log, &outputs, NULL));
  world_reopen(&world);
  make_posts(&world);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "CI", "posts:read"), &key);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    outputs.length = 0;
    snprintf(text, sizeof text, "%s%s%s", wrong[i].before, key.value, wrong[i].behind);
    ck_assert_int_eq(validate(&world, text, NULL), APIKEYS_MALFORMED);
    ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S(wrong[i].said)), 1);
    ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S(key.value)), 0);
  }
  outputs.length = 0;
  ck_assert_int_eq(validate(&world, "", NULL), APIKEYS_MALFORMED);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S("(no value)")), 1);
  free(outputs.text);
  world_close(&world);
}
END_TEST

/* -- In places where none belongs -------------------------------------------------------------- */

static void expect_refused(struct world *world, int rc, const char *field, const char *secret) {
  const char *message = apikeys_error_message(world->err);
  ck_assert_int_eq(rc, APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_str_eq(apikeys_error_field(world->err), field);
  ck_assert_msg(strstr(message, "must not hold a key's value or a signed token") != NULL, "%s: %s",
                field, message);
  ck_assert_ptr_null(strstr(message, secret + strlen(secret) - 38));
}

static void refuse_in_organizations(struct world *world, const char *secret) {
  apikeys_organization *made = apikeys_organization_new();
  apikeys_organization_set_name(made, S(secret));
  expect_refused(world, apikeys_organization_create(world->env, world->system, made, world->err),
                 "name", secret);
  apikeys_organization_set_name(made, S("fine"));
  apikeys_organization_set_external_id(made, S(secret));
  expect_refused(world, apikeys_organization_create(world->env, world->system, made, world->err),
                 "external_id", secret);
  apikeys_organization_set_external_id(made, S("fine"));
  ck_assert_int_ne(apikeys_organization_set_metadata(made, S("k"), S(secret)), 0);
  expect_refused(world, apikeys_organization_create(world->env, world->system, made, world->err),
                 "metadata", secret);
  apikeys_organization_free(made);
}

/* Their names and slugs are shorter than any value. */
static void refuse_in_permissions(struct world *world, const char *secret) {
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_role *role = apikeys_role_new();
  apikeys_permission_set_slug(permission, S("x:read"));
  apikeys_permission_set_name(permission, S("fine"));
  apikeys_permission_set_description(permission, S(secret));
  expect_refused(world,
                 apikeys_permission_create(world->env, world->system, permission, world->err),
                 "description", secret);
  apikeys_role_set_slug(role, S("tester"));
  apikeys_role_set_name(role, S("fine"));
  apikeys_role_set_description(role, S(secret));
  expect_refused(world, apikeys_role_create(world->env, world->system, role, world->err),
                 "description", secret);
  apikeys_role_free(role);
  apikeys_permission_free(permission);
}

static void refuse_in_members(struct world *world, const char *organization, const char *secret) {
  apikeys_member *member = apikeys_member_new();
  apikeys_member_set_organization_id(member, S(organization));
  apikeys_member_set_user_id(member, S(secret));
  expect_refused(world, apikeys_member_create(world->env, world->system, member, world->err),
                 "user_id", secret);
  apikeys_member_set_user_id(member, S("ada"));
  apikeys_member_set_display_name(member, S(secret));
  expect_refused(world, apikeys_member_create(world->env, world->system, member, world->err),
                 "display_name", secret);
  apikeys_member_free(member);
}

static void mask_in_context(struct world *world, struct outputs *outputs, const char *organization,
                            const char *secret) {
  struct made_key key;
  apikeys_actor *actor = apikeys_actor_new();
  apikeys_request *request = apikeys_request_new();
  ok(world, apikeys_actor_set_system(actor, S(secret)));
  ok(world, apikeys_actor_set_user_agent(actor, S(secret)));
  ok(world, apikeys_actor_set_request_id(actor, S(secret)));
  ok(world, apikeys_actor_set_address(actor, S(secret)));
  ok(world, try_key(world, actor, key_spec(organization, "k", ""), &key));
  ok(world, apikeys_key_revoke(world->env, actor, S(key.id), S(secret), NULL, world->err));
  ok(world, apikeys_request_set_address(request, S(secret)));
  ok(world, apikeys_request_set_request_id(request, S(secret)));
  keep_error(outputs, world,
             apikeys_validate(world->env, S(key.value), NULL, request, NULL, world->err));
  keep_events(outputs, world);
  apikeys_request_free(request);
  apikeys_actor_free(actor);
}

/* A key's value, and a token that the library signed, in every text that a host may set. */
START_TEST(misplaced_secrets_are_refused_or_masked) {
  struct world world;
  struct outputs outputs = {NULL, 0};
  struct made_key key;
  char organization[64], token[APIKEYS_WIDGET_TOKEN_MAX], cut[200];
  world_open(&world, BACKEND_SQLITE);
  ok(&world, apikeys_options_set_log(world.options, keep_log, &outputs, NULL));
  world_reopen(&world);
  make_posts(&world);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "CI", "posts:read"), &key);
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  apikeys_widget_token_spec_set_organization_id(spec, S(organization));
  apikeys_widget_token_spec_add_scope(spec, S("widgets:api-keys:manage"));
  ok(&world, apikeys_widget_token_create(world.env, world.system, spec, token, sizeof token, NULL,
                                         world.err));
  apikeys_widget_token_spec_free(spec);
  expect_refused(&world, try_key(&world, world.system, key_spec(organization, key.value, ""), NULL),
                 "name", key.value);
  refuse_in_organizations(&world, key.value);
  refuse_in_permissions(&world, key.value);
  refuse_in_members(&world, organization, key.value);
  mask_in_context(&world, &outputs, organization, key.value);
  memcpy(cut, token, sizeof cut - 1); /* these texts have at most 255 bytes */
  cut[sizeof cut - 1] = 0;
  mask_in_context(&world, &outputs, organization, cut);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S("[masked]")), 1);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S(key.value + strlen(key.value) - 38)),
                   0);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, token + 60, 40), 0);
  free(outputs.text);
  world_close(&world);
}
END_TEST

int main(void) {
  Suite *s = suite_create("canary");
  TCase *tc = tcase_create("canary");
  tcase_add_test(tc, no_output_holds_the_value_or_its_secret);
  tcase_add_test(tc, the_log_says_what_stands_around_a_malformed_value);
  tcase_add_test(tc, misplaced_secrets_are_refused_or_masked);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
