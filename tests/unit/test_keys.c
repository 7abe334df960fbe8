/* SPDX-License-Identifier: MIT */
/* What a key may be called, what policies hold it to, which lists show it, how it is found. */
#include "support/expect.h"

#include <stdio.h>

static struct world world;
static char organization[64];

static void found(int backend) {
  world_open(&world, (enum backend)backend);
  make_permission(&world, "posts:read", 1, 1);
  make_role(&world, "", "manager", "widgets:api-keys:manage posts:read");
  make_role(&world, "", "self", "widgets:user-api-keys:manage-self posts:read");
  make_role(&world, "", "all", "widgets:user-api-keys:manage-all posts:read");
  make_organization(&world, "Acme", organization);
  make_member(&world, organization, "self", "self");
  make_member(&world, organization, "all", "all");
}

static int try_name(const char *name, size_t length) {
  apikeys_key_spec *spec = key_spec(organization, "to be replaced", "");
  apikeys_key_spec_set_name(spec, name, length);
  return try_key(&world, world.system, spec, NULL);
}

START_TEST(names_are_one_to_255_bytes_of_clean_text) {
  static const struct {
    const char *name;
    int valid;
  } names[] = {
      {"", 0},
      {"k", 1},
      {"Клавиша \xf0\x9f\x94\x91", 1},
      {"<img onerror>", 1},
      {"a\tb", 0},
      {"a\nb", 0},
      {"\x7f", 0},
      {"\xc2\x85", 0},
      {"\xff", 0},
      {"\xc0\xaf", 0},
      {"\xed\xa0\x80", 0},
      {"\xe2\x80\xa8", 0},
      {"\xf0\x9f\x94", 0},
  };
  found(_i);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    int rc = try_name(S(names[i].name));
    ck_assert_msg(rc == (names[i].valid ? APIKEYS_OK : APIKEYS_ERROR_INVALID_ARGUMENT),
                  "name %zu: %s", i, apikeys_result_name(rc));
    if (!names[i].valid)
      ck_assert_str_eq(apikeys_error_field(world.err), "name");
  }
  char name[257];
  memset(name, 'n', sizeof name);
  ck_assert_int_eq(try_name(name, 255), APIKEYS_OK);
  ck_assert_int_eq(try_name(name, 256), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(try_name("a\0b", 3), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(try_name(NULL, 1), APIKEYS_ERROR_INVALID_ARGUMENT);
  world_close(&world);
}
END_TEST

START_TEST(a_failed_creation_touches_nothing) {
  found(_i);
  char value[APIKEYS_VALUE_MAX];
  memset(value, 'u', sizeof value);
  size_t length = 77;
  apikeys_key *key = apikeys_key_new();
  apikeys_key_spec *spec = key_spec(organization, "k", "no:such");
  ck_assert_int_ne(apikeys_key_create(world.env, world.system, spec, key, value, sizeof value,
                                      &length, world.err),
                   0);
  apikeys_key_spec_free(spec);
  spec = key_spec(organization, "k", "");
  ck_assert_int_eq(apikeys_key_create(world.env, world.system, spec, key, value,
                                      APIKEYS_VALUE_MAX - 1, &length, world.err),
                   APIKEYS_ERROR_BUFFER_TOO_SMALL);
  for (size_t i = 0; i < sizeof value; i++)
    ck_assert_int_eq(value[i], 'u');
  ck_assert_uint_eq(length, 77);
  ck_assert_str_eq(apikeys_key_id(key, NULL), "");
  ck_assert_int_eq(apikeys_key_create(world.env, world.system, NULL, key, value, sizeof value,
                                      &length, world.err),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_key_spec_free(spec);
  apikeys_key_free(key);
  world_close(&world);
}
END_TEST

START_TEST(an_owner_must_be_named_and_there) {
  found(_i);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_name(spec, S("k"));
  ck_assert_int_eq(try_key(&world, world.system, spec, NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_str_eq(apikeys_error_field(world.err), "owner");
  ck_assert_int_eq(try_key(&world, world.system, key_spec("org_1", "k", ""), NULL),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(
      try_key(&world, world.system, key_spec("org_01ARZ3NDEKTSV4RRFFQ69G5FAV", "k", ""), NULL),
      APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(
      try_key(&world, world.system, member_key_spec(organization, "nobody", "k", ""), NULL),
      APIKEYS_ERROR_NOT_FOUND);
  world_close(&world);
}
END_TEST

/* -- Policies ---------------------------------------------------------------------------------- */

static int try_expiry(int64_t expires_at) {
  apikeys_key_spec *spec = key_spec(organization, "k", "");
  apikeys_key_spec_set_expires_at_ms(spec, expires_at);
  return try_key(&world, world.system, spec, NULL);
}

static void update_settings(apikeys_settings *settings) {
  ck_assert_int_eq(apikeys_settings_update(world.env, world.system, settings, world.err), 0);
  apikeys_settings_free(settings);
}

START_TEST(lifetimes_are_held_to_the_policy) {
  found(_i);
  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_max_lifetime_ms(settings, 1000);
  update_settings(settings);
  ck_assert_int_eq(try_expiry(0), APIKEYS_ERROR_EXPIRY_REQUIRED);
  ck_assert_int_eq(try_expiry(world.now_ms + 1000), APIKEYS_OK);
  ck_assert_int_eq(try_expiry(world.now_ms + 1001), APIKEYS_ERROR_LIFETIME_TOO_LONG);
  ck_assert_int_eq(try_expiry(INT64_MAX), APIKEYS_ERROR_LIFETIME_TOO_LONG);
  ck_assert_int_eq(try_expiry(-1), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(try_key(&world, world.system, management_key_spec("ops", ""), NULL), 0);
  world_close(&world);
}
END_TEST

START_TEST(an_owner_has_no_more_keys_than_allowed) {
  found(_i);
  struct made_key first;
  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_max_keys_per_owner(settings, 2);
  update_settings(settings);
  make_key(&world, key_spec(organization, "1", ""), &first);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(organization, "2", ""), NULL), 0);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(organization, "3", ""), NULL),
                   APIKEYS_ERROR_TOO_MANY_KEYS);
  ck_assert_int_eq(
      try_key(&world, world.system, member_key_spec(organization, "self", "1", ""), NULL), 0);
  ck_assert_int_eq(
      apikeys_key_revoke(world.env, world.system, S(first.id), NULL, 0, NULL, world.err), 0);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(organization, "3", ""), NULL), 0);
  world_close(&world);
}
END_TEST

START_TEST(members_grant_only_what_they_hold_where_that_is_asked) {
  found(_i);
  make_permission(&world, "posts:write", 1, 1);
  make_member(&world, organization, "boss", "manager");
  apikeys_actor *boss = member_actor(organization, "boss");
  ck_assert_int_eq(try_key(&world, boss, key_spec(organization, "k", "posts:write"), NULL), 0);
  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_grants_must_be_held(settings, 1);
  update_settings(settings);
  ck_assert_int_eq(try_key(&world, boss, key_spec(organization, "k", "posts:write"), NULL),
                   APIKEYS_ERROR_PERMISSION_NOT_HELD);
  ck_assert_str_eq(apikeys_error_subject(world.err), "posts:write");
  ck_assert_int_eq(try_key(&world, boss, key_spec(organization, "k", "posts:read"), NULL), 0);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(organization, "k", "posts:write"), NULL),
                   0);
  apikeys_actor_free(boss);
  world_close(&world);
}
END_TEST

