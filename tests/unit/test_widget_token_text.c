/* SPDX-License-Identifier: MIT */
#include "crypto/widget_token_text.h"

#include "support/suite.h"
#include "support/widget_text.h"

#include <apikeys/error.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = AK_WIDGET_TEXT_MAX + 512 };

#define HEADER "{\"alg\":\"HS256\",\"kid\":\"1\",\"typ\":\"JWT\"}"
#define ISS "\"iss\":\"env_01ARYZ6S410000000000000000\""
#define AUD "\"aud\":\"widgets\""
#define ORG "\"org_id\":\"org_01ARYZ6S410000000000000001\""
#define SUB "\"sub\":\"user_1\""
#define PERMISSIONS "\"permissions\":[\"widgets:api-keys:manage\",\"widgets:users-table:manage\"]"
#define IAT "\"iat\":1700000000"
#define EXP "\"exp\":1700003600"
#define JTI "\"jti\":\"01ARYZ6S410000000000000002\""
#define PAYLOAD "{" ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}"

static const uint8_t key[AK_KEY_BYTES] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                          11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                          22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static const struct ak_widget_claims example = {
    .environment_id = "env_01ARYZ6S410000000000000000",
    .organization_id = "org_01ARYZ6S410000000000000001",
    .user_id = "user_1",
    .permissions = "widgets:api-keys:manage widgets:users-table:manage",
    .issued_at = 1700000000,
    .expires_at = 1700003600,
    .token_id = "01ARYZ6S410000000000000002",
};

/* HEADER, PAYLOAD and key, encoded and signed by Python's base64 and hmac. */
static const char example_text[] = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEiLCJ0eXAiOiJKV1QifQ."
                                   "eyJpc3MiOiJlbnZfMDFBUllaNlM0MTAwMDAwMDAwMDAwMDAwMDAiLCJhdWQiOiJ"
                                   "3aWRnZXRzIiwib3JnX2lkIjoib3JnXzAx"
                                   "QVJZWjZTNDEwMDAwMDAwMDAwMDAwMDAxIiwic3ViIjoidXNlcl8xIiwicGVybWl"
                                   "zc2lvbnMiOlsid2lkZ2V0czphcGkta2V5"
                                   "czptYW5hZ2UiLCJ3aWRnZXRzOnVzZXJzLXRhYmxlOm1hbmFnZSJdLCJpYXQiOjE"
                                   "3MDAwMDAwMDAsImV4cCI6MTcwMDAwMzYw"
                                   "MCwianRpIjoiMDFBUllaNlM0MTAwMDAwMDAwMDAwMDAwMDIifQ."
                                   "8p5TSIKqJpN0Iv_yNA0fU4MNvcUD6dwxPnBbypgP5xc";

/* -- Making tokens that the library would not make -------------------------------------------- */

static size_t make(char *out, const char *header, const char *payload, size_t payload_length) {
  size_t used = encode_base64url(out, header, strlen(header));
  out[used++] = '.';
  used += encode_base64url(out + used, payload, payload_length);
  return sign_text(out, used, key);
}

/* From memory of exactly this size, so that a sanitizer sees a read beyond it. */
static int read_exactly(const char *text, size_t length, struct ak_widget_claims *claims) {
  char *copy = malloc(length > 0 ? length : 1);
  if (copy == NULL)
    ck_abort_msg("no memory");
  memcpy(copy, text, length);
  int rc = ak_widget_text_read(copy, length, key, claims);
  free(copy);
  return rc;
}

static void assert_invalid(const char *text, size_t length, const char *what) {
  static const struct ak_widget_claims untouched = {.user_id = "untouched"};
  struct ak_widget_claims claims = untouched;
  if (read_exactly(text, length, &claims) != APIKEYS_ERROR_TOKEN_INVALID)
    ck_abort_msg("accepted: %s", what);
  if (memcmp(&claims, &untouched, sizeof claims) != 0)
    ck_abort_msg("changed the claims: %s", what);
}

