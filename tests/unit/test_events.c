/* SPDX-License-Identifier: MIT */
/* Every change leaves exactly one event, in the shape that clients expect, and they can follow. */
#include "support/expect.h"

#include <stdio.h>

static struct world world;
static char organization[64];

static void found(int backend) {
  world_open(&world, (enum backend)backend);
  make_permission(&world, "users:read", 1, 1);
  make_permission(&world, "users:write", 1, 1);
  make_role(&world, "", "manager", "widgets:api-keys:manage");
  make_organization(&world, "Acme", organization);
  make_member(&world, organization, "ada", "manager");
}

static void expect_next(int64_t *number, const char *type) {
  char newest[64];
  int64_t now = last_event(&world, newest);
  ck_assert_int_eq(now, *number + 1);
  ck_assert_str_eq(newest, type);
  *number = now;
}

static apikeys_event *newest_event(apikeys_page *page) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_order(filter, APIKEYS_ORDER_NEWEST_FIRST);
  ck_assert_int_eq(apikeys_event_list(world.env, world.system, filter, page, world.err), 0);
  apikeys_filter_free(filter);
  return apikeys_page_event(page, 0);
}

START_TEST(each_change_leaves_one_event) {
  found(_i);
  struct made_key key;
  int64_t number = last_event(&world, NULL);

  make_permission(&world, "more:read", 1, 1);
  expect_next(&number, "permission.created");
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_permission_set_slug(permission, S("more:read"));
  apikeys_permission_set_name(permission, S("More"));
  ck_assert_int_eq(apikeys_permission_update(world.env, world.system, permission, world.err), 0);
  expect_next(&number, "permission.updated");
  apikeys_permission_free(permission);
  ck_assert_int_eq(apikeys_permission_delete(world.env, world.system, S("more:read"), world.err),
                   0);
  expect_next(&number, "permission.deleted");

  make_role(&world, organization, "org-writer", "users:write");
  expect_next(&number, "organization_role.created");
  ck_assert_int_eq(
      apikeys_role_delete(world.env, world.system, S(organization), S("org-writer"), world.err), 0);
  expect_next(&number, "organization_role.deleted");

  make_member(&world, organization, "bob", NULL);
  expect_next(&number, "organization_membership.created");
  ck_assert_int_eq(
      apikeys_member_delete(world.env, world.system, S(organization), S("bob"), world.err), 0);
  expect_next(&number, "organization_membership.deleted");

  make_key(&world, key_spec(organization, "k", "users:read"), &key);
  expect_next(&number, "api_key.created");
  ck_assert_int_eq(apikeys_key_revoke(world.env, world.system, S(key.id), NULL, 0, NULL, world.err),
                   0);
  expect_next(&number, "api_key.revoked");
  make_key(&world, management_key_spec("ops", ""), &key);
  expect_next(&number, "management_key.created");
  ck_assert_int_eq(apikeys_key_revoke(world.env, world.system, S(key.id), NULL, 0, NULL, world.err),
                   0);
  expect_next(&number, "management_key.revoked");

  apikeys_settings *settings = apikeys_settings_new();
  apikeys_settings_set_expiry_required(settings, 1);
  ck_assert_int_eq(apikeys_settings_update(world.env, world.system, settings, world.err), 0);
  expect_next(&number, "environment.updated");
  ck_assert_int_eq(apikeys_settings_update(world.env, world.system, settings, world.err), 0);
  ck_assert_int_eq(last_event(&world, NULL), number);
  apikeys_settings_free(settings);

  ck_assert_int_ne(try_key(&world, world.system, key_spec(organization, "k", ""), NULL), 0);
  ck_assert_int_eq(last_event(&world, NULL), number);
  ck_assert_int_eq(apikeys_organization_delete(world.env, world.system, S(organization), world.err),
                   0);
  world_close(&world);
}
END_TEST

/* The text with every run of 26 characters behind "_01" made equal, so that ids compare. */
static void mask_ids(char *text) {
  for (char *id = strstr(text, "_01"); id != NULL; id = strstr(id + 27, "_01"))
    memset(id + 1, 'X', 26);
}

