/* SPDX-License-Identifier: MIT */
/*
 * One requirement for a whole route, as servers have it: what it has seen of one key's permissions
 * says nothing about another's, whatever the cache did in between.
 */
#include "support/deeds.h"

#include <stdio.h>
#include <stdlib.h>

struct route {
  apikeys_requirement *need;
  apikeys_key *key;
};

static void open_route(struct route *route, const char *permission) {
  route->need = requirement(permission);
  route->key = apikeys_key_new();
}

static void close_route(struct route *route) {
  apikeys_requirement_free(route->need);
  apikeys_key_free(route->key);
}

/* Cold, then warm, and again when the route knows the set; with a key object, and without. */
static void assert_answer(struct world *world, struct route *route, const struct made_key *key,
                          int expected) {
  for (int i = 0; i < 6; i++) {
    apikeys_key *object = i % 2 == 0 ? NULL : route->key;
    ck_assert_int_eq(
        apikeys_validate(world->env, S(key->value), route->need, NULL, object, world->err),
        expected);
    if (expected == APIKEYS_OK && object != NULL)
      ck_assert_str_eq(apikeys_key_id(object, NULL), key->id);
  }
}

/* Slugs of one length: sets of one length look most alike. */
static void open_shop(struct world *world, char organization[64]) {
  world_open(world, BACKEND_MEMORY);
  make_permission(world, "posts:read", 1, 1);
  make_permission(world, "posts:list", 1, 1);
  make_organization(world, "Acme", organization);
  make_role(world, "", "reader", "posts:read");
}

static void forget_all(struct world *world) {
  set_role_permissions(world, "reader", "posts:list");
  set_role_permissions(world, "reader", "posts:read");
}

START_TEST(sets_that_take_each_others_place_are_told_apart) {
  struct world world;
  struct route route;
  char organization[64];
  struct made_key reads, lists;
  open_shop(&world, organization);
  open_route(&route, "posts:read");
  make_key(&world, key_spec(organization, "reads", "posts:read"), &reads);
  make_key(&world, key_spec(organization, "lists", "posts:list"), &lists);
  for (int round = 0; round < 4; round++) {
    const struct made_key *first = round % 2 == 0 ? &reads : &lists;
    const struct made_key *second = round % 2 == 0 ? &lists : &reads;
    assert_answer(&world, &route, first, first == &reads ? APIKEYS_OK : APIKEYS_NOT_PERMITTED);
    assert_answer(&world, &route, second, second == &reads ? APIKEYS_OK : APIKEYS_NOT_PERMITTED);
    forget_all(&world);
  }
  close_route(&route);
  world_close(&world);
}
END_TEST

START_TEST(environments_that_share_it_are_told_apart) {
  struct world worlds[2];
  struct route route;
  char organization[64];
  struct made_key keys[2];
  open_route(&route, "posts:read");
  for (int i = 0; i < 2; i++) {
    open_shop(&worlds[i], organization);
    make_key(&worlds[i], key_spec(organization, "k", i == 0 ? "posts:read" : "posts:list"),
             &keys[i]);
  }
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 2; i++)
      assert_answer(&worlds[i], &route, &keys[i], i == 0 ? APIKEYS_OK : APIKEYS_NOT_PERMITTED);
  for (int i = 0; i < 2; i++)
    world_close(&worlds[i]);
  close_route(&route);
}
END_TEST

/* A member's key is worth what the member's role gives now. */
START_TEST(a_key_whose_permissions_change_is_seen_at_once) {
  struct world world;
  struct route route;
  char organization[64];
  struct made_key own;
  open_shop(&world, organization);
  open_route(&route, "posts:read");
  set_role_permissions(&world, "reader", "posts:list posts:read");
  make_member(&world, organization, "user_1", "reader");
  make_key(&world, member_key_spec(organization, "user_1", "own", "posts:list posts:read"), &own);
  for (int round = 0; round < 3; round++) {
    assert_answer(&world, &route, &own, APIKEYS_OK);
    set_role_permissions(&world, "reader", "posts:list");
    assert_answer(&world, &route, &own, APIKEYS_NOT_PERMITTED);
    set_role_permissions(&world, "reader", "posts:read");
    assert_answer(&world, &route, &own, APIKEYS_OK);
    set_role_permissions(&world, "reader", "posts:list posts:read");
  }
  close_route(&route);
  world_close(&world);
}
END_TEST

/* Far more sets than a requirement remembers. */
START_TEST(any_number_of_sets_is_judged_right) {
  enum { SETS = 60 };
  static struct made_key with[SETS], without[SETS];
  struct world world;
  struct route route;
  char organization[64], slug[16], set[32];
  open_shop(&world, organization);
  open_route(&route, "posts:read");
  for (int i = 0; i < SETS; i++) {
    snprintf(slug, sizeof slug, "other:%02d", i);
    make_permission(&world, slug, 1, 1);
    make_key(&world, key_spec(organization, "k", slug), &without[i]);
    snprintf(set, sizeof set, "%s posts:read", slug);
    make_key(&world, key_spec(organization, "k", set), &with[i]);
  }
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < SETS; i++) {
      assert_answer(&world, &route, &with[i], APIKEYS_OK);
      assert_answer(&world, &route, &without[i], APIKEYS_NOT_PERMITTED);
    }
  close_route(&route);
  world_close(&world);
}
END_TEST

/* A management key's set may be what a customer's is: none. Whose it is is asked every time. */
START_TEST(whose_a_key_is_is_not_a_question_of_its_set) {
  struct world world;
  struct route any, managers;
  char organization[64];
  struct made_key customers, manager;
  open_shop(&world, organization);
  open_route(&any, NULL);
  open_route(&managers, NULL);
  ok(&world, apikeys_requirement_set_accept_management_keys(managers.need, 1));
  make_key(&world, key_spec(organization, "k", ""), &customers);
  make_key(&world, management_key_spec("m", ""), &manager);
  for (int round = 0; round < 2; round++) {
    assert_answer(&world, &any, &customers, APIKEYS_OK);
    assert_answer(&world, &any, &manager, APIKEYS_MANAGEMENT_KEY);
    assert_answer(&world, &managers, &manager, APIKEYS_OK);
  }
  close_route(&any);
  close_route(&managers);
  world_close(&world);
}
END_TEST

int main(void) {
  Suite *s = suite_create("shared_requirement");
  TCase *tc = tcase_create("shared_requirement");
  tcase_add_test(tc, sets_that_take_each_others_place_are_told_apart);
  tcase_add_test(tc, environments_that_share_it_are_told_apart);
  tcase_add_test(tc, a_key_whose_permissions_change_is_seen_at_once);
  tcase_add_test(tc, any_number_of_sets_is_judged_right);
  tcase_add_test(tc, whose_a_key_is_is_not_a_question_of_its_set);
  suite_add_tcase(s, tc);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