static void assert_payload(const char *payload, int expected) {
  char text[TEXT_SIZE];
  struct ak_widget_claims claims;
  size_t length = make(text, HEADER, payload, strlen(payload));
  if (expected == APIKEYS_OK)
    ck_assert_msg(read_exactly(text, length, &claims) == APIKEYS_OK, "%s", payload);
  else
    assert_invalid(text, length, payload);
}

static void assert_same(const struct ak_widget_claims *a, const struct ak_widget_claims *b) {
  ck_assert_str_eq(a->environment_id, b->environment_id);
  ck_assert_str_eq(a->organization_id, b->organization_id);
  ck_assert_str_eq(a->user_id, b->user_id);
  ck_assert_str_eq(a->permissions, b->permissions);
  ck_assert_int_eq(a->issued_at, b->issued_at);
  ck_assert_int_eq(a->expires_at, b->expires_at);
  ck_assert_str_eq(a->token_id, b->token_id);
}

/* Writes, reads again, and returns the length. */
static size_t round_trip(char out[AK_WIDGET_TEXT_MAX + 1], const struct ak_widget_claims *claims,
                         uint32_t version) {
  struct ak_widget_claims read;
  size_t length = 0;
  uint32_t read_version = version + 1;
  ck_assert_int_eq(ak_widget_text_write(out, &length, claims, version, key), APIKEYS_OK);
  ck_assert_uint_eq(length, strlen(out));
  ck_assert_int_eq(ak_widget_text_key_version(out, length, &read_version), APIKEYS_OK);
  ck_assert_uint_eq(read_version, version);
  ck_assert_int_eq(read_exactly(out, length, &read), APIKEYS_OK);
  assert_same(&read, claims);
  return length;
}

static void assert_plain_base64(const char *text) {
  const char *payload = text + strcspn(text, ".") + 1;
  if (strcspn(payload, "-_") < strcspn(payload, "."))
    ck_abort_msg("not plain base64: %s", text);
}

/* -- Writing and reading ---------------------------------------------------------------------- */

START_TEST(the_example_is_written_and_read) {
  char text[AK_WIDGET_TEXT_MAX + 1];
  struct ak_widget_claims claims;
  uint32_t version = 0;
  size_t length = 0;
  ck_assert_int_eq(ak_widget_text_write(text, &length, &example, 1, key), APIKEYS_OK);
  ck_assert_str_eq(text, example_text);
  ck_assert_uint_eq(length, strlen(example_text));
  ck_assert_int_eq(ak_widget_text_key_version(text, length, &version), APIKEYS_OK);
  ck_assert_uint_eq(version, 1);
  ck_assert_int_eq(read_exactly(text, length, &claims), APIKEYS_OK);
  assert_same(&claims, &example);
  length = make(text, HEADER, PAYLOAD, strlen(PAYLOAD));
  ck_assert_uint_eq(length, strlen(example_text));
  ck_assert_mem_eq(text, example_text, length);
}
END_TEST

START_TEST(tokens_without_a_user_and_without_permissions) {
  char text[AK_WIDGET_TEXT_MAX + 1];
  struct ak_widget_claims claims = example;
  claims.user_id[0] = '\0';
  round_trip(text, &claims, 7);
  claims.permissions[0] = '\0';
  round_trip(text, &claims, 7);
  assert_payload("{" ISS "," AUD "," ORG ",\"permissions\":[]," IAT "," EXP "," JTI "}",
                 APIKEYS_OK);
}
END_TEST

static void fill_permissions(struct ak_widget_claims *claims, int count) {
  char *at = claims->permissions;
  for (int i = 0; i < count; i++, at += AK_WIDGET_PERMISSION_LENGTH + 1) {
    memset(at, 'a' + i, AK_WIDGET_PERMISSION_LENGTH);
    memcpy(at, "widgets:", 8);
    at[AK_WIDGET_PERMISSION_LENGTH] = i + 1 < count ? ' ' : '\0';
  }
}

