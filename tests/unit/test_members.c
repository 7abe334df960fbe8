/* SPDX-License-Identifier: MIT */
#include "support/expect.h"

struct company {
  struct world world;
  char organization[64];
};

static void found(struct company *company, int backend) {
  world_open(&company->world, (enum backend)backend);
  make_organization(&company->world, "Acme", company->organization);
}

static apikeys_member *member_of(const char *organization_id, const char *user_id) {
  apikeys_member *member = apikeys_member_new();
  apikeys_member_set_organization_id(member, S(organization_id));
  apikeys_member_set_user_id(member, S(user_id));
  return member;
}

static int create(struct company *company, apikeys_member *member) {
  return apikeys_member_create(company->world.env, company->world.system, member,
                               company->world.err);
}

static int update(struct company *company, apikeys_member *member) {
  return apikeys_member_update(company->world.env, company->world.system, member,
                               company->world.err);
}

static int get(struct company *company, const char *user_id, apikeys_member *member) {
  return apikeys_member_get(company->world.env, company->world.system, S(company->organization),
                            S(user_id), member, company->world.err);
}

static void refuse(struct company *company, apikeys_member *member, int code, const char *field) {
  int64_t before = last_event(&company->world, NULL);
  expect_failure(&company->world, create(company, member), code, field);
  ck_assert_int_eq(last_event(&company->world, NULL), before);
  ck_assert_str_eq(apikeys_member_id(member, NULL), "");
  apikeys_member_free(member);
}

START_TEST(a_member_is_kept_as_they_were_made) {
  struct company company;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_member *made = member_of(company.organization, "ada"), *got = apikeys_member_new();
  apikeys_member_set_email(made, S("ada@example.com"));
  apikeys_member_set_display_name(made, S("Ada"));
  apikeys_member_add_role(made, S("member"));
  apikeys_member_add_role(made, S("admin"));
  ck_assert_int_eq(create(&company, made), 0);
  expect_event(world, "organization_membership.created", "\"user_id\":\"ada\"",
               "\"status\":\"active\"");
  ck_assert_int_eq(get(&company, "ada", got), 0);
  ck_assert_int_eq(strncmp(apikeys_member_id(got, NULL), "om_", 3), 0);
  ck_assert_str_eq(apikeys_member_roles(got, NULL), "admin member");
  ck_assert_str_eq(apikeys_member_email(got, NULL), "ada@example.com");
  ck_assert_str_eq(apikeys_member_display_name(got, NULL), "Ada");
  ck_assert_int_eq(apikeys_member_status(got), APIKEYS_MEMBER_ACTIVE);
  ck_assert_int_eq(apikeys_member_created_at_ms(got), world->now_ms);
  const char *json = apikeys_member_json(got, NULL);
  ck_assert_ptr_null(strstr(json, "example.com")); /* it goes into events, which outlive people */
  ck_assert_ptr_nonnull(strstr(json, "\"custom_attributes\":{}")); /* official clients read it */
  apikeys_member *by_id = apikeys_member_new();
  ck_assert_int_eq(apikeys_member_get_by_id(world->env, world->system,
                                            S(apikeys_member_id(made, NULL)), by_id, world->err),
                   0);
  ck_assert_str_eq(apikeys_member_user_id(by_id, NULL), "ada");
  apikeys_member_free(by_id);
  apikeys_member_free(got);
  apikeys_member_free(made);
  world_close(world);
}
END_TEST

START_TEST(a_member_who_names_no_role_is_a_member) {
  struct company company;
  found(&company, _i);
  apikeys_member *member = member_of(company.organization, "ada");
  ck_assert_int_eq(create(&company, member), 0);
  ck_assert_str_eq(apikeys_member_roles(member, NULL), "member");
  apikeys_member_clear_roles(member);
  expect_failure(&company.world, update(&company, member), APIKEYS_ERROR_INVALID_ARGUMENT, "roles");
  apikeys_member_free(member);
  world_close(&company.world);
}
END_TEST

START_TEST(what_no_member_can_be_is_refused) {
  struct company company;
  found(&company, _i);
  const char *id = company.organization;
  for (size_t i = 0; i < bad_text_count; i++) {
    const struct bad_text *bad = &bad_texts[i];
    apikeys_member *member = member_of(id, "ada");
    apikeys_member_set_user_id(member, bad->text, bad->length);
    refuse(&company, member, APIKEYS_ERROR_INVALID_ARGUMENT, "user_id");
    member = member_of(id, "ada");
    apikeys_member_set_email(member, bad->text, bad->length);
    refuse(&company, member, APIKEYS_ERROR_INVALID_ARGUMENT, "email");
    member = member_of(id, "ada");
    apikeys_member_set_display_name(member, bad->text, bad->length);
    refuse(&company, member, APIKEYS_ERROR_INVALID_ARGUMENT, "display_name");
  }
  refuse(&company, member_of(id, ""), APIKEYS_ERROR_INVALID_ARGUMENT, "user_id");
  refuse(&company, member_of(id, "a b"), APIKEYS_ERROR_INVALID_ARGUMENT, "user_id");
  refuse(&company, member_of(id, long_text(129)), APIKEYS_ERROR_INVALID_ARGUMENT, "user_id");
  refuse(&company, member_of("", "ada"), APIKEYS_ERROR_INVALID_ARGUMENT, "organization_id");
  refuse(&company, member_of("org_none", "ada"), APIKEYS_ERROR_NOT_FOUND, "organization_id");
  apikeys_member *member = member_of(id, "ada");
  apikeys_member_set_status(member, 4);
  refuse(&company, member, APIKEYS_ERROR_INVALID_ARGUMENT, "status");
  member = member_of(id, "ada");
  apikeys_member_set_email(member, long_text(256), 256);
  refuse(&company, member, APIKEYS_ERROR_INVALID_ARGUMENT, "email");
  member = member_of(id, "ada");
  apikeys_member_add_role(member, S("no-such"));
  refuse(&company, member, APIKEYS_ERROR_NOT_FOUND, "roles");
  member = member_of(id, long_text(128));
  apikeys_member_set_email(member, long_text(255), 255);
  ck_assert_int_eq(create(&company, member), 0);
  apikeys_member_free(member);
  world_close(&company.world);
}
END_TEST

