/* SPDX-License-Identifier: MIT */
/*
 * The life of a key as its users rely on it: made under the rules, validated, refused for every
 * reason there is, changed, revoked, and found in the events. On each back-end.
 */
#include "support/expect.h"

#include <stdio.h>

struct company {
  struct world world;
  char organization[64];
  char other[64];
};

static void found(struct company *company, int backend) {
  struct world *world = &company->world;
  world_open(world, (enum backend)backend);
  make_permission(world, "posts:read", 1, 1);
  make_permission(world, "posts:write", 1, 1);
  make_permission(world, "billing:read", 0, 0);
  make_role(world, "", "manager", "widgets:api-keys:manage");
  make_role(world, "", "writer", "posts:read posts:write widgets:user-api-keys:manage-self");
  make_organization(world, "Acme", company->organization);
  make_organization(world, "Other", company->other);
  make_member(world, company->organization, "manager", "manager");
  make_member(world, company->organization, "writer", "writer");
  make_member(world, company->other, "stranger", "manager");
}

static void dissolve(struct company *company) {
  world_close(&company->world);
}

START_TEST(a_key_does_what_it_was_given_and_nothing_else) {
  struct company company;
  struct made_key key;
  found(&company, _i);
  make_key(&company.world, key_spec(company.organization, "CI", "posts:read"), &key);
  ck_assert_int_eq(validate(&company.world, key.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(validate(&company.world, key.value, "posts:read"), APIKEYS_OK);
  ck_assert_int_eq(validate(&company.world, key.value, "posts:write"), APIKEYS_NOT_PERMITTED);
  ck_assert_str_eq(apikeys_error_subject(company.world.err), "posts:write");
  ck_assert_int_eq(validate(&company.world, key.value, "no:such"), APIKEYS_NOT_PERMITTED);
  dissolve(&company);
}
END_TEST

START_TEST(an_empty_set_of_permissions_is_no_power) {
  struct company company;
  struct made_key key;
  found(&company, _i);
  make_key(&company.world, key_spec(company.organization, "empty", ""), &key);
  ck_assert_int_eq(validate(&company.world, key.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(validate(&company.world, key.value, "posts:read"), APIKEYS_NOT_PERMITTED);
  dissolve(&company);
}
END_TEST

START_TEST(the_validated_key_says_whose_it_is) {
  struct company company;
  struct made_key made;
  found(&company, _i);
  make_key(&company.world, key_spec(company.organization, "CI", "posts:write posts:read"), &made);
  apikeys_key *key = apikeys_key_new();
  ck_assert_int_eq(
      apikeys_validate(company.world.env, S(made.value), NULL, NULL, key, company.world.err), 0);
  ck_assert_str_eq(apikeys_key_id(key, NULL), made.id);
  ck_assert_str_eq(apikeys_key_organization_id(key, NULL), company.organization);
  ck_assert_str_eq(apikeys_key_user_id(key, NULL), "");
  ck_assert_str_eq(apikeys_key_name(key, NULL), "CI");
  ck_assert_str_eq(apikeys_key_permissions(key, NULL), "posts:read posts:write");
  ck_assert_int_eq(apikeys_key_owner_type(key), APIKEYS_OWNER_ORGANIZATION);
  ck_assert_int_eq(apikeys_key_created_at_ms(key), company.world.now_ms);
  ck_assert_int_eq(apikeys_key_expires_at_ms(key), 0);
  ck_assert_int_eq(apikeys_key_require_permission(key, S("posts:read")), APIKEYS_OK);
  ck_assert_int_eq(apikeys_key_require_permission(key, S("posts:rea")), APIKEYS_NOT_PERMITTED);
  apikeys_key_free(key);
  dissolve(&company);
}
END_TEST

START_TEST(a_wrong_character_anywhere_is_refused) {
  struct company company;
  struct made_key key;
  found(&company, _i);
  make_key(&company.world, key_spec(company.organization, "CI", ""), &key);
  size_t length = strlen(key.value);
  for (size_t i = 0; i < length; i++) {
    char damaged[APIKEYS_VALUE_MAX];
    memcpy(damaged, key.value, sizeof damaged);
    damaged[i] = damaged[i] == 'a' ? 'b' : 'a';
    ck_assert_int_eq(validate(&company.world, damaged, NULL), APIKEYS_MALFORMED);
  }
  dissolve(&company);
}
END_TEST

START_TEST(a_revoked_key_is_refused_at_once_and_for_good) {
  struct company company;
  struct made_key made;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "CI", ""), &made);
  apikeys_key *key = apikeys_key_new();
  ck_assert_int_eq(validate(world, made.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(
      apikeys_key_revoke(world->env, world->system, S(made.id), S("leaked"), key, world->err), 0);
  ck_assert_str_eq(apikeys_key_revoked_reason(key, NULL), "leaked");
  ck_assert_int_eq(validate(world, made.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(
      apikeys_key_revoke(world->env, world->system, S(made.id), S("again"), key, world->err),
      APIKEYS_ERROR_ALREADY_REVOKED);
  ck_assert_str_eq(apikeys_key_revoked_reason(key, NULL), "leaked");
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_name(spec, S("risen"));
  ck_assert_int_eq(
      apikeys_key_update(world->env, world->system, S(made.id), spec, NULL, world->err),
      APIKEYS_ERROR_ALREADY_REVOKED);
  apikeys_key_spec_free(spec);
  apikeys_key_free(key);
  dissolve(&company);
}
END_TEST

START_TEST(expiry_takes_effect_at_its_millisecond) {
  struct company company;
  struct made_key made;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_key_spec *spec = key_spec(company.organization, "short", "");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms + 1000);
  make_key(world, spec, &made);
  world->now_ms += 999;
  ck_assert_int_eq(validate(world, made.value, NULL), APIKEYS_OK);
  world->now_ms += 1;
  ck_assert_int_eq(validate(world, made.value, NULL), APIKEYS_EXPIRED);
  dissolve(&company);
}
END_TEST

START_TEST(an_expiry_must_lie_ahead) {
  struct company company;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_key_spec *spec = key_spec(company.organization, "late", "");
  apikeys_key_spec_set_expires_at_ms(spec, world->now_ms);
  ck_assert_int_eq(try_key(world, world->system, spec, NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_str_eq(apikeys_error_field(world->err), "expires_at");
  dissolve(&company);
}
END_TEST

START_TEST(permissions_must_exist_and_be_available) {
  struct company company;
  found(&company, _i);
  struct world *world = &company.world;
  int64_t before = last_event(world, NULL);
  ck_assert_int_eq(
      try_key(world, world->system, key_spec(company.organization, "k", "no:such"), NULL),
      APIKEYS_ERROR_UNKNOWN_PERMISSION);
  ck_assert_str_eq(apikeys_error_subject(world->err), "no:such");
  ck_assert_int_eq(
      try_key(world, world->system, key_spec(company.organization, "k", "billing:read"), NULL),
      APIKEYS_ERROR_PERMISSION_NOT_AVAILABLE);
  ck_assert_int_eq(try_key(world, world->system,
                           key_spec(company.organization, "k", "widgets:api-keys:manage"), NULL),
                   APIKEYS_ERROR_PERMISSION_NOT_AVAILABLE);
  ck_assert_int_eq(try_key(world, world->system,
                           key_spec(company.organization, "k", "apikeys:keys:write"), NULL),
                   APIKEYS_ERROR_UNKNOWN_PERMISSION);
  ck_assert_int_eq(last_event(world, NULL), before);
  dissolve(&company);
}
END_TEST

START_TEST(members_act_in_their_organization_with_their_permission) {
  struct company company;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_actor *manager = member_actor(company.organization, "manager");
  apikeys_actor *writer = member_actor(company.organization, "writer");
  apikeys_actor *stranger = member_actor(company.other, "stranger");
  struct made_key key;
  ck_assert_int_eq(try_key(world, manager, key_spec(company.organization, "k", ""), &key), 0);
  ck_assert_int_eq(try_key(world, writer, key_spec(company.organization, "k", ""), NULL),
                   APIKEYS_ERROR_NOT_ALLOWED);
  ck_assert_int_eq(try_key(world, stranger, key_spec(company.organization, "k", ""), NULL),
                   APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(try_key(world, manager, management_key_spec("k", ""), NULL),
                   APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(apikeys_key_revoke(world->env, stranger, S(key.id), NULL, 0, NULL, world->err),
                   APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(apikeys_key_revoke(world->env, writer, S(key.id), NULL, 0, NULL, world->err),
                   APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_OK);
  apikeys_actor_free(manager);
  apikeys_actor_free(writer);
  apikeys_actor_free(stranger);
  dissolve(&company);
}
END_TEST

static void set_role_permissions(struct world *world, const char *slug, const char *permission) {
  apikeys_role *role = apikeys_role_new();
  ck_assert_int_eq(apikeys_role_get(world->env, world->system, "", 0, S(slug), role, world->err),
                   0);
  apikeys_role_clear_permissions(role);
  if (permission != NULL)
    apikeys_role_add_permission(role, S(permission));
  ck_assert_int_eq(apikeys_role_update(world->env, world->system, role, world->err), 0);
  apikeys_role_free(role);
}

START_TEST(a_members_key_never_exceeds_the_member) {
  struct company company;
  struct made_key key;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_actor *writer = member_actor(company.organization, "writer");
  ck_assert_int_eq(try_key(world, writer,
                           member_key_spec(company.organization, "writer", "mine", "posts:write"),
                           &key),
                   0);
  ck_assert_int_eq(validate(world, key.value, "posts:write"), APIKEYS_OK);
  set_role_permissions(world, "writer", "posts:read");
  ck_assert_int_eq(validate(world, key.value, "posts:write"), APIKEYS_NOT_PERMITTED);
  ck_assert_int_eq(try_key(world, world->system,
                           member_key_spec(company.organization, "writer", "more", "posts:write"),
                           NULL),
                   APIKEYS_ERROR_PERMISSION_NOT_HELD);
  ck_assert_int_eq(apikeys_member_delete(world->env, world->system, S(company.organization),
                                         S("writer"), world->err),
                   0);
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_REVOKED);
  apikeys_actor_free(writer);
  dissolve(&company);
}
END_TEST

START_TEST(a_deleted_permission_is_gone_from_every_key_even_if_it_comes_back) {
  struct company company;
  struct made_key key;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "k", "posts:read posts:write"), &key);
  ck_assert_int_eq(
      apikeys_permission_delete(world->env, world->system, S("posts:read"), world->err), 0);
  ck_assert_int_eq(validate(world, key.value, "posts:read"), APIKEYS_NOT_PERMITTED);
  ck_assert_int_eq(validate(world, key.value, "posts:write"), APIKEYS_OK);
  make_permission(world, "posts:read", 1, 1);
  ck_assert_int_eq(validate(world, key.value, "posts:read"), APIKEYS_NOT_PERMITTED);
  dissolve(&company);
}
END_TEST

START_TEST(deleting_an_organization_revokes_its_keys) {
  struct company company;
  struct made_key key, own;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "k", ""), &key);
  make_key(world, member_key_spec(company.organization, "writer", "mine", ""), &own);
  ck_assert_int_eq(
      apikeys_organization_delete(world->env, world->system, S(company.organization), world->err),
      0);
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_REVOKED);
  ck_assert_int_eq(validate(world, own.value, NULL), APIKEYS_REVOKED);
  dissolve(&company);
}
END_TEST

START_TEST(management_keys_are_for_management) {
  struct company company;
  struct made_key key, more;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, management_key_spec("ops", "apikeys:keys:read apikeys:management-keys:write"),
           &key);
  ck_assert_int_eq(validate(world, key.value, NULL), APIKEYS_MANAGEMENT_KEY);
  apikeys_actor *ops = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_management_key(world->env, ops, S(key.value), world->err), 0);
  ck_assert_int_eq(try_key(world, ops, key_spec(company.organization, "k", ""), NULL),
                   APIKEYS_ERROR_NOT_ALLOWED);
  ck_assert_int_eq(try_key(world, ops, management_key_spec("k", "apikeys:keys:write"), NULL),
                   APIKEYS_ERROR_PERMISSION_NOT_HELD);
  ck_assert_int_eq(try_key(world, ops, management_key_spec("k", "apikeys:keys:read"), &more), 0);
  ck_assert_int_eq(
      apikeys_key_revoke(world->env, world->system, S(key.id), NULL, 0, NULL, world->err), 0);
  ck_assert_int_eq(try_key(world, ops, management_key_spec("k", "apikeys:keys:read"), NULL),
                   APIKEYS_ERROR_ACTOR_UNKNOWN);
  apikeys_actor_free(ops);
  dissolve(&company);
}
END_TEST

START_TEST(keys_of_one_environment_mean_nothing_in_another) {
  struct company company, elsewhere;
  struct made_key key;
  found(&company, _i);
  found(&elsewhere, _i);
  make_key(&company.world, key_spec(company.organization, "k", ""), &key);
  ck_assert_int_eq(validate(&elsewhere.world, key.value, NULL), APIKEYS_UNKNOWN);
  dissolve(&elsewhere);
  dissolve(&company);
}
END_TEST

START_TEST(a_changed_prefix_keeps_old_keys_until_it_is_taken_out) {
  struct company company;
  struct made_key old, new;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "old", ""), &old);
  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_prefix(settings, S("acme_live"));
  ck_assert_int_eq(apikeys_settings_update(world->env, world->system, settings, world->err), 0);
  make_key(world, key_spec(company.organization, "new", ""), &new);
  ck_assert_int_eq(strncmp(new.value, "acme_live_", 10), 0);
  ck_assert_int_eq(validate(world, old.value, NULL), APIKEYS_OK);
  ck_assert_int_eq(validate(world, new.value, NULL), APIKEYS_OK);
  apikeys_settings_remove_accepted_prefix(settings, S("sk"));
  ck_assert_int_eq(apikeys_settings_update(world->env, world->system, settings, world->err), 0);
  ck_assert_int_eq(validate(world, old.value, NULL), APIKEYS_MALFORMED);
  ck_assert_int_eq(validate(world, new.value, NULL), APIKEYS_OK);
  apikeys_settings_free(settings);
  dissolve(&company);
}
END_TEST

