/* SPDX-License-Identifier: MIT */
/* Pruning, retention and backup. */
#include "support/deeds.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(pruning_takes_old_tombstones_and_events_only) {
  struct world world;
  struct made_key old, young, living;
  char organization[64];
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "old", ""), &old);
  make_key(&world, key_spec(organization, "young", ""), &young);
  make_key(&world, key_spec(organization, "living", ""), &living);
  ok(&world, revoke_key(&world, old.id, NULL));
  world.now_ms += DAY_MS;
  ok(&world, revoke_key(&world, young.id, NULL));
  int64_t kept = last_event(&world, NULL);
  ok(&world, apikeys_prune(world.env, world.system, world.now_ms, world.err));
  ck_assert_int_eq(revoke_key(&world, old.id, NULL), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(validate(&world, old.value, NULL), APIKEYS_UNKNOWN);
  ck_assert_int_eq(validate(&world, young.value, NULL), APIKEYS_REVOKED);
  ok(&world, validate(&world, living.value, NULL));
  apikeys_page *page = list_all_events(&world);
  ck_assert_uint_eq(apikeys_page_count(page), 2);
  ck_assert_int_eq(apikeys_event_number(apikeys_page_event(page, 0)), kept);
  apikeys_page_free(page);
  world_close(&world);
}
END_TEST

START_TEST(maintenance_prunes_what_is_past_its_retention) {
  struct world world;
  char organization[64];
  world_open(&world, (enum backend)_i);
  change_setting(&world, apikeys_settings_set_event_retention_ms, DAY_MS);
  world.now_ms += DAY_MS + 1;
  make_organization(&world, "Acme", organization);
  ok(&world, apikeys_maintain(world.env, world.err));
  apikeys_page *page = list_all_events(&world);
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  apikeys_page_free(page);
  world_close(&world);
}
END_TEST

START_TEST(a_backup_opens_with_the_same_root_and_replaces_nothing) {
  struct world world;
  struct made_key key;
  char organization[64], copy[128], root[128];
  apikeys_env *env = NULL;
  world_open(&world, BACKEND_SQLITE);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "CI", ""), &key);
  ok(&world, validate(&world, key.value, NULL));
  snprintf(copy, sizeof copy, "%s/copy.db", world.directory);
  snprintf(root, sizeof root, "%s.root", world.path);
  ok(&world, apikeys_backup(world.env, world.system, copy, world.err));
  ck_assert_int_eq(apikeys_backup(world.env, world.system, copy, world.err), APIKEYS_ERROR_EXISTS);
  ck_assert_int_eq(apikeys_open_sqlite(&env, copy, NULL, NULL), APIKEYS_ERROR_ROOT_KEY_MISSING);
  apikeys_options *options = apikeys_options_new();
  ok(&world, apikeys_options_set_root_key_file(options, root));
  ok(&world, apikeys_open_sqlite(&env, copy, options, world.err));
  apikeys_key *found = apikeys_key_new();
  ok(&world, apikeys_key_get(env, world.system, S(key.id), found, world.err));
  ck_assert_int_eq(apikeys_key_last_used_at_ms(found), world.now_ms);
  apikeys_key_free(found);
  ok(&world, apikeys_validate(env, S(key.value), NULL, NULL, NULL, world.err));
  apikeys_close(env);
  apikeys_options_free(options);
  static const char *const suffixes[] = {"", "-wal", "-shm"};
  for (size_t i = 0; i < 3; i++) {
    char path[160];
    snprintf(path, sizeof path, "%s%s", copy, suffixes[i]);
    unlink(path);
  }
  world_close(&world);
}
END_TEST

int main(void) {
  Suite *s = suite_create("maintenance");
  TCase *tc = tcase_create("maintenance");
  tcase_add_loop_test(tc, pruning_takes_old_tombstones_and_events_only, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, maintenance_prunes_what_is_past_its_retention, 0, BACKEND_COUNT);
  tcase_add_test(tc, a_backup_opens_with_the_same_root_and_replaces_nothing);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
