/* SPDX-License-Identifier: MIT */
#include "base/json_writer.h"

#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void assert_text(const struct ak_json *json, const char *expected) {
  size_t length = 0;
  const char *text = ak_json_text(json, &length);
  ck_assert_ptr_nonnull(text);
  ck_assert_str_eq(text, expected);
  ck_assert_uint_eq(length, strlen(expected));
}

static void assert_string(bool ascii, const char *text, size_t length, const char *expected) {
  struct ak_json json;
  (ascii ? ak_json_init_ascii : ak_json_init)(&json);
  ak_json_string(&json, text, length);
  assert_text(&json, expected);
  ak_json_free(&json);
}

START_TEST(commas_and_nesting) {
  struct ak_json json;
  ak_json_init(&json);
  ak_json_object_begin(&json);
  ak_json_key(&json, "a");
  ak_json_int64(&json, 1);
  ak_json_key(&json, "list");
  ak_json_array_begin(&json);
  ak_json_string(&json, "x", 1);
  ak_json_array_begin(&json);
  ak_json_array_end(&json);
  ak_json_object_begin(&json);
  ak_json_object_end(&json);
  ak_json_null(&json);
  ak_json_bool(&json, true);
  ak_json_bool(&json, false);
  ak_json_raw(&json, "{\"raw\":1}", 9);
  ak_json_raw(&json, "2", 1);
  ak_json_array_end(&json);
  ak_json_key(&json, "empty");
  ak_json_string(&json, "", 0);
  ak_json_key(&json, "o");
  ak_json_object_begin(&json);
  ak_json_key(&json, "k");
  ak_json_null(&json);
  ak_json_object_end(&json);
  ak_json_object_end(&json);
  assert_text(&json, "{\"a\":1,\"list\":[\"x\",[],{},null,true,false,{\"raw\":1},2],"
                     "\"empty\":\"\",\"o\":{\"k\":null}}");
  ck_assert(!ak_json_failed(&json));
  ak_json_free(&json);
}
END_TEST

/* A string that ends like the beginning of something is still a whole value. */
START_TEST(commas_do_not_depend_on_what_strings_hold) {
  struct ak_json json;
  ak_json_init(&json);
  ak_json_array_begin(&json);
  ak_json_string(&json, "{", 1);
  ak_json_string(&json, "[", 1);
  ak_json_string(&json, ":", 1);
  ak_json_string(&json, ",", 1);
  ak_json_array_end(&json);
  assert_text(&json, "[\"{\",\"[\",\":\",\",\"]");
  ak_json_free(&json);
}
END_TEST

