/* SPDX-License-Identifier: MIT */
/*
 * Marks secrets as undefined memory and runs the library over them under valgrind's memcheck, which
 * reports every branch and every address that depends on undefined memory. Built with
 * -DAK_CONSTANT_TIME_TEST, so that the verdicts which the library makes public (each with its
 * reason, at ak_declassify) count as defined from there on.
 *
 *   constant_time library        all of the library's cases: no report
 *   constant_time control-NAME   code with a known leak: a report, or the method is blind
 *   constant_time list           the names of the controls
 */
#include "crypto/constant_time.h"
#include "crypto/crypto.h"
#include "crypto/key_text.h"
#include "crypto/widget_token_text.h"

#include <apikeys/error.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/memcheck.h>

#ifndef AK_CONSTANT_TIME_TEST
#error "the library has to be built with -DAK_CONSTANT_TIME_TEST as well"
#endif

enum { PREFIX_LENGTH = 2, PUBLIC_LENGTH = PREFIX_LENGTH + 1 + AK_LOOKUP_ID_LENGTH };

static const uint8_t widget_key[AK_KEY_BYTES] = "one key, thirty-two bytes of it.";

static void hide(void *bytes, size_t length) {
  (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, length);
}

static void show(void *bytes, size_t length) {
  (void)VALGRIND_MAKE_MEM_DEFINED(bytes, length);
}

/* An int that may be asked about from here on: the answer that the caller gets. */
static int shown(int answer) {
  show(&answer, sizeof answer);
  return answer;
}

static void require(int holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "failed: %s\n", what);
  exit(2);
}

/* -- The library ------------------------------------------------------------------------------ */

static size_t make_value(char out[AK_KEY_TEXT_MAX + 1]) {
  size_t length = 0;
  require(ak_key_text_generate(out, &length, "sk", PREFIX_LENGTH, NULL) == APIKEYS_OK, "generate");
  return length;
}

/* Of a value the prefix and the lookup id are public; the checksum tells of the secret. */
static void hide_secret(char *text, size_t length) {
  hide(text + PUBLIC_LENGTH, length - PUBLIC_LENGTH);
}

/* What a validation does with a presented value: parse, digest, compare. */
static int validate(const char *text, size_t length, const uint8_t stored[AK_DIGEST_BYTES]) {
  struct ak_key_text token;
  uint8_t digest[AK_DIGEST_BYTES];
  if (ak_key_text_parse(&token, text, length) != APIKEYS_OK)
    return APIKEYS_MALFORMED;
  ak_digest(digest, text, length);
  int difference = ak_secret_compare(digest, stored, sizeof digest);
  ak_wipe(digest, sizeof digest);
  return shown(difference) == 0 ? APIKEYS_OK : APIKEYS_UNKNOWN;
}

static void check_values(void) {
  char text[AK_KEY_TEXT_MAX + 1], other[AK_KEY_TEXT_MAX + 1];
  uint8_t stored[AK_DIGEST_BYTES];
  size_t length = make_value(text);
  require(make_value(other) == length, "length");
  ak_digest(stored, text, length);
  hide(stored, sizeof stored);
  hide_secret(text, length);
  hide_secret(other, length);
  require(validate(text, length, stored) == APIKEYS_OK, "the right value");
  require(validate(other, length, stored) == APIKEYS_UNKNOWN, "another value");
}

/* A damaged value is still nearly somebody's secret. */
static void check_damaged_values(void) {
  static const char changes[] = {'\0', ' ', '-', '_', '~', '\x80', '\xff'};
  uint8_t stored[AK_DIGEST_BYTES] = {0};
  for (size_t place = PUBLIC_LENGTH; place < PREFIX_LENGTH + 1 + AK_BODY_LENGTH; place++)
    for (size_t i = 0; i < sizeof changes; i++) {
      char text[AK_KEY_TEXT_MAX + 1];
      size_t length = make_value(text);
      text[place] = changes[i];
      hide_secret(text, length);
      require(validate(text, length, stored) == APIKEYS_MALFORMED, "a damaged value");
    }
}

