/* SPDX-License-Identifier: MIT */
#include "crypto/ids.h"

#include "support/suite.h"

#include <apikeys/error.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static int fill_copy(void *out, size_t length, void *user_data) {
  memcpy(out, user_data, length);
  return 0;
}

static int fill_failing(void *out, size_t length, void *user_data) {
  (void)user_data;
  memset(out, 0x55, length);
  return -1;
}

static void assert_id(const char *expected, const char *kind, int64_t ms, const uint8_t *bytes) {
  uint8_t copy[10];
  memcpy(copy, bytes, sizeof copy);
  const struct ak_random random = {fill_copy, copy};
  char out[AK_ID_MAX];
  ck_assert_int_eq(ak_id_generate(out, kind, ms, &random), APIKEYS_OK);
  ck_assert_str_eq(out, expected);
  ck_assert_int_eq(ak_id_check(out, strlen(out), kind), 0);
}

/* The time and the random parts of the examples in the ULID specification and its tests. */
START_TEST(ids_have_the_shape_of_the_specification) {
  const uint8_t zeros[10] = {0};
  const uint8_t ones[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  const uint8_t count[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  assert_id("org_00000000000000000000000000", "org", 0, zeros);
  assert_id("org_0000000000ZZZZZZZZZZZZZZZZ", "org", 0, ones);
  assert_id("env_7ZZZZZZZZZ0000000000000000", "env", (INT64_C(1) << 48) - 1, zeros);
  assert_id("api_key_01ARYZ6S410000000000000000", "api_key", INT64_C(1469918176385), zeros);
  assert_id("event_0000000001041061050R3GG28A", "event", 1, count);
}
END_TEST

START_TEST(times_outside_are_held_at_the_ends) {
  const uint8_t zeros[10] = {0};
  assert_id("org_00000000000000000000000000", "org", -1, zeros);
  assert_id("org_00000000000000000000000000", "org", INT64_MIN, zeros);
  assert_id("org_7ZZZZZZZZZ0000000000000000", "org", INT64_C(1) << 48, zeros);
  assert_id("org_7ZZZZZZZZZ0000000000000000", "org", INT64_MAX, zeros);
}
END_TEST

START_TEST(ids_order_by_their_time) {
  char before[AK_ID_MAX] = "", after[AK_ID_MAX];
  for (int64_t ms = 0; ms < INT64_C(1) << 48; ms = ms * 3 + 1) {
    ck_assert_int_eq(ak_id_generate(after, "org", ms, NULL), APIKEYS_OK);
    ck_assert_str_lt(before, after);
    memcpy(before, after, sizeof before);
  }
}
END_TEST

START_TEST(ids_of_one_moment_are_different) {
  enum { COUNT = 300 };
  static char ids[COUNT][AK_ID_MAX];
  for (int i = 0; i < COUNT; i++) {
    ck_assert_int_eq(ak_id_generate(ids[i], "org", 1700000000000, NULL), APIKEYS_OK);
    for (int j = 0; j < i; j++)
      ck_assert_str_ne(ids[i], ids[j]);
  }
}
END_TEST

START_TEST(failures_leave_the_output_alone) {
  const struct ak_random failing = {fill_failing, NULL};
  char out[AK_ID_MAX] = "untouched";
  ck_assert_int_eq(ak_id_generate(out, "org", 0, &failing), APIKEYS_ERROR_RANDOM);
  ck_assert_str_eq(out, "untouched");
  ck_assert_int_eq(ak_id_generate(out, "thirteenchars", 0, NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_str_eq(out, "untouched");
  ck_assert_int_eq(ak_id_generate(out, "twelve_chars", 0, NULL), APIKEYS_OK);
  ck_assert_uint_eq(strlen(out), AK_ID_MAX - 1);
}
END_TEST

START_TEST(other_texts_are_not_ids) {
  static const char *const cases[] = {
      "",
      "org_",
      "org",
      "01ARYZ6S410000000000000000",
      "org-01ARYZ6S410000000000000000",
      "orx_01ARYZ6S410000000000000000",
      "ORG_01ARYZ6S410000000000000000",
      "env_01ARYZ6S410000000000000000",
      "org_01aryz6s410000000000000000",
      "org_01ARYZ6S41000000000000000",
      "org_01ARYZ6S4100000000000000000",
      "org_81ARYZ6S410000000000000000",
      "org_Z1ARYZ6S410000000000000000",
      "org_01ARYZ6S41000000000000000I",
      "org_01ARYZ6S41000000000000000L",
      "org_01ARYZ6S41000000000000000O",
      "org_01ARYZ6S41000000000000000U",
      "org_01ARYZ6S41000000000000000_",
      " org_01ARYZ6S41000000000000000",
      "org_01ARYZ6S41000000000000000 ",
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_msg(ak_id_check(cases[i], strlen(cases[i]), "org") == -1, "%s", cases[i]);
  ck_assert_int_eq(ak_id_check("org_01ARYZ6S41000000000000000\0", 30, "org"), -1);
  ck_assert_int_eq(ak_id_check("org_01ARYZ6S410000000000000000", 30, "org"), 0);
  ck_assert_int_eq(ak_id_check("org_01ARYZ6S410000000000000000", SIZE_MAX, "org"), -1);
  ck_assert_int_eq(ak_ulid_check("01ARYZ6S410000000000000000", 26), 0);
  ck_assert_int_eq(ak_ulid_check("01ARYZ6S410000000000000000", 25), -1);
}
END_TEST

START_TEST(every_byte_in_every_place) {
  for (size_t place = 0; place < AK_ULID_LENGTH; place++)
    for (int byte = 0; byte < 256; byte++) {
      char *text = malloc(AK_ULID_LENGTH); /* a read behind it shows under a sanitizer */
      ck_assert_ptr_nonnull(text);
      memset(text, '0', AK_ULID_LENGTH);
      text[place] = (char)byte;
      int in_alphabet = byte != 0 && strchr(alphabet, byte) != NULL;
      int fits = in_alphabet && (place > 0 || byte <= '7');
      ck_assert_int_eq(ak_ulid_check(text, AK_ULID_LENGTH), fits ? 0 : -1);
      free(text);
    }
}
END_TEST

int main(void) {
  if (ak_crypto_init() != APIKEYS_OK)
    return 1;
  Suite *suite = suite_create("ids");
  TCase *ids = tcase_create("ids");
  tcase_add_test(ids, ids_have_the_shape_of_the_specification);
  tcase_add_test(ids, times_outside_are_held_at_the_ends);
  tcase_add_test(ids, ids_order_by_their_time);
  tcase_add_test(ids, ids_of_one_moment_are_different);
  tcase_add_test(ids, failures_leave_the_output_alone);
  tcase_add_test(ids, other_texts_are_not_ids);
  tcase_add_test(ids, every_byte_in_every_place);
  suite_add_tcase(suite, ids);
  return run_suite(suite);
}