START_TEST(an_event_has_the_shape_that_clients_expect) {
  found(_i);
  struct made_key key;
  apikeys_actor *ada = member_actor(organization, "ada");
  ck_assert_int_eq(
      try_key(&world, ada, key_spec(organization, "My API Key", "users:write users:read"), &key),
      0);
  apikeys_page *page = apikeys_page_new();
  char json[2048], expected[2048];
  snprintf(json, sizeof json, "%s", apikeys_event_json(newest_event(page), NULL));
  mask_ids(json);
  snprintf(
      expected, sizeof expected,
      "{\"object\":\"event\",\"id\":\"event_XXXXXXXXXXXXXXXXXXXXXXXXXX\","
      "\"event\":\"api_key.created\",\"data\":{\"object\":\"api_key\","
      "\"id\":\"api_key_XXXXXXXXXXXXXXXXXXXXXXXXXX\",\"owner\":{\"type\":\"organization\","
      "\"id\":\"org_XXXXXXXXXXXXXXXXXXXXXXXXXX\"},\"name\":\"My API Key\","
      "\"obfuscated_value\":\"sk_...%s\",\"last_used_at\":null,\"expires_at\":null,"
      "\"permissions\":[\"users:read\",\"users:write\"],"
      "\"created_at\":\"2026-01-15T12:00:00.000Z\",\"updated_at\":\"2026-01-15T12:00:00.000Z\"},"
      "\"created_at\":\"2026-01-15T12:00:00.000Z\",\"context\":{\"actor\":{\"id\":\"ada\","
      "\"source\":\"dashboard\",\"name\":null}}}",
      key.value + strlen(key.value) - 4);
  ck_assert_str_eq(json, expected);
  apikeys_page_free(page);
  apikeys_actor_free(ada);
  world_close(&world);
}
END_TEST

/* Lent text lives until its object changes: also when it is asked for again meanwhile. */
START_TEST(json_is_lent_until_the_object_changes) {
  found(_i);
  struct made_key made;
  make_key(&world, key_spec(organization, "k", ""), &made);
  apikeys_key *key = apikeys_key_new();
  apikeys_page *page = apikeys_page_new();
  ck_assert_int_eq(apikeys_key_get(world.env, world.system, S(made.id), key, world.err), 0);
  apikeys_event *event = newest_event(page);
  ck_assert_ptr_eq(apikeys_key_json(key, NULL), apikeys_key_json(key, NULL));
  ck_assert_ptr_eq(apikeys_event_json(event, NULL), apikeys_event_json(event, NULL));
  world.now_ms += 1000;
  ck_assert_int_eq(apikeys_key_revoke(world.env, world.system, S(made.id), NULL, 0, key, world.err),
                   0);
  ck_assert_ptr_nonnull(
      strstr(apikeys_key_json(key, NULL), "\"updated_at\":\"2026-01-15T12:00:01.000Z\""));
  apikeys_page_free(page);
  apikeys_key_free(key);
  world_close(&world);
}
END_TEST

START_TEST(no_event_holds_a_value) {
  found(_i);
  struct made_key key;
  make_key(&world, key_spec(organization, "k", ""), &key);
  ck_assert_int_eq(validate(&world, key.value, NULL), APIKEYS_OK);
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_limit(filter, 100);
  ck_assert_int_eq(apikeys_event_list(world.env, world.system, filter, page, world.err), 0);
  char secret[33] = "";
  memcpy(secret, key.value + 3 + 16, 32);
  for (size_t i = 0; i < apikeys_page_count(page); i++)
    ck_assert_ptr_null(strstr(apikeys_event_json(apikeys_page_event(page, i), NULL), secret));
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  world_close(&world);
}
END_TEST

static void set_display_name(const char *name) {
  apikeys_member *member = apikeys_member_new();
  apikeys_member_set_organization_id(member, S(organization));
  apikeys_member_set_user_id(member, S("ada"));
  apikeys_member_set_display_name(member, S(name));
  ck_assert_int_eq(apikeys_member_update(world.env, world.system, member, world.err), 0);
  apikeys_member_free(member);
}

