/* SPDX-License-Identifier: MIT */
#include "crypto/key_text.h"

#include "support/suite.h"

#include <apikeys/error.h>

#include <check.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS_MAX = 64, TEXT_MAX = 512 };

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* -- Sources of randomness -------------------------------------------------------------------- */

struct fixed_source {
  const uint8_t *bytes;
  size_t length, used;
};

static int fill_fixed(void *out, size_t length, void *user_data) {
  struct fixed_source *source = user_data;
  if (length > source->length - source->used)
    return -1;
  memcpy(out, source->bytes + source->used, length);
  source->used += length;
  return 0;
}

static int fill_same(void *out, size_t length, void *user_data) {
  memset(out, *(const uint8_t *)user_data, length);
  return 0;
}

/* Writes something before it fails, so that a caller who uses it anyway is caught. */
static int fill_failing(void *out, size_t length, void *user_data) {
  (void)user_data;
  memset(out, 0x55, length);
  return -1;
}

/* -- Vectors ---------------------------------------------------------------------------------- */

struct vector {
  char prefix[32], random[300], lookup_id[32], secret[64], checksum[16], value[96], digest[80],
      obfuscated[48];
};

static struct vector vectors[VECTORS_MAX];
static size_t vector_count;

static FILE *open_data(const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%s/vectors/%s", TEST_DATA_DIR, name);
  FILE *file = fopen(path, "r");
  ck_assert_msg(file != NULL, "cannot read %s", path);
  return file;
}

static void set_field(struct vector *v, const char *name, const char *text) {
  const struct {
    const char *name;
    char *field;
    size_t size;
  } fields[] = {
      {"prefix", v->prefix, sizeof v->prefix},
      {"random", v->random, sizeof v->random},
      {"lookup_id", v->lookup_id, sizeof v->lookup_id},
      {"secret", v->secret, sizeof v->secret},
      {"checksum", v->checksum, sizeof v->checksum},
      {"value", v->value, sizeof v->value},
      {"digest", v->digest, sizeof v->digest},
      {"obfuscated", v->obfuscated, sizeof v->obfuscated},
  };
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    if (strcmp(name, fields[i].name) == 0) {
      ck_assert_uint_lt(strlen(text), fields[i].size);
      memcpy(fields[i].field, text, strlen(text) + 1);
      return;
    }
  ck_abort_msg("unknown field %s", name);
}

static void load_vectors(void) {
  FILE *file = open_data("token_values.txt");
  char line[TEXT_MAX], name[32], text[TEXT_MAX];
  vector_count = 0;
  memset(vectors, 0, sizeof vectors);
  while (fgets(line, sizeof line, file) != NULL) {
    if (line[0] == '#' || line[0] == '\n')
      continue;
    ck_assert_int_eq(sscanf(line, "%31s %511s", name, text), 2);
    if (strcmp(name, "prefix") == 0)
      ck_assert_uint_le(++vector_count, VECTORS_MAX);
    set_field(&vectors[vector_count - 1], name, text);
  }
  fclose(file);
  ck_assert_uint_ge(vector_count, 10);
}

static size_t from_hex(uint8_t *out, const char *hex) {
  size_t length = strlen(hex) / 2;
  for (size_t i = 0; i < length; i++) {
    unsigned byte = 0;
    ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
    out[i] = (uint8_t)byte;
  }
  return length;
}

/* -- Helpers ---------------------------------------------------------------------------------- */

/* From memory of exactly this size, so that a sanitizer sees a read beyond it. */
static int parse_exactly(struct ak_key_text *out, const char *text, size_t length) {
  char *copy = malloc(length > 0 ? length : 1);
  if (copy == NULL)
    ck_abort_msg("no memory");
  memcpy(copy, text, length);
  int rc = ak_key_text_parse(out, copy, length);
  free(copy);
  return rc;
}

static void assert_malformed(const char *text, size_t length, const char *what) {
  struct ak_key_text out = {"untouched", 9, NULL};
  int rc = parse_exactly(&out, text, length);
  if (rc != APIKEYS_MALFORMED) /* Check's own assertions are too slow for all these */
    ck_abort_msg("%s was accepted: %.*s", what, (int)length, text);
  if (strcmp(out.prefix, "untouched") != 0 || out.prefix_length != 9 || out.lookup_id != NULL)
    ck_abort_msg("%s changed the output", what);
}

