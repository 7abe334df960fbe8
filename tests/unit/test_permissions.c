/* SPDX-License-Identifier: MIT */
#include "support/expect.h"

static apikeys_permission *permission_named(const char *slug, const char *name) {
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_permission_set_slug(permission, S(slug));
  apikeys_permission_set_name(permission, S(name));
  return permission;
}

static int create(struct world *world, apikeys_permission *permission) {
  return apikeys_permission_create(world->env, world->system, permission, world->err);
}

static int update(struct world *world, apikeys_permission *permission) {
  return apikeys_permission_update(world->env, world->system, permission, world->err);
}

static int get(struct world *world, const char *slug, apikeys_permission *permission) {
  return apikeys_permission_get(world->env, world->system, S(slug), permission, world->err);
}

START_TEST(a_permission_is_kept_as_it_was_made) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_permission *made = permission_named("posts:read", "Read posts");
  apikeys_permission *got = apikeys_permission_new();
  apikeys_permission_set_description(made, S("All of them, d\xc3\xa9j\xc3\xa0 vu"));
  apikeys_permission_set_available_to_user_keys(made, 1);
  ck_assert_int_eq(create(&world, made), 0);
  expect_event(&world, "permission.created", "\"slug\":\"posts:read\"",
               "\"available_to_user_keys\":true");
  ck_assert_int_eq(get(&world, "posts:read", got), 0);
  ck_assert_str_eq(apikeys_permission_id(got, NULL), apikeys_permission_id(made, NULL));
  ck_assert_int_eq(strncmp(apikeys_permission_id(got, NULL), "perm_", 5), 0);
  ck_assert_str_eq(apikeys_permission_name(got, NULL), "Read posts");
  ck_assert_str_eq(apikeys_permission_description(got, NULL), "All of them, d\xc3\xa9j\xc3\xa0 vu");
  ck_assert_int_eq(apikeys_permission_available_to_organization_keys(got), 0);
  ck_assert_int_eq(apikeys_permission_available_to_user_keys(got), 1);
  ck_assert_int_eq(apikeys_permission_system(got), 0);
  ck_assert_int_eq(apikeys_permission_created_at_ms(got), world.now_ms);
  ck_assert_int_eq(apikeys_permission_updated_at_ms(got), world.now_ms);
  ck_assert_str_eq(apikeys_permission_json(got, NULL), apikeys_permission_json(made, NULL));
  apikeys_permission_free(got);
  apikeys_permission_free(made);
  world_close(&world);
}
END_TEST

static void refuse_slug(struct world *world, const char *slug, size_t length) {
  apikeys_permission *permission = permission_named("x", "name");
  apikeys_permission_set_slug(permission, slug, length);
  int64_t before = last_event(world, NULL);
  expect_failure(world, create(world, permission), APIKEYS_ERROR_INVALID_ARGUMENT, "slug");
  ck_assert_str_eq(apikeys_permission_id(permission, NULL), "");
  ck_assert_int_eq(last_event(world, NULL), before);
  apikeys_permission_free(permission);
}

START_TEST(slugs_are_of_their_alphabet_and_not_the_librarys_own) {
  static const char *const bad[] = {
      "",    "Posts",    "a b",       "a/b",      "\xc3\xa9",         "a\n",
      "a,b", "widgets:", "widgets:x", "apikeys:", "apikeys:keys:read"};
  struct world world;
  world_open(&world, (enum backend)_i);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    refuse_slug(&world, S(bad[i]));
  refuse_slug(&world, "a\0b", 3);
  refuse_slug(&world, long_text(49), 49);
  make_permission(&world, long_text(48), 0, 0);
  make_permission(&world, "a-z_0:9.*", 0, 0);
  make_permission(&world, "widget:s", 0, 0);
  world_close(&world);
}
END_TEST

static void refuse_name(struct world *world, const char *text, size_t length) {
  apikeys_permission *permission = permission_named("posts:read", "name");
  apikeys_permission_set_name(permission, text, length);
  expect_failure(world, create(world, permission), APIKEYS_ERROR_INVALID_ARGUMENT, "name");
  apikeys_permission_free(permission);
}