/* -- Expiry changes ---------------------------------------------------------------------------- */

static int set_expiry(const char *id, int64_t expires_at, apikeys_key *key) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_expires_at_ms(spec, expires_at);
  int rc = apikeys_key_update(world.env, world.system, S(id), spec, key, world.err);
  apikeys_key_spec_free(spec);
  return rc;
}

START_TEST(an_expiry_is_set_cleared_and_made_now) {
  found(_i);
  struct made_key made;
  apikeys_key *key = apikeys_key_new();
  make_key(&world, key_spec(organization, "k", ""), &made);
  ck_assert_int_eq(set_expiry(made.id, world.now_ms + 5000, key), 0);
  ck_assert_int_eq(apikeys_key_expires_at_ms(key), world.now_ms + 5000);
  ck_assert_int_eq(set_expiry(made.id, 0, key), 0);
  ck_assert_int_eq(apikeys_key_expires_at_ms(key), 0);
  ck_assert_int_eq(set_expiry(made.id, 1, key), 0); /* long past: now */
  ck_assert_int_eq(apikeys_key_expires_at_ms(key), world.now_ms);
  ck_assert_int_eq(validate(&world, made.value, NULL), APIKEYS_EXPIRED);
  ck_assert_int_eq(set_expiry(made.id, world.now_ms + 5000, key), APIKEYS_ERROR_ALREADY_EXPIRED);
  ck_assert_int_eq(set_expiry(made.id, 0, key), APIKEYS_ERROR_ALREADY_EXPIRED);
  apikeys_key_free(key);
  world_close(&world);
}
END_TEST