static uint32_t reference_crc(const char *text, size_t length) {
  static uint32_t table[256];
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t entry = i;
    for (int bit = 0; bit < 8; bit++)
      entry = entry & 1 ? 0xedb88320u ^ entry >> 1 : entry >> 1;
    table[i] = entry;
  }
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < length; i++)
    crc = table[(crc ^ (unsigned char)text[i]) & 0xff] ^ crc >> 8;
  return ~crc;
}

static void reference_checksum(char out[AK_CHECKSUM_LENGTH], const char *text, size_t length) {
  uint32_t rest = reference_crc(text, length);
  for (int i = AK_CHECKSUM_LENGTH - 1; i >= 0; i--, rest /= 62)
    out[i] = base62[rest % 62];
}

/* -- Generate and parse ----------------------------------------------------------------------- */

START_TEST(vectors_are_generated) {
  for (size_t i = 0; i < vector_count; i++) {
    const struct vector *v = &vectors[i];
    uint8_t bytes[150];
    struct fixed_source fixed = {bytes, from_hex(bytes, v->random), 0};
    struct ak_random random = {fill_fixed, &fixed};
    char out[AK_KEY_TEXT_MAX + 1];
    size_t length = 0;
    int rc = ak_key_text_generate(out, &length, v->prefix, strlen(v->prefix), &random);
    ck_assert_int_eq(rc, APIKEYS_OK);
    ck_assert_str_eq(out, v->value);
    ck_assert_uint_eq(length, strlen(v->value));
  }
}
END_TEST

START_TEST(vectors_have_their_parts) {
  for (size_t i = 0; i < vector_count; i++) {
    const struct vector *v = &vectors[i];
    struct ak_key_text token;
    char shown[AK_OBFUSCATED_MAX + 1];
    uint8_t digest[AK_DIGEST_BYTES], expected[AK_DIGEST_BYTES];
    size_t length = strlen(v->value);
    ck_assert_int_eq(ak_key_text_parse(&token, v->value, length), APIKEYS_OK);
    ck_assert_ptr_eq(token.prefix, v->value);
    ck_assert_uint_eq(token.prefix_length, strlen(v->prefix));
    ck_assert_ptr_eq(token.lookup_id, v->value + token.prefix_length + 1);
    ck_assert_mem_eq(token.lookup_id, v->lookup_id, AK_LOOKUP_ID_LENGTH);
    ck_assert_mem_eq(token.lookup_id + AK_LOOKUP_ID_LENGTH, v->secret, AK_SECRET_LENGTH);
    ck_assert_str_eq(token.lookup_id + AK_LOOKUP_ID_LENGTH + AK_SECRET_LENGTH, v->checksum);
    ck_assert_uint_eq(ak_key_text_obfuscate(shown, v->value, length), strlen(v->obfuscated));
    ck_assert_str_eq(shown, v->obfuscated);
    from_hex(expected, v->digest);
    ak_digest(digest, v->value, length);
    ck_assert_mem_eq(digest, expected, sizeof digest);
  }
}
END_TEST

static size_t unescape(char *out, const char *text, size_t length) {
  size_t used = 0;
  for (size_t i = 0; i < length; i++) {
    unsigned byte = (unsigned char)text[i];
    if (text[i] == '\\') {
      ck_assert_int_eq(sscanf(text + i, "\\x%2x", &byte), 1);
      i += 3;
    }
    out[used++] = (char)byte;
  }
  return used;
}

START_TEST(published_malformed_texts_are_refused) {
  FILE *file = open_data("token_malformed.txt");
  char line[TEXT_MAX], text[TEXT_MAX];
  int count = 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (line[0] == '#')
      continue;
    char *tab = strchr(line, '\t');
    ck_assert_ptr_nonnull(tab);
    assert_malformed(text, unescape(text, line, (size_t)(tab - line)), tab + 1);
    count++;
  }
  fclose(file);
  ck_assert_int_ge(count, 30);
}
END_TEST

