/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* -- UTF-8 ------------------------------------------------------------------------------------ */

/* From memory of exactly this size, so that a sanitizer sees a read beyond it. */
static size_t decode_exactly(const unsigned char *bytes, size_t length, uint32_t *code) {
  char *copy = malloc(length > 0 ? length : 1);
  if (copy == NULL)
    ck_abort_msg("no memory");
  memcpy(copy, bytes, length);
  size_t width = ak_utf8_decode(copy, length, code);
  free(copy);
  return width;
}

/* The table of RFC 3629, section 4, said in another way than the decoder says it. */
static size_t encode(uint32_t code, unsigned char out[4]) {
  if (code < 0x80) {
    out[0] = (unsigned char)code;
    return 1;
  }
  size_t width = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = width - 1; i > 0; i--, code >>= 6)
    out[i] = (unsigned char)(0x80 | (code & 0x3f));
  static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  out[0] = (unsigned char)(lead[width] | code);
  return width;
}

START_TEST(every_character_is_decoded) {
  for (uint32_t code = 0; code <= 0x10ffff; code++) {
    unsigned char bytes[4];
    uint32_t decoded = UINT32_MAX;
    size_t width = encode(code, bytes);
    int surrogate = code >= 0xd800 && code <= 0xdfff;
    size_t got = decode_exactly(bytes, width, &decoded);
    if (surrogate ? got != 0 : got != width || decoded != code)
      ck_abort_msg("U+%04X", (unsigned)code);
  }
}
END_TEST

/* Of all sequences of up to three bytes, and of four with a chosen lead, only
 * the shortest forms. */
