/* SPDX-License-Identifier: MIT */
/*
 * Keys that were seen before: they are settled without the store, and whatever changes is seen by
 * the very next validation. Each change is made with the key warm, and with the cache off, where
 * the answers must be the same.
 */
#include "support/deeds.h"
#include "support/expect.h"
#include "support/suite.h"
#include "support/wrapped_storage.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char root_key[32] = "root";

/* An organization with a key, and a member with a key, both warm. */
struct shop {
  struct world world;
  struct wrapped_storage wrapped;
  char organization[64];
  struct made_key key;
  struct made_key own; /* the member's */
};

static void open_wrapped(struct shop *shop, size_t cache_keys) {
  apikeys_storage storage;
  world_open(&shop->world, BACKEND_MEMORY);
  apikeys_close(shop->world.env);
  wrap_memory_storage(&shop->wrapped, &storage);
  ok(&shop->world, apikeys_options_set_root_key(shop->world.options, root_key, sizeof root_key));
  ok(&shop->world, apikeys_options_set_cache_keys(shop->world.options, cache_keys));
  ok(&shop->world,
     apikeys_open_storage(&shop->world.env, &storage, shop->world.options, shop->world.err));
}

static int reads(const struct shop *shop) {
  return shop->wrapped.calls[SLOT_BEGIN_READ];
}

static int check(struct shop *shop, const struct made_key *key) {
  return validate(&shop->world, key->value, "posts:read");
}

static void warm_up(struct shop *shop) {
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(check(shop, &shop->key), APIKEYS_OK);
    ck_assert_int_eq(check(shop, &shop->own), APIKEYS_OK);
  }
}

static void open_shop(struct shop *shop, size_t cache_keys) {
  open_wrapped(shop, cache_keys);
  make_posts(&shop->world);
  make_organization(&shop->world, "Acme", shop->organization);
  make_role(&shop->world, "", "reader", "posts:read");
  make_member(&shop->world, shop->organization, "user_1", "reader");
  make_key(&shop->world, key_spec(shop->organization, "CI", "posts:read"), &shop->key);
  make_key(&shop->world, member_key_spec(shop->organization, "user_1", "own", "posts:read"),
           &shop->own);
  warm_up(shop);
}

/* -- The warm path itself ---------------------------------------------------------------------- */

START_TEST(a_warm_key_does_not_ask_the_store) {
  struct shop shop;
  open_shop(&shop, 1000);
  int before = reads(&shop);
  for (int i = 0; i < 100; i++)
    warm_up(&shop);
  ck_assert_int_eq(reads(&shop), before);
  world_close(&shop.world);
}
END_TEST

static uint64_t counted(const struct shop *shop, int number) {
  return apikeys_environment_metric(shop->world.env, number);
}

START_TEST(the_cache_is_counted) {
  struct shop shop;
  char forged[APIKEYS_VALUE_MAX];
  open_shop(&shop, 1000);
  uint64_t misses = counted(&shop, APIKEYS_METRIC_CACHE_MISSES);
  uint64_t fills = counted(&shop, APIKEYS_METRIC_CACHE_FILLS);
  ck_assert_uint_ge(counted(&shop, APIKEYS_METRIC_CACHE_CAPACITY), 1000);
  ck_assert_uint_eq(counted(&shop, APIKEYS_METRIC_CACHE_KEYS), 2);
  ck_assert_uint_ge(fills, 2);
  ck_assert_uint_ge(misses, fills);
  warm_up(&shop);
  ck_assert_int_eq(validate(&shop.world, "sk_nonsense", NULL), APIKEYS_MALFORMED);
  ck_assert_uint_eq(counted(&shop, APIKEYS_METRIC_CACHE_MISSES), misses);
  forge_value(forged, shop.key.value);
  ck_assert_int_eq(validate(&shop.world, forged, NULL), APIKEYS_UNKNOWN);
  ck_assert_uint_eq(counted(&shop, APIKEYS_METRIC_CACHE_MISSES), misses + 1);
  ck_assert_uint_eq(counted(&shop, APIKEYS_METRIC_CACHE_FILLS), fills);
  ok(&shop.world, revoke_key(&shop.world, shop.key.id, NULL));
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_REVOKED);
  ck_assert_uint_eq(counted(&shop, APIKEYS_METRIC_CACHE_KEYS), 1);
  ck_assert_uint_eq(counted(&shop, APIKEYS_METRIC_CACHE_DROPS), 1);
  ck_assert_uint_eq(counted(&shop, APIKEYS_METRIC_CACHE_EVICTIONS), 0);
  ck_assert_uint_eq(counted(&shop, 0), 0);
  ck_assert_uint_eq(apikeys_environment_metric(NULL, APIKEYS_METRIC_CACHE_KEYS), 0);
  world_close(&shop.world);
}
END_TEST

