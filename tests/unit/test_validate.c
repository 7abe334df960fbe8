/* SPDX-License-Identifier: MIT */
/* Validation where it could go wrong: requirements, headers, stores that were edited by hand. */
#include "support/deeds.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>

struct shop {
  struct world world;
  char organization[64];
  struct made_key key;
};

static void open_shop(struct shop *shop, int backend) {
  world_open(&shop->world, (enum backend)backend);
  make_posts(&shop->world);
  make_organization(&shop->world, "Acme", shop->organization);
  make_key(&shop->world, key_spec(shop->organization, "CI", "posts:read"), &shop->key);
}

/* -- Refusals ---------------------------------------------------------------------------------- */

START_TEST(no_state_shows_without_the_secret) {
  struct shop shop;
  char forged[APIKEYS_VALUE_MAX];
  open_shop(&shop, _i);
  forge_value(forged, shop.key.value);
  ck_assert_int_eq(validate(&shop.world, forged, NULL), APIKEYS_UNKNOWN);
  ok(&shop.world, expire_key(&shop.world, shop.key.id, 1));
  ck_assert_int_eq(validate(&shop.world, forged, NULL), APIKEYS_UNKNOWN);
  ck_assert_int_eq(validate(&shop.world, shop.key.value, NULL), APIKEYS_EXPIRED);
  ok(&shop.world, revoke_key(&shop.world, shop.key.id, NULL));
  ck_assert_int_eq(validate(&shop.world, forged, NULL), APIKEYS_UNKNOWN);
  ck_assert_int_eq(validate(&shop.world, shop.key.value, NULL), APIKEYS_REVOKED);
  world_close(&shop.world);
}
END_TEST

START_TEST(a_refusal_touches_nothing) {
  struct shop shop;
  char forged[APIKEYS_VALUE_MAX];
  open_shop(&shop, _i);
  struct world *world = &shop.world;
  forge_value(forged, shop.key.value);
  apikeys_key *key = get_key(world, shop.key.id);
  ck_assert_int_eq(apikeys_validate(world->env, S(forged), NULL, NULL, key, world->err),
                   APIKEYS_UNKNOWN);
  ck_assert_str_eq(apikeys_key_id(key, NULL), shop.key.id);
  ck_assert_int_eq(validate(world, shop.key.value, "posts:write"), APIKEYS_NOT_PERMITTED);
  ck_assert_str_eq(apikeys_error_subject(world->err), "posts:write");
  apikeys_key_free(key);
  key = get_key(world, shop.key.id);
  ck_assert_int_eq(apikeys_key_last_used_at_ms(key), 0);
  apikeys_key_free(key);
  world_close(world);
}
END_TEST

START_TEST(the_requests_own_time_decides_and_is_recorded) {
  struct shop shop;
  open_shop(&shop, _i);
  struct world *world = &shop.world;
  int64_t expiry = world->now_ms + DAY_MS;
  ok(world, expire_key(world, shop.key.id, expiry));
  apikeys_request *request = apikeys_request_new();
  apikeys_key *key = apikeys_key_new();
  ok(world, apikeys_request_set_time_ms(request, expiry));
  ck_assert_int_eq(apikeys_validate(world->env, S(shop.key.value), NULL, request, key, world->err),
                   APIKEYS_EXPIRED);
  for (int i = 2; i >= 1; i--) {
    ok(world, apikeys_request_set_time_ms(request, expiry - i));
    ok(world, apikeys_validate(world->env, S(shop.key.value), NULL, request, key, world->err));
    ck_assert_int_eq(apikeys_key_last_used_at_ms(key), i == 2 ? 0 : expiry - 2);
  }
  ck_assert_int_ne(apikeys_request_set_time_ms(request, -1), 0);
  apikeys_key_free(key);
  apikeys_request_free(request);
  world_close(world);
}
END_TEST

START_TEST(an_idle_key_counts_as_revoked) {
  struct shop shop;
  open_shop(&shop, _i);
  struct world *world = &shop.world;
  change_setting(world, apikeys_settings_set_idle_lifetime_ms, DAY_MS);
  world->now_ms += DAY_MS - 1;
  ok(world, validate(world, shop.key.value, NULL));
  world->now_ms += DAY_MS - 1;
  ok(world, validate(world, shop.key.value, NULL));
  world->now_ms += DAY_MS + 1;
  ck_assert_int_eq(validate(world, shop.key.value, NULL), APIKEYS_REVOKED);
  ok(world, apikeys_maintain(world->env, world->err));
  apikeys_key *key = get_key(world, shop.key.id);
  ck_assert_int_eq(apikeys_key_revoked_at_ms(key), world->now_ms);
  apikeys_key_free(key);
  world_close(world);
}
END_TEST