START_TEST(the_longest_token_fits) {
  char text[AK_WIDGET_TEXT_MAX + 1];
  struct ak_widget_claims claims = example;
  memset(claims.user_id, '<', AK_WIDGET_USER_MAX);
  fill_permissions(&claims, AK_WIDGET_PERMISSIONS_MAX);
  claims.issued_at = claims.expires_at = AK_WIDGET_TIME_MAX;
  ck_assert_uint_eq(round_trip(text, &claims, UINT32_MAX), 2481);
  assert_plain_base64(text);
}
END_TEST

START_TEST(versions_and_times_at_their_ends) {
  static const uint32_t versions[] = {0, 1, 9, 10, 4294967294, UINT32_MAX};
  static const int64_t times[] = {0, 1, 9, 10, AK_WIDGET_TIME_MAX - 1, AK_WIDGET_TIME_MAX};
  char text[AK_WIDGET_TEXT_MAX + 1];
  struct ak_widget_claims claims = example;
  for (size_t i = 0; i < 6; i++) {
    claims.issued_at = times[i];
    claims.expires_at = times[5 - i];
    round_trip(text, &claims, versions[i]);
  }
}
END_TEST

/*
 * A base64 digit shows bits of two bytes at most, so all pairs of characters in all three
 * alignments are all that a payload can consist of.
 */
START_TEST(payloads_are_plain_base64) {
  char text[AK_WIDGET_TEXT_MAX + 1];
  struct ak_widget_claims claims = example;
  for (int alignment = 0; alignment < 3; alignment++)
    for (int a = 0x21; a < 0x7f; a++)
      for (int b = 0x21; b < 0x7f; b++) {
        size_t length = 0;
        snprintf(claims.user_id, sizeof claims.user_id, "%.*s%c%c", alignment, "xx", a, b);
        if (ak_widget_text_write(text, &length, &claims, 1, key) != APIKEYS_OK)
          ck_abort_msg("not written: %s", claims.user_id);
        assert_plain_base64(text);
      }
}
END_TEST