START_TEST(with_a_cache_of_no_keys_every_validation_asks) {
  struct shop shop;
  open_shop(&shop, 0);
  int before = reads(&shop);
  warm_up(&shop);
  ck_assert_int_eq(reads(&shop), before + 4);
  ck_assert_uint_eq(counted(&shop, APIKEYS_METRIC_CACHE_CAPACITY), 0);
  ck_assert_uint_ge(counted(&shop, APIKEYS_METRIC_CACHE_MISSES), 4);
  world_close(&shop.world);
}
END_TEST

/* Every change of one character, and forged values, with the right one warm. */
START_TEST(only_the_very_value_is_warm) {
  struct shop shop;
  open_shop(&shop, 1000);
  char value[APIKEYS_VALUE_MAX], forged[APIKEYS_VALUE_MAX];
  snprintf(value, sizeof value, "%s", shop.key.value);
  size_t length = strlen(value);
  for (size_t i = 0; i < length; i++) {
    char right = value[i];
    for (int c = 1; c < 256; c++) {
      if ((char)c == right)
        continue;
      value[i] = (char)c;
      int rc = apikeys_validate(shop.world.env, value, length, NULL, NULL, NULL, NULL);
      ck_assert_msg(rc == APIKEYS_MALFORMED, "place %zu, character %d: %d", i, c, rc);
    }
    value[i] = right;
  }
  for (size_t cut = 0; cut < length; cut++)
    ck_assert_int_gt(apikeys_validate(shop.world.env, value, cut, NULL, NULL, NULL, NULL), 0);
  ck_assert_int_gt(apikeys_validate(shop.world.env, value, length + 1, NULL, NULL, NULL, NULL), 0);
  forge_value(forged, shop.key.value);
  ck_assert_int_eq(validate(&shop.world, forged, NULL), APIKEYS_UNKNOWN);
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_OK);
  world_close(&shop.world);
}
END_TEST

START_TEST(what_is_unknown_is_never_cached) {
  struct shop shop;
  char forged[APIKEYS_VALUE_MAX];
  open_shop(&shop, 1000);
  forge_value(forged, shop.key.value);
  int before = reads(&shop);
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq(validate(&shop.world, forged, NULL), APIKEYS_UNKNOWN);
  ck_assert_int_eq(reads(&shop), before + 10);
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_OK);
  ck_assert_int_eq(reads(&shop), before + 10); /* and nobody's place was taken */
  world_close(&shop.world);
}
END_TEST

static void expect_same(const apikeys_key *a, const apikeys_key *b) {
  ck_assert_str_eq(apikeys_key_id(a, NULL), apikeys_key_id(b, NULL));
  ck_assert_int_eq(apikeys_key_owner_type(a), apikeys_key_owner_type(b));
  ck_assert_str_eq(apikeys_key_organization_id(a, NULL), apikeys_key_organization_id(b, NULL));
  ck_assert_str_eq(apikeys_key_user_id(a, NULL), apikeys_key_user_id(b, NULL));
  ck_assert_str_eq(apikeys_key_name(a, NULL), apikeys_key_name(b, NULL));
  ck_assert_str_eq(apikeys_key_permissions(a, NULL), apikeys_key_permissions(b, NULL));
  ck_assert_str_eq(apikeys_key_obfuscated_value(a, NULL), apikeys_key_obfuscated_value(b, NULL));
  ck_assert_str_eq(apikeys_key_lookup_id(a, NULL), apikeys_key_lookup_id(b, NULL));
  ck_assert_int_eq(apikeys_key_created_at_ms(a), apikeys_key_created_at_ms(b));
  ck_assert_int_eq(apikeys_key_updated_at_ms(a), apikeys_key_updated_at_ms(b));
  ck_assert_int_eq(apikeys_key_expires_at_ms(a), apikeys_key_expires_at_ms(b));
  ck_assert_int_eq(apikeys_key_revoked_at_ms(a), apikeys_key_revoked_at_ms(b));
  ck_assert_str_eq(apikeys_key_revoked_reason(a, NULL), apikeys_key_revoked_reason(b, NULL));
}