START_TEST(values_from_the_system_are_all_different_and_parse) {
  enum { COUNT = 500 };
  static char values[COUNT][AK_KEY_TEXT_MAX + 1];
  for (int i = 0; i < COUNT; i++) {
    struct ak_key_text token;
    char checksum[AK_CHECKSUM_LENGTH];
    size_t length = 0;
    ck_assert_int_eq(ak_key_text_generate(values[i], &length, "acme_live", 9, NULL), APIKEYS_OK);
    ck_assert_uint_eq(length, 9 + 1 + 54);
    ck_assert_int_eq(parse_exactly(&token, values[i], length), APIKEYS_OK);
    reference_checksum(checksum, values[i], length - AK_CHECKSUM_LENGTH);
    ck_assert_mem_eq(values[i] + length - AK_CHECKSUM_LENGTH, checksum, AK_CHECKSUM_LENGTH);
    for (int j = 0; j < i; j++)
      ck_assert_str_ne(values[i], values[j]);
  }
}
END_TEST

/* Each random byte gives the digit of its low six bits, and each digit comes from four bytes. */
START_TEST(every_byte_gives_its_digit_or_none) {
  for (unsigned byte = 0; byte < 256; byte++) {
    uint8_t same = (uint8_t)byte;
    struct ak_random random = {fill_same, &same};
    char out[AK_KEY_TEXT_MAX + 1], expected[AK_LOOKUP_ID_LENGTH + AK_SECRET_LENGTH + 1] = {0};
    size_t length = 0;
    int rc = ak_key_text_generate(out, &length, "sk", 2, &random);
    if ((byte & 63) >= 62) {
      ck_assert_int_eq(rc, APIKEYS_ERROR_RANDOM);
      continue;
    }
    memset(expected, base62[byte & 63], sizeof expected - 1);
    ck_assert_int_eq(rc, APIKEYS_OK);
    ck_assert_mem_eq(out + 3, expected, sizeof expected - 1);
  }
}
END_TEST

START_TEST(a_failing_source_leaves_nothing) {
  static const char nothing[AK_KEY_TEXT_MAX + 1];
  const uint8_t one_round[64] = {62, 63};
  uint8_t unusable[64];
  memset(unusable, 0xff, sizeof unusable);
  struct fixed_source fixed = {unusable, sizeof unusable, 0};
  const struct ak_random sources[] = {{fill_failing, NULL}, {fill_fixed, &fixed}};
  char out[AK_KEY_TEXT_MAX + 1];
  size_t length = 77;
  for (size_t i = 0; i < 2; i++) {
    memset(out, 'x', sizeof out);
    ck_assert_int_eq(ak_key_text_generate(out, &length, "sk", 2, &sources[i]),
                     APIKEYS_ERROR_RANDOM);
    ck_assert_mem_eq(out, nothing, sizeof out);
    ck_assert_uint_eq(length, 77);
  }
  fixed = (struct fixed_source){one_round, sizeof one_round, 0};
  ck_assert_int_eq(ak_key_text_generate(out, &length, "sk", 2, &sources[1]), APIKEYS_OK);
}
END_TEST

/* -- One text per key ------------------------------------------------------------------------- */

START_TEST(every_substitution_is_refused) {
  const struct vector *v = &vectors[_i];
  char text[AK_KEY_TEXT_MAX + 1];
  size_t length = strlen(v->value);
  for (size_t place = 0; place < length; place++)
    for (int change = 1; change < 256; change++) {
      memcpy(text, v->value, length);
      text[place] = (char)(text[place] ^ change);
      assert_malformed(text, length, "a substitution");
    }
}
END_TEST

START_TEST(every_truncation_is_refused) {
  const struct vector *v = &vectors[_i];
  size_t length = strlen(v->value);
  for (size_t start = 0; start < length; start++)
    for (size_t end = start; end <= length; end++)
      if (end - start < length)
        assert_malformed(v->value + start, end - start, "a truncation");
}
END_TEST

