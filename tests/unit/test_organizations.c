/* SPDX-License-Identifier: MIT */
#include "support/deeds.h"
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>

static apikeys_organization *organization_named(const char *name) {
  apikeys_organization *organization = apikeys_organization_new();
  apikeys_organization_set_name(organization, S(name));
  return organization;
}

static int create(struct world *world, apikeys_organization *organization) {
  return apikeys_organization_create(world->env, world->system, organization, world->err);
}

static int update(struct world *world, apikeys_organization *organization) {
  return apikeys_organization_update(world->env, world->system, organization, world->err);
}

static int get(struct world *world, const char *id, apikeys_organization *organization) {
  return apikeys_organization_get(world->env, world->system, S(id), organization, world->err);
}

static void refuse(struct world *world, apikeys_organization *organization, int code,
                   const char *field) {
  int64_t before = last_event(world, NULL);
  expect_failure(world, create(world, organization), code, field);
  ck_assert_int_eq(last_event(world, NULL), before);
  ck_assert_str_eq(apikeys_organization_id(organization, NULL), "");
  apikeys_organization_free(organization);
}

/* Official clients read each as an object of its own: in an answer and in an event, the same. */
START_TEST(a_domain_is_an_object_with_an_id_and_times) {
  struct world world;
  char middle[128];
  world_open(&world, (enum backend)_i);
  apikeys_organization *made = organization_named("Acme"), *other = organization_named("Other");
  apikeys_organization_add_domain(made, S("a.example"));
  apikeys_organization_add_domain(other, S("a.example"));
  ck_assert_int_eq(create(&world, other), 0);
  ck_assert_int_eq(create(&world, made), 0);
  const char *json = apikeys_organization_json(made, NULL);
  const char *begin = strstr(json, "{\"object\":\"organization_domain\",\"id\":\"org_domain_");
  ck_assert_ptr_nonnull(begin);
  snprintf(middle, sizeof middle, "\",\"organization_id\":\"%s\",\"domain\":\"a.example\",",
           apikeys_organization_id(made, NULL));
  const char *after = strstr(begin, middle);
  ck_assert_ptr_nonnull(after);
  ck_assert_uint_eq((size_t)(after - begin),
                    strlen("{'object':'organization_domain','id':'") + strlen("org_domain_") + 32);
  char *domain = strndup(begin, (size_t)(strchr(begin, '}') + 1 - begin));
  expect_event(&world, "organization.created", "\"name\":\"Acme\"", domain);
  domain[after - begin] = '\0'; /* the same name of another organization has another id */
  ck_assert_ptr_null(strstr(apikeys_organization_json(other, NULL), domain));
  free(domain);
  apikeys_organization_free(other);
  apikeys_organization_free(made);
  world_close(&world);
}
END_TEST

START_TEST(an_organization_is_kept_as_it_was_made) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_organization *made = organization_named("Acme"), *got = apikeys_organization_new();
  apikeys_organization_set_external_id(made, S("acme/eu"));
  apikeys_organization_add_domain(made, S("b.example"));
  apikeys_organization_add_domain(made, S("a.example"));
  apikeys_organization_set_metadata(made, S("tier"), S("gold"));
  ck_assert_int_eq(create(&world, made), 0);
  expect_event(&world, "organization.created", "\"name\":\"Acme\"",
               "\"metadata\":{\"tier\":\"gold\"}");
  ck_assert_int_eq(apikeys_organization_get_by_external_id(world.env, world.system, S("acme/eu"),
                                                           got, world.err),
                   0);
  ck_assert_str_eq(apikeys_organization_id(got, NULL), apikeys_organization_id(made, NULL));
  ck_assert_uint_eq(strlen(apikeys_organization_id(got, NULL)), 30);
  ck_assert_str_eq(apikeys_organization_name(got, NULL), "Acme");
  ck_assert_str_eq(apikeys_organization_domains(got, NULL), "a.example b.example");
  ck_assert_int_eq(apikeys_organization_created_at_ms(got), world.now_ms);
  ck_assert_str_eq(apikeys_organization_json(got, NULL), apikeys_organization_json(made, NULL));
  apikeys_organization_free(got);
  apikeys_organization_free(made);
  world_close(&world);
}
END_TEST