/* Cut or with something around it, so that secret characters stand where others should. */
static void check_values_of_another_length(void) {
  uint8_t stored[AK_DIGEST_BYTES] = {0};
  for (size_t start = 0; start <= PREFIX_LENGTH; start++)
    for (size_t added = 0; added <= AK_PREFIX_MAX - PREFIX_LENGTH; added++) {
      char text[2 * AK_KEY_TEXT_MAX];
      size_t length = make_value(text);
      memset(text + length, '0', added);
      hide(text + PUBLIC_LENGTH, length + added - PUBLIC_LENGTH);
      if (start + added > 0)
        require(validate(text + start, length + added - start, stored) == APIKEYS_MALFORMED,
                "a value of another length");
    }
}

static void check_what_is_shown(void) {
  char text[AK_KEY_TEXT_MAX + 1], out[AK_OBFUSCATED_MAX + 1];
  const char *start = NULL;
  size_t part = 0, length = make_value(text);
  hide_secret(text, length);
  require(ak_key_text_obfuscate(out, text, length) == PREFIX_LENGTH + 1 + 3 + 4, "obfuscate");
  for (size_t cut = length; cut > PREFIX_LENGTH + 1; cut--)
    require(ak_key_text_visible_part(text, cut, &start, &part) == 0, "visible part");
}

static void check_fingerprints(void) {
  uint8_t key[AK_FINGERPRINT_BYTES] = {1}, tag[AK_FINGERPRINT_BYTES], other[AK_FINGERPRINT_BYTES];
  char text[AK_KEY_TEXT_MAX + 1];
  size_t length = make_value(text);
  hide_secret(text, length);
  hide(key, sizeof key);
  ak_fingerprint(tag, text, length, key);
  memcpy(other, tag, sizeof other);
  require(shown(ak_fingerprint_compare(tag, other)) == 0, "the same fingerprint");
  other[AK_FINGERPRINT_BYTES - 1] ^= 1;
  require(shown(ak_fingerprint_compare(tag, other)) != 0, "another fingerprint");
}

static int fill_hidden(void *out, size_t length, void *user_data) {
  const struct ak_random *system = user_data;
  int rc = ak_random_fill(system, out, length);
  hide(out, length);
  return rc;
}

static void check_generation(void) {
  const struct ak_random random = {fill_hidden, NULL};
  char text[AK_KEY_TEXT_MAX + 1];
  struct ak_key_text token;
  size_t length = 0;
  for (int round = 0; round < 20; round++) {
    int rc = ak_key_text_generate(text, &length, "sk", PREFIX_LENGTH, &random);
    require(rc == APIKEYS_OK, "generate from hidden bytes");
    require(ak_key_text_parse(&token, text, length) == APIKEYS_OK, "parse what was generated");
  }
}

static void check_sealing(void) {
  uint8_t key[AK_KEY_BYTES] = {1}, plain[AK_DIGEST_BYTES] = {2}, out[AK_DIGEST_BYTES];
  uint8_t derived[AK_KEY_BYTES], sealed[AK_DIGEST_BYTES + AK_SEALED_OVERHEAD];
  hide(key, sizeof key);
  hide(plain, sizeof plain);
  ak_derive_key(derived, key, 1, "sealing1");
  require(ak_seal(sealed, plain, sizeof plain, "row", 3, derived, NULL) == APIKEYS_OK, "seal");
  show(sealed, sizeof sealed); /* the store sees it */
  int rc = ak_open(out, sealed, sizeof sealed, "row", 3, derived);
  require(shown(rc) == 0, "open");
  show(out, sizeof out);
  require(out[0] == 2 && out[1] == 0, "what was sealed");
}

static void check_widget_tokens(void) {
  const struct ak_widget_claims claims = {
      .environment_id = "env_01ARYZ6S410000000000000000",
      .organization_id = "org_01ARYZ6S410000000000000001",
      .user_id = "user_1",
      .permissions = "widgets:api-keys:manage",
      .issued_at = 1700000000,
      .expires_at = 1700003600,
      .token_id = "01ARYZ6S410000000000000002",
  };
  enum { SIGNATURE_LENGTH = 43 };
  struct ak_widget_claims read;
  uint8_t key[AK_KEY_BYTES];
  char text[AK_WIDGET_TEXT_MAX + 1];
  size_t length = 0;
  memcpy(key, widget_key, sizeof key);
  hide(key, sizeof key);
  require(ak_widget_text_write(text, &length, &claims, 1, key) == APIKEYS_OK, "write a token");
  require(ak_widget_text_read(text, length, key, &read) == APIKEYS_OK, "read a token");
  text[length - SIGNATURE_LENGTH] = '!';
  hide(text + length - SIGNATURE_LENGTH, SIGNATURE_LENGTH);
  require(ak_widget_text_read(text, length, key, &read) == APIKEYS_ERROR_TOKEN_INVALID,
          "a damaged signature");
}