START_TEST(every_deletion_is_refused) {
  const struct vector *v = &vectors[_i];
  char text[AK_KEY_TEXT_MAX + 1];
  size_t length = strlen(v->value);
  for (size_t place = 0; place < length; place++) {
    memcpy(text, v->value, place);
    memcpy(text + place, v->value + place + 1, length - place - 1);
    assert_malformed(text, length - 1, "a deletion");
  }
}
END_TEST

START_TEST(every_extension_by_a_byte_is_refused) {
  const struct vector *v = &vectors[_i];
  char text[AK_KEY_TEXT_MAX + 2];
  size_t length = strlen(v->value);
  for (size_t place = 0; place <= length; place++)
    for (int byte = 0; byte < 256; byte++) {
      memcpy(text, v->value, place);
      text[place] = (char)byte;
      memcpy(text + place + 1, v->value + place, length - place);
      assert_malformed(text, length + 1, "an extension");
    }
}
END_TEST

START_TEST(every_transposition_is_refused) {
  const struct vector *v = &vectors[_i];
  char text[AK_KEY_TEXT_MAX + 1];
  size_t length = strlen(v->value);
  for (size_t a = 0; a < length; a++)
    for (size_t b = a + 1; b < length; b++) {
      if (v->value[a] == v->value[b])
        continue;
      memcpy(text, v->value, length);
      text[a] = v->value[b];
      text[b] = v->value[a];
      assert_malformed(text, length, "a transposition");
    }
}
END_TEST

START_TEST(lengths_beyond_any_value_are_refused) {
  static char text[1 << 20];
  memset(text, 'a', sizeof text);
  for (size_t length = 0; length < 300; length++)
    assert_malformed(text, length, "a run of letters");
  assert_malformed(text, sizeof text, "a long run of letters");
  memset(text, '_', sizeof text);
  for (size_t length = 0; length < 300; length++)
    assert_malformed(text, length, "a run of underscores");
  struct ak_key_text out;
  ck_assert_int_eq(ak_key_text_parse(&out, NULL, 0), APIKEYS_MALFORMED);
  ck_assert_int_eq(ak_key_text_parse(&out, "x", SIZE_MAX), APIKEYS_MALFORMED);
}
END_TEST

/* Values that nobody generated, but whose parts are right, are values: all base62 digits occur. */
START_TEST(every_digit_is_accepted_in_every_place) {
  struct ak_key_text token;
  char text[] = "p9_x_000000000000000000000000000000000000000000000000000000";
  size_t length = sizeof text - 1;
  size_t sum = length - AK_CHECKSUM_LENGTH;
  for (size_t place = 5; place < sum; place++)
    for (size_t digit = 0; digit < 62; digit++) {
      text[place] = base62[digit];
      reference_checksum(text + sum, text, sum);
      ck_assert_int_eq(ak_key_text_parse(&token, text, length), APIKEYS_OK);
      ck_assert_uint_eq(token.prefix_length, 4);
    }
}
END_TEST