START_TEST(texts_have_their_bounds) {
  struct world world;
  world_open(&world, (enum backend)_i);
  for (size_t i = 0; i < bad_text_count; i++) {
    const struct bad_text *bad = &bad_texts[i];
    apikeys_organization *organization = apikeys_organization_new();
    apikeys_organization_set_name(organization, bad->text, bad->length);
    refuse(&world, organization, APIKEYS_ERROR_INVALID_ARGUMENT, "name");
    organization = organization_named("Acme");
    apikeys_organization_set_external_id(organization, bad->text, bad->length);
    refuse(&world, organization, APIKEYS_ERROR_INVALID_ARGUMENT, "external_id");
  }
  refuse(&world, organization_named(""), APIKEYS_ERROR_INVALID_ARGUMENT, "name");
  refuse(&world, organization_named(long_text(256)), APIKEYS_ERROR_INVALID_ARGUMENT, "name");
  apikeys_organization *organization = organization_named("Acme");
  apikeys_organization_set_external_id(organization, long_text(129), 129);
  refuse(&world, organization, APIKEYS_ERROR_INVALID_ARGUMENT, "external_id");
  organization = organization_named(long_text(255));
  apikeys_organization_set_external_id(organization, long_text(128), 128);
  ck_assert_int_eq(create(&world, organization), 0);
  apikeys_organization_free(organization);
  world_close(&world);
}
END_TEST

START_TEST(an_external_id_is_one_organizations) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_organization *first = organization_named("One"), *second = organization_named("Two");
  apikeys_organization_set_external_id(first, S("x"));
  ck_assert_int_eq(create(&world, first), 0);
  ck_assert_int_eq(create(&world, second), 0); /* any number may have none */
  apikeys_organization_set_external_id(second, S("x"));
  int64_t before = last_event(&world, NULL);
  expect_failure(&world, update(&world, second), APIKEYS_ERROR_EXISTS, "external_id");
  ck_assert_int_eq(last_event(&world, NULL), before);
  apikeys_organization *third = organization_named("Three");
  apikeys_organization_set_external_id(third, S("x"));
  refuse(&world, third, APIKEYS_ERROR_EXISTS, "external_id");
  apikeys_organization_set_external_id(first, "", 0);
  ck_assert_int_eq(update(&world, first), 0);
  ck_assert_int_eq(update(&world, second), 0);
  apikeys_organization_free(second);
  apikeys_organization_free(first);
  world_close(&world);
}
END_TEST