/* -- Lists and finding ------------------------------------------------------------------------- */

static size_t count(const apikeys_actor *actor, const char *of_organization, const char *user,
                    int owner_type, int expected) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  if (of_organization != NULL)
    apikeys_filter_set_organization_id(filter, S(of_organization));
  if (user != NULL)
    apikeys_filter_set_user_id(filter, S(user));
  if (owner_type != 0)
    apikeys_filter_set_owner_type(filter, owner_type);
  int rc = apikeys_key_list(world.env, actor, filter, page, world.err);
  ck_assert_msg(rc == expected, "%s", apikeys_error_message(world.err));
  size_t listed = apikeys_page_count(page);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return listed;
}

START_TEST(lists_are_of_one_owner) {
  found(_i);
  char second[64];
  make_organization(&world, "Second", second);
  make_member(&world, second, "self", "self");
  make_key(&world, key_spec(organization, "k", ""), &(struct made_key){"", ""});
  make_key(&world, member_key_spec(organization, "self", "k", ""), &(struct made_key){"", ""});
  make_key(&world, member_key_spec(organization, "all", "k", ""), &(struct made_key){"", ""});
  make_key(&world, member_key_spec(second, "self", "k", ""), &(struct made_key){"", ""});
  make_key(&world, management_key_spec("k", ""), &(struct made_key){"", ""});
  const apikeys_actor *system = world.system;
  ck_assert_uint_eq(count(system, organization, NULL, 0, 0), 1);
  ck_assert_uint_eq(count(system, organization, NULL, APIKEYS_OWNER_MEMBER, 0), 2);
  ck_assert_uint_eq(count(system, organization, "self", 0, 0), 1);
  ck_assert_uint_eq(count(system, NULL, "self", 0, 0), 2);
  ck_assert_uint_eq(count(system, NULL, NULL, APIKEYS_OWNER_ENVIRONMENT, 0), 1);
  count(system, NULL, NULL, 0, APIKEYS_ERROR_INVALID_ARGUMENT);
  count(system, organization, NULL, APIKEYS_OWNER_ENVIRONMENT, APIKEYS_ERROR_INVALID_ARGUMENT);

  apikeys_actor *self = member_actor(organization, "self");
  apikeys_actor *all = member_actor(organization, "all");
  ck_assert_uint_eq(count(self, organization, "self", 0, 0), 1);
  count(self, organization, "all", 0, APIKEYS_ERROR_NOT_ALLOWED);
  count(self, organization, NULL, APIKEYS_OWNER_MEMBER, APIKEYS_ERROR_NOT_ALLOWED);
  count(self, organization, NULL, 0, APIKEYS_ERROR_NOT_ALLOWED);
  count(self, NULL, "self", 0, APIKEYS_ERROR_NOT_FOUND);
  ck_assert_uint_eq(count(all, organization, NULL, APIKEYS_OWNER_MEMBER, 0), 2);
  count(all, second, NULL, APIKEYS_OWNER_MEMBER, APIKEYS_ERROR_NOT_FOUND);
  count(all, NULL, NULL, APIKEYS_OWNER_ENVIRONMENT, APIKEYS_ERROR_NOT_FOUND);
  apikeys_actor_free(self);
  apikeys_actor_free(all);
  world_close(&world);
}
END_TEST

