/* SPDX-License-Identifier: MIT */
#include "base/slug_set.h"

#include "support/suite.h"

#include <check.h>
#include <string.h>

static void assert_walk(const char *set, const char *const *expected) {
  size_t at = 0, length, count = 0;
  const char *slug;
  while (ak_slugs_next(set, strlen(set), &at, &slug, &length)) {
    ck_assert_ptr_nonnull(expected[count]);
    ck_assert_uint_eq(length, strlen(expected[count]));
    ck_assert_mem_eq(slug, expected[count], length);
    count++;
  }
  ck_assert_ptr_null(expected[count]);
  ck_assert(!ak_slugs_next(set, strlen(set), &at, &slug, &length)); /* the end stays the end */
  ck_assert_uint_eq(ak_slugs_count(set, strlen(set)), count);
}

START_TEST(a_set_is_walked) {
  static const char *const none[] = {NULL};
  static const char *const one[] = {"posts:read", NULL};
  static const char *const three[] = {"a", "b:c", "d", NULL};
  assert_walk("", none);
  assert_walk("posts:read", one);
  assert_walk("a b:c d", three);
  assert_walk("  a  b:c d ", three); /* blanks that somebody typed into the store */
  assert_walk(" ", none);
}
END_TEST

START_TEST(a_walk_ends_where_the_length_says) {
  size_t at = 0, length;
  const char *slug;
  ck_assert(ak_slugs_next("abcd", 2, &at, &slug, &length));
  ck_assert_uint_eq(length, 2);
  ck_assert(!ak_slugs_next("abcd", 2, &at, &slug, &length));
  at = 0;
  ck_assert(!ak_slugs_next(NULL, 0, &at, &slug, &length));
}
END_TEST

static bool has(const char *set, const char *slug) {
  return ak_slugs_has(set, strlen(set), slug, strlen(slug));
}

START_TEST(only_whole_slugs_are_members) {
  static const char set[] = "posts posts:read posts:write";
  ck_assert(has(set, "posts"));
  ck_assert(has(set, "posts:read"));
  ck_assert(has(set, "posts:write"));
  ck_assert(!has(set, "post"));
  ck_assert(!has(set, "osts"));
  ck_assert(!has(set, "posts:"));
  ck_assert(!has(set, "posts:readx"));
  ck_assert(!has(set, "Posts"));
  ck_assert(!has(set, ""));
  ck_assert(!has(set, " "));
  ck_assert(!has(set, "posts posts:read")); /* two are not one */
  ck_assert(!has("", ""));
}
END_TEST

static bool include(const char *whole, const char *part) {
  return ak_slugs_include(whole, strlen(whole), part, strlen(part), NULL, NULL);
}

START_TEST(inclusion_names_what_is_missing) {
  const char *missing = NULL;
  size_t length = 0;
  ck_assert(include("", ""));
  ck_assert(include("a b c", ""));
  ck_assert(include("a b c", "a b c"));
  ck_assert(include("a b c", "a"));
  ck_assert(include("a b c", "c"));
  ck_assert(include("a b c", "a c"));
  ck_assert(!include("", "a"));
  ck_assert(!include("b c", "a"));
  ck_assert(!include("a b", "c"));
  ck_assert(!include("a c", "b"));
  ck_assert(!include("a:b", "a"));
  ck_assert(!include("a", "a:b"));
  ck_assert(!ak_slugs_include("a c", 3, "a b d", 5, &missing, &length));
  ck_assert_uint_eq(length, 1);
  ck_assert_mem_eq(missing, "b", 1);
}
END_TEST

/* Sets of the letters a to f, as bits: what the library says is what the bits say. */
static void letters(struct ak_slugs *set, unsigned bits) {
  ak_slugs_release(set);
  for (unsigned i = 6; i-- > 0;) /* backwards: the set sorts them */
    if ((bits >> i & 1) != 0)
      ak_slugs_add(set, &"abcdef"[i], 1);
}