START_TEST(roles_of_another_organization_are_not_given) {
  struct company company;
  char other[64];
  found(&company, _i);
  make_organization(&company.world, "Other", other);
  make_role(&company.world, other, "org-role", "");
  apikeys_member *member = member_of(company.organization, "ada");
  apikeys_member_add_role(member, S("org-role"));
  refuse(&company, member, APIKEYS_ERROR_NOT_FOUND, "roles");
  make_member(&company.world, other, "ada", "org-role");
  world_close(&company.world);
}
END_TEST

START_TEST(a_user_is_a_member_once) {
  struct company company;
  found(&company, _i);
  make_member(&company.world, company.organization, "ada", NULL);
  refuse(&company, member_of(company.organization, "ada"), APIKEYS_ERROR_EXISTS, "user_id");
  world_close(&company.world);
}
END_TEST

START_TEST(an_update_writes_only_what_was_set) {
  struct company company;
  found(&company, _i);
  struct world *world = &company.world;
  make_member(world, company.organization, "ada", "admin");
  apikeys_member *one = apikeys_member_new(), *two = apikeys_member_new();
  ck_assert_int_eq(get(&company, "ada", one), 0);
  ck_assert_int_eq(get(&company, "ada", two), 0);
  int64_t before = last_event(world, NULL);
  world->now_ms += 5000;
  ck_assert_int_eq(update(&company, one), 0);
  ck_assert_int_eq(last_event(world, NULL), before);
  apikeys_member_set_status(one, APIKEYS_MEMBER_INACTIVE);
  ck_assert_int_eq(update(&company, one), 0);
  expect_event(world, "organization_membership.updated", "\"status\":\"inactive\"",
               "\"previous_attributes\":{\"status\":\"active\"}");
  apikeys_member_set_display_name(two, S("Ada"));
  ck_assert_int_eq(update(&company, two), 0);
  ck_assert_int_eq(apikeys_member_status(two), APIKEYS_MEMBER_INACTIVE);
  ck_assert_str_eq(apikeys_member_roles(two, NULL), "admin");
  ck_assert_int_eq(get(&company, "eve", two), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_str_eq(apikeys_member_display_name(two, NULL), "Ada");
  apikeys_member_free(two);
  apikeys_member_free(one);
  world_close(world);
}
END_TEST

START_TEST(a_deleted_members_keys_die) {
  struct company company;
  struct made_key own, shared;
  found(&company, _i);
  struct world *world = &company.world;
  make_member(world, company.organization, "ada", NULL);
  make_key(world, member_key_spec(company.organization, "ada", "own", ""), &own);
  make_key(world, key_spec(company.organization, "shared", ""), &shared);
  ck_assert_int_eq(apikeys_member_delete(world->env, world->system, S(company.organization),
                                         S("ada"), world->err),
                   0);
  expect_event(world, "organization_membership.deleted", "\"user_id\":\"ada\"", NULL);
  ck_assert_int_eq(validate(world, own.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(world, shared.value, NULL), APIKEYS_OK);
  make_member(world, company.organization, "ada", NULL);
  ck_assert_int_eq(validate(world, own.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(apikeys_member_delete(world->env, world->system, S(company.organization),
                                         S("eve"), world->err),
                   APIKEYS_ERROR_NOT_FOUND);
  world_close(world);
}
END_TEST

static size_t count_of(struct world *world, const char *organization_id, const char *user_id) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_organization_id(filter, S(organization_id));
  apikeys_filter_set_user_id(filter, S(user_id));
  ck_assert_int_eq(apikeys_member_list(world->env, world->system, filter, page, world->err), 0);
  size_t count = apikeys_page_count(page);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return count;
}

START_TEST(lists_are_of_organizations_and_of_users) {
  struct company company;
  char other[64];
  found(&company, _i);
  struct world *world = &company.world;
  make_organization(world, "Other", other);
  make_member(world, company.organization, "ada", NULL);
  make_member(world, company.organization, "bob", NULL);
  make_member(world, other, "ada", NULL);
  ck_assert_uint_eq(count_of(world, "", ""), 3);
  ck_assert_uint_eq(count_of(world, company.organization, ""), 2);
  ck_assert_uint_eq(count_of(world, "", "ada"), 2);
  ck_assert_uint_eq(count_of(world, other, "ada"), 1);
  ck_assert_uint_eq(count_of(world, other, "bob"), 0);
  world_close(world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_member_is_kept_as_they_were_made,
      a_member_who_names_no_role_is_a_member,
      what_no_member_can_be_is_refused,
      roles_of_another_organization_are_not_given,
      a_user_is_a_member_once,
      an_update_writes_only_what_was_set,
      a_deleted_members_keys_die,
      lists_are_of_organizations_and_of_users,
  };
  return RUN_ON_EACH_BACKEND("members", tests);
}