START_TEST(clearing_a_name_erases_the_person_from_past_events) {
  found(_i);
  set_display_name("Ada Lovelace");
  apikeys_actor *ada = member_actor(organization, "ada");
  ck_assert_int_eq(try_key(&world, ada, key_spec(organization, "k", ""), NULL), 0);
  apikeys_page *page = apikeys_page_new();
  apikeys_event *event = newest_event(page);
  ck_assert_str_eq(apikeys_event_actor_name(event, NULL), "Ada Lovelace");
  ck_assert_int_eq(apikeys_event_actor_type(event), APIKEYS_ACTOR_MEMBER);
  set_display_name("");
  for (size_t i = 0; newest_event(page) != NULL && i < apikeys_page_count(page); i++)
    ck_assert_ptr_null(strstr(apikeys_event_json(apikeys_page_event(page, i), NULL), "Lovelace"));
  apikeys_page_free(page);
  apikeys_actor_free(ada);
  world_close(&world);
}
END_TEST

START_TEST(filters_choose) {
  found(_i);
  struct made_key key;
  world.now_ms += 1000;
  int64_t since = world.now_ms;
  make_key(&world, key_spec(organization, "k", ""), &key);
  world.now_ms += 1000;
  ck_assert_int_eq(apikeys_key_revoke(world.env, world.system, S(key.id), NULL, 0, NULL, world.err),
                   0);
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_add_event_type(filter, S("api_key.created"));
  apikeys_filter_add_event_type(filter, S("api_key.revoked"));
  apikeys_filter_set_organization_id(filter, S(organization));
  ck_assert_int_eq(apikeys_event_list(world.env, world.system, filter, page, world.err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 2);
  ck_assert_str_eq(apikeys_event_type(apikeys_page_event(page, 0), NULL), "api_key.created");
  apikeys_filter_set_since_ms(filter, since);
  apikeys_filter_set_until_ms(filter, since + 1000);
  ck_assert_int_eq(apikeys_event_list(world.env, world.system, filter, page, world.err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  apikeys_filter_set_search(filter, S("x"));
  ck_assert_int_eq(apikeys_event_list(world.env, world.system, filter, page, world.err),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  world_close(&world);
}
END_TEST

START_TEST(a_durable_cursor_delivers_until_acknowledged) {
  found(_i);
  apikeys_page *page = apikeys_page_new();
  int64_t expected = 1, newest = last_event(&world, NULL);
  while (expected <= newest) {
    for (int twice = 0; twice < 2; twice++) {
      ck_assert_int_eq(apikeys_event_poll(world.env, world.system, S("mailer"), 3, page, world.err),
                       0);
      ck_assert_int_eq(apikeys_event_number(apikeys_page_event(page, 0)), expected);
    }
    expected += (int64_t)apikeys_page_count(page);
    ck_assert_int_eq(
        apikeys_event_acknowledge(world.env, world.system, S("mailer"), expected - 1, world.err),
        0);
  }
  ck_assert_int_eq(apikeys_event_poll(world.env, world.system, S("mailer"), 3, page, world.err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 0);
  ck_assert_int_eq(apikeys_event_acknowledge(world.env, world.system, S("mailer"), 1, world.err),
                   0); /* never goes back */
  ck_assert_int_eq(apikeys_event_poll(world.env, world.system, S("mailer"), 3, page, world.err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 0);
  ck_assert_int_eq(
      apikeys_event_acknowledge(world.env, world.system, S("mailer"), newest + 100, world.err),
      APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_page_free(page);
  world_close(&world);
}
END_TEST

START_TEST(a_cursor_behind_what_was_pruned_says_so) {
  found(_i);
  apikeys_page *page = apikeys_page_new();
  ck_assert_int_eq(apikeys_event_acknowledge(world.env, world.system, S("slow"), 2, world.err), 0);
  world.now_ms += 1000;
  ck_assert_int_eq(apikeys_prune(world.env, world.system, world.now_ms, world.err), 0);
  char type[64];
  last_event(&world, type);
  ck_assert_str_eq(type, "environment.pruned");
  ck_assert_int_eq(apikeys_event_poll(world.env, world.system, S("slow"), 10, page, world.err),
                   APIKEYS_ERROR_CURSOR_EXPIRED);
  ck_assert_int_eq(apikeys_event_acknowledge(world.env, world.system, S("slow"), 2, world.err), 0);
  ck_assert_int_eq(apikeys_event_poll(world.env, world.system, S("slow"), 10, page, world.err), 0);
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_after(filter, S("event_01ARZ3NDEKTSV4RRFFQ69G5FAV"));
  ck_assert_int_eq(apikeys_event_list(world.env, world.system, filter, page, world.err),
                   APIKEYS_ERROR_CURSOR_EXPIRED);
  apikeys_filter_free(filter);
  apikeys_page_free(page);
  world_close(&world);
}
END_TEST

/* -- Subscriptions ----------------------------------------------------------------------------- */

struct listener {
  int calls;
  int destroyed;
  apikeys_subscription *to_free;
  char type[64];
};

static void listen(apikeys_event *event, void *user_data) {
  struct listener *listener = user_data;
  listener->calls++;
  snprintf(listener->type, sizeof listener->type, "%s", apikeys_event_type(event, NULL));
  /* After the commit, with no lock held: the event is there for everybody. */
  ck_assert_int_eq(last_event(&world, NULL), apikeys_event_number(event));
  if (listener->to_free != NULL) {
    apikeys_subscription_free(listener->to_free);
    listener->to_free = NULL;
  }
}

static void destroy(void *user_data) {
  struct listener *listener = user_data;
  listener->destroyed++;
}

START_TEST(subscribers_are_called_after_the_commit) {
  found(_i);
  struct listener listener = {0};
  apikeys_subscription *subscription;
  ck_assert_int_eq(
      apikeys_subscribe(world.env, listen, &listener, destroy, &subscription, world.err), 0);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(organization, "k", ""), NULL), 0);
  ck_assert_int_eq(listener.calls, 1);
  ck_assert_str_eq(listener.type, "api_key.created");
  ck_assert_int_ne(try_key(&world, world.system, key_spec(organization, "", ""), NULL), 0);
  ck_assert_int_eq(listener.calls, 1);
  apikeys_subscription_free(subscription);
  ck_assert_int_eq(listener.destroyed, 1);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(organization, "k", ""), NULL), 0);
  ck_assert_int_eq(listener.calls, 1);
  world_close(&world);
}
END_TEST

struct chain {
  struct world *world;
  apikeys_subscription *subscriptions[64];
  int count;
  int calls;
};

static void subscribe_again(apikeys_event *event, void *user_data) {
  struct chain *chain = user_data;
  (void)event;
  chain->calls++;
  ck_assert_int_lt(chain->count, 64);
  ck_assert_int_eq(apikeys_subscribe(chain->world->env, subscribe_again, chain, NULL,
                                     &chain->subscriptions[chain->count++], NULL),
                   0);
}

/* An event goes to those that were there when its delivery began. */
START_TEST(a_subscription_made_in_a_callback_starts_with_the_next_event) {
  char id[64];
  found(_i);
  struct chain chain = {.world = &world, .count = 1};
  ck_assert_int_eq(apikeys_subscribe(world.env, subscribe_again, &chain, NULL,
                                     &chain.subscriptions[0], world.err),
                   0);
  make_organization(&world, "Acme", id);
  ck_assert_int_eq(chain.calls, 1);
  make_organization(&world, "Bell", id);
  ck_assert_int_eq(chain.calls, 3);
  for (int i = 0; i < chain.count; i++)
    apikeys_subscription_free(chain.subscriptions[i]);
  world_close(&world);
}
END_TEST

START_TEST(a_subscriber_may_end_its_own_subscription) {
  found(_i);
  struct listener listener = {0}, other = {0};
  apikeys_subscription *second;
  ck_assert_int_eq(
      apikeys_subscribe(world.env, listen, &listener, destroy, &listener.to_free, world.err), 0);
  ck_assert_int_eq(apikeys_subscribe(world.env, listen, &other, destroy, &second, world.err), 0);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(organization, "k", ""), NULL), 0);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(organization, "k", ""), NULL), 0);
  ck_assert_int_eq(listener.calls, 1);
  ck_assert_int_eq(listener.destroyed, 1);
  ck_assert_int_eq(other.calls, 2);
  apikeys_subscription_free(second);
  world_close(&world);
}
END_TEST

