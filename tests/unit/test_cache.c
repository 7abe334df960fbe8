/* SPDX-License-Identifier: MIT */
/* The table of keys that were seen: who is found again, up to its bound and beyond. */
#include "cache/cache.h"
#include "cache/coherence.h"
#include "crypto/key_text.h"
#include "storage/schema.h"

#include "support/suite.h"

#include <apikeys/error.h>
#include <apikeys/key.h>

#include <check.h>
#include <stdio.h>
#include <string.h>

/* The same places in every run: who finds none is not left to chance. */
static int same_bytes(void *out, size_t length, void *user_data) {
  (void)user_data;
  for (size_t i = 0; i < length; i++)
    ((uint8_t *)out)[i] = (uint8_t)(i * 37 + 11);
  return 0;
}

struct table {
  struct ak_usage usage;
  struct ak_cache cache;
};

static void open_table(struct table *table, size_t keys) {
  const struct ak_random random = {.fill = same_bytes};
  ak_usage_init(&table->usage);
  ck_assert_int_eq(ak_cache_init(&table->cache, keys, &table->usage, &random), APIKEYS_OK);
}

static void close_table(struct table *table) {
  ak_cache_release(&table->cache);
  ak_usage_release(&table->usage);
}

/* A lookup id, of which a value is made up; the numbers must be as random as those of keys are. */
static void make_value(char out[AK_LOOKUP_ID_LENGTH + 1], size_t i) {
  static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  uint64_t state = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
  for (int at = 0; at < AK_LOOKUP_ID_LENGTH; at++) {
    state ^= state >> 29;
    state *= UINT64_C(0xbf58476d1ce4e5b9);
    out[at] = digits[state >> 58 < 62 ? state >> 58 : state >> 40 & 31];
  }
  out[AK_LOOKUP_ID_LENGTH] = '\0';
}

static void locate(struct table *table, struct ak_cache_position *position, const char *value) {
  ak_cache_locate(&table->cache, position, value, false);
  ak_cache_fingerprint(&table->cache, position, value, AK_LOOKUP_ID_LENGTH);
}

static void put(struct table *table, size_t i, bool details) {
  char value[AK_LOOKUP_ID_LENGTH + 1], name[24];
  struct ak_cache_position position;
  apikeys_record key;
  make_value(value, i);
  snprintf(name, sizeof name, "key %zu", i);
  ak_record_init(&key, AK_API_KEY);
  apikeys_record_set_integer(&key, AK_NUMBER, (int64_t)i + 1);
  apikeys_record_set_integer(&key, AK_API_KEY_OWNER_TYPE, APIKEYS_OWNER_ORGANIZATION);
  apikeys_record_set_text(&key, AK_API_KEY_ORGANIZATION_ID, i % 2 == 0 ? "even" : "odd",
                          i % 2 == 0 ? 4 : 3);
  apikeys_record_set_text(&key, AK_API_KEY_LOOKUP_ID, value, AK_LOOKUP_ID_LENGTH);
  apikeys_record_set_text(&key, AK_API_KEY_NAME, name, strlen(name));
  apikeys_record_set_text(&key, AK_API_KEY_PERMISSIONS, "posts:read", 10);
  locate(table, &position, value);
  ak_cache_lock(&table->cache);
  ak_cache_put(&table->cache, &position, &key, (int64_t)i + 1000, 0, details);
  ak_cache_unlock(&table->cache);
  ak_record_release(&key);
}

/* Is the key in the table? If so, all of it. */
static bool has(struct table *table, size_t i, bool details) {
  static struct ak_cached_text text;
  char value[AK_LOOKUP_ID_LENGTH + 1], name[24];
  struct ak_cache_position position;
  struct ak_cached cached;
  make_value(value, i);
  locate(table, &position, value);
  if (!ak_cache_find(&table->cache, &position, details, NULL, &cached, &text))
    return false;
  /* Asked for thousands of keys, and an assertion that holds costs as much as all of this. */
  if (cached.number != (int64_t)i + 1 || cached.last_used_at_ms < (int64_t)i + 1000 ||
      cached.permissions_length != 10)
    ck_abort_msg("key %zu is another", i);
  if (details) {
    apikeys_record record;
    ak_record_init(&record, AK_API_KEY);
    ck_assert_int_eq(ak_cached_to_record(&record, &cached, &text), APIKEYS_OK);
    snprintf(name, sizeof name, "key %zu", i);
    ck_assert_str_eq(apikeys_record_text(&record, AK_API_KEY_NAME, NULL), name);
    ck_assert_str_eq(apikeys_record_text(&record, AK_API_KEY_LOOKUP_ID, NULL), value);
    ak_record_release(&record);
  }
  return true;
}

static size_t count(struct table *table, size_t keys, bool details) {
  size_t found = 0;
  for (size_t i = 0; i < keys; i++)
    found += has(table, i, details);
  return found;
}

static const size_t bounds[] = {100, 1000, 65536, 1000000};
enum { BOUNDS = sizeof bounds / sizeof bounds[0] };