START_TEST(all_small_sets_agree_with_bits) {
  struct ak_slugs a = {0}, b = {0}, c = {0};
  for (unsigned i = 0; i < 64; i++)
    for (unsigned j = 0; j < 64; j++) {
      bool included = (i & j) == j, good = true;
      letters(&a, i);
      letters(&b, j);
      good &= included == ak_slugs_include(ak_slugs_text(&a), a.length, ak_slugs_text(&b), b.length,
                                           NULL, NULL);
      letters(&c, i | j);
      ak_slugs_add_all(&a, ak_slugs_text(&b), b.length);
      good &= strcmp(ak_slugs_text(&a), ak_slugs_text(&c)) == 0;
      letters(&a, i);
      letters(&c, i & j);
      ak_slugs_intersect(&a, ak_slugs_text(&b), b.length);
      good &= strcmp(ak_slugs_text(&a), ak_slugs_text(&c)) == 0 && a.length == c.length;
      letters(&a, i);
      letters(&c, i & ~j);
      for (unsigned k = 0; k < 6; k++)
        if ((j >> k & 1) != 0)
          ak_slugs_remove(&a, &"abcdef"[k], 1);
      good &= strcmp(ak_slugs_text(&a), ak_slugs_text(&c)) == 0 && a.length == c.length;
      if (!good)
        ck_abort_msg("%u, %u", i, j);
    }
  ck_assert(!a.failed && !b.failed && !c.failed);
  ak_slugs_release(&a);
  ak_slugs_release(&b);
  ak_slugs_release(&c);
}
END_TEST

static void add(struct ak_slugs *set, const char *slug) {
  ak_slugs_add(set, slug, strlen(slug));
}

START_TEST(a_set_stays_sorted_and_single) {
  struct ak_slugs set = {0};
  ck_assert_str_eq(ak_slugs_text(&set), "");
  add(&set, "posts:write");
  add(&set, "posts");
  add(&set, "billing:read");
  add(&set, "posts:read");
  add(&set, "posts");
  ck_assert_str_eq(ak_slugs_text(&set), "billing:read posts posts:read posts:write");
  ck_assert_uint_eq(set.length, strlen(ak_slugs_text(&set)));
  ak_slugs_remove(&set, "post", 4);
  ak_slugs_remove(&set, "posts", 5);
  ck_assert_str_eq(ak_slugs_text(&set), "billing:read posts:read posts:write");
  ak_slugs_release(&set);
  ck_assert_str_eq(ak_slugs_text(&set), "");
}
END_TEST

START_TEST(a_set_may_be_used_on_itself) {
  struct ak_slugs set = {0};
  add(&set, "a");
  add(&set, "b");
  add(&set, "c");
  ak_slugs_add_all(&set, ak_slugs_text(&set), set.length);
  ck_assert_str_eq(ak_slugs_text(&set), "a b c");
  ak_slugs_intersect(&set, ak_slugs_text(&set), set.length);
  ck_assert_str_eq(ak_slugs_text(&set), "a b c");
  ak_slugs_release(&set);
}
END_TEST

/* A required permission that vanished on the way would let everybody in. */
START_TEST(what_cannot_be_a_slug_fails_the_set) {
  static const struct {
    const char *text;
    size_t length;
  } bad[] = {{"", 0}, {" ", 1}, {"a b", 3}, {" a", 2}, {"a ", 2}, {"a\0b", 3}, {NULL, 0}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct ak_slugs set = {0};
    add(&set, "posts:read");
    ak_slugs_add(&set, bad[i].text, bad[i].length);
    ck_assert(set.failed);
    add(&set, "posts:write");
    ck_assert_str_eq(ak_slugs_text(&set), "posts:read"); /* it stays failed, and as it was */
    ak_slugs_release(&set);
    ck_assert(!set.failed);
  }
}
END_TEST

START_TEST(large_sets_work) {
  struct ak_slugs set = {0};
  char slug[32];
  for (unsigned i = 0; i < 500; i++) {
    unsigned n = i * 263 % 500; /* every number once, in disorder */
    for (size_t digit = 4; digit-- > 0; n /= 10)
      slug[digit] = (char)('0' + n % 10);
    ak_slugs_add(&set, slug, 4);
  }
  ck_assert(!set.failed);
  ck_assert_uint_eq(ak_slugs_count(ak_slugs_text(&set), set.length), 500);
  ck_assert_uint_eq(set.length, 500 * 5 - 1);
  for (size_t i = 5; i < set.length; i += 5)
    ck_assert_int_lt(memcmp(set.text + i - 5, set.text + i, 4), 0);
  ak_slugs_release(&set);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("slug_set");
  TCase *tcase = tcase_create("sets");
  tcase_add_test(tcase, a_set_is_walked);
  tcase_add_test(tcase, a_walk_ends_where_the_length_says);
  tcase_add_test(tcase, only_whole_slugs_are_members);
  tcase_add_test(tcase, inclusion_names_what_is_missing);
  tcase_add_test(tcase, all_small_sets_agree_with_bits);
  tcase_add_test(tcase, a_set_stays_sorted_and_single);
  tcase_add_test(tcase, a_set_may_be_used_on_itself);
  tcase_add_test(tcase, what_cannot_be_a_slug_fails_the_set);
  tcase_add_test(tcase, large_sets_work);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