START_TEST(domains_and_metadata_have_their_bounds) {
  (void)_i;
  char text[16];
  apikeys_organization *o = apikeys_organization_new();
  ck_assert_int_eq(apikeys_organization_add_domain(o, S("")), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_organization_add_domain(o, S("a b")), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_organization_add_domain(o, long_text(254), 254),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_organization_add_domain(o, NULL, 1), APIKEYS_ERROR_INVALID_ARGUMENT);
  for (int i = 0; i < 100; i++) {
    snprintf(text, sizeof text, "d%d.example", i);
    ck_assert_int_eq(apikeys_organization_add_domain(o, S(text)), 0);
  }
  ck_assert_int_eq(apikeys_organization_add_domain(o, S("one.more")),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_organization_set_metadata(o, S(""), S("v")),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_organization_set_metadata(o, long_text(41), 41, S("v")),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_organization_set_metadata(o, S("k"), long_text(601), 601),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  for (size_t i = 0; i < bad_text_count; i++)
    ck_assert_int_eq(
        apikeys_organization_set_metadata(o, S("k"), bad_texts[i].text, bad_texts[i].length),
        APIKEYS_ERROR_INVALID_ARGUMENT);
  for (int i = 0; i < 50; i++) {
    snprintf(text, sizeof text, "key-%d", i);
    ck_assert_int_eq(apikeys_organization_set_metadata(o, S(text), long_text(600), 600), 0);
  }
  ck_assert_int_eq(apikeys_organization_set_metadata(o, S("more"), S("v")),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_organization_set_metadata(o, S("key-0"), "", 0), 0);
  ck_assert_uint_eq(apikeys_organization_metadata_count(o), 49);
  const char *key, *value;
  size_t key_length, value_length;
  ck_assert_int_eq(apikeys_organization_metadata_at(o, 0, &key, &key_length, &value, &value_length),
                   0);
  ck_assert_int_eq(key_length == 5 && memcmp(key, "key-1", 5) == 0 && value_length == 600, 1);
  ck_assert_int_eq(
      apikeys_organization_metadata_at(o, 49, &key, &key_length, &value, &value_length),
      APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_organization_free(o);
}
END_TEST

START_TEST(domains_are_domain_names) {
  struct world world;
  world_open(&world, (enum backend)_i);
  const char *const wrong[] = {"acme", "http://acme.example", "127.0.0.1", "acme@example.com"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    apikeys_organization *organization = organization_named("Acme");
    ck_assert_int_eq(apikeys_organization_add_domain(organization, S(wrong[i])),
                     APIKEYS_ERROR_INVALID_ARGUMENT);
    expect_failure(&world, create(&world, organization), APIKEYS_ERROR_INVALID_ARGUMENT, "domains");
    ck_assert_str_eq(apikeys_error_message(world.err),
                     "domains: must be a domain name, such as acme.example");
    apikeys_organization_free(organization);
  }
  world_close(&world);
}
END_TEST

START_TEST(a_stored_domain_that_is_none_stays_readable) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_organization *made = organization_named("Acme"), *got = apikeys_organization_new();
  apikeys_organization_add_domain(made, S("a.example"));
  ck_assert_int_eq(create(&world, made), 0);
  const char *stored = "a.example";
  if ((enum backend)_i == BACKEND_SQLITE) {
    stored = "http://old/";
    run_sql(&world, "UPDATE organizations SET domains = 'http://old/'");
  }
  const char *id = apikeys_organization_id(made, NULL);
  ck_assert_int_eq(get(&world, id, got), 0);
  apikeys_organization_set_name(got, S("Renamed"));
  ck_assert_int_eq(update(&world, got), 0);
  ck_assert_str_eq(apikeys_organization_domains(got, NULL), stored);
  apikeys_organization_free(got);
  apikeys_organization_free(made);
  world_close(&world);
}
END_TEST

START_TEST(an_update_writes_only_what_was_set) {
  struct world world;
  char id[64];
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme", id);
  apikeys_organization *one = apikeys_organization_new(), *two = apikeys_organization_new();
  ck_assert_int_eq(get(&world, id, one), 0);
  apikeys_organization_set_id(two, S(id));
  int64_t before = last_event(&world, NULL);
  world.now_ms += 5000;
  ck_assert_int_eq(update(&world, one), 0);
  ck_assert_int_eq(last_event(&world, NULL), before);
  apikeys_organization_set_name(one, S("Renamed"));
  ck_assert_int_eq(update(&world, one), 0);
  expect_event(&world, "organization.updated", "\"name\":\"Renamed\"",
               "\"previous_attributes\":{\"name\":\"Acme\"}");
  apikeys_organization_set_external_id(two, S("ext"));
  ck_assert_int_eq(update(&world, two), 0);
  ck_assert_str_eq(apikeys_organization_name(two, NULL), "Renamed");
  ck_assert_int_eq(apikeys_organization_updated_at_ms(two), world.now_ms);
  apikeys_organization_set_name(two, S(""));
  expect_failure(&world, update(&world, two), APIKEYS_ERROR_INVALID_ARGUMENT, "name");
  ck_assert_int_eq(get(&world, "org_none", one), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_str_eq(apikeys_organization_name(one, NULL), "Renamed");
  apikeys_organization_free(two);
  apikeys_organization_free(one);
  world_close(&world);
}
END_TEST

START_TEST(deleting_takes_everything_that_was_its_own) {
  struct world world;
  char id[64];
  struct made_key key;
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme", id);
  make_role(&world, id, "org-role", "");
  make_member(&world, id, "ada", "org-role");
  make_key(&world, member_key_spec(id, "ada", "k", ""), &key);
  int64_t before = last_event(&world, NULL);
  ck_assert_int_eq(apikeys_organization_delete(world.env, world.system, S(id), world.err), 0);
  apikeys_page *page = list_all_events(&world);
  const apikeys_event *event = apikeys_page_event(page, (size_t)before);
  ck_assert_str_eq(apikeys_event_type(event, NULL), "organization.deleted");
  apikeys_page_free(page);
  ck_assert_int_eq(last_event(&world, NULL), before + 4); /* organization, key, member, role */
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_REVOKED);
  apikeys_role *role = apikeys_role_new();
  ck_assert_int_eq(apikeys_role_get(world.env, world.system, S(id), S("org-role"), role, world.err),
                   APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(apikeys_organization_delete(world.env, world.system, S(id), world.err),
                   APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(id, "k", ""), NULL),
                   APIKEYS_ERROR_NOT_FOUND);
  apikeys_role_free(role);
  world_close(&world);
}
END_TEST

static size_t count_found(struct world *world, const char *search) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_search(filter, S(search));
  ck_assert_int_eq(apikeys_organization_list(world->env, world->system, filter, page, world->err),
                   0);
  size_t count = apikeys_page_count(page);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return count;
}

START_TEST(a_list_is_searched_by_name) {
  struct world world;
  char id[64];
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme Corp", id);
  make_organization(&world, "acme labs", id);
  make_organization(&world, "Other 100%", id);
  ck_assert_uint_eq(count_found(&world, "ACME"), 2);
  ck_assert_uint_eq(count_found(&world, "corp"), 1);
  ck_assert_uint_eq(count_found(&world, "%"), 1); /* text, not a pattern */
  ck_assert_uint_eq(count_found(&world, "_"), 0);
  ck_assert_uint_eq(count_found(&world, "nobody"), 0);
  world_close(&world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_domain_is_an_object_with_an_id_and_times,
      an_organization_is_kept_as_it_was_made,
      texts_have_their_bounds,
      an_external_id_is_one_organizations,
      domains_and_metadata_have_their_bounds,
      domains_are_domain_names,
      a_stored_domain_that_is_none_stays_readable,
      an_update_writes_only_what_was_set,
      deleting_takes_everything_that_was_its_own,
      a_list_is_searched_by_name,
  };
  return RUN_ON_EACH_BACKEND("organizations", tests);
}