START_TEST(a_warm_key_object_is_what_the_store_gives) {
  struct shop shop;
  open_shop(&shop, 1000);
  const struct made_key *keys[] = {&shop.key, &shop.own};
  for (int i = 0; i < 2; i++) {
    apikeys_key *cold = apikeys_key_new(), *warm = apikeys_key_new();
    ok(&shop.world, apikeys_validate(shop.world.env, S(keys[i]->value), NULL, NULL, cold, NULL));
    int before = reads(&shop);
    ok(&shop.world, apikeys_validate(shop.world.env, S(keys[i]->value), NULL, NULL, warm, NULL));
    ck_assert_int_eq(reads(&shop), before);
    expect_same(warm, cold);
    ck_assert_str_ne(apikeys_key_json(warm, NULL), "");
    ck_assert_int_eq(apikeys_key_last_used_at_ms(warm), shop.world.now_ms);
    /* into an object that was something else before */
    ok(&shop.world,
       apikeys_validate(shop.world.env, S(keys[1 - i]->value), NULL, NULL, warm, NULL));
    ok(&shop.world, apikeys_validate(shop.world.env, S(keys[i]->value), NULL, NULL, warm, NULL));
    expect_same(warm, cold);
    apikeys_key_free(cold);
    apikeys_key_free(warm);
  }
  world_close(&shop.world);
}
END_TEST

START_TEST(a_key_too_big_for_the_cache_is_right_all_the_same) {
  struct shop shop;
  open_shop(&shop, 1000);
  struct made_key big;
  char name[256];
  memset(name, 'n', sizeof name);
  name[100] = '\0';
  char user[129];
  memset(user, 'u', sizeof user);
  user[128] = '\0';
  make_member(&shop.world, shop.organization, user, "reader");
  make_key(&shop.world, member_key_spec(shop.organization, user, name, "posts:read"), &big);
  apikeys_key *key = apikeys_key_new();
  for (int i = 0; i < 3; i++) {
    ok(&shop.world, apikeys_validate(shop.world.env, S(big.value), NULL, NULL, key, NULL));
    ck_assert_str_eq(apikeys_key_name(key, NULL), name);
    ck_assert_str_eq(apikeys_key_user_id(key, NULL), user);
  }
  int before = reads(&shop);
  ck_assert_int_eq(check(&shop, &big), APIKEYS_OK); /* the decision alone is warm */
  ck_assert_int_eq(reads(&shop), before);
  apikeys_key_free(key);
  world_close(&shop.world);
}
END_TEST

START_TEST(a_full_cache_stays_right) {
  enum { KEYS = 300 };
  static struct made_key keys[KEYS];
  struct shop shop;
  open_shop(&shop, 16);
  for (int i = 0; i < KEYS; i++)
    make_key(&shop.world, key_spec(shop.organization, "k", "posts:read"), &keys[i]);
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < KEYS; i++)
      ck_assert_int_eq(check(&shop, &keys[i]), APIKEYS_OK);
  for (int i = 0; i < KEYS; i++) {
    ok(&shop.world, revoke_key(&shop.world, keys[i].id, NULL));
    ck_assert_int_eq(check(&shop, &keys[i]), APIKEYS_REVOKED);
    ck_assert_int_eq(check(&shop, &keys[(i + 1) % KEYS]), i + 1 < KEYS ? 0 : APIKEYS_REVOKED);
  }
  world_close(&shop.world);
}
END_TEST

/* -- Requirements, on what is warm ------------------------------------------------------------- */

START_TEST(a_requirement_is_held_against_a_warm_key) {
  struct shop shop;
  open_shop(&shop, 1000);
  int before = reads(&shop);
  ck_assert_int_eq(validate(&shop.world, shop.key.value, "posts:write"), APIKEYS_NOT_PERMITTED);
  ck_assert_int_eq(apikeys_error_code(shop.world.err), APIKEYS_NOT_PERMITTED);
  ck_assert_str_eq(apikeys_error_field(shop.world.err), "permissions");
  ck_assert_str_eq(apikeys_error_subject(shop.world.err), "posts:write");
  ck_assert_int_eq(reads(&shop), before);
  world_close(&shop.world);
}
END_TEST

