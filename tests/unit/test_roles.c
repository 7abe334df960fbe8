/* SPDX-License-Identifier: MIT */
#include "support/expect.h"

static apikeys_role *role_named(const char *organization_id, const char *slug) {
  apikeys_role *role = apikeys_role_new();
  apikeys_role_set_organization_id(role, S(organization_id));
  apikeys_role_set_slug(role, S(slug));
  apikeys_role_set_name(role, S("Name"));
  return role;
}

static int create(struct world *world, apikeys_role *role) {
  return apikeys_role_create(world->env, world->system, role, world->err);
}

static int update(struct world *world, apikeys_role *role) {
  return apikeys_role_update(world->env, world->system, role, world->err);
}

static int get(struct world *world, const char *organization_id, const char *slug,
               apikeys_role *role) {
  return apikeys_role_get(world->env, world->system, S(organization_id), S(slug), role, world->err);
}

static int delete (struct world *world, const char *organization_id, const char *slug) {
  return apikeys_role_delete(world->env, world->system, S(organization_id), S(slug), world->err);
}

/* Creates it, sees it refused for this field, and frees it. */
static void refuse(struct world *world, apikeys_role *role, int code, const char *field) {
  int64_t before = last_event(world, NULL);
  expect_failure(world, create(world, role), code, field);
  ck_assert_int_eq(last_event(world, NULL), before);
  ck_assert_str_eq(apikeys_role_id(role, NULL), "");
  apikeys_role_free(role);
}

START_TEST(a_role_is_kept_as_it_was_made) {
  struct world world;
  world_open(&world, (enum backend)_i);
  make_permission(&world, "b:read", 0, 0);
  make_permission(&world, "a:read", 0, 0);
  apikeys_role *made = role_named("", "editor"), *got = apikeys_role_new();
  apikeys_role_set_description(made, S("Edits"));
  apikeys_role_set_priority(made, -7);
  apikeys_role_add_permission(made, S("b:read"));
  apikeys_role_add_permission(made, S("a:read"));
  apikeys_role_add_permission(made, S("b:read"));
  ck_assert_int_eq(create(&world, made), 0);
  expect_event(&world, "role.created", "\"slug\":\"editor\"",
               "\"permissions\":[\"a:read\",\"b:read\"]");
  ck_assert_int_eq(get(&world, "", "editor", got), 0);
  ck_assert_str_eq(apikeys_role_id(got, NULL), apikeys_role_id(made, NULL));
  ck_assert_str_eq(apikeys_role_name(got, NULL), "Name");
  ck_assert_str_eq(apikeys_role_description(got, NULL), "Edits");
  ck_assert_str_eq(apikeys_role_permissions(got, NULL), "a:read b:read");
  ck_assert_int_eq(apikeys_role_priority(got), -7);
  ck_assert_int_eq(apikeys_role_created_at_ms(got), world.now_ms);
  ck_assert_str_eq(apikeys_role_json(got, NULL), apikeys_role_json(made, NULL));
  apikeys_role_free(got);
  apikeys_role_free(made);
  world_close(&world);
}
END_TEST

