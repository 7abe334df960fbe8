/* SPDX-License-Identifier: MIT */
#include "support/expect.h"

static int get(struct world *world, apikeys_settings *settings) {
  return apikeys_settings_get(world->env, world->system, settings, world->err);
}

static int update(struct world *world, apikeys_settings *settings) {
  return apikeys_settings_update(world->env, world->system, settings, world->err);
}

START_TEST(everything_is_off_at_first) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_settings *settings = apikeys_settings_new();
  ck_assert_int_eq(get(&world, settings), 0);
  ck_assert_str_eq(apikeys_settings_prefix(settings, NULL), "sk");
  ck_assert_str_eq(apikeys_settings_accepted_prefixes(settings, NULL), "sk");
  ck_assert_int_eq(apikeys_settings_max_lifetime_ms(settings), 0);
  ck_assert_int_eq(apikeys_settings_expiry_required(settings), 0);
  ck_assert_int_eq(apikeys_settings_idle_lifetime_ms(settings), 0);
  ck_assert_int_eq(apikeys_settings_max_keys_per_owner(settings), 0);
  ck_assert_int_eq(apikeys_settings_grants_must_be_held(settings), 0);
  ck_assert_int_eq(apikeys_settings_event_retention_ms(settings), 0);
  apikeys_settings_free(settings);
  apikeys_settings_free(NULL);
  world_close(&world);
}
END_TEST

START_TEST(an_update_writes_only_what_was_set) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_settings *one = apikeys_settings_new(), *two = apikeys_settings_new();
  ck_assert_int_eq(get(&world, one), 0);
  int64_t before = last_event(&world, NULL);
  ck_assert_int_eq(update(&world, one), 0);
  ck_assert_int_eq(last_event(&world, NULL), before);
  apikeys_settings_set_max_keys_per_owner(one, 3);
  apikeys_settings_set_expiry_required(two, 1);
  ck_assert_int_eq(update(&world, one), 0);
  expect_event(&world, "environment.updated", "\"previous_attributes\"", NULL);
  ck_assert_int_eq(update(&world, two), 0);
  ck_assert_int_eq(apikeys_settings_max_keys_per_owner(two), 3);
  ck_assert_int_eq(apikeys_settings_expiry_required(two), 1);
  ck_assert_str_eq(apikeys_settings_prefix(two, NULL), "sk");
  apikeys_settings_free(two);
  apikeys_settings_free(one);
  world_close(&world);
}
END_TEST

static void refuse_prefix(struct world *world, const char *prefix, size_t length) {
  apikeys_settings *settings = apikeys_settings_new();
  int64_t before = last_event(world, NULL);
  apikeys_settings_set_prefix(settings, prefix, length);
  expect_failure(world, update(world, settings), APIKEYS_ERROR_INVALID_ARGUMENT, "prefix");
  ck_assert_int_eq(last_event(world, NULL), before);
  apikeys_settings_free(settings);
}

START_TEST(prefixes_have_their_form) {
  static const char *const bad[] = {"", "_sk", "sk_", "1sk", "SK", "s-k", "s k", "s\xc3\xa9"};
  struct world world;
  world_open(&world, (enum backend)_i);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    refuse_prefix(&world, S(bad[i]));
  refuse_prefix(&world, "s\0k", 3);
  refuse_prefix(&world, NULL, 2);
  refuse_prefix(&world, long_text(25), 25);
  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_prefix(settings, long_text(24), 24);
  ck_assert_int_eq(update(&world, settings), 0);
  apikeys_settings_set_prefix(settings, S("acme_live"));
  ck_assert_int_eq(update(&world, settings), 0);
  ck_assert_ptr_nonnull(strstr(apikeys_settings_accepted_prefixes(settings, NULL), "acme_live sk"));
  apikeys_settings_free(settings);
  world_close(&world);
}
END_TEST

START_TEST(the_prefix_in_use_stays_accepted) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_settings *settings = apikeys_settings_new();
  ck_assert_int_eq(get(&world, settings), 0);
  apikeys_settings_remove_accepted_prefix(settings, S("sk"));
  ck_assert_int_eq(update(&world, settings), 0);
  ck_assert_str_eq(apikeys_settings_accepted_prefixes(settings, NULL), "sk");
  apikeys_settings_add_accepted_prefix(settings, S("old"));
  ck_assert_int_eq(update(&world, settings), 0);
  ck_assert_str_eq(apikeys_settings_accepted_prefixes(settings, NULL), "old sk");
  apikeys_settings_add_accepted_prefix(settings, S("no-"));
  expect_failure(&world, update(&world, settings), APIKEYS_ERROR_INVALID_ARGUMENT,
                 "accepted_prefixes");
  apikeys_settings_free(settings);
  world_close(&world);
}
END_TEST

