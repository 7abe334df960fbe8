/* SPDX-License-Identifier: MIT */
/* Last-used times: shown at once, written in batches, and never backwards. */
#include "support/deeds.h"
#include "support/suite.h"
#include "support/wrapped_storage.h"

struct shop {
  struct world world;
  char organization[64];
  struct made_key key;
};

static void open_shop(struct shop *shop, int backend) {
  world_open(&shop->world, (enum backend)backend);
  make_organization(&shop->world, "Acme", shop->organization);
  make_key(&shop->world, key_spec(shop->organization, "CI", ""), &shop->key);
}

static int64_t last_used(struct shop *shop) {
  apikeys_key *key = get_key(&shop->world, shop->key.id);
  int64_t at = apikeys_key_last_used_at_ms(key);
  apikeys_key_free(key);
  return at;
}

static void use_at(struct shop *shop, int64_t at_ms) {
  apikeys_request *request = apikeys_request_new();
  ok(&shop->world, apikeys_request_set_time_ms(request, at_ms));
  ok(&shop->world,
     apikeys_validate(shop->world.env, S(shop->key.value), NULL, request, NULL, shop->world.err));
  apikeys_request_free(request);
}

START_TEST(use_never_goes_back_before_or_after_a_flush) {
  struct shop shop;
  open_shop(&shop, _i);
  use_at(&shop, 5000);
  use_at(&shop, 3000);
  ck_assert_int_eq(last_used(&shop), 5000);
  ok(&shop.world, apikeys_maintain(shop.world.env, shop.world.err));
  use_at(&shop, 4000);
  ok(&shop.world, apikeys_maintain(shop.world.env, shop.world.err));
  ck_assert_int_eq(last_used(&shop), 5000);
  use_at(&shop, 6000);
  ck_assert_int_eq(last_used(&shop), 6000);
  world_close(&shop.world);
}
END_TEST

START_TEST(closing_writes_what_is_pending) {
  struct shop shop;
  open_shop(&shop, BACKEND_SQLITE);
  use_at(&shop, 5000);
  world_reopen(&shop.world);
  ck_assert_int_eq(last_used(&shop), 5000);
  world_close(&shop.world);
}
END_TEST

START_TEST(use_changes_no_update_time_and_leaves_no_event) {
  struct shop shop;
  open_shop(&shop, _i);
  int64_t events = last_event(&shop.world, NULL);
  int64_t made_at = shop.world.now_ms;
  shop.world.now_ms += DAY_MS;
  use_at(&shop, shop.world.now_ms);
  ok(&shop.world, apikeys_maintain(shop.world.env, shop.world.err));
  apikeys_key *key = get_key(&shop.world, shop.key.id);
  ck_assert_int_eq(apikeys_key_updated_at_ms(key), made_at);
  apikeys_key_free(key);
  ck_assert_int_eq(last_event(&shop.world, NULL), events);
  world_close(&shop.world);
}
END_TEST

START_TEST(no_validation_writes) {
  static const char root[32] = "root";
  struct shop shop;
  struct wrapped_storage wrapped;
  apikeys_storage storage;
  world_open(&shop.world, BACKEND_MEMORY);
  apikeys_close(shop.world.env);
  wrap_memory_storage(&wrapped, &storage);
  ok(&shop.world, apikeys_options_set_root_key(shop.world.options, root, sizeof root));
  ok(&shop.world,
     apikeys_open_storage(&shop.world.env, &storage, shop.world.options, shop.world.err));
  make_organization(&shop.world, "Acme", shop.organization);
  make_key(&shop.world, key_spec(shop.organization, "CI", ""), &shop.key);
  int writes = wrapped.calls[SLOT_BEGIN_WRITE], raises = wrapped.calls[SLOT_RAISE];
  for (int i = 1; i <= 100; i++)
    use_at(&shop, i * 1000);
  ck_assert_int_eq(wrapped.calls[SLOT_BEGIN_WRITE], writes);
  ok(&shop.world, apikeys_maintain(shop.world.env, shop.world.err));
  ck_assert_int_eq(wrapped.calls[SLOT_RAISE], raises + 1);
  ck_assert_int_eq(last_used(&shop), 100000);
  world_close(&shop.world);
  ck_assert_int_eq(wrapped.calls[SLOT_DESTROY], 1);
}
END_TEST

int main(void) {
  Suite *s = suite_create("usage");
  TCase *tc = tcase_create("usage");
  tcase_add_loop_test(tc, use_never_goes_back_before_or_after_a_flush, 0, BACKEND_COUNT);
  tcase_add_test(tc, closing_writes_what_is_pending);
  tcase_add_loop_test(tc, use_changes_no_update_time_and_leaves_no_event, 0, BACKEND_COUNT);
  tcase_add_test(tc, no_validation_writes);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