static unsigned next_random(unsigned *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

START_TEST(random_claims_come_back) {
  char text[AK_WIDGET_TEXT_MAX + 1];
  unsigned state = 20260115;
  for (int round = 0; round < 400; round++) {
    struct ak_widget_claims claims = example;
    size_t length = next_random(&state) % (AK_WIDGET_USER_MAX + 1);
    for (size_t i = 0; i < length; i++)
      claims.user_id[i] = (char)(0x21 + next_random(&state) % (0x7f - 0x21));
    claims.user_id[length] = '\0';
    fill_permissions(&claims, (int)(next_random(&state) % (AK_WIDGET_PERMISSIONS_MAX + 1)));
    if (claims.permissions[0] != 'w')
      claims.permissions[0] = '\0';
    claims.issued_at = next_random(&state);
    claims.expires_at = claims.issued_at + next_random(&state) % 3600;
    round_trip(text, &claims, next_random(&state));
    assert_plain_base64(text);
  }
}
END_TEST

START_TEST(claims_that_cannot_be_read_are_not_written) {
  char text[AK_WIDGET_TEXT_MAX + 1] = "untouched";
  size_t length = 77;
  struct ak_widget_claims bad[18];
  size_t count = 0;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    bad[i] = example;
  bad[count++].environment_id[0] = '\0';
  strncpy(bad[count++].environment_id, "org_01ARYZ6S410000000000000000", AK_ID_MAX - 1);
  bad[count++].environment_id[29] = 'U';
  bad[count++].organization_id[0] = '\0';
  strncpy(bad[count++].organization_id, "env_01ARYZ6S410000000000000000", AK_ID_MAX - 1);
  bad[count++].user_id[0] = ' ';
  bad[count++].user_id[0] = '\x7f';
  bad[count++].user_id[0] = '\xe4';
  strncpy(bad[count++].permissions, "posts:read", 64);
  strncpy(bad[count++].permissions, "widgets:", 64);
  strncpy(bad[count++].permissions, "widgets:a  widgets:b", 64);
  strncpy(bad[count++].permissions, " widgets:a", 64);
  strncpy(bad[count++].permissions, "widgets:a ", 64);
  strncpy(bad[count++].permissions, "widgets:A", 64);
  bad[count++].issued_at = -1;
  bad[count++].expires_at = AK_WIDGET_TIME_MAX + 1;
  bad[count++].token_id[25] = '\0';
  bad[count++].token_id[0] = '8';
  ck_assert_uint_eq(count, sizeof bad / sizeof bad[0]);
  for (size_t i = 0; i < count; i++) {
    int rc = ak_widget_text_write(text, &length, &bad[i], 1, key);
    ck_assert_msg(rc == APIKEYS_ERROR_INVALID_ARGUMENT, "claims %d", (int)i);
    ck_assert_str_eq(text, "untouched");
    ck_assert_uint_eq(length, 77);
  }
}
END_TEST

START_TEST(seventeen_short_permissions_are_too_many) {
  char text[AK_WIDGET_TEXT_MAX + 1];
  struct ak_widget_claims claims = example;
  size_t length = 0;
  claims.permissions[0] = '\0';
  for (int i = 0; i < AK_WIDGET_PERMISSIONS_MAX; i++)
    strcat(claims.permissions, i == 0 ? "widgets:a" : " widgets:a");
  round_trip(text, &claims, 1);
  strcat(claims.permissions, " widgets:a");
  ck_assert_int_eq(ak_widget_text_write(text, &length, &claims, 1, key),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
}
END_TEST

/* -- Refusals --------------------------------------------------------------------------------- */

START_TEST(every_substitution_is_refused) {
  char text[sizeof example_text];
  size_t length = strlen(example_text);
  for (size_t place = 0; place < length; place++)
    for (int change = 1; change < 256; change++) {
      memcpy(text, example_text, length);
      text[place] = (char)(text[place] ^ change);
      assert_invalid(text, length, "a substitution");
    }
}
END_TEST

START_TEST(every_truncation_and_extension_is_refused) {
  static const char added[] = {'A', '.', '=', ' ', '\n', '\0', 'w'};
  char text[sizeof example_text + 1];
  size_t length = strlen(example_text);
  for (size_t cut = 1; cut <= length; cut++) {
    assert_invalid(example_text, length - cut, "cut at the end");
    assert_invalid(example_text + cut, length - cut, "cut at the beginning");
  }
  for (size_t place = 0; place <= length; place++)
    for (size_t i = 0; i < sizeof added; i++) {
      memcpy(text, example_text, place);
      text[place] = added[i];
      memcpy(text + place + 1, example_text + place, length - place);
      assert_invalid(text, length + 1, "an extension");
    }
  assert_invalid(example_text, 0, "nothing");
}
END_TEST

START_TEST(another_key_is_refused) {
  for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
    uint8_t other[AK_KEY_BYTES];
    struct ak_widget_claims claims;
    memcpy(other, key, sizeof other);
    other[bit / 8] = (uint8_t)(other[bit / 8] ^ 1 << bit % 8);
    int rc = ak_widget_text_read(example_text, strlen(example_text), other, &claims);
    ck_assert_int_eq(rc, APIKEYS_ERROR_TOKEN_INVALID);
  }
}
END_TEST

START_TEST(other_headers_are_refused) {
  static const char *const headers[] = {
      "",
      "{}",
      "{\"alg\":\"none\",\"kid\":\"1\",\"typ\":\"JWT\"}",
      "{\"alg\":\"hs256\",\"kid\":\"1\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS512\",\"kid\":\"1\",\"typ\":\"JWT\"}",
      "{\"alg\":\"RS256\",\"kid\":\"1\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":1,\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"01\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"00\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"-1\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"+1\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"1 \",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"x\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"4294967296\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"18446744073709551617\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"1\",\"typ\":\"jwt\"}",
      "{\"alg\":\"HS256\",\"kid\":\"1\"}",
      "{\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"1\"}",
      "{\"alg\":\"HS256\",\"kid\":\"1\",\"typ\":\"JWT\",\"jku\":\"x\"}",
      "{\"alg\":\"HS256\", \"kid\":\"1\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"kid\":\"1\",\"typ\":\"JWT\"} ",
      "{\"alg\":\"HS256\",\"alg\":\"HS256\",\"kid\":\"1\",\"typ\":\"JWT\"}",
  };
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
    char text[TEXT_SIZE];
    uint32_t version = 77;
    size_t length = make(text, headers[i], PAYLOAD, strlen(PAYLOAD));
    int rc = ak_widget_text_key_version(text, length, &version);
    ck_assert_msg(rc == APIKEYS_ERROR_TOKEN_INVALID, "%s", headers[i]);
    ck_assert_uint_eq(version, 77);
    assert_invalid(text, length, headers[i]);
  }
}
END_TEST