START_TEST(a_refused_permission_leaves_the_key_object_and_is_no_use) {
  struct shop shop;
  open_shop(&shop, 1000);
  apikeys_requirement *need = requirement("posts:write");
  apikeys_key *key = apikeys_key_new();
  shop.world.now_ms += HOUR_MS;
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(
        apikeys_validate(shop.world.env, S(shop.key.value), need, NULL, key, shop.world.err),
        APIKEYS_NOT_PERMITTED);
  ck_assert_str_eq(apikeys_key_id(key, NULL), "");
  apikeys_key_free(key);
  key = get_key(&shop.world, shop.key.id);
  ck_assert_int_eq(apikeys_key_last_used_at_ms(key), shop.world.now_ms - HOUR_MS);
  apikeys_key_free(key);
  apikeys_requirement_free(need);
  world_close(&shop.world);
}
END_TEST

START_TEST(management_keys_are_warm_too_and_accepted_only_where_they_are) {
  struct shop shop;
  struct made_key key;
  open_shop(&shop, 1000);
  apikeys_actor_free(management_actor(&shop.world, "apikeys:keys:read", &key));
  int before = reads(&shop);
  apikeys_actor *actor = apikeys_actor_new();
  ok(&shop.world, apikeys_actor_set_management_key(shop.world.env, actor, S(key.value), NULL));
  ck_assert_int_eq(validate(&shop.world, key.value, NULL), APIKEYS_MANAGEMENT_KEY);
  ck_assert_int_eq(reads(&shop), before);
  ok(&shop.world, revoke_key(&shop.world, key.id, NULL));
  ck_assert_int_eq(
      apikeys_actor_set_management_key(shop.world.env, actor, S(key.value), shop.world.err),
      APIKEYS_ERROR_ACTOR_UNKNOWN);
  ck_assert_int_eq(validate(&shop.world, key.value, NULL), APIKEYS_REVOKED);
  apikeys_actor_free(actor);
  world_close(&shop.world);
}
END_TEST

/* -- The clock --------------------------------------------------------------------------------- */

START_TEST(a_warm_key_expires_to_the_millisecond_and_stays_so) {
  struct shop shop;
  open_shop(&shop, (size_t)_i);
  int64_t at = shop.world.now_ms + DAY_MS;
  ok(&shop.world, expire_key(&shop.world, shop.key.id, at));
  warm_up(&shop);
  shop.world.now_ms = at - 1;
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_OK);
  shop.world.now_ms = at;
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_EXPIRED);
  shop.world.now_ms = at - DAY_MS;
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_EXPIRED); /* the clock was set back */
  ck_assert_int_eq(check(&shop, &shop.own), APIKEYS_OK);
  world_close(&shop.world);
}
END_TEST

START_TEST(the_callers_own_time_expires_nothing_for_good) {
  struct shop shop;
  open_shop(&shop, (size_t)_i);
  int64_t at = shop.world.now_ms + DAY_MS;
  apikeys_request *later = apikeys_request_new();
  ok(&shop.world, apikeys_request_set_time_ms(later, at));
  ok(&shop.world, expire_key(&shop.world, shop.key.id, at));
  warm_up(&shop);
  ck_assert_int_eq(apikeys_validate(shop.world.env, S(shop.key.value), NULL, later, NULL, NULL),
                   APIKEYS_EXPIRED);
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_OK);
  apikeys_request_free(later);
  world_close(&shop.world);
}
END_TEST

START_TEST(an_idle_key_is_refused_when_warm) {
  struct shop shop;
  open_shop(&shop, (size_t)_i);
  change_setting(&shop.world, apikeys_settings_set_idle_lifetime_ms, DAY_MS);
  warm_up(&shop);
  shop.world.now_ms += DAY_MS;
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_OK); /* and in use again */
  shop.world.now_ms += 1;
  ck_assert_int_eq(check(&shop, &shop.own), APIKEYS_REVOKED);
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_OK);
  shop.world.now_ms += DAY_MS + 1;
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_REVOKED);
  world_close(&shop.world);
}
END_TEST

/* -- Every change ------------------------------------------------------------------------------ */