START_TEST(prefixes) {
  static const struct {
    const char *text;
    int expected;
  } cases[] = {
      {"sk", 0},        {"a", 0},         {"z9", 0},
      {"acme_live", 0}, {"a__b", 0},      {"abcdefghijklmnopqrstuvwx", 0},
      {"", -1},         {"_", -1},        {"_a", -1},
      {"a_", -1},       {"9a", -1},       {"A", -1},
      {"aB", -1},       {"a-b", -1},      {"a b", -1},
      {"a.b", -1},      {"\xc3\xa4", -1}, {"abcdefghijklmnopqrstuvwxy", -1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_msg(ak_prefix_check(cases[i].text, strlen(cases[i].text)) == cases[i].expected, "%s",
                  cases[i].text);
  ck_assert_int_eq(ak_prefix_check("a\0b", 3), -1);
  ck_assert_int_eq(ak_prefix_check("a", SIZE_MAX), -1);
  for (int byte = 0; byte < 256; byte++) {
    char first = (char)byte, inside[3] = {'a', (char)byte, 'a'};
    int letter = byte >= 'a' && byte <= 'z';
    int more = letter || (byte >= '0' && byte <= '9') || byte == '_';
    ck_assert_int_eq(ak_prefix_check(&first, 1), letter ? 0 : -1);
    ck_assert_int_eq(ak_prefix_check(inside, 3), more ? 0 : -1);
  }
}
END_TEST

/* -- What may be shown ------------------------------------------------------------------------ */

START_TEST(obfuscating_what_cannot_be_a_value_gives_nothing) {
  char out[AK_OBFUSCATED_MAX + 1], text[AK_KEY_TEXT_MAX + 2];
  memset(text, 'a', sizeof text);
  ck_assert_uint_eq(ak_key_text_obfuscate(out, text, AK_KEY_TEXT_MAX), AK_OBFUSCATED_MAX);
  for (size_t length = 0; length <= sizeof text; length++) {
    memset(out, 'x', sizeof out);
    size_t used = ak_key_text_obfuscate(out, text, length);
    ck_assert_uint_eq(used, strlen(out));
    ck_assert_int_eq(used > 0, length >= AK_KEY_TEXT_MIN && length <= AK_KEY_TEXT_MAX);
  }
}
END_TEST

static int visible(const char *text, size_t length, const char **start, size_t *part) {
  *start = "untouched";
  *part = 0;
  int rc = ak_key_text_visible_part(text, length, start, part);
  if (rc != 0)
    ck_assert_str_eq(*start, "untouched");
  return rc;
}

START_TEST(the_visible_part_of_every_beginning) {
  const struct vector *v = &vectors[_i];
  size_t prefix_length = strlen(v->prefix), length = strlen(v->value);
  const char *start;
  size_t part;
  for (size_t body = 1; body <= AK_BODY_LENGTH; body++) {
    ck_assert_int_eq(visible(v->value, prefix_length + 1 + body, &start, &part), 0);
    ck_assert_ptr_eq(start, v->value + prefix_length + 1);
    ck_assert_uint_eq(part, body < AK_LOOKUP_ID_LENGTH ? body : AK_LOOKUP_ID_LENGTH);
  }
  char text[AK_KEY_TEXT_MAX + 2];
  memcpy(text, v->value, length);
  text[length] = '0';
  ck_assert_int_eq(visible(text, length + 1, &start, &part), -1);
  text[length - 1] = text[length - 1] == '0' ? '1' : '0';
  ck_assert_int_eq(visible(text, length, &start, &part), -1);
}
END_TEST

START_TEST(the_visible_part_of_anything_else_is_refused) {
  static const char *const cases[] = {
      "",           "sk",       "sk_",
      "_9fQ2",      "9fQ2",     "SK_9fQ2",
      "sk_9f Q2",   "sk_9fQ2 ", " sk_9fQ2",
      "sk_...3456", "sk_9fQ2…", "sk_9fQ2...",
      "sk-9fQ2",    "sk__9fQ2", "1k_9fQ2",
      "sk_9fQ2*",   "sk_%",     "abcdefghijklmnopqrstuvwxy_9fQ2",
      "________",   "sk_9fQ2_", "'sk_9fQ2'",
      "sk_9fQ2\n",
  };
  const char *start;
  size_t part;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_msg(visible(cases[i], strlen(cases[i]), &start, &part) == -1, "%s", cases[i]);
  ck_assert_int_eq(visible("sk_9f\0Q2", 8, &start, &part), -1);
  ck_assert_int_eq(visible("sk_9fQ2", SIZE_MAX, &start, &part), -1);
  ck_assert_int_eq(visible("acme_live_9fQ2", 14, &start, &part), 0);
  ck_assert_str_eq(start, "9fQ2");
}
END_TEST

START_TEST(the_scanner_rule_finds_values_and_nothing_else) {
  const struct vector *v = &vectors[_i];
  char rule[128], text[256];
  regex_t compiled;
  regmatch_t match;
  size_t length = ak_key_text_scanner_rule(rule, sizeof rule, v->prefix, strlen(v->prefix));
  ck_assert_uint_eq(length, strlen(rule));
  ck_assert_int_eq(regcomp(&compiled, rule, REG_EXTENDED), 0);
  snprintf(text, sizeof text, "export KEY=\"%s\";", v->value);
  ck_assert_int_eq(regexec(&compiled, text, 1, &match, 0), 0);
  ck_assert_int_eq(match.rm_so, 12);
  ck_assert_uint_eq((size_t)(match.rm_eo - match.rm_so), strlen(v->value));
  snprintf(text, sizeof text, "%.*s", (int)strlen(v->value) - 1, v->value);
  ck_assert_int_eq(regexec(&compiled, text, 1, &match, 0), REG_NOMATCH);
  snprintf(text, sizeof text, "%sx", v->value);
  ck_assert_int_eq(regexec(&compiled, text, 1, &match, 0), REG_NOMATCH);
  regfree(&compiled);
}
END_TEST

START_TEST(the_scanner_rule_never_writes_too_much) {
  char whole[64], out[64];
  size_t length = ak_key_text_scanner_rule(whole, sizeof whole, "sk", 2);
  ck_assert_str_eq(whole, "\\bsk_[0-9A-Za-z]{54}\\b");
  ck_assert_uint_eq(ak_key_text_scanner_rule(NULL, 0, "sk", 2), length);
  for (size_t capacity = 1; capacity < sizeof out; capacity++) {
    memset(out, 'x', sizeof out);
    ck_assert_uint_eq(ak_key_text_scanner_rule(out, capacity, "sk", 2), length);
    size_t kept = length < capacity ? length : capacity - 1;
    ck_assert_mem_eq(out, whole, kept);
    ck_assert_int_eq(out[kept], '\0');
    ck_assert_int_eq(out[kept + 1 < sizeof out ? kept + 1 : kept], kept + 1 < sizeof out ? 'x' : 0);
  }
}
END_TEST

static Suite *token_suite(int count) {
  Suite *suite = suite_create("token");
  TCase *text = tcase_create("text");
  tcase_add_checked_fixture(text, load_vectors, NULL);
  tcase_add_test(text, vectors_are_generated);
  tcase_add_test(text, vectors_have_their_parts);
  tcase_add_test(text, published_malformed_texts_are_refused);
  tcase_add_test(text, values_from_the_system_are_all_different_and_parse);
  tcase_add_test(text, every_byte_gives_its_digit_or_none);
  tcase_add_test(text, a_failing_source_leaves_nothing);
  tcase_add_test(text, lengths_beyond_any_value_are_refused);
  tcase_add_test(text, every_digit_is_accepted_in_every_place);
  tcase_add_test(text, prefixes);
  suite_add_tcase(suite, text);

  TCase *one_text = tcase_create("one text per key");
  tcase_add_checked_fixture(one_text, load_vectors, NULL);
  tcase_add_loop_test(one_text, every_substitution_is_refused, 0, count);
  tcase_add_loop_test(one_text, every_truncation_is_refused, 0, count);
  tcase_add_loop_test(one_text, every_deletion_is_refused, 0, count);
  tcase_add_loop_test(one_text, every_extension_by_a_byte_is_refused, 0, count);
  tcase_add_loop_test(one_text, every_transposition_is_refused, 0, count);
  suite_add_tcase(suite, one_text);

  TCase *shown = tcase_create("what may be shown");
  tcase_add_checked_fixture(shown, load_vectors, NULL);
  tcase_add_test(shown, obfuscating_what_cannot_be_a_value_gives_nothing);
  tcase_add_loop_test(shown, the_visible_part_of_every_beginning, 0, count);
  tcase_add_test(shown, the_visible_part_of_anything_else_is_refused);
  tcase_add_loop_test(shown, the_scanner_rule_finds_values_and_nothing_else, 0, count);
  tcase_add_test(shown, the_scanner_rule_never_writes_too_much);
  suite_add_tcase(suite, shown);
  return suite;
}

/* Check wants to know the number of rounds before any fixture runs. */
static int count_vectors(void) {
  char path[1024], line[TEXT_MAX];
  int count = 0;
  snprintf(path, sizeof path, "%s/vectors/token_values.txt", TEST_DATA_DIR);
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return 1; /* the fixture fails and says why */
  while (fgets(line, sizeof line, file) != NULL)
    count += strncmp(line, "prefix ", 7) == 0;
  fclose(file);
  return count;
}

int main(void) {
  if (ak_crypto_init() != APIKEYS_OK)
    return 1;
  return run_suite(token_suite(count_vectors()));
}