START_TEST(numbers) {
  static const struct {
    int64_t number;
    const char *text;
  } cases[] = {{0, "0"},
               {-1, "-1"},
               {INT64_MAX, "9223372036854775807"},
               {INT64_MIN, "-9223372036854775808"},
               {INT64_C(1768478400000), "1768478400000"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct ak_json json;
    ak_json_init(&json);
    ak_json_int64(&json, cases[i].number);
    assert_text(&json, cases[i].text);
    ak_json_free(&json);
  }
}
END_TEST

START_TEST(every_ascii_character) {
  for (int c = 0; c < 128; c++) {
    char text = (char)c, escaped[16], plain[16];
    snprintf(plain, sizeof plain, "\"%c\"", c);
    snprintf(escaped, sizeof escaped, "\"\\u%04x\"", (unsigned)c);
    const char *shortest = c == '"' ? "\"\\\"\"" : c == '\\' ? "\"\\\\\"" : NULL;
    const char *expected = shortest != NULL ? shortest : c < 0x20 ? escaped : plain;
    assert_string(false, &text, 1, expected);
    if (shortest == NULL && c >= 0x20)
      expected = c == 0x7f || strchr("<>?~&", c) != NULL ? escaped : plain;
    assert_string(true, &text, 1, expected);
  }
}
END_TEST

START_TEST(characters_beyond_ascii) {
  assert_string(false, "\xc3\xa4", 2, "\"\xc3\xa4\"");
  assert_string(true, "\xc3\xa4", 2, "\"\\u00e4\"");
  assert_string(false, "\xf0\x9f\x94\x91", 4, "\"\xf0\x9f\x94\x91\"");
  assert_string(true, "\xf0\x9f\x94\x91", 4, "\"\\ud83d\\udd11\"");
  assert_string(true, "\xf4\x8f\xbf\xbf", 4, "\"\\udbff\\udfff\"");
  assert_string(true, "\xf0\x90\x80\x80", 4, "\"\\ud800\\udc00\"");
  assert_string(true, "\xef\xbf\xbf", 3, "\"\\uffff\"");
  assert_string(false, "\xe2\x80\xa8\xe2\x80\xa9", 6, "\"\\u2028\\u2029\"");
  assert_string(true, "\xe2\x80\xa8\xe2\x80\xa9", 6, "\"\\u2028\\u2029\"");
  assert_string(false, "\xe2\x80\xa7", 3, "\"\xe2\x80\xa7\"");
  assert_string(false, "a\0b", 3, "\"a\\u0000b\"");
}
END_TEST

START_TEST(what_is_not_utf8_is_replaced) {
  assert_string(false,
                "a\xff"
                "b",
                3,
                "\"a\xef\xbf\xbd"
                "b\"");
  assert_string(true,
                "a\xff"
                "b",
                3, "\"a\\ufffdb\"");
  assert_string(true, "\xc3", 1, "\"\\ufffd\"");
  assert_string(true, "\xc3\xa4", 1, "\"\\ufffd\"");
  assert_string(true, "\xc0\x80", 2, "\"\\ufffd\\ufffd\"");
  assert_string(true, "\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"");
  assert_string(true, "\xe2\x80\"", 3, "\"\\ufffd\\ufffd\\\"\"");
  assert_string(true, "\xf4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}
END_TEST

START_TEST(keys_are_escaped_too) {
  struct ak_json json;
  ak_json_init(&json);
  ak_json_object_begin(&json);
  ak_json_key(&json, "a\"b\n");
  ak_json_bool(&json, true);
  ak_json_object_end(&json);
  assert_text(&json, "{\"a\\\"b\\u000a\":true}");
  ak_json_free(&json);
}
END_TEST

START_TEST(names_of_ours_and_memory_used_again) {
  struct ak_json json;
  ak_json_init(&json);
  for (int i = 0; i < 2; i++) {
    const char *before = json.text;
    ak_json_object_begin(&json);
    ak_json_name(&json, "a");
    ak_json_null(&json);
    ak_json_name(&json, "");
    ak_json_literal(&json, "b");
    ak_json_object_end(&json);
    assert_text(&json, "{\"a\":null,\"\":\"b\"}");
    ck_assert(i == 0 || json.text == before);
    ak_json_clear(&json);
    assert_text(&json, "");
  }
  ak_json_free(&json);
}
END_TEST

START_TEST(it_grows) {
  struct ak_json json;
  size_t length = 0;
  enum { COUNT = 5000 };
  ak_json_init(&json);
  ak_json_array_begin(&json);
  for (int i = 0; i < COUNT; i++)
    ak_json_string(&json, "0123456", 7);
  ak_json_array_end(&json);
  const char *text = ak_json_text(&json, &length);
  ck_assert_ptr_nonnull(text);
  ck_assert_uint_eq(length, 1 + 10 * COUNT - 1 + 1);
  ck_assert_uint_eq(strlen(text), length);
  for (size_t i = 0; i < COUNT; i++)
    ck_assert_mem_eq(text + 1 + 10 * i, "\"0123456\"", 9);
  ak_json_free(&json);
  assert_text(&json, "");
  ak_json_null(&json);
  assert_text(&json, "null");
  ak_json_free(&json);
  ak_json_free(&json);
}
END_TEST

/* Every length around the places where the memory grows, so that the NUL always has its room. */
START_TEST(every_length_up_to_a_few_growths) {
  char long_text[1200];
  memset(long_text, 'x', sizeof long_text);
  for (size_t length = 1; length <= sizeof long_text; length++) {
    struct ak_json json;
    size_t written = 0;
    ak_json_init(&json);
    ak_json_raw(&json, long_text, length);
    const char *text = ak_json_text(&json, &written);
    ck_assert_uint_eq(written, length);
    ck_assert_int_eq(text[length], '\0');
    ak_json_free(&json);
  }
}
END_TEST

START_TEST(an_empty_writer_gives_an_empty_text) {
  struct ak_json json;
  size_t length = 7;
  ak_json_init(&json);
  assert_text(&json, "");
  ck_assert_ptr_nonnull(ak_json_text(&json, &length));
  ck_assert_uint_eq(length, 0);
}
END_TEST

START_TEST(the_mode_survives_reuse) {
  struct ak_json json;
  ak_json_init_ascii(&json);
  ak_json_null(&json);
  ak_json_free(&json);
  ak_json_string(&json, "\xc3\xa4", 2);
  assert_text(&json, "\"\\u00e4\"");
  ak_json_free(&json);
}
END_TEST

START_TEST(failure_sticks) {
  struct ak_json json;
  size_t length = 7;
  ak_json_init(&json);
  ak_json_array_begin(&json);
  ak_json_raw(&json, "x", SIZE_MAX); /* more than there can be: read of no byte */
  ck_assert(ak_json_failed(&json));
  ak_json_null(&json);
  ak_json_array_end(&json);
  ck_assert(ak_json_failed(&json));
  ck_assert_ptr_null(ak_json_text(&json, &length));
  ck_assert_uint_eq(length, 7);
  ak_json_free(&json);
  ck_assert(!ak_json_failed(&json));
  ak_json_null(&json);
  assert_text(&json, "null");
  ak_json_free(&json);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("json_writer");
  TCase *json = tcase_create("json writer");
  tcase_add_test(json, commas_and_nesting);
  tcase_add_test(json, commas_do_not_depend_on_what_strings_hold);
  tcase_add_test(json, numbers);
  tcase_add_test(json, every_ascii_character);
  tcase_add_test(json, characters_beyond_ascii);
  tcase_add_test(json, what_is_not_utf8_is_replaced);
  tcase_add_test(json, keys_are_escaped_too);
  tcase_add_test(json, names_of_ours_and_memory_used_again);
  tcase_add_test(json, it_grows);
  tcase_add_test(json, every_length_up_to_a_few_growths);
  tcase_add_test(json, an_empty_writer_gives_an_empty_text);
  tcase_add_test(json, the_mode_survives_reuse);
  tcase_add_test(json, failure_sticks);
  suite_add_tcase(suite, json);
  return run_suite(suite);
}