START_TEST(only_what_encodes_a_character_is_decoded) {
  static const unsigned char leads[] = {0x00, 0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
                                        0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
  static const unsigned char followers[] = {0x00, 0x20, 0x7f, 0x80, 0x8f, 0x90,
                                            0x9f, 0xa0, 0xbf, 0xc0, 0xff};
  enum { FOLLOWERS = sizeof followers };
  for (size_t i = 0; i < sizeof leads * FOLLOWERS * FOLLOWERS * FOLLOWERS; i++) {
    unsigned char bytes[4] = {leads[i / FOLLOWERS / FOLLOWERS / FOLLOWERS],
                              followers[i / FOLLOWERS / FOLLOWERS % FOLLOWERS],
                              followers[i / FOLLOWERS % FOLLOWERS], followers[i % FOLLOWERS]};
    for (size_t length = 0; length <= sizeof bytes; length++) {
      unsigned char again[4];
      uint32_t code = UINT32_MAX;
      size_t width = decode_exactly(bytes, length, &code);
      if (width > length)
        ck_abort_msg("read beyond the end");
      if (width == 0 ? code != UINT32_MAX
                     : encode(code, again) != width || memcmp(again, bytes, width) != 0)
        ck_abort_msg("%02x %02x %02x %02x", bytes[0], bytes[1], bytes[2], bytes[3]);
    }
  }
}
END_TEST

static const char *problem(const char *text, size_t length) {
  return ak_text_problem(text, length, 1, 255);
}

START_TEST(good_text) {
  static const char *const cases[] = {
      "CI deploys",
      "\xc3\xa4\xc3\xb6\xc3\xbc",
      "\xe6\x97\xa5\xe6\x9c\xac",
      "\xf0\x9f\x94\x91",
      " ",
      "<b>&amp;\"'\\",
      "\xef\xbf\xbf",
      "\xf4\x8f\xbf\xbf",
      "\xc2\xa0",
      "\xe2\x80\xa7",
      "\xe2\x80\xaa",
      "~",
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_msg(problem(cases[i], strlen(cases[i])) == NULL, "%s", cases[i]);
}
END_TEST

START_TEST(control_characters_are_refused_wherever_they_stand) {
  for (uint32_t code = 0; code < 0x2100; code++) {
    int control = code < 0x20 || code == 0x7f || (code >= 0x80 && code <= 0x9f) || code == 0x2028 ||
                  code == 0x2029;
    unsigned char bytes[4];
    size_t width = encode(code, bytes);
    for (size_t before = 0; before < 3; before++) {
      char text[16] = "xxxxxxxxxx";
      memcpy(text + before, bytes, width);
      const char *said = problem(text, width + 2);
      if (control)
        ck_assert_str_eq(said, "must not contain control characters");
      else
        ck_assert_ptr_null(said);
    }
  }
}
END_TEST

START_TEST(invalid_utf8_is_refused) {
  static const char *const cases[] = {
      "\x80",
      "\xbf",
      "\xc0\x80",
      "\xc1\xbf",
      "\xc2",
      "\xe0\x80\x80",
      "\xe0\x9f\xbf",
      "\xed\xa0\x80",
      "\xed\xbf\xbf",
      "\xe2\x80",
      "\xf0\x80\x80",
      "\xf0\x8f\xbf\xbf",
      "\xf4\x90\x80\x80",
      "\xf5\x80\x80\x80",
      "\xf8\x88\x80\x80\x80",
      "\xfe",
      "\xff",
      "ok\xc3",
      "\xc3(",
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_str_eq(problem(cases[i], strlen(cases[i])), "must be valid UTF-8");
  ck_assert_str_eq(problem("\xc3\xa4", 1), "must be valid UTF-8");
}
END_TEST

START_TEST(lengths_are_counted_in_bytes) {
  char text[300];
  memset(text, 'x', sizeof text);
  ck_assert_str_eq(ak_text_problem("", 0, 1, 255), "must be 1 to 255 bytes long");
  ck_assert_str_eq(ak_text_problem(text, 256, 1, 255), "must be 1 to 255 bytes long");
  ck_assert_str_eq(ak_text_problem(text, 256, 0, 255), "must be at most 255 bytes long");
  ck_assert_str_eq(ak_text_problem(text, SIZE_MAX, 1, 255), "must be 1 to 255 bytes long");
  ck_assert_ptr_null(ak_text_problem(text, 255, 1, 255));
  ck_assert_ptr_null(ak_text_problem(text, 1, 1, 255));
  ck_assert_ptr_null(ak_text_problem(NULL, 0, 0, 255));
  ck_assert_str_eq(ak_text_problem("\xc3\xa4\xc3\xa4", 4, 1, 3), "is too long");
  ck_assert_str_eq(ak_text_problem("", 0, 2, 3), "must not be empty");
  ck_assert_str_eq(ak_text_problem("a", 1, 2, 3), "is too short");
}
END_TEST

START_TEST(ids_of_the_host_are_printable_ascii) {
  for (int byte = 0; byte < 256; byte++) {
    char text[2] = {'a', (char)byte};
    const char *said = ak_text_id_problem(text, 2, 1, 128);
    if (byte > 0x20 && byte < 0x7f)
      ck_assert_ptr_null(said);
    else
      ck_assert_str_eq(said, "must be printable ASCII without blanks");
  }
  ck_assert_str_eq(ak_text_id_problem("", 0, 1, 128), "must be 1 to 128 bytes long");
  ck_assert_ptr_null(ak_text_id_problem(NULL, 0, 0, 128));
}
END_TEST

START_TEST(domain_names) {
  static const char *const good[] = {"a.example",  "A-1.EXAMPLE",    "xn--bcher-kva.example",
                                     "1.2.3.4.ab", "4.in-addr.arpa", "a.b.c.d"};
  static const char *const bad[] = {
      "",        "acme",     ".",     "a.",         ".a",           "a..b",  "-a.b",
      "a-.b",    "a.-b",     "a.b-",  "a_b.c",      "a b.c",        "a.b\n", "127.0.0.1",
      "a.b.123", "a.b:8080", "a@b.c", "http://a.b", "b\303\274.de", "*.a.b", "a.b/"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    ck_assert_msg(ak_text_domain_problem(good[i], strlen(good[i])) == NULL, "%s", good[i]);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    ck_assert_msg(ak_text_domain_problem(bad[i], strlen(bad[i])) != NULL, "'%s'", bad[i]);
  ck_assert_ptr_nonnull(ak_text_domain_problem("a\0.b", 4));
  char text[254];
  memset(text, 'a', sizeof text);
  for (size_t i = 63; i < sizeof text; i += 64) /* labels of 63, and 253 in all */
    text[i] = '.';
  ck_assert_ptr_null(ak_text_domain_problem(text, 253));
  ck_assert_ptr_nonnull(ak_text_domain_problem(text, 254));
  text[63] = 'a'; /* a label of 127 */
  ck_assert_ptr_nonnull(ak_text_domain_problem(text, 253));
}
END_TEST

START_TEST(names_show_something_in_their_own_direction) {
  static const char *const good[] = {
      "CI deploys",
      "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",             /* Hebrew */
      "a\xe2\x80\x8f\xd7\xa9",                        /* with a right-to-left mark */
      "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac", /* an emoji with a joiner */
      " x ",
      "\xe3\x81\x93"};
  static const char *const turned[] = {"a\xe2\x80\xae"
                                       "fdp.exe",
                                       "\xe2\x81\xa6"
                                       "a",
                                       "\xe2\x80\xaa"
                                       "a",
                                       "a\xe2\x81\xa9"};
  static const char *const blank[] = {" ",
                                      "   ",
                                      "\xc2\xa0",
                                      "\xe2\x80\x8b",
                                      "\xef\xbb\xbf",
                                      " \xe2\x80\x8d ",
                                      "\xe3\x85\xa4",
                                      "\xe3\x80\x80",
                                      "\xc2\xad\xe2\x81\xa0",
                                      "\xf3\xa0\x80\xa0"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    ck_assert_msg(ak_text_name_problem(good[i], strlen(good[i]), 1, 255) == NULL, "%s", good[i]);
  for (size_t i = 0; i < sizeof turned / sizeof turned[0]; i++)
    ck_assert_str_eq(ak_text_name_problem(turned[i], strlen(turned[i]), 1, 255),
                     "must not contain controls of the writing direction");
  for (size_t i = 0; i < sizeof blank / sizeof blank[0]; i++)
    ck_assert_str_eq(ak_text_name_problem(blank[i], strlen(blank[i]), 1, 255),
                     "must show something, not only blanks");
  ck_assert_ptr_null(ak_text_name_problem("", 0, 0, 255));
  ck_assert_str_eq(ak_text_name_problem("", 0, 1, 255), "must be 1 to 255 bytes long");
  ck_assert_str_eq(ak_text_name_problem("a\n", 2, 1, 255), "must not contain control characters");
  ck_assert_str_eq(ak_text_name_problem("a\xff", 2, 1, 255), "must be valid UTF-8");
}
END_TEST

/* -- Slugs and search ------------------------------------------------------------------------- */

START_TEST(slugs) {
  char text[49];
  memset(text, 'a', sizeof text);
  ck_assert_int_eq(ak_slug_check(text, 48), 0);
  ck_assert_int_eq(ak_slug_check(text, 49), -1);
  ck_assert_int_eq(ak_slug_check(text, SIZE_MAX), -1);
  ck_assert_int_eq(ak_slug_check("", 0), -1);
  ck_assert_int_eq(ak_slug_check("widgets:api-keys:manage", 23), 0);
  for (int byte = 0; byte < 256; byte++) {
    char slug[3] = {'a', (char)byte, 'z'};
    int good = byte != 0 && strchr("abcdefghijklmnopqrstuvwxyz0123456789-_:.*", byte) != NULL;
    ck_assert_int_eq(ak_slug_check(slug, 3), good ? 0 : -1);
    ck_assert_int_eq(ak_slug_check(slug + 1, 1), good ? 0 : -1);
  }
}
END_TEST

static int contains(const char *text, const char *needle) {
  return ak_text_contains(text, strlen(text), needle, strlen(needle));
}

START_TEST(search) {
  ck_assert_int_eq(contains("CI Deploys", "deploy"), 1);
  ck_assert_int_eq(contains("CI Deploys", "DEPLOYS"), 1);
  ck_assert_int_eq(contains("CI Deploys", "ci"), 1);
  ck_assert_int_eq(contains("CI Deploys", ""), 1);
  ck_assert_int_eq(contains("", ""), 1);
  ck_assert_int_eq(contains("", "a"), 0);
  ck_assert_int_eq(contains("CI Deploys", "deployz"), 0);
  ck_assert_int_eq(contains("CI Deploys", "CI Deploys "), 0);
  ck_assert_int_eq(contains("aaab", "aab"), 1);
  ck_assert_int_eq(contains("\xc3\x84pfel", "\xc3\x84P"), 1);
  ck_assert_int_eq(contains("\xc3\x84pfel", "\xc3\xa4p"), 0); /* ASCII only */
  ck_assert_int_eq(contains("[", "{"), 0);
  ck_assert_int_eq(contains("@", "`"), 0);
  ck_assert_int_eq(ak_text_contains("a\0B", 3, "b", 1), 1);
  ck_assert_int_eq(ak_text_contains("ab", 1, "b", 1), 0);
  ck_assert_int_eq(ak_text_contains("ab", 2, "ab", SIZE_MAX), 0);
}
END_TEST

/* -- Times ------------------------------------------------------------------------------------ */

static void assert_as_the_c_library(int64_t unix_ms) {
  int64_t ms = (unix_ms % 1000 + 1000) % 1000;
  time_t seconds = (time_t)((unix_ms - ms) / 1000);
  struct tm tm;
  char expected[96], out[AK_TIME_TEXT_LENGTH + 1];
  if (gmtime_r(&seconds, &tm) == NULL)
    ck_abort_msg("gmtime_r knows no time %lld", (long long)unix_ms);
  snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
           tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
  ak_time_text(out, unix_ms);
  if (strcmp(out, expected) != 0) /* Check's own assertions are too slow for all these */
    ck_abort_msg("%s instead of %s", out, expected);
}

START_TEST(first_and_last_milliseconds_of_days) {
  const int64_t day = 86400000;
  for (int64_t ms = INT64_C(-62167219200000); ms < INT64_C(253402300800000); ms += day * 7) {
    assert_as_the_c_library(ms);
    assert_as_the_c_library(ms + day - 1);
  }
  for (int64_t ms = INT64_C(946684800000) - 400 * day; ms < INT64_C(946684800000) + 1600 * day;
       ms += day)
    assert_as_the_c_library(ms + 1);
}
END_TEST

START_TEST(times_within_a_day) {
  for (int64_t ms = -86400000; ms < 86400000; ms += 7001)
    assert_as_the_c_library(ms);
}
END_TEST

START_TEST(known_times) {
  static const struct {
    int64_t ms;
    const char *text;
  } cases[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {INT64_C(1768478400000), "2026-01-15T12:00:00.000Z"},
      {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
      {INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z"},
      {INT64_C(-62167219200001), "0000-01-01T00:00:00.000Z"},
      {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
      {INT64_C(253402300800000), "9999-12-31T23:59:59.999Z"},
      {INT64_MIN, "0000-01-01T00:00:00.000Z"},
      {INT64_MAX, "9999-12-31T23:59:59.999Z"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[AK_TIME_TEXT_LENGTH + 1];
    ak_time_text(out, cases[i].ms);
    ck_assert_str_eq(out, cases[i].text);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("text");
  TCase *text = tcase_create("text");
  tcase_add_test(text, every_character_is_decoded);
  tcase_add_test(text, only_what_encodes_a_character_is_decoded);
  tcase_add_test(text, good_text);
  tcase_add_test(text, control_characters_are_refused_wherever_they_stand);
  tcase_add_test(text, invalid_utf8_is_refused);
  tcase_add_test(text, lengths_are_counted_in_bytes);
  tcase_add_test(text, ids_of_the_host_are_printable_ascii);
  tcase_add_test(text, domain_names);
  tcase_add_test(text, names_show_something_in_their_own_direction);
  tcase_add_test(text, slugs);
  tcase_add_test(text, search);
  suite_add_tcase(suite, text);
  TCase *times = tcase_create("times");
  tcase_add_test(times, first_and_last_milliseconds_of_days);
  tcase_add_test(times, times_within_a_day);
  tcase_add_test(times, known_times);
  suite_add_tcase(suite, times);
  return run_suite(suite);
}