static void revoke_both(struct shop *shop) {
  ok(&shop->world, revoke_key(&shop->world, shop->key.id, NULL));
  ok(&shop->world, revoke_key(&shop->world, shop->own.id, NULL));
}

static void take_permissions(struct shop *shop) {
  const char *ids[] = {shop->key.id, shop->own.id};
  for (int i = 0; i < 2; i++) {
    apikeys_key_spec *spec = apikeys_key_spec_new();
    ok(&shop->world, apikeys_key_spec_clear_permissions(spec));
    ok(&shop->world, apikeys_key_update(shop->world.env, shop->world.system, S(ids[i]), spec, NULL,
                                        shop->world.err));
    apikeys_key_spec_free(spec);
  }
}

static void expire_both(struct shop *shop) {
  ok(&shop->world, expire_key(&shop->world, shop->key.id, shop->world.now_ms));
  ok(&shop->world, expire_key(&shop->world, shop->own.id, shop->world.now_ms));
}

static void delete_organization(struct shop *shop) {
  ok(&shop->world, apikeys_organization_delete(shop->world.env, shop->world.system,
                                               S(shop->organization), shop->world.err));
}

static void delete_member(struct shop *shop) {
  ok(&shop->world, apikeys_member_delete(shop->world.env, shop->world.system, S(shop->organization),
                                         S("user_1"), shop->world.err));
}

static void suspend_member(struct shop *shop) {
  set_status(&shop->world, shop->organization, "user_1", APIKEYS_MEMBER_INACTIVE);
}

static void take_roles(struct shop *shop) {
  apikeys_member *member = apikeys_member_new();
  ok(&shop->world, apikeys_member_get(shop->world.env, shop->world.system, S(shop->organization),
                                      S("user_1"), member, shop->world.err));
  ok(&shop->world, apikeys_member_clear_roles(member));
  ok(&shop->world, apikeys_member_add_role(member, S("member")));
  ok(&shop->world,
     apikeys_member_update(shop->world.env, shop->world.system, member, shop->world.err));
  apikeys_member_free(member);
}

static void empty_role(struct shop *shop) {
  set_role_permissions(&shop->world, "reader", "");
}

static void delete_permission(struct shop *shop) {
  ok(&shop->world, apikeys_permission_delete(shop->world.env, shop->world.system, S("posts:read"),
                                             shop->world.err));
}

static void take_prefix(struct shop *shop) {
  change_text(&shop->world, apikeys_settings_set_prefix, "new");
  change_text(&shop->world, apikeys_settings_remove_accepted_prefix, "sk");
}

static const struct deed {
  const char *name;
  void (*act)(struct shop *shop);
  int key; /* what the organization's key gives afterwards, */
  int own; /* and the member's */
} deeds[] = {
    {"revoke", revoke_both, APIKEYS_REVOKED, APIKEYS_REVOKED},
    {"permissions", take_permissions, APIKEYS_NOT_PERMITTED, APIKEYS_NOT_PERMITTED},
    {"expire", expire_both, APIKEYS_EXPIRED, APIKEYS_EXPIRED},
    {"organization", delete_organization, APIKEYS_REVOKED, APIKEYS_REVOKED},
    {"member", delete_member, APIKEYS_OK, APIKEYS_REVOKED},
    {"status", suspend_member, APIKEYS_OK, APIKEYS_OWNER_INACTIVE},
    {"roles", take_roles, APIKEYS_OK, APIKEYS_NOT_PERMITTED},
    {"role", empty_role, APIKEYS_OK, APIKEYS_NOT_PERMITTED},
    {"permission", delete_permission, APIKEYS_NOT_PERMITTED, APIKEYS_NOT_PERMITTED},
    {"prefix", take_prefix, APIKEYS_MALFORMED, APIKEYS_MALFORMED},
};
enum { DEEDS = sizeof deeds / sizeof deeds[0] };

/* Each with the cache on, and off. */
START_TEST(the_next_validation_sees_it) {
  const struct deed *deed = &deeds[_i / 2];
  struct shop shop;
  open_shop(&shop, _i % 2 == 0 ? 1000 : 0);
  deed->act(&shop);
  int key = check(&shop, &shop.key), own = check(&shop, &shop.own);
  ck_assert_msg(key == deed->key, "%s: key %s", deed->name, apikeys_result_name(key));
  ck_assert_msg(own == deed->own, "%s: member's %s", deed->name, apikeys_result_name(own));
  world_close(&shop.world);
}
END_TEST