START_TEST(slugs_say_whose_a_role_is) {
  struct world world;
  char id[64];
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme", id);
  refuse(&world, role_named("", "org-role"), APIKEYS_ERROR_INVALID_ARGUMENT, "slug");
  refuse(&world, role_named(id, "role"), APIKEYS_ERROR_INVALID_ARGUMENT, "slug");
  refuse(&world, role_named("", ""), APIKEYS_ERROR_INVALID_ARGUMENT, "slug");
  refuse(&world, role_named("", "Big"), APIKEYS_ERROR_INVALID_ARGUMENT, "slug");
  refuse(&world, role_named("", long_text(49)), APIKEYS_ERROR_INVALID_ARGUMENT, "slug");
  refuse(&world, role_named("", "admin"), APIKEYS_ERROR_EXISTS, "slug");
  make_role(&world, "", long_text(48), "");
  make_role(&world, id, "org-role", "");
  refuse(&world, role_named(id, "org-role"), APIKEYS_ERROR_EXISTS, "slug");
  apikeys_role *role = role_named("org_01ARZ3NDEKTSV4RRFFQ69G5FAV", "org-role");
  ck_assert_int_eq(create(&world, role), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(get(&world, "", "org-role", role), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(get(&world, id, "org-role", role), APIKEYS_OK);
  apikeys_role_free(role);
  world_close(&world);
}
END_TEST

START_TEST(contents_have_their_bounds) {
  struct world world;
  world_open(&world, (enum backend)_i);
  for (size_t i = 0; i < bad_text_count; i++) {
    apikeys_role *role = role_named("", "r");
    apikeys_role_set_name(role, bad_texts[i].text, bad_texts[i].length);
    refuse(&world, role, APIKEYS_ERROR_INVALID_ARGUMENT, "name");
    role = role_named("", "r");
    apikeys_role_set_description(role, bad_texts[i].text, bad_texts[i].length);
    refuse(&world, role, APIKEYS_ERROR_INVALID_ARGUMENT, "description");
  }
  apikeys_role *role = role_named("", "r");
  apikeys_role_set_name(role, long_text(49), 49);
  refuse(&world, role, APIKEYS_ERROR_INVALID_ARGUMENT, "name");
  role = role_named("", "r");
  apikeys_role_set_description(role, long_text(151), 151);
  refuse(&world, role, APIKEYS_ERROR_INVALID_ARGUMENT, "description");
  role = role_named("", "r");
  apikeys_role_set_priority(role, 1000001);
  refuse(&world, role, APIKEYS_ERROR_INVALID_ARGUMENT, "priority");
  role = role_named("", "r");
  ck_assert_int_eq(apikeys_role_add_permission(role, S("NO")), APIKEYS_ERROR_INVALID_ARGUMENT);
  refuse(&world, role, APIKEYS_ERROR_INVALID_ARGUMENT, "permissions");
  role = role_named("", "r");
  apikeys_role_add_permission(role, S("no:such"));
  expect_failure(&world, create(&world, role), APIKEYS_ERROR_UNKNOWN_PERMISSION, "permissions");
  ck_assert_str_eq(apikeys_error_subject(world.err), "no:such");
  apikeys_role_clear_permissions(role);
  apikeys_role_set_name(role, long_text(48), 48);
  apikeys_role_set_description(role, long_text(150), 150);
  apikeys_role_set_priority(role, -1000000);
  ck_assert_int_eq(create(&world, role), 0);
  apikeys_role_free(role);
  world_close(&world);
}
END_TEST

START_TEST(an_update_writes_only_what_was_set) {
  struct world world;
  world_open(&world, (enum backend)_i);
  make_permission(&world, "a:read", 0, 0);
  make_role(&world, "", "editor", "a:read");
  apikeys_role *one = apikeys_role_new(), *two = apikeys_role_new();
  ck_assert_int_eq(get(&world, "", "editor", one), 0);
  ck_assert_int_eq(get(&world, "", "editor", two), 0);
  int64_t before = last_event(&world, NULL);
  world.now_ms += 5000;
  ck_assert_int_eq(update(&world, one), 0);
  ck_assert_int_eq(last_event(&world, NULL), before);
  ck_assert_int_eq(apikeys_role_updated_at_ms(one), world.now_ms - 5000);
  apikeys_role_remove_permission(one, S("a:read"));
  ck_assert_int_eq(update(&world, one), 0);
  expect_event(&world, "role.updated", "\"permissions\":[]",
               "\"previous_attributes\":{\"permissions\":[\"a:read\"]}");
  apikeys_role_set_name(two, S("Two"));
  ck_assert_int_eq(update(&world, two), 0);
  ck_assert_str_eq(apikeys_role_permissions(two, NULL), "");
  ck_assert_int_eq(apikeys_role_updated_at_ms(two), world.now_ms);
  apikeys_role_add_permission(two, S("no:such"));
  expect_failure(&world, update(&world, two), APIKEYS_ERROR_UNKNOWN_PERMISSION, "permissions");
  ck_assert_int_eq(get(&world, "", "no-such", one), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_str_eq(apikeys_role_slug(one, NULL), "editor");
  apikeys_role_free(two);
  apikeys_role_free(one);
  world_close(&world);
}
END_TEST

START_TEST(a_role_in_use_stays) {
  struct world world;
  char id[64], other[64];
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme", id);
  make_organization(&world, "Other", other);
  make_role(&world, "", "editor", "");
  make_role(&world, id, "org-role", "");
  make_role(&world, other, "org-role", "");
  make_member(&world, id, "ada", "editor");
  make_member(&world, id, "bob", "org-role");
  expect_failure(&world, delete (&world, "", "editor"), APIKEYS_ERROR_IN_USE, "slug");
  expect_failure(&world, delete (&world, id, "org-role"), APIKEYS_ERROR_IN_USE, "slug");
  ck_assert_int_eq(delete (&world, other, "org-role"), APIKEYS_OK);
  expect_event(&world, "organization_role.deleted", "\"slug\":\"org-role\"",
               "\"organization_id\":\"org_");
  ck_assert_int_eq(delete (&world, other, "org-role"), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(delete (&world, "", "admin"), APIKEYS_ERROR_SYSTEM_OBJECT);
  ck_assert_int_eq(delete (&world, "", "member"), APIKEYS_ERROR_SYSTEM_OBJECT);
  ck_assert_int_eq(apikeys_member_delete(world.env, world.system, S(id), S("ada"), world.err), 0);
  ck_assert_int_eq(delete (&world, "", "editor"), APIKEYS_OK);
  world_close(&world);
}
END_TEST

START_TEST(lists_go_by_priority) {
  struct world world;
  char id[64];
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme", id);
  make_role(&world, id, "org-role", "");
  apikeys_role *first = role_named("", "first");
  apikeys_role_set_priority(first, -1);
  ck_assert_int_eq(create(&world, first), 0);
  apikeys_page *page = apikeys_page_new();
  apikeys_filter *filter = apikeys_filter_new();
  ck_assert_int_eq(apikeys_role_list(world.env, world.system, NULL, page, world.err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 3);
  ck_assert_str_eq(apikeys_role_slug(apikeys_page_role(page, 0), NULL), "first");
  ck_assert_ptr_null(apikeys_page_key(page, 0));
  ck_assert_ptr_null(apikeys_page_role(page, 3));
  apikeys_filter_set_organization_id(filter, S(id));
  ck_assert_int_eq(apikeys_role_list(world.env, world.system, filter, page, world.err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  apikeys_filter_set_limit(filter, 1);
  expect_failure(&world, apikeys_role_list(world.env, world.system, filter, page, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "filter");
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  apikeys_filter_free(filter);
  apikeys_page_free(page);
  apikeys_role_free(first);
  world_close(&world);
}
END_TEST

/* The i-th permission, or NULL beyond the count. */
static const char *permission_at(const apikeys_role *role, size_t i, char out[64]) {
  const char *slug = NULL;
  size_t length = 0;
  if (apikeys_role_permission_at(role, i, &slug, &length) != 0)
    return NULL;
  memcpy(out, slug, length);
  out[length] = '\0';
  return out;
}

START_TEST(a_set_is_given_and_read_as_one_text_or_one_by_one) {
  apikeys_role *role = role_named("", "editor");
  char slug[64];
  (void)_i;
  ck_assert_int_eq(apikeys_role_add_permission(role, S("gone:after")), 0);
  ck_assert_int_eq(apikeys_role_set_permissions(role, "  posts:write posts:read ", APIKEYS_NUL), 0);
  ck_assert_str_eq(apikeys_role_permissions(role, NULL), "posts:read posts:write");
  ck_assert_uint_eq(apikeys_role_permission_count(role), 2);
  ck_assert_str_eq(permission_at(role, 0, slug), "posts:read");
  ck_assert_str_eq(permission_at(role, 1, slug), "posts:write");
  ck_assert_ptr_null(permission_at(role, 2, slug));
  const char *bad[] = {"posts:read Posts", "a\tb", "posts:read,posts:write"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    ck_assert_int_eq(apikeys_role_set_permissions(role, S(bad[i])), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_str_eq(apikeys_role_permissions(role, NULL), "posts:read posts:write");
  ck_assert_int_eq(apikeys_role_set_permissions(role, "", 0), 0);
  ck_assert_uint_eq(apikeys_role_permission_count(role), 0);
  ck_assert_uint_eq(apikeys_role_permission_count(NULL), 0);
  apikeys_role_free(role);

  apikeys_member *member = apikeys_member_new();
  const char *at;
  size_t length;
  ck_assert_int_eq(apikeys_member_set_roles(member, "member admin", APIKEYS_NUL), 0);
  ck_assert_str_eq(apikeys_member_roles(member, NULL), "admin member");
  ck_assert_uint_eq(apikeys_member_role_count(member), 2);
  ck_assert_int_eq(apikeys_member_role_at(member, 0, &at, &length), 0);
  ck_assert_uint_eq(length, 5);
  ck_assert_int_eq(apikeys_member_role_at(member, 2, &at, &length), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_member_free(member);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_role_is_kept_as_it_was_made,
      slugs_say_whose_a_role_is,
      contents_have_their_bounds,
      an_update_writes_only_what_was_set,
      a_role_in_use_stays,
      lists_go_by_priority,
      a_set_is_given_and_read_as_one_text_or_one_by_one,
  };
  return RUN_ON_EACH_BACKEND("roles", tests);
}