START_TEST(a_members_key_follows_status_and_roles) {
  struct shop shop;
  struct made_key key;
  open_shop(&shop, _i);
  struct world *world = &shop.world;
  make_role(world, "", "writer", "posts:read posts:write");
  make_member(world, shop.organization, "ada", "writer");
  make_key(world, member_key_spec(shop.organization, "ada", "own", "posts:read posts:write"), &key);
  ok(world, validate(world, key.value, "posts:write"));
  set_role_permissions(world, "writer", "posts:read");
  ck_assert_int_eq(validate(world, key.value, "posts:write"), APIKEYS_NOT_PERMITTED);
  ok(world, validate(world, key.value, "posts:read"));
  set_status(world, shop.organization, "ada", APIKEYS_MEMBER_INACTIVE);
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_OWNER_INACTIVE);
  set_status(world, shop.organization, "ada", APIKEYS_MEMBER_ACTIVE);
  ok(world, validate(world, key.value, NULL));
  ok(world,
     apikeys_member_delete(world->env, world->system, S(shop.organization), S("ada"), world->err));
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_REVOKED);
  world_close(world);
}
END_TEST

/* -- Requirements ------------------------------------------------------------------------------ */

START_TEST(a_requirement_is_frozen_by_its_first_use) {
  struct shop shop;
  open_shop(&shop, _i);
  struct world *world = &shop.world;
  apikeys_requirement *need = requirement("posts:read");
  ok(world, apikeys_validate(world->env, S(shop.key.value), need, NULL, NULL, world->err));
  ck_assert_int_eq(apikeys_requirement_add_permission(need, S("posts:write")),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_requirement_set_accept_management_keys(need, 1),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ok(world, apikeys_validate(world->env, S(shop.key.value), need, NULL, NULL, world->err));
  apikeys_requirement_free(need);
  world_close(world);
}
END_TEST

START_TEST(a_requirement_that_failed_to_be_set_never_passes) {
  struct shop shop;
  open_shop(&shop, _i);
  struct world *world = &shop.world;
  apikeys_requirement *need = requirement("posts:read");
  ck_assert_int_ne(apikeys_requirement_add_permission(need, S("Not A Slug")), 0);
  ck_assert_int_lt(apikeys_validate(world->env, S(shop.key.value), need, NULL, NULL, world->err),
                   0);
  apikeys_key *key = get_key(world, shop.key.id);
  ck_assert_int_lt(apikeys_key_require(key, need), 0);
  apikeys_key_free(key);
  apikeys_requirement_free(need);
  ck_assert_int_eq(validate(world, shop.key.value, "no:such"), APIKEYS_NOT_PERMITTED);
  world_close(world);
}
END_TEST

START_TEST(management_keys_pass_only_where_they_are_accepted) {
  struct shop shop;
  struct made_key key;
  open_shop(&shop, _i);
  struct world *world = &shop.world;
  make_key(world, management_key_spec("ops", "apikeys:keys:read"), &key);
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_MANAGEMENT_KEY);
  ck_assert_int_eq(validate(world, key.value, "apikeys:keys:read"), APIKEYS_MANAGEMENT_KEY);
  apikeys_requirement *need = requirement("apikeys:keys:read");
  ok(world, apikeys_requirement_set_accept_management_keys(need, 1));
  ok(world, apikeys_validate(world->env, S(key.value), need, NULL, NULL, world->err));
  ck_assert_int_eq(apikeys_validate(world->env, S(shop.key.value), need, NULL, NULL, world->err),
                   APIKEYS_NOT_PERMITTED);
  apikeys_requirement_free(need);
  world_close(world);
}
END_TEST

/* -- Authorization headers --------------------------------------------------------------------- */

static int authorize(struct shop *shop, const char *before, const char *behind) {
  char header[256];
  int length = snprintf(header, sizeof header, "%s%s%s", before, shop->key.value, behind);
  return apikeys_validate_authorization(shop->world.env, header, (size_t)length, NULL, NULL, NULL,
                                        shop->world.err);
}

