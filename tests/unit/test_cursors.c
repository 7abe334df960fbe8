/* SPDX-License-Identifier: MIT */
/*
 * Cursors that name what is not there any more: a list goes on from the place that it had. The
 * first page again would be a loop for whoever follows cursors.
 */
#include "support/deeds.h"
#include "support/expect.h"

#include <stdio.h>

typedef int (*list_call)(apikeys_env *, const apikeys_actor *, const apikeys_filter *,
                         apikeys_page *, apikeys_error *);

static int list_after(struct world *world, const apikeys_actor *actor, list_call list,
                      apikeys_filter *filter, const char *id, apikeys_page *page) {
  apikeys_filter_set_order(filter, APIKEYS_ORDER_OLDEST_FIRST);
  ck_assert_int_eq(apikeys_filter_set_after(filter, S(id)), 0);
  return list(world->env, actor, filter, page, world->err);
}

START_TEST(a_deleted_organization_keeps_its_place) {
  struct world world;
  char ids[4][64];
  world_open(&world, (enum backend)_i);
  for (int i = 0; i < 4; i++)
    make_organization(&world, "Acme", ids[i]);
  ok(&world, apikeys_organization_delete(world.env, world.system, S(ids[1]), world.err));
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  ok(&world, list_after(&world, world.system, apikeys_organization_list, filter, ids[1], page));
  ck_assert_uint_eq(apikeys_page_count(page), 2);
  ck_assert_str_eq(apikeys_organization_id(apikeys_page_organization(page, 0), NULL), ids[2]);
  ck_assert_str_eq(apikeys_organization_id(apikeys_page_organization(page, 1), NULL), ids[3]);

  /* It is no cursor of another list, and not for ever. */
  expect_failure(&world,
                 list_after(&world, world.system, apikeys_member_list, filter, ids[1], page),
                 APIKEYS_ERROR_CURSOR_UNKNOWN, "cursor");
  world.now_ms += 8 * (int64_t)DAY_MS;
  ok(&world, apikeys_maintain(world.env, world.err));
  expect_failure(&world,
                 list_after(&world, world.system, apikeys_organization_list, filter, ids[1], page),
                 APIKEYS_ERROR_CURSOR_UNKNOWN, "cursor");
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  world_close(&world);
}
END_TEST

static void member_id(struct world *world, const char *organization, const char *user,
                      char id[64]) {
  apikeys_member *member = apikeys_member_new();
  ok(world,
     apikeys_member_get(world->env, world->system, S(organization), S(user), member, world->err));
  snprintf(id, 64, "%s", apikeys_member_id(member, NULL));
  apikeys_member_free(member);
}

START_TEST(a_deleted_member_and_permission_keep_their_places) {
  struct world world;
  char organization[64], id[64];
  world_open(&world, (enum backend)_i);
  make_organization(&world, "Acme", organization);
  make_member(&world, organization, "ada", NULL);
  make_member(&world, organization, "bob", NULL);
  member_id(&world, organization, "ada", id);
  ok(&world, apikeys_member_delete(world.env, world.system, S(organization), S("ada"), world.err));
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  ok(&world, list_after(&world, world.system, apikeys_member_list, filter, id, page));
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  ck_assert_str_eq(apikeys_member_user_id(apikeys_page_member(page, 0), NULL), "bob");

  make_permission(&world, "a:read", 1, 1);
  make_permission(&world, "b:read", 1, 1);
  apikeys_permission *permission = apikeys_permission_new();
  ok(&world, apikeys_permission_get(world.env, world.system, S("a:read"), permission, world.err));
  snprintf(id, sizeof id, "%s", apikeys_permission_id(permission, NULL));
  apikeys_permission_free(permission);
  ok(&world, apikeys_permission_delete(world.env, world.system, S("a:read"), world.err));
  ok(&world, list_after(&world, world.system, apikeys_permission_list, filter, id, page));
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  ck_assert_str_eq(apikeys_permission_slug(apikeys_page_permission(page, 0), NULL), "b:read");
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  world_close(&world);
}
END_TEST

/* Pruned keys too; and what was of another organization is no cursor for a member of this one. */
START_TEST(a_pruned_key_keeps_its_place_for_its_organization) {
  struct world world;
  char acme[64], other[64];
  struct made_key mine, theirs, later;
  world_open(&world, (enum backend)_i);
  make_role(&world, "", "manager", "widgets:api-keys:manage");
  make_organization(&world, "Acme", acme);
  make_organization(&world, "Other", other);
  make_member(&world, acme, "ada", "manager");
  make_key(&world, key_spec(acme, "mine", ""), &mine);
  make_key(&world, key_spec(other, "theirs", ""), &theirs);
  make_key(&world, key_spec(acme, "later", ""), &later);
  ok(&world, revoke_key(&world, mine.id, NULL));
  ok(&world, revoke_key(&world, theirs.id, NULL));
  ok(&world, apikeys_prune(world.env, world.system, world.now_ms + 1, world.err));
  apikeys_actor *ada = member_actor(acme, "ada");
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_organization_id(filter, S(acme));
  ok(&world, list_after(&world, ada, apikeys_key_list, filter, mine.id, page));
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  ck_assert_str_eq(apikeys_key_id(apikeys_page_key(page, 0), NULL), later.id);
  expect_failure(&world, list_after(&world, ada, apikeys_key_list, filter, theirs.id, page),
                 APIKEYS_ERROR_CURSOR_UNKNOWN, "cursor");
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  apikeys_actor_free(ada);
  world_close(&world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_deleted_organization_keeps_its_place,
      a_deleted_member_and_permission_keep_their_places,
      a_pruned_key_keeps_its_place_for_its_organization,
  };
  return RUN_ON_EACH_BACKEND("cursors", tests);
}
