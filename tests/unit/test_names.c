/* SPDX-License-Identifier: MIT */
/* One rule for the names of all objects: they show something, and do not turn the text around. */
#include "support/deeds.h"
#include "support/expect.h"
#include "support/suite.h"

enum { BAD = APIKEYS_ERROR_INVALID_ARGUMENT };

static const char *const bad_names[] = {"\xe2\x80\xae!", "  ", "\xe2\x80\x8b", "a\nb"};
#define EACH_BAD_NAME(i)                                                                           \
  size_t i = 0;                                                                                    \
  i < sizeof bad_names / sizeof bad_names[0];                                                      \
  i++

START_TEST(organizations) {
  struct world world;
  world_open(&world, BACKEND_MEMORY);
  apikeys_organization *organization = apikeys_organization_new();
  for (EACH_BAD_NAME(i)) {
    ok(&world, apikeys_organization_set_name(organization, S(bad_names[i])));
    expect_failure(&world,
                   apikeys_organization_create(world.env, world.system, organization, world.err),
                   BAD, "name");
  }
  ok(&world, apikeys_organization_set_name(organization, S("Acme")));
  ok(&world, apikeys_organization_create(world.env, world.system, organization, world.err));
  ok(&world, apikeys_organization_set_name(organization, S(bad_names[0])));
  expect_failure(&world,
                 apikeys_organization_update(world.env, world.system, organization, world.err), BAD,
                 "name");
  apikeys_organization_free(organization);
  world_close(&world);
}
END_TEST

START_TEST(permissions_and_roles) {
  struct world world;
  world_open(&world, BACKEND_MEMORY);
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_role *role = apikeys_role_new();
  ok(&world, apikeys_permission_set_slug(permission, S("posts:read")));
  ok(&world, apikeys_role_set_slug(role, S("reader")));
  for (EACH_BAD_NAME(i)) {
    ok(&world, apikeys_permission_set_name(permission, S(bad_names[i])));
    expect_failure(&world,
                   apikeys_permission_create(world.env, world.system, permission, world.err), BAD,
                   "name");
    ok(&world, apikeys_role_set_name(role, S(bad_names[i])));
    expect_failure(&world, apikeys_role_create(world.env, world.system, role, world.err), BAD,
                   "name");
  }
  ok(&world, apikeys_permission_set_name(permission, S("Read posts")));
  ok(&world, apikeys_permission_create(world.env, world.system, permission, world.err));
  ok(&world, apikeys_permission_set_name(permission, S(bad_names[1])));
  expect_failure(&world, apikeys_permission_update(world.env, world.system, permission, world.err),
                 BAD, "name");
  ok(&world, apikeys_role_set_name(role, S("Reader")));
  ok(&world, apikeys_role_create(world.env, world.system, role, world.err));
  ok(&world, apikeys_role_set_name(role, S(bad_names[1])));
  expect_failure(&world, apikeys_role_update(world.env, world.system, role, world.err), BAD,
                 "name");
  apikeys_permission_free(permission);
  apikeys_role_free(role);
  world_close(&world);
}
END_TEST

START_TEST(keys_and_members) {
  struct world world;
  char organization[64], value[APIKEYS_VALUE_MAX];
  world_open(&world, BACKEND_MEMORY);
  make_organization(&world, "Acme", organization);
  apikeys_member *member = apikeys_member_new();
  ok(&world, apikeys_member_set_organization_id(member, S(organization)));
  ok(&world, apikeys_member_set_user_id(member, S("ada")));
  for (EACH_BAD_NAME(i)) {
    apikeys_key_spec *spec = key_spec(organization, bad_names[i], "");
    expect_failure(&world,
                   apikeys_key_create(world.env, world.system, spec, NULL, value, sizeof value,
                                      NULL, world.err),
                   BAD, "name");
    apikeys_key_spec_free(spec);
    ok(&world, apikeys_member_set_display_name(member, S(bad_names[i])));
    expect_failure(&world, apikeys_member_create(world.env, world.system, member, world.err), BAD,
                   "display_name");
  }
  ok(&world, apikeys_member_set_display_name(member, NULL, 0)); /* it may have none */
  ok(&world, apikeys_member_create(world.env, world.system, member, world.err));
  apikeys_member_free(member);
  world_close(&world);
}
END_TEST

int main(void) {
  Suite *s = suite_create("names");
  TCase *tc = tcase_create("names");
  tcase_add_test(tc, organizations);
  tcase_add_test(tc, permissions_and_roles);
  tcase_add_test(tc, keys_and_members);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