START_TEST(last_use_is_shown_at_once_and_kept) {
  struct company company;
  struct made_key made;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "k", ""), &made);
  apikeys_key *key = apikeys_key_new();
  int64_t first = world->now_ms += 5000;
  ck_assert_int_eq(apikeys_validate(world->env, S(made.value), NULL, NULL, key, world->err), 0);
  ck_assert_int_eq(apikeys_key_last_used_at_ms(key), 0);
  world->now_ms += 5000;
  ck_assert_int_eq(apikeys_validate(world->env, S(made.value), NULL, NULL, key, world->err), 0);
  ck_assert_int_eq(apikeys_key_last_used_at_ms(key), first);
  ck_assert_int_eq(apikeys_key_get(world->env, world->system, S(made.id), key, world->err), 0);
  ck_assert_int_eq(apikeys_key_last_used_at_ms(key), world->now_ms);
  if (_i == BACKEND_SQLITE) {
    world_reopen(world);
    ck_assert_int_eq(apikeys_key_get(world->env, world->system, S(made.id), key, world->err), 0);
    ck_assert_int_eq(apikeys_key_last_used_at_ms(key), world->now_ms);
  }
  apikeys_key_free(key);
  dissolve(&company);
}
END_TEST

START_TEST(a_key_is_found_by_its_visible_beginning) {
  struct company company;
  struct made_key key, other;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "k", ""), &key);
  make_key(world, key_spec(company.organization, "other", ""), &other);
  apikeys_page *page = apikeys_page_new();
  static const size_t lengths[] = {15, 19, 40, 57};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    ck_assert_int_eq(
        apikeys_key_find(world->env, world->system, key.value, lengths[i], page, world->err), 0);
    ck_assert_uint_eq(apikeys_page_count(page), 1);
    ck_assert_str_eq(apikeys_key_id(apikeys_page_key(page, 0), NULL), key.id);
  }
  apikeys_page_free(page);
  dissolve(&company);
}
END_TEST

