/* SPDX-License-Identifier: MIT */
/*
 * What stands between two changes, the environment's policy and that organizations are there, is
 * read once; and an answer is never put together from two states of the store.
 */
#include "storage/schema.h"
#include "support/deeds.h"
#include "support/suite.h"
#include "support/wrapped_storage.h"

#include <stdbool.h>
#include <string.h>

static const char root_key[32] = "root";

struct shop {
  struct world world;
  struct wrapped_storage wrapped;
  char organization[64];
  struct made_key key;
  struct made_key other;
};

/* Without a cache of keys, so that each validation reads its key. */
static void open_shop(struct shop *shop) {
  apikeys_storage storage;
  world_open(&shop->world, BACKEND_MEMORY);
  apikeys_close(shop->world.env);
  memset(&shop->wrapped, 0, sizeof shop->wrapped);
  wrap_memory_storage(&shop->wrapped, &storage);
  ok(&shop->world, apikeys_options_set_root_key(shop->world.options, root_key, sizeof root_key));
  ok(&shop->world, apikeys_options_set_cache_keys(shop->world.options, 0));
  ok(&shop->world,
     apikeys_open_storage(&shop->world.env, &storage, shop->world.options, shop->world.err));
  make_posts(&shop->world);
  make_organization(&shop->world, "Acme", shop->organization);
  make_key(&shop->world, key_spec(shop->organization, "CI", "posts:read"), &shop->key);
  make_key(&shop->world, key_spec(shop->organization, "other", "posts:read"), &shop->other);
}

static int check(struct shop *shop, const struct made_key *key) {
  return validate(&shop->world, key->value, "posts:read");
}

/* How many records this validation reads. */
static int reads_of(struct shop *shop, const struct made_key *key, int expected) {
  int before = shop->wrapped.calls[SLOT_GET];
  ck_assert_int_eq(check(shop, key), expected);
  return shop->wrapped.calls[SLOT_GET] - before;
}

START_TEST(it_is_read_once_between_two_changes) {
  enum { KEY = 1, KEY_AND_ALL = 3 };
  struct shop shop;
  open_shop(&shop);
  ck_assert_int_eq(reads_of(&shop, &shop.key, APIKEYS_OK), KEY_AND_ALL);
  ck_assert_int_eq(reads_of(&shop, &shop.key, APIKEYS_OK), KEY);
  ck_assert_int_eq(reads_of(&shop, &shop.other, APIKEYS_OK), KEY);
  ok(&shop.world, revoke_key(&shop.world, shop.key.id, NULL));
  ck_assert_int_eq(reads_of(&shop, &shop.key, APIKEYS_REVOKED), KEY_AND_ALL - 1);
  ck_assert_int_eq(reads_of(&shop, &shop.other, APIKEYS_OK), KEY + 1);
  ck_assert_int_eq(reads_of(&shop, &shop.other, APIKEYS_OK), KEY);
  world_close(&shop.world);
}
END_TEST

START_TEST(a_key_object_reads_the_last_use_too) {
  struct shop shop;
  open_shop(&shop);
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_OK);
  ok(&shop.world, apikeys_maintain(shop.world.env, shop.world.err));
  int64_t used_at = shop.world.now_ms;
  shop.world.now_ms += HOUR_MS;
  apikeys_key *key = apikeys_key_new();
  ok(&shop.world,
     apikeys_validate(shop.world.env, S(shop.key.value), NULL, NULL, key, shop.world.err));
  ck_assert_int_eq(apikeys_key_last_used_at_ms(key), used_at);
  apikeys_key_free(key);
  world_close(&shop.world);
}
END_TEST

/* -- A change in the middle -------------------------------------------------------------------- */

struct intruder {
  struct shop *shop;
  bool armed;
};

static apikeys_record *find(apikeys_storage *inner, apikeys_transaction *transaction, int kind,
                            const char *id) {
  apikeys_record *found = apikeys_record_new(kind), *like = apikeys_record_new(kind);
  ck_assert_int_eq(apikeys_record_set_text(like, AK_ID, S(id)), 0);
  apikeys_query *query = apikeys_query_new(kind, 0, APIKEYS_SCOPE_ANY, NULL, 0);
  ck_assert_int_eq(apikeys_query_set_equal(query, like, 1), 0);
  ck_assert_int_eq(inner->get(inner->self, transaction, query, found), 0);
  apikeys_query_free(query);
  apikeys_record_free(like);
  return found;
}

/* At once: the expired key lives again, and its organization is gone. It was never good. */
static void swap_reasons(enum wrapped_slot slot, void *data) {
  struct intruder *intruder = data;
  if (!intruder->armed || slot != SLOT_BEGIN_READ)
    return;
  intruder->armed = false;
  apikeys_storage *inner = &intruder->shop->wrapped.inner;
  apikeys_transaction *transaction = NULL;
  ck_assert_int_eq(inner->begin(inner->self, APIKEYS_TRANSACTION_WRITE, &transaction), 0);
  apikeys_record *key = find(inner, transaction, AK_API_KEY, intruder->shop->key.id);
  apikeys_record *organization =
      find(inner, transaction, AK_ORGANIZATION, intruder->shop->organization);
  apikeys_record_set_integer(key, AK_API_KEY_EXPIRES_AT, 0);
  ck_assert_int_eq(inner->update(inner->self, transaction, key), 0);
  ck_assert_int_eq(inner->remove(inner->self, transaction, AK_ORGANIZATION,
                                 apikeys_record_integer(organization, AK_NUMBER)),
                   0);
  ck_assert_int_eq(inner->commit(inner->self, transaction), 0);
  apikeys_record_free(organization);
  apikeys_record_free(key);
}

START_TEST(a_key_that_was_never_good_is_not_made_good_of_two_halves) {
  struct shop shop;
  open_shop(&shop);
  apikeys_key_spec *spec = key_spec(shop.organization, "short", "posts:read");
  apikeys_key_spec_set_expires_at_ms(spec, shop.world.now_ms + HOUR_MS);
  make_key(&shop.world, spec, &shop.key);
  ck_assert_int_eq(check(&shop, &shop.key), APIKEYS_OK); /* policy and organization stand */
  apikeys_request *request = apikeys_request_new();
  ok(&shop.world, apikeys_request_set_time_ms(request, shop.world.now_ms + 2 * HOUR_MS));
  struct intruder intruder = {&shop, true};
  shop.wrapped.intrude = swap_reasons;
  shop.wrapped.intrude_data = &intruder;
  int rc = apikeys_validate(shop.world.env, S(shop.key.value), NULL, request, NULL, shop.world.err);
  ck_assert(!intruder.armed);
  ck_assert_int_gt(rc, 0);
  shop.wrapped.intrude = NULL;
  apikeys_request_free(request);
  world_close(&shop.world);
}
END_TEST

int main(void) {
  Suite *s = suite_create("policy_cache");
  TCase *tc = tcase_create("policy_cache");
  tcase_add_test(tc, it_is_read_once_between_two_changes);
  tcase_add_test(tc, a_key_object_reads_the_last_use_too);
  tcase_add_test(tc, a_key_that_was_never_good_is_not_made_good_of_two_halves);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