START_TEST(what_is_given_back_is_seen_too) {
  struct shop shop;
  open_shop(&shop, (size_t)_i);
  set_status(&shop.world, shop.organization, "user_1", APIKEYS_MEMBER_INACTIVE);
  ck_assert_int_eq(check(&shop, &shop.own), APIKEYS_OWNER_INACTIVE);
  set_status(&shop.world, shop.organization, "user_1", APIKEYS_MEMBER_ACTIVE);
  ck_assert_int_eq(check(&shop, &shop.own), APIKEYS_OK);
  set_role_permissions(&shop.world, "reader", "posts:write");
  ck_assert_int_eq(check(&shop, &shop.own), APIKEYS_NOT_PERMITTED);
  set_role_permissions(&shop.world, "reader", "posts:read");
  ck_assert_int_eq(check(&shop, &shop.own), APIKEYS_OK);
  world_close(&shop.world);
}
END_TEST

START_TEST(only_what_changed_is_asked_for_again) {
  struct shop shop;
  struct made_key third;
  open_shop(&shop, 1000);
  make_key(&shop.world, key_spec(shop.organization, "third", "posts:read"), &third);
  ck_assert_int_eq(check(&shop, &third), APIKEYS_OK);
  warm_up(&shop);
  ok(&shop.world, revoke_key(&shop.world, third.id, NULL));
  int before = reads(&shop);
  warm_up(&shop);
  ck_assert_int_eq(reads(&shop), before + 1); /* to be told what changed */
  ck_assert_int_eq(check(&shop, &third), APIKEYS_REVOKED);
  ck_assert_int_eq(reads(&shop), before + 2);
  world_close(&shop.world);
}
END_TEST

START_TEST(pruned_events_change_nothing_for_a_key) {
  struct shop shop;
  open_shop(&shop, 1000);
  shop.world.now_ms += DAY_MS;
  ok(&shop.world,
     apikeys_prune(shop.world.env, shop.world.system, shop.world.now_ms - HOUR_MS, shop.world.err));
  int before = reads(&shop);
  warm_up(&shop);
  ck_assert_int_eq(reads(&shop), before);
  world_close(&shop.world);
}
END_TEST

START_TEST(a_change_that_was_rolled_back_changes_nothing) {
  struct shop shop;
  open_shop(&shop, 1000);
  int before = reads(&shop);
  ck_assert_int_eq(revoke_key(&shop.world, "api_key_01ARZ3NDEKTSV4RRFFQ69G5FAV", NULL),
                   APIKEYS_ERROR_NOT_FOUND);
  warm_up(&shop);
  ck_assert_int_eq(reads(&shop), before);
  world_close(&shop.world);
}
END_TEST

/* -- A store that makes trouble ---------------------------------------------------------------- */

struct intruder {
  struct shop *shop;
  enum wrapped_slot slot;
  bool armed;
};

/* The key is revoked beside the library while a validation reads it. */
static void revoke_meanwhile(enum wrapped_slot slot, void *data) {
  struct intruder *intruder = data;
  struct shop *shop = intruder->shop;
  if (!intruder->armed || slot != intruder->slot)
    return;
  intruder->armed = false;
  apikeys_storage *inner = &shop->wrapped.inner;
  apikeys_transaction *transaction = NULL;
  apikeys_record *key = apikeys_record_new(6), *like = apikeys_record_new(6);
  apikeys_record_set_text(like, 1, S(shop->key.id));
  apikeys_query *query = apikeys_query_new(6, 0, APIKEYS_SCOPE_ANY, NULL, 0);
  ck_assert_int_eq(apikeys_query_set_equal(query, like, 1), 0);
  ck_assert_int_eq(inner->begin(inner->self, APIKEYS_TRANSACTION_WRITE, &transaction), 0);
  ck_assert_int_eq(inner->get(inner->self, transaction, query, key), 0);
  ck_assert_int_eq(apikeys_record_set_integer(key, 12, 2), 0); /* state: revoked */
  ck_assert_int_eq(inner->update(inner->self, transaction, key), 0);
  ck_assert_int_eq(inner->commit(inner->self, transaction), 0);
  apikeys_query_free(query);
  apikeys_record_free(like);
  apikeys_record_free(key);
}