START_TEST(manage_all_sees_and_revokes_but_does_not_change_others_keys) {
  found(_i);
  struct made_key made;
  make_key(&world, member_key_spec(organization, "self", "k", ""), &made);
  apikeys_actor *all = member_actor(organization, "all");
  apikeys_key *key = apikeys_key_new();
  ck_assert_int_eq(apikeys_key_get(world.env, all, S(made.id), key, world.err), 0);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_name(spec, S("mine"));
  ck_assert_int_eq(apikeys_key_update(world.env, all, S(made.id), spec, key, world.err),
                   APIKEYS_ERROR_NOT_ALLOWED);
  ck_assert_int_eq(try_key(&world, all, member_key_spec(organization, "self", "k", ""), NULL),
                   APIKEYS_ERROR_NOT_ALLOWED);
  ck_assert_int_eq(apikeys_key_revoke(world.env, all, S(made.id), NULL, 0, key, world.err), 0);
  apikeys_key_spec_free(spec);
  apikeys_key_free(key);
  apikeys_actor_free(all);
  world_close(&world);
}
END_TEST

START_TEST(every_visible_beginning_finds_the_key_and_nothing_hostile_does) {
  static const char *const hostile[] = {"",     "sk",   "sk_",    "_a",         "sk_ ",
                                        "sk_%", "sk_'", "sk_a.b", "sk_..3456", "SK_abc"};
  found(_i);
  struct made_key made;
  apikeys_page *page = apikeys_page_new();
  make_key(&world, key_spec(organization, "k", ""), &made);
  for (size_t length = 4; length <= strlen(made.value); length++) {
    ck_assert_int_eq(apikeys_key_find(world.env, world.system, made.value, length, page, world.err),
                     0);
    ck_assert_uint_eq(apikeys_page_count(page), 1);
  }
  for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++)
    ck_assert_int_eq(apikeys_key_find(world.env, world.system, S(hostile[i]), page, world.err),
                     APIKEYS_ERROR_INVALID_ARGUMENT);
  char damaged[APIKEYS_VALUE_MAX];
  memcpy(damaged, made.value, sizeof damaged);
  damaged[40] = damaged[40] == 'a' ? 'b' : 'a';
  ck_assert_int_eq(apikeys_key_find(world.env, world.system, S(damaged), page, world.err),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_page_free(page);
  world_close(&world);
}
END_TEST

static uint64_t count_keys(const char *owner, const char *search, int revoked) {
  uint64_t count = 4711;
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_organization_id(filter, S(owner));
  apikeys_filter_set_search(filter, S(search));
  apikeys_filter_set_revoked(filter, revoked);
  ck_assert_int_eq(apikeys_key_count(world.env, world.system, filter, &count, world.err), 0);
  apikeys_filter_free(filter);
  return count;
}

START_TEST(keys_are_counted_as_they_are_listed) {
  char acme[64], other[64];
  struct made_key key;
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme", acme);
  make_organization(&world, "Other", other);
  make_key(&world, key_spec(acme, "CI deploys", ""), &key);
  make_key(&world, key_spec(acme, "laptop", ""), &key);
  ck_assert_int_eq(apikeys_key_revoke(world.env, world.system, S(key.id), NULL, 0, NULL, world.err),
                   0);
  ck_assert_uint_eq(count_keys(acme, "", 0), 1);
  ck_assert_uint_eq(count_keys(acme, "", 1), 2);
  ck_assert_uint_eq(count_keys(acme, "ci", 1), 1);
  ck_assert_uint_eq(count_keys(other, "", 1), 0);

  uint64_t count = 4711;
  apikeys_filter *filter = apikeys_filter_new();
  expect_failure(&world, apikeys_key_count(world.env, world.system, NULL, &count, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "filter");
  apikeys_filter_set_organization_id(filter, S(acme));
  apikeys_filter_set_limit(filter, 1);
  expect_failure(&world, apikeys_key_count(world.env, world.system, filter, &count, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "filter");
  expect_failure(&world, apikeys_key_count(world.env, world.system, filter, NULL, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "count");
  ck_assert_uint_eq(count, 4711);
  apikeys_filter_free(filter);
  world_close(&world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {names_are_one_to_255_bytes_of_clean_text,
                                a_failed_creation_touches_nothing,
                                an_owner_must_be_named_and_there,
                                lifetimes_are_held_to_the_policy,
                                an_owner_has_no_more_keys_than_allowed,
                                members_grant_only_what_they_hold_where_that_is_asked,
                                an_expiry_is_set_cleared_and_made_now,
                                lists_are_of_one_owner,
                                manage_all_sees_and_revokes_but_does_not_change_others_keys,
                                every_visible_beginning_finds_the_key_and_nothing_hostile_does,
                                keys_are_counted_as_they_are_listed};
  return RUN_ON_EACH_BACKEND("keys", tests);
}