static void refuse_description(struct world *world, const char *text, size_t length) {
  apikeys_permission *permission = permission_named("posts:read", "name");
  apikeys_permission_set_description(permission, text, length);
  expect_failure(world, create(world, permission), APIKEYS_ERROR_INVALID_ARGUMENT, "description");
  apikeys_permission_free(permission);
}

START_TEST(texts_have_their_bounds) {
  struct world world;
  world_open(&world, (enum backend)_i);
  for (size_t i = 0; i < bad_text_count; i++) {
    refuse_name(&world, bad_texts[i].text, bad_texts[i].length);
    refuse_description(&world, bad_texts[i].text, bad_texts[i].length);
  }
  refuse_name(&world, "", 0);
  refuse_name(&world, NULL, 1);
  refuse_name(&world, long_text(49), 49);
  refuse_description(&world, long_text(151), 151);
  apikeys_permission *permission = permission_named("posts:read", long_text(48));
  apikeys_permission_set_description(permission, long_text(150), 150);
  ck_assert_int_eq(create(&world, permission), 0);
  apikeys_permission_free(permission);
  world_close(&world);
}
END_TEST

START_TEST(a_slug_is_taken_once) {
  struct world world;
  world_open(&world, (enum backend)_i);
  make_permission(&world, "posts:read", 1, 0);
  apikeys_permission *second = permission_named("posts:read", "Second");
  int64_t before = last_event(&world, NULL);
  expect_failure(&world, create(&world, second), APIKEYS_ERROR_EXISTS, "slug");
  ck_assert_str_eq(apikeys_permission_id(second, NULL), "");
  ck_assert_int_eq(last_event(&world, NULL), before);
  apikeys_permission_free(second);
  world_close(&world);
}
END_TEST

START_TEST(an_update_writes_only_what_was_set) {
  struct world world;
  world_open(&world, (enum backend)_i);
  make_permission(&world, "posts:read", 1, 0);
  apikeys_permission *one = apikeys_permission_new(), *two = apikeys_permission_new();
  ck_assert_int_eq(get(&world, "posts:read", one), 0);
  ck_assert_int_eq(get(&world, "posts:read", two), 0);
  world.now_ms += 5000;
  apikeys_permission_set_name(one, S("Renamed"));
  ck_assert_int_eq(update(&world, one), 0);
  expect_event(&world, "permission.updated", "\"name\":\"Renamed\"",
               "\"previous_attributes\":{\"name\":\"posts:read\"}");
  apikeys_permission_set_available_to_user_keys(two, 1);
  ck_assert_int_eq(update(&world, two), 0);
  expect_event(&world, "permission.updated", NULL,
               "\"previous_attributes\":{\"available_to_user_keys\":false}");
  ck_assert_str_eq(apikeys_permission_name(two, NULL), "Renamed");
  ck_assert_int_eq(apikeys_permission_available_to_organization_keys(two), 1);
  ck_assert_int_eq(apikeys_permission_updated_at_ms(two), world.now_ms);
  ck_assert_int_eq(apikeys_permission_created_at_ms(two), world.now_ms - 5000);
  apikeys_permission_free(two);
  apikeys_permission_free(one);
  world_close(&world);
}
END_TEST

START_TEST(an_update_that_changes_nothing_leaves_nothing) {
  struct world world;
  world_open(&world, (enum backend)_i);
  make_permission(&world, "posts:read", 1, 0);
  apikeys_permission *permission = apikeys_permission_new();
  ck_assert_int_eq(get(&world, "posts:read", permission), 0);
  int64_t before = last_event(&world, NULL), made_at = world.now_ms;
  world.now_ms += 5000;
  apikeys_permission_set_name(permission, S("posts:read"));
  ck_assert_int_eq(update(&world, permission), 0);
  ck_assert_int_eq(update(&world, permission), 0);
  ck_assert_int_eq(apikeys_permission_updated_at_ms(permission), made_at);
  ck_assert_int_eq(last_event(&world, NULL), before);
  apikeys_permission_free(permission);
  world_close(&world);
}
END_TEST