START_TEST(only_one_form_of_header_is_good) {
  static const char *const before[] = {"",          "Bearer",  " Bearer ",  "Basic ",
                                       "Bearer\t",  "Bearer:", "Token ",    "Bearer Bearer ",
                                       "Bearer\n ", "Bearer,", "Bearer \"", "\357\273\277Bearer "};
  static const char *const behind[] = {" ", "\n", "\r\n", "\t", ",", "\"", ", Bearer x", "="};
  struct shop shop;
  open_shop(&shop, _i);
  ck_assert_int_eq(authorize(&shop, "Bearer ", ""), 0);
  ck_assert_int_eq(authorize(&shop, "bearer ", ""), 0);
  ck_assert_int_eq(authorize(&shop, "BEARER ", ""), 0);
  ck_assert_int_eq(authorize(&shop, "Bearer    ", ""), 0);
  for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
    ck_assert_msg(authorize(&shop, before[i], "") == APIKEYS_MALFORMED, "\"%s\"", before[i]);
  for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++)
    ck_assert_msg(authorize(&shop, "Bearer ", behind[i]) == APIKEYS_MALFORMED, "\"%s\"", behind[i]);
  static const char *const bare[] = {"", "Bearer", "Bearer ", "Bearer    "};
  for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++)
    ck_assert_int_eq(
        apikeys_validate_authorization(shop.world.env, S(bare[i]), NULL, NULL, NULL, NULL),
        APIKEYS_MALFORMED);
  ck_assert_int_eq(apikeys_validate_authorization(shop.world.env, NULL, 0, NULL, NULL, NULL, NULL),
                   APIKEYS_MALFORMED);
  world_close(&shop.world);
}
END_TEST

/* -- Stores that were edited ------------------------------------------------------------------- */

START_TEST(an_edited_row_never_verifies) {
  static const char *const edits[] = {
      "UPDATE api_keys SET organization_id = (SELECT id FROM organizations WHERE name = 'Other') "
      "WHERE name = 'CI'",
      "UPDATE api_keys SET owner_type = 3, organization_id = '' WHERE name = 'CI'",
      "UPDATE api_keys SET sealed_digest = (SELECT sealed_digest FROM api_keys WHERE name = 'two') "
      "WHERE name = 'CI'",
      "UPDATE api_keys SET id = 'api_key_01AAAAAAAAAAAAAAAAAAAAAAAA' WHERE name = 'CI'",
      "UPDATE api_keys SET user_id = 'ada' WHERE name = 'CI'",
      "UPDATE api_keys SET scheme = 2 WHERE name = 'CI'",
      "UPDATE api_keys SET root_version = 0 WHERE name = 'CI'",
      "UPDATE api_keys SET sealed_digest = x'' WHERE name = 'CI'",
      "UPDATE api_keys SET sealed_digest = zeroblob(length(sealed_digest)) WHERE name = 'CI'",
      "UPDATE api_keys SET state = 7 WHERE name = 'CI'",
      "UPDATE api_keys SET state = 0 WHERE name = 'CI'",
      "DELETE FROM organizations WHERE name = 'Acme'"};
  struct shop shop;
  struct made_key two;
  char other[64];
  open_shop(&shop, BACKEND_SQLITE);
  make_organization(&shop.world, "Other", other);
  make_key(&shop.world, key_spec(shop.organization, "two", "posts:write"), &two);
  ok(&shop.world, validate(&shop.world, shop.key.value, NULL));
  ck_assert_int_eq(run_sql(&shop.world, edits[_i]), 1);
  ck_assert_int_ne(validate(&shop.world, shop.key.value, NULL), 0);
  if (strstr(edits[_i], "SET state") != NULL)
    ck_assert_int_eq(validate(&shop.world, shop.key.value, NULL), APIKEYS_REVOKED);
  world_close(&shop.world);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("validate");
  TCase *tc = tcase_create("validate");
  tcase_add_loop_test(tc, no_state_shows_without_the_secret, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, a_refusal_touches_nothing, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, the_requests_own_time_decides_and_is_recorded, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, an_idle_key_counts_as_revoked, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, a_members_key_follows_status_and_roles, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, a_requirement_is_frozen_by_its_first_use, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, a_requirement_that_failed_to_be_set_never_passes, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, management_keys_pass_only_where_they_are_accepted, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, only_one_form_of_header_is_good, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, an_edited_row_never_verifies, 0, 12);
  suite_add_tcase(s, tc);
  return s;
}

int main(void) {
  return run_suite(suite());
}