START_TEST(a_key_is_found_by_its_obfuscated_form) {
  struct company company;
  struct made_key key, other, management;
  char form[16];
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_page *page = apikeys_page_new();
  ck_assert_int_eq(apikeys_key_find(world->env, world->system, S("sk_...3456"), page, world->err),
                   0);
  ck_assert_uint_eq(apikeys_page_count(page), 0);
  make_key(world, key_spec(company.organization, "k", ""), &key);
  make_key(world, key_spec(company.organization, "other", ""), &other);
  make_key(world, management_key_spec("m", "apikeys:keys:read"), &management);
  snprintf(form, sizeof form, "sk_...%s", key.value + strlen(key.value) - 4);
  ck_assert_int_eq(apikeys_key_find(world->env, world->system, S(form), page, world->err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  ck_assert_str_eq(apikeys_key_id(apikeys_page_key(page, 0), NULL), key.id);
  ck_assert_str_eq(apikeys_key_obfuscated_value(apikeys_page_key(page, 0), NULL), form);
  /* Revoked ones too; management keys by those alone who may list them. */
  ck_assert_int_eq(
      apikeys_key_revoke(world->env, world->system, S(key.id), NULL, 0, NULL, world->err), 0);
  apikeys_actor *reader = apikeys_actor_new();
  ck_assert_int_eq(
      apikeys_actor_set_management_key(world->env, reader, S(management.value), world->err), 0);
  ck_assert_int_eq(apikeys_key_find(world->env, reader, S(form), page, world->err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  snprintf(form, sizeof form, "sk_...%s", management.value + strlen(management.value) - 4);
  ck_assert_int_eq(apikeys_key_find(world->env, reader, S(form), page, world->err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 0);
  ck_assert_int_eq(apikeys_key_find(world->env, world->system, S(form), page, world->err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  static const char *const none[] = {"sk_...345",   "sk_...34567", "_...3456", "sk_..3456",
                                     "sk...3456",   "Sk_...3456",  "...3456",  "sk_...34 6",
                                     "sk__...3456", "sk_...%%%%"};
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
    expect_failure(world, apikeys_key_find(world->env, world->system, S(none[i]), page, world->err),
                   APIKEYS_ERROR_INVALID_ARGUMENT, "value");
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  apikeys_actor_free(reader);
  apikeys_page_free(page);
  dissolve(&company);
}
END_TEST

START_TEST(a_repeated_creation_replaces_the_lost_value) {
  struct company company;
  struct made_key first, second, third;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_key_spec *spec = key_spec(company.organization, "k", "posts:read");
  apikeys_key_spec_set_idempotency_key(spec, S("request-1"));
  make_key(world, spec, &first);
  world->now_ms += 10000;
  spec = key_spec(company.organization, "k", "posts:read");
  apikeys_key_spec_set_idempotency_key(spec, S("request-1"));
  make_key(world, spec, &second);
  ck_assert_str_eq(first.id, second.id);
  ck_assert_str_ne(first.value, second.value);
  ck_assert_int_eq(validate(world, first.value, NULL), APIKEYS_UNKNOWN);
  spec = key_spec(company.organization, "another", "posts:read");
  apikeys_key_spec_set_idempotency_key(spec, S("request-1"));
  ck_assert_int_eq(try_key(world, world->system, spec, NULL), APIKEYS_ERROR_IDEMPOTENCY_MISMATCH);
  ck_assert_int_eq(validate(world, second.value, NULL), APIKEYS_OK);
  spec = key_spec(company.organization, "k", "posts:read");
  apikeys_key_spec_set_idempotency_key(spec, S("request-1"));
  world->now_ms += 10000;
  ck_assert_int_eq(try_key(world, world->system, spec, NULL), APIKEYS_ERROR_IDEMPOTENCY_USED);
  ck_assert_str_eq(apikeys_error_subject(world->err), first.id);
  world->now_ms += INT64_C(24) * 3600 * 1000;
  spec = key_spec(company.organization, "k", "posts:read");
  apikeys_key_spec_set_idempotency_key(spec, S("request-1"));
  make_key(world, spec, &third);
  ck_assert_str_ne(first.id, third.id);
  dissolve(&company);
}
END_TEST

START_TEST(an_update_tells_what_was_before) {
  struct company company;
  struct made_key made;
  found(&company, _i);
  struct world *world = &company.world;
  make_key(world, key_spec(company.organization, "old name", "posts:read"), &made);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_name(spec, S("new name"));
  ck_assert_int_eq(
      apikeys_key_update(world->env, world->system, S(made.id), spec, NULL, world->err), 0);
  int64_t number = last_event(world, NULL);
  ck_assert_int_eq(
      apikeys_key_update(world->env, world->system, S(made.id), spec, NULL, world->err), 0);
  ck_assert_int_eq(last_event(world, NULL), number);
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_add_event_type(filter, S("api_key.updated"));
  ck_assert_int_eq(apikeys_event_list(world->env, world->system, filter, page, world->err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  const char *data = apikeys_event_data(apikeys_page_event(page, 0), NULL);
  ck_assert_ptr_nonnull(strstr(data, "\"name\":\"new name\""));
  ck_assert_ptr_nonnull(
      strstr(data, "\"previous_attributes\":{\"name\":\"old name\",\"expires_at\":null}"));
  apikeys_key_spec_free(spec);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  dissolve(&company);
}
END_TEST

START_TEST(a_widget_token_acts_as_its_member_while_they_may) {
  struct company company;
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  size_t length;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  apikeys_widget_token_spec_set_organization_id(spec, S(company.organization));
  apikeys_widget_token_spec_set_user_id(spec, S("manager"));
  apikeys_widget_token_spec_add_scope(spec, S("widgets:api-keys:manage"));
  ck_assert_int_eq(apikeys_widget_token_create(world->env, world->system, spec, token, sizeof token,
                                               &length, world->err),
                   0);
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_widget_token(world->env, actor, token, length, world->err), 0);
  ck_assert_int_eq(try_key(world, actor, key_spec(company.organization, "k", ""), NULL), 0);
  ck_assert_int_eq(try_key(world, actor, key_spec(company.other, "k", ""), NULL),
                   APIKEYS_ERROR_NOT_FOUND);
  set_role_permissions(world, "manager", NULL);
  ck_assert_int_eq(try_key(world, actor, key_spec(company.organization, "k", ""), NULL),
                   APIKEYS_ERROR_NOT_ALLOWED);
  world->now_ms += 3600 * 1000;
  ck_assert_int_eq(try_key(world, actor, key_spec(company.organization, "k", ""), NULL),
                   APIKEYS_ERROR_TOKEN_EXPIRED);
  ck_assert_int_eq(apikeys_actor_set_widget_token(world->env, actor, token, length, world->err),
                   APIKEYS_ERROR_TOKEN_EXPIRED);
  apikeys_actor_free(actor);
  apikeys_widget_token_spec_free(spec);
  dissolve(&company);
}
END_TEST

START_TEST(members_page_through_the_permissions_for_their_keys) {
  struct company company;
  found(&company, _i);
  struct world *world = &company.world;
  apikeys_actor *manager = member_actor(company.organization, "manager");
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_limit(filter, 1);
  ck_assert_int_eq(apikeys_permission_list(world->env, manager, filter, page, world->err),
                   APIKEYS_ERROR_NOT_ALLOWED);
  apikeys_filter_set_available_to(filter, APIKEYS_OWNER_ORGANIZATION);
  ck_assert_int_eq(apikeys_permission_list(world->env, manager, filter, page, world->err), 0);
  ck_assert_str_eq(apikeys_permission_slug(apikeys_page_permission(page, 0), NULL), "posts:write");
  size_t length;
  const char *after = apikeys_page_after(page, &length);
  apikeys_filter_set_after(filter, after, length);
  ck_assert_int_eq(apikeys_permission_list(world->env, manager, filter, page, world->err), 0);
  ck_assert_str_eq(apikeys_permission_slug(apikeys_page_permission(page, 0), NULL), "posts:read");
  ck_assert_str_eq(apikeys_page_after(page, NULL), "");
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  apikeys_actor_free(manager);
  dissolve(&company);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_key_does_what_it_was_given_and_nothing_else,
      an_empty_set_of_permissions_is_no_power,
      the_validated_key_says_whose_it_is,
      a_wrong_character_anywhere_is_refused,
      a_revoked_key_is_refused_at_once_and_for_good,
      expiry_takes_effect_at_its_millisecond,
      an_expiry_must_lie_ahead,
      permissions_must_exist_and_be_available,
      members_act_in_their_organization_with_their_permission,
      a_members_key_never_exceeds_the_member,
      a_deleted_permission_is_gone_from_every_key_even_if_it_comes_back,
      deleting_an_organization_revokes_its_keys,
      management_keys_are_for_management,
      keys_of_one_environment_mean_nothing_in_another,
      a_changed_prefix_keeps_old_keys_until_it_is_taken_out,
      last_use_is_shown_at_once_and_kept,
      a_key_is_found_by_its_visible_beginning,
      a_key_is_found_by_its_obfuscated_form,
      a_repeated_creation_replaces_the_lost_value,
      an_update_tells_what_was_before,
      a_widget_token_acts_as_its_member_while_they_may,
      members_page_through_the_permissions_for_their_keys,
  };
  return RUN_ON_EACH_BACKEND("the life of a key", tests);
}
