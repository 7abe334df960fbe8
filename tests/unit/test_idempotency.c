/* SPDX-License-Identifier: MIT */
/* A creation that is repeated because its answer was lost. */
#include "support/deeds.h"
#include "support/suite.h"

#include <stdlib.h>

struct shop {
  struct world world;
  char organization[64];
  char other[64];
};

static void open_shop(struct shop *shop, int backend) {
  world_open(&shop->world, (enum backend)backend);
  make_posts(&shop->world);
  make_organization(&shop->world, "Acme", shop->organization);
  make_organization(&shop->world, "Other", shop->other);
}

static int ask(struct shop *shop, const char *organization, const char *name, const char *text,
               struct made_key *key) {
  apikeys_key_spec *spec = key_spec(organization, name, "posts:read");
  ok(&shop->world, apikeys_key_spec_set_idempotency_key(spec, S(text)));
  return try_key(&shop->world, shop->world.system, spec, key);
}

START_TEST(a_repeat_gives_the_key_a_new_value) {
  struct shop shop;
  struct made_key lost, kept;
  open_shop(&shop, _i);
  ok(&shop.world, ask(&shop, shop.organization, "CI", "once", &lost));
  shop.world.now_ms += 10000;
  ok(&shop.world, ask(&shop, shop.organization, "CI", "once", &kept));
  ck_assert_str_eq(lost.id, kept.id);
  ck_assert_str_ne(lost.value, kept.value);
  ck_assert_int_eq(validate(&shop.world, lost.value, NULL), APIKEYS_UNKNOWN);
  ok(&shop.world, validate(&shop.world, kept.value, "posts:read"));
  shop.world.now_ms += 10000;
  ck_assert_int_eq(ask(&shop, shop.organization, "CI", "once", &lost),
                   APIKEYS_ERROR_IDEMPOTENCY_USED);
  ck_assert_str_eq(apikeys_error_subject(shop.world.err), kept.id);
  ok(&shop.world, validate(&shop.world, kept.value, "posts:read"));
  world_close(&shop.world);
}
END_TEST

START_TEST(another_request_under_the_same_text_is_refused) {
  struct shop shop;
  struct made_key key;
  open_shop(&shop, _i);
  ok(&shop.world, ask(&shop, shop.organization, "CI", "once", &key));
  ck_assert_int_eq(ask(&shop, shop.organization, "CD", "once", NULL),
                   APIKEYS_ERROR_IDEMPOTENCY_MISMATCH);
  ok(&shop.world, validate(&shop.world, key.value, NULL));
  world_close(&shop.world);
}
END_TEST

START_TEST(owners_and_actors_do_not_meet) {
  struct shop shop;
  struct made_key first, second, third;
  open_shop(&shop, _i);
  make_role(&shop.world, "", "manager", "widgets:api-keys:manage");
  make_member(&shop.world, shop.organization, "ada", "manager");
  ok(&shop.world, ask(&shop, shop.organization, "CI", "once", &first));
  ok(&shop.world, ask(&shop, shop.other, "CI", "once", &second));
  apikeys_actor *ada = member_actor(shop.organization, "ada");
  apikeys_key_spec *spec = key_spec(shop.organization, "CI", "posts:read");
  ok(&shop.world, apikeys_key_spec_set_idempotency_key(spec, S("once")));
  ok(&shop.world, try_key(&shop.world, ada, spec, &third));
  ck_assert_str_ne(first.id, second.id);
  ck_assert_str_ne(first.id, third.id);
  ok(&shop.world, validate(&shop.world, first.value, NULL));
  ok(&shop.world, validate(&shop.world, second.value, NULL));
  ok(&shop.world, validate(&shop.world, third.value, NULL));
  apikeys_actor_free(ada);
  world_close(&shop.world);
}
END_TEST

/* Repeats that race: one value at a time, and it works for as long as somebody may be reading
 * it. */
START_TEST(a_repeat_within_ten_seconds_is_in_flight) {
  struct shop shop;
  struct made_key first, second, third;
  open_shop(&shop, _i);
  ok(&shop.world, ask(&shop, shop.organization, "CI", "once", &first));
  for (int i = 0; i < 2; i++) {
    shop.world.now_ms += i * 9999;
    ck_assert_int_eq(ask(&shop, shop.organization, "CI", "once", &second),
                     APIKEYS_ERROR_IDEMPOTENCY_IN_FLIGHT);
    ck_assert_str_eq(apikeys_error_subject(shop.world.err), first.id);
    ck_assert_str_eq(apikeys_error_field(shop.world.err), "idempotency_key");
  }
  shop.world.now_ms += 1;
  ok(&shop.world, ask(&shop, shop.organization, "CI", "once", &second));
  ck_assert_str_eq(first.id, second.id);
  ck_assert_int_eq(ask(&shop, shop.organization, "CI", "once", &third),
                   APIKEYS_ERROR_IDEMPOTENCY_IN_FLIGHT); /* the second answer is young again */
  ok(&shop.world, validate(&shop.world, second.value, NULL));
  world_close(&shop.world);
}
END_TEST

START_TEST(a_replaced_value_says_so) {
  struct shop shop;
  char value[APIKEYS_VALUE_MAX];
  apikeys_key *key = apikeys_key_new();
  open_shop(&shop, _i);
  for (int i = 0; i < 2; i++) {
    apikeys_key_spec *spec = key_spec(shop.organization, "CI", "");
    ok(&shop.world, apikeys_key_spec_set_idempotency_key(spec, S("once")));
    ok(&shop.world, apikeys_key_create(shop.world.env, shop.world.system, spec, key, value,
                                       sizeof value, NULL, shop.world.err));
    ck_assert_int_eq(apikeys_key_value_replaced(key), i);
    apikeys_key_spec_free(spec);
    shop.world.now_ms += 10000;
  }
  ok(&shop.world, apikeys_validate(shop.world.env, S(value), NULL, NULL, key, shop.world.err));
  ck_assert_int_eq(apikeys_key_value_replaced(key), 0);
  apikeys_key_free(key);
  world_close(&shop.world);
}
END_TEST

START_TEST(a_day_later_it_is_a_new_request) {
  struct shop shop;
  struct made_key first, again, later;
  open_shop(&shop, _i);
  ok(&shop.world, ask(&shop, shop.organization, "CI", "once", &first));
  shop.world.now_ms += DAY_MS - 1;
  ok(&shop.world, ask(&shop, shop.organization, "CI", "once", &again));
  ck_assert_str_eq(first.id, again.id);
  shop.world.now_ms += DAY_MS; /* after the last answer */
  ok(&shop.world, ask(&shop, shop.organization, "CI", "once", &later));
  ck_assert_str_ne(first.id, later.id);
  ok(&shop.world, validate(&shop.world, again.value, NULL));
  world_close(&shop.world);
}
END_TEST

int main(void) {
  Suite *s = suite_create("idempotency");
  TCase *tc = tcase_create("idempotency");
  tcase_add_loop_test(tc, a_repeat_gives_the_key_a_new_value, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, a_repeat_within_ten_seconds_is_in_flight, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, a_replaced_value_says_so, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, another_request_under_the_same_text_is_refused, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, owners_and_actors_do_not_meet, 0, BACKEND_COUNT);
  tcase_add_loop_test(tc, a_day_later_it_is_a_new_request, 0, BACKEND_COUNT);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