#define WITH_SUB(sub)                                                                              \
  "{" ISS "," AUD "," ORG ",\"sub\":" sub "," PERMISSIONS "," IAT "," EXP "," JTI "}"
#define WITH_PERMISSIONS(list)                                                                     \
  "{" ISS "," AUD "," ORG "," SUB ",\"permissions\":" list "," IAT "," EXP "," JTI "}"
#define WITH_TIMES(iat, exp)                                                                       \
  "{" ISS "," AUD "," ORG "," SUB "," PERMISSIONS ",\"iat\":" iat ",\"exp\":" exp "," JTI "}"

START_TEST(other_payloads_are_refused_though_signed) {
  static const char *const payloads[] = {
      "",
      "{}",
      "null",
      PAYLOAD " ",
      " " PAYLOAD,
      PAYLOAD PAYLOAD,
      "{ " ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" ISS ", " AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" AUD "," ISS "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" ISS "," AUD "," ORG "," PERMISSIONS "," SUB "," IAT "," EXP "," JTI "}",
      "{" ISS "," ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" ISS "," AUD "," ORG "," SUB "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," EXP "," JTI "}",
      "{" ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI ",\"x\":1}",
      "{" ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," JTI "}",
      "{" ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," EXP "," JTI "}",
      "{" ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "}",
      "{" ISS "," AUD "," ORG "," SUB "," IAT "," EXP "," JTI "}",
      "{" ISS "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" ISS "," AUD "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" ISS ",\"aud\":\"widget\"," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" ISS ",\"aud\":[\"widgets\"]," ORG "," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{\"iss\":\"org_01ARYZ6S410000000000000000\"," AUD "," ORG "," SUB "," PERMISSIONS "," IAT
      "," EXP "," JTI "}",
      "{\"iss\":\"env_01ARYZ6S41000000000000000\"," AUD "," ORG "," SUB "," PERMISSIONS "," IAT
      "," EXP "," JTI "}",
      "{" ISS "," AUD ",\"org_id\":\"\"," SUB "," PERMISSIONS "," IAT "," EXP "," JTI "}",
      "{" ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP
      ",\"jti\":\"01aryz6s410000000000000002\"}",
      "{" ISS "," AUD "," ORG "," SUB "," PERMISSIONS "," IAT "," EXP ",\"jti\":\"\"}",
      WITH_SUB("\"\""),
      WITH_SUB("null"),
      WITH_SUB("1"),
      WITH_SUB("\"a b\""),
      WITH_SUB("\"a\\u0020b\""),
      WITH_SUB("\"a\\/b\""),
      WITH_SUB("\"a\\nb\""),
      WITH_SUB("\"\\u0061\""),
      WITH_SUB("\"\\u003C\""),
      WITH_SUB("\"\\u003\""),
      WITH_SUB("\"\\u007f\""),
      WITH_SUB("\"\\u0022\""),
      WITH_SUB("\"\\u00e4\""),
      WITH_SUB("\"\xc3\xa4\""),
      WITH_SUB("\"<\""),
      WITH_SUB("\">\""),
      WITH_SUB("\"?\""),
      WITH_SUB("\"~\""),
      WITH_SUB("\"&\""),
      WITH_SUB("\"\x7f\""),
      WITH_SUB("\"\t\""),
      WITH_SUB("\"a\\\""),
      WITH_SUB("\"a"),
      WITH_PERMISSIONS("\"widgets:a\""),
      WITH_PERMISSIONS("null"),
      WITH_PERMISSIONS("[\"\"]"),
      WITH_PERMISSIONS("[,]"),
      WITH_PERMISSIONS("[\"widgets:a\",]"),
      WITH_PERMISSIONS("[\"widgets:a\" ]"),
      WITH_PERMISSIONS("[\"widgets:a\"\"widgets:b\"]"),
      WITH_PERMISSIONS("[\"widgets:a widgets:b\"]"),
      WITH_PERMISSIONS("[\"widgets:\"]"),
      WITH_PERMISSIONS("[\"posts:read\"]"),
      WITH_PERMISSIONS("[\"widgets:a\",\"apikeys:read\"]"),
      WITH_PERMISSIONS("[\"widgets:A\"]"),
      WITH_PERMISSIONS("[\"widgets:\\u0061\"]"),
      WITH_PERMISSIONS("[1]"),
      WITH_PERMISSIONS("[[\"widgets:a\"]]"),
      WITH_TIMES("01", "2"),
      WITH_TIMES("-1", "2"),
      WITH_TIMES("+1", "2"),
      WITH_TIMES("1.0", "2"),
      WITH_TIMES("1e3", "2"),
      WITH_TIMES("\"1\"", "2"),
      WITH_TIMES("1", ""),
      WITH_TIMES("", "1"),
      WITH_TIMES("1", "00"),
      WITH_TIMES("1", "253402300800"),
      WITH_TIMES("1", "9223372036854775808"),
      WITH_TIMES("1", "99999999999999999999999999999999"),
  };
  for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
    assert_payload(payloads[i], APIKEYS_ERROR_TOKEN_INVALID);
}
END_TEST