START_TEST(a_subscription_may_outlive_its_environment) {
  found(_i);
  struct listener listener = {0};
  apikeys_subscription *subscription;
  ck_assert_int_eq(
      apikeys_subscribe(world.env, listen, &listener, destroy, &subscription, world.err), 0);
  world_close(&world);
  ck_assert_int_eq(listener.destroyed, 0);
  apikeys_subscription_free(subscription);
  ck_assert_int_eq(listener.destroyed, 1);
  ck_assert_int_eq(apikeys_subscribe(NULL, listen, &listener, destroy, &subscription, NULL),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(listener.destroyed, 2);
}
END_TEST

static void expect_actor(const char *source, const char *name) {
  char context[256];
  apikeys_page *page = apikeys_page_new();
  const char *json = apikeys_event_json(newest_event(page), NULL);
  snprintf(context, sizeof context, "\"source\":\"%s\",\"name\":%s}", source, name);
  ck_assert_msg(strstr(json, context) != NULL, "%s has no %s", json, context);
  apikeys_page_free(page);
}

/* The four sources of the wire contract: by the actor's type, or as the host says. */
START_TEST(an_event_says_through_what_its_actor_came) {
  static const char *const sources[] = {"api", "dashboard", "admin_portal", "system"};
  found(_i);
  struct made_key key;
  make_key(&world, management_key_spec("ops", "apikeys:keys:write"), &key);
  apikeys_actor *actor = apikeys_actor_new();
  ck_assert_int_eq(apikeys_actor_set_management_key(world.env, actor, S(key.value), world.err), 0);
  ck_assert_int_eq(try_key(&world, actor, key_spec(organization, "k", ""), NULL), 0);
  expect_actor("api", "\"ops\"");
  for (int source = APIKEYS_SOURCE_API; source <= APIKEYS_SOURCE_SYSTEM; source++) {
    ck_assert_int_eq(apikeys_actor_set_source(actor, source), 0);
    ck_assert_int_eq(try_key(&world, actor, key_spec(organization, "k", ""), NULL), 0);
    expect_actor(sources[source - 1], "\"ops\"");
    apikeys_page *page = apikeys_page_new();
    ck_assert_int_eq(apikeys_event_source(newest_event(page)), source);
    apikeys_page_free(page);
  }
  ck_assert_int_eq(apikeys_actor_set_source(actor, 5), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_actor_set_source(actor, -1), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_actor_set_source(NULL, 1), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_actor_set_system(actor, S("somebody else now")), 0);
  ck_assert_int_eq(try_key(&world, actor, key_spec(organization, "k", ""), NULL), 0);
  expect_actor("system", "null");
  apikeys_actor_free(actor);
  world_close(&world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {each_change_leaves_one_event,
                                an_event_has_the_shape_that_clients_expect,
                                json_is_lent_until_the_object_changes,
                                no_event_holds_a_value,
                                clearing_a_name_erases_the_person_from_past_events,
                                filters_choose,
                                a_durable_cursor_delivers_until_acknowledged,
                                a_cursor_behind_what_was_pruned_says_so,
                                subscribers_are_called_after_the_commit,
                                a_subscriber_may_end_its_own_subscription,
                                a_subscription_made_in_a_callback_starts_with_the_next_event,
                                a_subscription_may_outlive_its_environment,
                                an_event_says_through_what_its_actor_came};
  return RUN_ON_EACH_BACKEND("events", tests);
}