static void run_library(void) {
  check_values();
  check_damaged_values();
  check_values_of_another_length();
  check_what_is_shown();
  check_fingerprints();
  check_generation();
  check_sealing();
  check_widget_tokens();
}

/* -- Code that leaks -------------------------------------------------------------------------- */

static volatile int sink;

static void control_memcmp(const char *text, size_t length) {
  char copy[AK_KEY_TEXT_MAX + 1];
  memcpy(copy, text, length);
  sink = memcmp(copy, text, length) == 0 ? 1 : 2;
  if (sink == 1)
    sink = 3;
}

static void control_early_exit(const char *text, size_t length) {
  size_t i = 0;
  while (i < length && text[i] != '~')
    i++;
  sink = (int)i;
}

static void control_table(const char *text, size_t length) {
  static volatile uint8_t table[256];
  for (size_t i = 0; i < length; i++)
    sink = table[(unsigned char)text[i]];
}

static void control_crc_table(const char *text, size_t length) {
  static volatile uint32_t table[256];
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < length; i++)
    crc = table[(crc ^ (unsigned char)text[i]) & 0xff] ^ crc >> 8;
  sink = (int)crc;
}

static void control_alphabet(const char *text, size_t length) {
  int digits = 0;
  for (size_t i = 0; i < length; i++)
    if (text[i] >= '0' && text[i] <= '9') {
      digits++;
      sink = digits; /* a store, which no compiler makes without the branch */
    }
}

/* The library's verdict about a value is public, its characters stay secret. */
static void control_after_the_verdict(const char *text, size_t length) {
  struct ak_key_text token;
  require(ak_key_text_parse(&token, text, length) == APIKEYS_OK, "parse");
  if (token.lookup_id[AK_LOOKUP_ID_LENGTH] == 'a')
    sink = 1;
}

/* What is generated from secret bytes is secret. */
static void control_generated(const char *text, size_t length) {
  const struct ak_random random = {fill_hidden, NULL};
  char out[AK_KEY_TEXT_MAX + 1];
  size_t out_length = 0;
  (void)text;
  (void)length;
  require(ak_key_text_generate(out, &out_length, "sk", PREFIX_LENGTH, &random) == 0, "generate");
  if (out[out_length - 1] == 'a')
    sink = 1;
}

static const struct control {
  const char *name;
  void (*run)(const char *text, size_t length);
} controls[] = {
    {"control-memcmp", control_memcmp},
    {"control-early-exit", control_early_exit},
    {"control-table", control_table},
    {"control-crc-table", control_crc_table},
    {"control-alphabet", control_alphabet},
    {"control-after-the-verdict", control_after_the_verdict},
    {"control-generated", control_generated},
};

static int run_control(const char *name) {
  char text[AK_KEY_TEXT_MAX + 1];
  size_t length = make_value(text);
  hide_secret(text, length);
  for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
    if (strcmp(name, controls[i].name) == 0) {
      controls[i].run(text, length);
      return 0;
    }
  fprintf(stderr, "no such case: %s\n", name);
  return 2;
}

int main(int argc, char **argv) {
  if (argc != 2 || ak_crypto_init() != APIKEYS_OK)
    return 2;
  if (strcmp(argv[1], "list") == 0) {
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
      puts(controls[i].name);
    return 0;
  }
  if (!RUNNING_ON_VALGRIND) {
    fprintf(stderr, "this says something under valgrind only\n");
    return 2;
  }
  if (strcmp(argv[1], "library") != 0)
    return run_control(argv[1]);
  run_library();
  return 0;
}