START_TEST(these_payloads_are_accepted) {
  assert_payload(PAYLOAD, APIKEYS_OK);
  assert_payload(WITH_SUB("\"\\\"\\\\\\u0026\\u003c\\u003e\\u003f\\u007e\""), APIKEYS_OK);
  assert_payload(WITH_PERMISSIONS("[\"widgets:*\"]"), APIKEYS_OK);
  assert_payload(WITH_PERMISSIONS("[]"), APIKEYS_OK);
  assert_payload(WITH_TIMES("0", "253402300799"), APIKEYS_OK);
}
END_TEST

START_TEST(a_nul_inside_is_refused) {
  char text[TEXT_SIZE], payload[] = WITH_SUB("\"ab\"");
  size_t place = (size_t)(strstr(payload, "ab") - payload);
  payload[place] = '\0';
  assert_invalid(text, make(text, HEADER, payload, sizeof payload - 1), "NUL in the user id");
  assert_invalid(text, make(text, HEADER, PAYLOAD, sizeof PAYLOAD), "NUL behind the payload");
}
END_TEST

START_TEST(lists_and_strings_that_are_too_long_are_refused) {
  char payload[TEXT_SIZE], list[512] = "[", id[256];
  static const char before[] = "{" ISS "," AUD "," ORG ",\"sub\":\"";
  static const char middle[] = "\",\"permissions\":";
  static const char after[] = "," IAT "," EXP "," JTI "}";
  for (int count = 1; count <= 20; count++) {
    strcat(list, count == 1 ? "\"widgets:a\"" : ",\"widgets:a\"");
    snprintf(payload, sizeof payload, "%su%s%s]%s", before, middle, list, after);
    assert_payload(payload, count <= 16 ? APIKEYS_OK : APIKEYS_ERROR_TOKEN_INVALID);
  }
  for (int length = 120; length <= 140; length++) {
    memset(id, 'u', sizeof id);
    id[length] = '\0';
    snprintf(payload, sizeof payload, "%s%s%s[]%s", before, id, middle, after);
    assert_payload(payload, length <= 128 ? APIKEYS_OK : APIKEYS_ERROR_TOKEN_INVALID);
  }
  for (int length = 40; length <= 60; length++) {
    memset(id, 'u', sizeof id);
    memcpy(id, "widgets:", 8);
    id[length] = '\0';
    snprintf(payload, sizeof payload, "%su%s[\"%s\"]%s", before, middle, id, after);
    assert_payload(payload, length <= 48 ? APIKEYS_OK : APIKEYS_ERROR_TOKEN_INVALID);
  }
}
END_TEST