/* A set that was never read would take every other prefix out, and their keys with them. */
START_TEST(accepted_prefixes_are_changed_after_a_get_only) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_prefix(settings, S("acme"));
  ck_assert_int_eq(update(&world, settings), 0);
  apikeys_settings *blind = apikeys_settings_new();
  apikeys_settings_add_accepted_prefix(blind, S("more"));
  expect_failure(&world, update(&world, blind), APIKEYS_ERROR_INVALID_ARGUMENT,
                 "accepted_prefixes");
  ck_assert_str_eq(apikeys_settings_accepted_prefixes(blind, NULL), "more");
  ck_assert_int_eq(get(&world, settings), 0);
  ck_assert_str_eq(apikeys_settings_accepted_prefixes(settings, NULL), "acme sk");
  apikeys_settings_free(blind);
  apikeys_settings_free(settings);
  world_close(&world);
}
END_TEST

typedef int (*set_number)(apikeys_settings *settings, int64_t number);

START_TEST(numbers_have_their_bounds) {
  static const struct {
    set_number set;
    const char *field;
  } numbers[] = {
      {apikeys_settings_set_max_lifetime_ms, "max_lifetime_ms"},
      {apikeys_settings_set_idle_lifetime_ms, "idle_lifetime_ms"},
      {apikeys_settings_set_max_keys_per_owner, "max_keys_per_owner"},
      {apikeys_settings_set_event_retention_ms, "event_retention_ms"},
  };
  struct world world;
  world_open(&world, (enum backend)_i);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX};
    for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
      apikeys_settings *settings = apikeys_settings_new();
      numbers[i].set(settings, bad[j]);
      expect_failure(&world, update(&world, settings), APIKEYS_ERROR_INVALID_ARGUMENT,
                     numbers[i].field);
      apikeys_settings_free(settings);
    }
    ck_assert_int_eq(numbers[i].set(NULL, 1), APIKEYS_ERROR_INVALID_ARGUMENT);
  }
  apikeys_settings *settings = apikeys_settings_new();
  ck_assert_int_eq(apikeys_settings_set_expiry_required(settings, 2),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(update(&world, settings), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_settings_free(settings);
  world_close(&world);
}
END_TEST

START_TEST(policies_hold_for_what_is_created_afterwards) {
  struct world world;
  char id[64];
  struct made_key key;
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme", id);
  make_key(&world, key_spec(id, "before", ""), &key);
  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_expiry_required(settings, 1);
  ck_assert_int_eq(update(&world, settings), 0);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(id, "k", ""), NULL),
                   APIKEYS_ERROR_EXPIRY_REQUIRED);
  apikeys_settings_set_max_lifetime_ms(settings, 1000);
  ck_assert_int_eq(update(&world, settings), 0);
  apikeys_key_spec *spec = key_spec(id, "k", "");
  apikeys_key_spec_set_expires_at_ms(spec, world.now_ms + 1001);
  ck_assert_int_eq(try_key(&world, world.system, spec, NULL), APIKEYS_ERROR_LIFETIME_TOO_LONG);
  spec = key_spec(id, "k", "");
  apikeys_key_spec_set_expires_at_ms(spec, world.now_ms + 1000);
  ck_assert_int_eq(try_key(&world, world.system, spec, NULL), 0);
  apikeys_settings_set_max_keys_per_owner(settings, 2);
  ck_assert_int_eq(update(&world, settings), 0);
  spec = key_spec(id, "k", "");
  apikeys_key_spec_set_expires_at_ms(spec, world.now_ms + 1000);
  expect_failure(&world, try_key(&world, world.system, spec, NULL), APIKEYS_ERROR_TOO_MANY_KEYS,
                 "owner");
  ck_assert_int_eq(validate(&world, key.value, NULL), 0);
  apikeys_settings_free(settings);
  world_close(&world);
}
END_TEST

START_TEST(settings_outlive_the_handle) {
  struct world world;
  if (_i == BACKEND_MEMORY)
    return; /* dies with it, and says so */
  world_open(&world, (enum backend)_i);
  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_prefix(settings, S("live"));
  ck_assert_int_eq(update(&world, settings), 0);
  world_reopen(&world);
  apikeys_settings *again = apikeys_settings_new();
  ck_assert_int_eq(get(&world, again), 0);
  ck_assert_str_eq(apikeys_settings_prefix(again, NULL), "live");
  ck_assert_str_eq(apikeys_settings_accepted_prefixes(again, NULL), "live sk");
  apikeys_settings_free(again);
  apikeys_settings_free(settings);
  world_close(&world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      everything_is_off_at_first,
      an_update_writes_only_what_was_set,
      prefixes_have_their_form,
      the_prefix_in_use_stays_accepted,
      accepted_prefixes_are_changed_after_a_get_only,
      numbers_have_their_bounds,
      policies_hold_for_what_is_created_afterwards,
      settings_outlive_the_handle,
  };
  return RUN_ON_EACH_BACKEND("settings", tests);
}