START_TEST(an_update_is_held_to_the_same_bounds) {
  struct world world;
  world_open(&world, (enum backend)_i);
  make_permission(&world, "posts:read", 1, 0);
  int64_t before = last_event(&world, NULL);
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_permission_set_slug(permission, S("posts:read"));
  apikeys_permission_set_name(permission, S(""));
  expect_failure(&world, update(&world, permission), APIKEYS_ERROR_INVALID_ARGUMENT, "name");
  apikeys_permission_set_name(permission, S("fine"));
  apikeys_permission_set_description(permission, S("not\x01"));
  expect_failure(&world, update(&world, permission), APIKEYS_ERROR_INVALID_ARGUMENT, "description");
  ck_assert_str_eq(apikeys_permission_name(permission, NULL), "fine");
  ck_assert_int_eq(get(&world, "posts:read", permission), 0);
  ck_assert_str_eq(apikeys_permission_name(permission, NULL), "posts:read");
  apikeys_permission_set_slug(permission, S("no:such"));
  expect_failure(&world, update(&world, permission), APIKEYS_ERROR_NOT_FOUND, "");
  ck_assert_int_eq(last_event(&world, NULL), before);
  apikeys_permission_free(permission);
  world_close(&world);
}
END_TEST

START_TEST(a_deleted_permission_leaves_roles_and_keys) {
  struct world world;
  char organization[64];
  struct made_key key;
  world_open(&world, (enum backend)_i);
  make_permission(&world, "posts:read", 1, 0);
  make_role(&world, "", "reader", "posts:read");
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "k", "posts:read"), &key);
  ck_assert_int_eq(apikeys_permission_delete(world.env, world.system, S("posts:read"), world.err),
                   0);
  expect_event(&world, "permission.deleted", "\"slug\":\"posts:read\"", NULL);
  apikeys_role *role = apikeys_role_new();
  ck_assert_int_eq(apikeys_role_get(world.env, world.system, NULL, 0, S("reader"), role, world.err),
                   0);
  ck_assert_str_eq(apikeys_role_permissions(role, NULL), "");
  ck_assert_int_eq(validate(&world, key.value, "posts:read"), APIKEYS_NOT_PERMITTED);
  int64_t before = last_event(&world, NULL);
  expect_failure(&world,
                 apikeys_permission_delete(world.env, world.system, S("posts:read"), world.err),
                 APIKEYS_ERROR_NOT_FOUND, "");
  ck_assert_int_eq(last_event(&world, NULL), before);
  apikeys_role_free(role);
  world_close(&world);
}
END_TEST

START_TEST(system_permissions_stay_as_they_are) {
  static const char *const system[] = {"widgets:api-keys:manage",
                                       "widgets:user-api-keys:manage-self",
                                       "widgets:user-api-keys:manage-all"};
  struct world world;
  world_open(&world, (enum backend)_i);
  int64_t before = last_event(&world, NULL);
  apikeys_permission *permission = apikeys_permission_new();
  for (size_t i = 0; i < sizeof system / sizeof system[0]; i++) {
    ck_assert_int_eq(get(&world, system[i], permission), 0);
    ck_assert_int_eq(apikeys_permission_system(permission), 1);
    ck_assert_int_eq(apikeys_permission_available_to_organization_keys(permission), 0);
    apikeys_permission_set_available_to_organization_keys(permission, 1);
    ck_assert_int_eq(update(&world, permission), APIKEYS_ERROR_SYSTEM_OBJECT);
    ck_assert_int_eq(apikeys_permission_delete(world.env, world.system, S(system[i]), world.err),
                     APIKEYS_ERROR_SYSTEM_OBJECT);
  }
  ck_assert_int_eq(last_event(&world, NULL), before);
  apikeys_permission_free(permission);
  world_close(&world);
}
END_TEST