/* Bits that no byte takes must be zero, in the payload as well; the signature over it is right. */
START_TEST(left_over_bits_are_refused) {
  char text[TEXT_SIZE];
  int refused = 0;
  for (int length = 1; length <= 3; length++) {
    char payload[512];
    snprintf(payload, sizeof payload, WITH_SUB("\"%.*s\""), length, "uuu");
    size_t bytes = strlen(payload);
    if (bytes % 3 == 0)
      continue;
    size_t used = encode_base64url(text, HEADER, strlen(HEADER));
    text[used++] = '.';
    used += encode_base64url(text + used, payload, bytes);
    text[used - 1]++; /* an even digit before, since its last bit is left over */
    assert_invalid(text, sign_text(text, used, key), "left-over bits");
    refused++;
  }
  ck_assert_int_eq(refused, 2);
}
END_TEST

START_TEST(lengths_beyond_any_token_are_refused) {
  static char text[1 << 16];
  memset(text, 'A', sizeof text);
  assert_invalid(text, sizeof text, "a run of letters");
  text[100] = text[sizeof text - 44] = '.';
  assert_invalid(text, sizeof text, "a long token");
  text[100] = 'A';
  text[AK_WIDGET_TEXT_MAX - 44] = '.';
  assert_invalid(text, AK_WIDGET_TEXT_MAX, "one dot, far away");
  memset(text, '.', sizeof text);
  for (size_t length = 0; length < 200; length++)
    assert_invalid(text, length, "dots");
}
END_TEST

static Suite *widget_suite(void) {
  Suite *suite = suite_create("widget_token_text");
  TCase *good = tcase_create("writing and reading");
  tcase_add_test(good, the_example_is_written_and_read);
  tcase_add_test(good, tokens_without_a_user_and_without_permissions);
  tcase_add_test(good, the_longest_token_fits);
  tcase_add_test(good, versions_and_times_at_their_ends);
  tcase_add_test(good, payloads_are_plain_base64);
  tcase_add_test(good, random_claims_come_back);
  tcase_add_test(good, claims_that_cannot_be_read_are_not_written);
  tcase_add_test(good, seventeen_short_permissions_are_too_many);
  suite_add_tcase(suite, good);
  TCase *refusals = tcase_create("refusals");
  tcase_add_test(refusals, every_substitution_is_refused);
  tcase_add_test(refusals, every_truncation_and_extension_is_refused);
  tcase_add_test(refusals, another_key_is_refused);
  tcase_add_test(refusals, other_headers_are_refused);
  tcase_add_test(refusals, other_payloads_are_refused_though_signed);
  tcase_add_test(refusals, these_payloads_are_accepted);
  tcase_add_test(refusals, a_nul_inside_is_refused);
  tcase_add_test(refusals, lists_and_strings_that_are_too_long_are_refused);
  tcase_add_test(refusals, left_over_bits_are_refused);
  tcase_add_test(refusals, lengths_beyond_any_token_are_refused);
  suite_add_tcase(suite, refusals);
  return suite;
}

int main(void) {
  if (ak_crypto_init() != APIKEYS_OK)
    return 1;
  return run_suite(widget_suite());
}