/* Before the generation is read, before the transaction begins, and after it has ended. */
START_TEST(a_change_while_the_cache_is_filled_is_never_lost) {
  struct shop shop;
  open_shop(&shop, 1000);
  enum wrapped_slot slots[] = {SLOT_GENERATION, SLOT_BEGIN_READ, SLOT_COMMITTED};
  struct made_key fresh;
  make_key(&shop.world, key_spec(shop.organization, "fresh", "posts:read"), &fresh);
  shop.key = fresh;
  struct intruder intruder = {&shop, slots[_i], true};
  shop.wrapped.intrude = revoke_meanwhile;
  shop.wrapped.intrude_data = &intruder;
  check(&shop, &fresh); /* either answer is right: the change came during it */
  ck_assert(!intruder.armed);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(check(&shop, &fresh), APIKEYS_REVOKED);
  shop.wrapped.intrude = NULL;
  world_close(&shop.world);
}
END_TEST

/* -- Use --------------------------------------------------------------------------------------- */

START_TEST(warm_uses_are_shown_and_written) {
  struct shop shop;
  open_shop(&shop, 1000);
  shop.world.now_ms += HOUR_MS;
  warm_up(&shop);
  apikeys_key *key = get_key(&shop.world, shop.key.id);
  ck_assert_int_eq(apikeys_key_last_used_at_ms(key), shop.world.now_ms);
  int raises = shop.wrapped.calls[SLOT_RAISE];
  ok(&shop.world, apikeys_maintain(shop.world.env, shop.world.err));
  ck_assert_int_eq(shop.wrapped.calls[SLOT_RAISE], raises + 2);
  ok(&shop.world, apikeys_maintain(shop.world.env, shop.world.err));
  ck_assert_int_eq(shop.wrapped.calls[SLOT_RAISE], raises + 2); /* nothing new */
  int before = reads(&shop);
  warm_up(&shop);
  ck_assert_int_eq(reads(&shop), before); /* a flush empties nothing */
  apikeys_key_free(key);
  world_close(&shop.world);
}
END_TEST

START_TEST(a_use_outlives_its_place_in_the_cache) {
  struct shop shop;
  open_shop(&shop, 1000);
  shop.world.now_ms += HOUR_MS;
  warm_up(&shop);
  change_setting(&shop.world, apikeys_settings_set_event_retention_ms, DAY_MS); /* empties it */
  struct made_key other;
  make_key(&shop.world, key_spec(shop.organization, "other", "posts:read"), &other);
  ck_assert_int_eq(check(&shop, &other), APIKEYS_OK);
  apikeys_key *key = get_key(&shop.world, shop.key.id);
  ck_assert_int_eq(apikeys_key_last_used_at_ms(key), shop.world.now_ms);
  apikeys_key_free(key);
  world_close(&shop.world);
}
END_TEST

/* -- Many -------------------------------------------------------------------------------------- */

enum { MANY = 100 };

START_TEST(many_are_judged_as_each_alone) {
  static struct made_key made[MANY];
  struct shop shop;
  const char *values[MANY];
  size_t lengths[MANY];
  int results[MANY];
  apikeys_key *keys[MANY];
  open_shop(&shop, (size_t)_i);
  for (int i = 0; i < MANY; i++) {
    make_key(&shop.world, key_spec(shop.organization, "k", i % 3 == 0 ? "" : "posts:read"),
             &made[i]);
    if (i % 5 == 1)
      ok(&shop.world, revoke_key(&shop.world, made[i].id, NULL));
    if (i % 7 == 2)
      forge_value(made[i].value, made[i].value);
    if (i % 11 == 3)
      made[i].value[20] = '-';
    values[i] = made[i].value;
    lengths[i] = i == 50 ? 0 : strlen(values[i]);
    keys[i] = i % 2 == 0 ? apikeys_key_new() : NULL;
  }
  apikeys_requirement *need = requirement("posts:read");
  for (int round = 0; round < 2; round++) {
    int before = reads(&shop);
    ok(&shop.world, apikeys_validate_many(shop.world.env, values, lengths, MANY, need, NULL, keys,
                                          results, shop.world.err));
    ck_assert_int_le(reads(&shop) - before, MANY / 32 + 2);
    for (int i = 0; i < MANY; i++) {
      int alone = apikeys_validate(shop.world.env, values[i], lengths[i], need, NULL, NULL, NULL);
      ck_assert_msg(results[i] == alone, "%d: %d, alone %d", i, results[i], alone);
      if (keys[i] != NULL)
        ck_assert_str_eq(apikeys_key_id(keys[i], NULL), alone == 0 ? made[i].id : "");
    }
  }
  for (int i = 0; i < MANY; i++)
    apikeys_key_free(keys[i]);
  apikeys_requirement_free(need);
  world_close(&shop.world);
}
END_TEST

