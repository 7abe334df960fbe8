/* SPDX-License-Identifier: MIT */
/* What is taken for a key's value or a signed token, and what is not. */
#include "base/misplaced_secret.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY "9fQ2rT7xKb4LmN0pZaB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2y"
#define HEAD "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEiLCJ0eXAiOiJKV1QifQ"
#define PAYLOAD "eyJpc3MiOiJlbnZfMDFLIiwiYXVkIjoid2lkZ2V0cyJ9"
#define SIGNATURE "Vq3-x_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2"

static void expect_holds(const char *text, int expected) {
  char *copy = strdup(text); /* no NUL behind it, for the sanitizers */
  ck_assert_int_eq(ak_text_holds_secret(copy, strlen(text)), expected);
  free(copy);
}

START_TEST(whole_secrets_are_found) {
  ck_assert_uint_eq(strlen(BODY), 54);
  expect_holds("acme_" BODY, 1);
  expect_holds("acme_live_" BODY, 1);
  expect_holds("my key is 'acme_" BODY "', keep it", 1);
  expect_holds("ACME_KEY=acme_" BODY "\n", 1);
  expect_holds("\xC3\xA4\xC3\xB6 acme_" BODY "xyz", 1);
  expect_holds(HEAD "." PAYLOAD "." SIGNATURE, 1);
  expect_holds("token=" HEAD "." PAYLOAD "." SIGNATURE ";", 1);
}
END_TEST

START_TEST(nothing_else_is_found) {
  expect_holds("", 0);
  expect_holds("_", 0);
  expect_holds("acme_", 0);
  expect_holds("Continuous integration of the West office", 0);
  expect_holds("acme_...wX2y", 0);                       /* the obfuscated form */
  expect_holds("acme_9fQ2rT7xKb4LmN0p", 0);              /* the visible part */
  expect_holds("api_key_01KF0RDQG0KJBD5HN9PHB44G0C", 0); /* an id */
  expect_holds("sha256_e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0);
  expect_holds("_" BODY, 0);
  expect_holds(BODY, 0);
  expect_holds(HEAD "." PAYLOAD, 0);
  expect_holds("eyJ.eyJ.x", 0);
}
END_TEST

static void expect_masked(const char *text, const char *expected) {
  char buffer[512];
  snprintf(buffer, sizeof buffer, "%s", text);
  size_t length = ak_mask_secrets(buffer, strlen(buffer));
  ck_assert_str_eq(buffer, expected);
  ck_assert_uint_eq(length, strlen(expected));
}

START_TEST(secrets_are_masked_and_the_rest_stays) {
  expect_masked("", "");
  expect_masked("curl/8.1", "curl/8.1");
  expect_masked("acme_" BODY, "acme_[masked]");
  expect_masked("a acme_" BODY " b acme_" BODY " c", "a acme_[masked] b acme_[masked] c");
  expect_masked(BODY, "[masked]");
  expect_masked("acme_9fQ2rT7xKb4LmN0pZaB1cD2eF3gH4iJ5", "acme_[masked]"); /* cut behind 32 */
  expect_masked("req_011CSHoEeqs5C35K2UUqDgHN", "req_011CSHoEeqs5C35K2UUqDgHN");
  expect_masked("x " HEAD "." PAYLOAD "." SIGNATURE " y", "x [masked] y");
  expect_masked(HEAD "." PAYLOAD, "[masked]");
  expect_masked("api_key_01KF0RDQG0KJBD5HN9PHB44G0C", "api_key_01KF0RDQG0KJBD5HN9PHB44G0C");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("misplaced secret");
  TCase *tests = tcase_create("misplaced secret");
  tcase_add_test(tests, whole_secrets_are_found);
  tcase_add_test(tests, nothing_else_is_found);
  tcase_add_test(tests, secrets_are_masked_and_the_rest_stays);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