/* The promise of apikeys_options_set_cache_keys(): so many keys are at hand. */
START_TEST(as_many_keys_as_the_bound_says_are_found_again) {
  size_t keys = bounds[_i];
  struct table table;
  open_table(&table, keys);
  for (size_t i = 0; i < keys; i++)
    put(&table, i, false);
  ck_assert_uint_ge(count(&table, keys, false), keys - keys / 1000);
  close_table(&table);
}
END_TEST

START_TEST(a_key_that_had_to_move_is_the_same_key) {
  enum { KEYS = 20000 };
  struct table table;
  open_table(&table, KEYS);
  for (size_t i = 0; i < KEYS; i++)
    put(&table, i, true);
  ck_assert_uint_ge(count(&table, KEYS, true), KEYS - KEYS / 1000);
  close_table(&table);
}
END_TEST

/* Whoever makes it over the bound: every slot is taken, and nobody is in two of them. */
START_TEST(beyond_the_bound_those_used_last_stay) {
  enum { BOUND = 1000, KEYS = 4 * BOUND };
  struct table table;
  open_table(&table, BOUND);
  for (size_t i = 0; i < KEYS; i++)
    put(&table, i, false);
  size_t first_half = count(&table, KEYS / 2, false), all = count(&table, KEYS, false);
  ck_assert_uint_ge(all, BOUND + BOUND / 5);
  ck_assert_uint_lt(first_half, all / 4);
  ck_assert_uint_eq(table.cache.counts.keys, all);
  ck_assert_uint_eq(table.cache.counts.fills, KEYS);
  ck_assert_uint_eq(table.cache.counts.evictions, KEYS - all);
  ck_assert_uint_eq(table.cache.counts.drops, 0);
  put(&table, KEYS - 1, true); /* the same key again takes nobody's place */
  ck_assert_uint_eq(table.cache.counts.keys, all);
  ck_assert_uint_eq(table.cache.counts.evictions, KEYS - all);
  close_table(&table);
}
END_TEST

START_TEST(what_is_dropped_is_gone_wherever_it_was) {
  enum { KEYS = 5000 };
  struct table table;
  open_table(&table, KEYS);
  for (size_t i = 0; i < KEYS; i++)
    put(&table, i, false);
  for (size_t i = 0; i < KEYS; i += 3) {
    char value[AK_LOOKUP_ID_LENGTH + 1];
    make_value(value, i);
    ak_cache_lock(&table.cache);
    ak_cache_drop_key(&table.cache, value);
    ak_cache_unlock(&table.cache);
    ck_assert(!has(&table, i, false));
  }
  const struct ak_cache_counts *counts = &table.cache.counts;
  ck_assert_uint_eq(counts->keys, count(&table, KEYS, false));
  ck_assert_uint_eq(counts->keys, counts->fills - counts->evictions - counts->drops);
  ak_cache_lock(&table.cache);
  ak_cache_drop_organization(&table.cache, "odd", 3);
  ak_cache_unlock(&table.cache);
  for (size_t i = 0; i < KEYS; i++)
    if (i % 2 == 1)
      ck_assert(!has(&table, i, false));
  ck_assert_uint_ge(count(&table, KEYS, false), KEYS / 3 - KEYS / 100);
  close_table(&table);
}
END_TEST

/* A move hands the use over: it is remembered, be the entry where it may. */
START_TEST(no_use_is_lost_when_keys_move_and_go) {
  enum { BOUND = 2000, KEYS = 2 * BOUND };
  struct table table;
  static struct ak_cached_text text;
  open_table(&table, BOUND);
  for (size_t i = 0; i < KEYS; i++) {
    char value[AK_LOOKUP_ID_LENGTH + 1];
    struct ak_cache_position position;
    struct ak_cached cached;
    put(&table, i, false);
    make_value(value, i);
    locate(&table, &position, value);
    if (!ak_cache_find(&table.cache, &position, false, NULL, &cached, &text))
      ck_abort_msg("key %zu was not put", i);
    ak_cache_use(&table.cache, &cached, 1000000 + (int64_t)i * 1000);
  }
  size_t at = 0;
  while (ak_cache_hand_over_uses(&table.cache, &at))
    ;
  for (size_t i = 0; i < KEYS; i++)
    ck_assert_int_eq(ak_usage_last(&table.usage, (int64_t)i + 1), 1000000 + (int64_t)i * 1000);
  close_table(&table);
}
END_TEST

int main(void) {
  Suite *s = suite_create("cache");
  TCase *tc = tcase_create("cache");
  tcase_set_timeout(tc, 120);
  tcase_add_loop_test(tc, as_many_keys_as_the_bound_says_are_found_again, 0, BOUNDS);
  tcase_add_test(tc, a_key_that_had_to_move_is_the_same_key);
  tcase_add_test(tc, beyond_the_bound_those_used_last_stay);
  tcase_add_test(tc, what_is_dropped_is_gone_wherever_it_was);
  tcase_add_test(tc, no_use_is_lost_when_keys_move_and_go);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