START_TEST(many_fail_closed) {
  struct shop shop;
  open_shop(&shop, 1000);
  const char *values[2] = {shop.key.value, NULL};
  size_t lengths[2] = {strlen(shop.key.value), 1};
  int results[2] = {0, 0};
  apikeys_env *env = shop.world.env;
  ck_assert_int_eq(
      apikeys_validate_many(env, values, lengths, 2, NULL, NULL, NULL, results, shop.world.err),
      APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_lt(results[0], 0);
  ck_assert_int_lt(results[1], 0);
  results[0] = 0;
  ck_assert_int_eq(apikeys_validate_many(NULL, values, lengths, 1, NULL, NULL, NULL, results, NULL),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_lt(results[0], 0);
  ck_assert_int_eq(apikeys_validate_many(env, values, NULL, 1, NULL, NULL, NULL, results, NULL),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_validate_many(env, values, lengths, 1, NULL, NULL, NULL, NULL, NULL),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ok(&shop.world, apikeys_validate_many(env, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL));
  world_close(&shop.world);
}
END_TEST

START_TEST(the_bound_has_bounds) {
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(apikeys_options_set_cache_keys(options, 0), 0);
  ck_assert_int_eq(apikeys_options_set_cache_keys(options, 67108864), 0);
  ck_assert_int_eq(apikeys_options_set_cache_keys(options, 67108865),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_options_set_cache_keys(NULL, 1), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_options_free(options);
}
END_TEST

enum { OFF = 0, ON = 1 }; /* a cache of one key is one too */

int main(void) {
  Suite *s = suite_create("warm");
  TCase *tc = tcase_create("warm");
  tcase_add_test(tc, a_warm_key_does_not_ask_the_store);
  tcase_add_test(tc, the_cache_is_counted);
  tcase_add_test(tc, with_a_cache_of_no_keys_every_validation_asks);
  tcase_add_test(tc, only_the_very_value_is_warm);
  tcase_add_test(tc, what_is_unknown_is_never_cached);
  tcase_add_test(tc, a_warm_key_object_is_what_the_store_gives);
  tcase_add_test(tc, a_key_too_big_for_the_cache_is_right_all_the_same);
  tcase_add_test(tc, a_full_cache_stays_right);
  tcase_add_test(tc, a_requirement_is_held_against_a_warm_key);
  tcase_add_test(tc, a_refused_permission_leaves_the_key_object_and_is_no_use);
  tcase_add_test(tc, management_keys_are_warm_too_and_accepted_only_where_they_are);
  tcase_add_loop_test(tc, a_warm_key_expires_to_the_millisecond_and_stays_so, OFF, ON + 1);
  tcase_add_loop_test(tc, the_callers_own_time_expires_nothing_for_good, OFF, ON + 1);
  tcase_add_loop_test(tc, an_idle_key_is_refused_when_warm, OFF, ON + 1);
  tcase_add_loop_test(tc, the_next_validation_sees_it, 0, 2 * DEEDS);
  tcase_add_loop_test(tc, what_is_given_back_is_seen_too, OFF, ON + 1);
  tcase_add_test(tc, only_what_changed_is_asked_for_again);
  tcase_add_test(tc, pruned_events_change_nothing_for_a_key);
  tcase_add_test(tc, a_change_that_was_rolled_back_changes_nothing);
  tcase_add_loop_test(tc, a_change_while_the_cache_is_filled_is_never_lost, 0, 3);
  tcase_add_test(tc, warm_uses_are_shown_and_written);
  tcase_add_test(tc, a_use_outlives_its_place_in_the_cache);
  tcase_add_loop_test(tc, many_are_judged_as_each_alone, OFF, ON + 1);
  tcase_add_test(tc, many_fail_closed);
  tcase_add_test(tc, the_bound_has_bounds);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