START_TEST(outputs_are_untouched_on_failure) {
  struct world world;
  world_open(&world, (enum backend)_i);
  make_permission(&world, "posts:read", 1, 0);
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter *filter = apikeys_filter_new();
  ck_assert_int_eq(get(&world, "posts:read", permission), 0);
  ck_assert_int_eq(get(&world, "no:such", permission), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_str_eq(apikeys_permission_slug(permission, NULL), "posts:read");
  ck_assert_int_eq(apikeys_permission_list(world.env, world.system, NULL, page, world.err), 0);
  size_t count = apikeys_page_count(page);
  apikeys_filter_set_after(filter, S("perm_nothing"));
  ck_assert_int_eq(apikeys_permission_list(world.env, world.system, filter, page, world.err),
                   APIKEYS_ERROR_CURSOR_UNKNOWN);
  ck_assert_uint_eq(apikeys_page_count(page), count);
  apikeys_filter_free(filter);
  apikeys_page_free(page);
  apikeys_permission_free(permission);
  world_close(&world);
}
END_TEST

START_TEST(misuse_is_an_error) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_permission *permission = permission_named("posts:read", "x");
  apikeys_env *env = world.env;
  expect_failure(&world, apikeys_permission_create(env, NULL, permission, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "actor");
  ck_assert_int_eq(create(&world, NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(update(&world, NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_permission_create(NULL, world.system, permission, world.err),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  expect_failure(&world, apikeys_permission_get(env, world.system, NULL, 3, permission, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "slug");
  expect_failure(&world, apikeys_permission_delete(env, world.system, "a\0b", 3, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "slug");
  expect_failure(&world, apikeys_permission_list(env, world.system, NULL, NULL, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "page");
  ck_assert_int_eq(apikeys_permission_set_available_to_user_keys(permission, 2),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(create(&world, permission), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_permission_set_name(NULL, S("x")), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_str_eq(apikeys_permission_name(NULL, NULL), "");
  ck_assert_int_eq(apikeys_permission_system(NULL), 0);
  apikeys_permission_free(NULL);
  apikeys_permission_free(permission);
  world_close(&world);
}
END_TEST

static size_t count_of(struct world *world, apikeys_filter *filter) {
  apikeys_page *page = apikeys_page_new();
  ck_assert_int_eq(apikeys_permission_list(world->env, world->system, filter, page, world->err), 0);
  size_t count = apikeys_page_count(page);
  apikeys_page_free(page);
  return count;
}

START_TEST(lists_can_be_narrowed) {
  struct world world;
  world_open(&world, (enum backend)_i);
  make_permission(&world, "posts:read", 1, 0);
  make_permission(&world, "posts:write", 1, 1);
  apikeys_filter *filter = apikeys_filter_new();
  ck_assert_uint_eq(count_of(&world, NULL), 5);
  apikeys_filter_set_search(filter, S("POSTS:R"));
  ck_assert_uint_eq(count_of(&world, filter), 1);
  apikeys_filter_clear(filter);
  apikeys_filter_set_available_to(filter, APIKEYS_OWNER_ORGANIZATION);
  ck_assert_uint_eq(count_of(&world, filter), 2);
  apikeys_filter_set_available_to(filter, APIKEYS_OWNER_MEMBER);
  ck_assert_uint_eq(count_of(&world, filter), 1);
  apikeys_filter_clear(filter);
  apikeys_filter_set_revoked(filter, 1);
  apikeys_page *page = apikeys_page_new();
  expect_failure(&world, apikeys_permission_list(world.env, world.system, filter, page, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "filter");
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  world_close(&world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_permission_is_kept_as_it_was_made,
      slugs_are_of_their_alphabet_and_not_the_librarys_own,
      texts_have_their_bounds,
      a_slug_is_taken_once,
      an_update_writes_only_what_was_set,
      an_update_that_changes_nothing_leaves_nothing,
      an_update_is_held_to_the_same_bounds,
      a_deleted_permission_leaves_roles_and_keys,
      system_permissions_stay_as_they_are,
      outputs_are_untouched_on_failure,
      misuse_is_an_error,
      lists_can_be_narrowed,
  };
  return RUN_ON_EACH_BACKEND("permissions", tests);
}
