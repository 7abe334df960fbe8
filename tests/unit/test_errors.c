/* SPDX-License-Identifier: MIT */
/* The one table of results, and the error object. */
#include "support/deeds.h"
#include "support/suite.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

START_TEST(every_result_is_named_once_and_never_reads_as_good) {
  size_t count = apikeys_result_count();
  ck_assert_uint_gt(count, 40);
  ck_assert_int_eq(apikeys_result_at(0), APIKEYS_OK);
  for (size_t i = 0; i < count; i++) {
    int code = apikeys_result_at(i);
    ck_assert_uint_gt(strlen(apikeys_result_text(code)), 0);
    for (size_t j = 0; j < i; j++) {
      ck_assert_int_ne(apikeys_result_at(j), code);
      ck_assert_str_ne(apikeys_result_name(apikeys_result_at(j)), apikeys_result_name(code));
    }
    ck_assert_int_eq(apikeys_result_status(code) == 200, code == 0);
    ck_assert_int_eq(strncmp(apikeys_result_name(code), "ERROR_", 6) == 0, code < 0);
    if (code > 0)
      ck_assert_int_lt(apikeys_result_status(code), 500);
  }
  ck_assert_int_ne(apikeys_result_at(count), 0);
}
END_TEST

START_TEST(no_category_shares_its_name_with_a_code) {
  for (int category = APIKEYS_CATEGORY_GOOD; category <= APIKEYS_CATEGORY_UNAVAILABLE; category++) {
    const char *name = apikeys_category_name(category);
    ck_assert_str_ne(name, "UNKNOWN_CATEGORY");
    for (size_t i = 0; i < apikeys_result_count(); i++) {
      const char *code = apikeys_result_name(apikeys_result_at(i));
      ck_assert_str_ne(code, name);
      ck_assert(strncmp(code, "ERROR_", 6) != 0 || strcmp(code + 6, name) != 0);
    }
  }
  ck_assert_str_eq(apikeys_category_name(APIKEYS_CATEGORY_ABSENT), "ABSENT");
  ck_assert_str_eq(apikeys_category_name(-1), "UNKNOWN_CATEGORY");
  ck_assert_str_eq(apikeys_category_name(8), "UNKNOWN_CATEGORY");
}
END_TEST

START_TEST(an_unknown_number_is_our_trouble) {
  static const int strange[] = {8, 99, -10, -999, INT_MAX, INT_MIN};
  for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
    ck_assert_str_eq(apikeys_result_name(strange[i]), "UNKNOWN_RESULT");
    ck_assert_int_eq(apikeys_result_category(strange[i]), APIKEYS_CATEGORY_UNAVAILABLE);
    ck_assert_int_eq(apikeys_result_status(strange[i]), 503);
  }
}
END_TEST

START_TEST(an_error_tells_of_the_last_call_only) {
  static const char nobody[] = "org_01AAAAAAAAAAAAAAAAAAAAAAAA";
  struct world world;
  world_open(&world, BACKEND_MEMORY);
  ck_assert_int_eq(try_key(&world, world.system, key_spec(nobody, "CI", ""), NULL),
                   APIKEYS_ERROR_NOT_FOUND);
  ck_assert_str_eq(apikeys_error_field(world.err), "owner");
  ok(&world, apikeys_maintain(world.env, world.err));
  ck_assert_int_eq(apikeys_error_code(world.err), 0);
  ck_assert_str_eq(apikeys_error_field(world.err), "");
  ck_assert_str_eq(apikeys_error_subject(world.err), "");
  ck_assert_str_eq(apikeys_error_message(world.err), apikeys_result_text(0));
  ck_assert_int_ne(apikeys_key_get(world.env, world.system, nobody, 3, NULL, world.err), 0);
  ck_assert_int_ne(apikeys_error_code(world.err), 0);
  apikeys_error_clear(world.err);
  ck_assert_int_eq(apikeys_error_code(world.err), 0);
  ck_assert_str_eq(apikeys_error_message(world.err), apikeys_result_text(0));
  apikeys_error_clear(NULL);
  ck_assert_int_ne(apikeys_error_code(NULL), 0);
  ck_assert_str_eq(apikeys_error_message(NULL), "");
  apikeys_error_free(NULL);
  world_close(&world);
}
END_TEST

int main(void) {
  Suite *s = suite_create("errors");
  TCase *tc = tcase_create("errors");
  tcase_add_test(tc, every_result_is_named_once_and_never_reads_as_good);
  tcase_add_test(tc, no_category_shares_its_name_with_a_code);
  tcase_add_test(tc, an_unknown_number_is_our_trouble);
  tcase_add_test(tc, an_error_tells_of_the_last_call_only);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
