/* SPDX-License-Identifier: MIT */
#include "storage/record.h"

#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 88172645463325252;

static unsigned random_below(unsigned bound) {
  random_state ^= random_state << 13; /* xorshift64 */
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)((random_state >> 33) % bound);
}

static void assert_text(const apikeys_record *record, int field, const char *expected) {
  size_t length;
  const char *text = apikeys_record_text(record, field, &length);
  ck_assert_int_eq(apikeys_record_type(record, field), APIKEYS_TYPE_TEXT);
  ck_assert_uint_eq(length, strlen(expected));
  ck_assert_str_eq(text, expected);
}

static bool same(const apikeys_record *a, const apikeys_record *b) {
  for (int field = 0; field < AK_FIELDS_MAX; field++) {
    struct ak_field_value x = ak_record_value(a, field), y = ak_record_value(b, field);
    if (ak_field_value_compare(&x, &y) != 0)
      return false;
  }
  return a->kind == b->kind;
}

/* ----------------------------------------------------------------------------- fields --------- */

START_TEST(the_schema_fits_the_arrays) {
  for (int kind = 1; kind <= apikeys_schema_kind_count(); kind++) {
    ck_assert_int_le(apikeys_schema_field_count(kind), AK_FIELDS_MAX);
    ck_assert_int_le(apikeys_schema_index_count(kind), AK_INDEXES_MAX);
    ck_assert_int_eq(apikeys_schema_field_type(kind, AK_NUMBER), APIKEYS_TYPE_INTEGER);
    ck_assert_int_eq(apikeys_schema_field_type(kind, AK_ID), APIKEYS_TYPE_TEXT);
    ck_assert_int_eq(apikeys_schema_index_unique(kind, 0), 1);
    ck_assert_int_eq(apikeys_schema_index_field(kind, 0, 0), AK_ID);
    for (int i = 0; i < apikeys_schema_index_count(kind); i++) {
      ck_assert_int_le(apikeys_schema_index_field_count(kind, i), AK_INDEX_FIELDS_MAX);
      if (apikeys_schema_index_sparse(kind, i)) /* it is the first field that may be NULL */
        ck_assert(apikeys_schema_field_nullable(kind, apikeys_schema_index_field(kind, i, 0)));
    }
  }
}
END_TEST

START_TEST(there_are_no_records_of_no_kind) {
  ck_assert_ptr_null(apikeys_record_new(0));
  ck_assert_ptr_null(apikeys_record_new(-1));
  ck_assert_ptr_null(apikeys_record_new(AK_KIND_END));
  apikeys_record_free(NULL);
  apikeys_record_clear(NULL);
  ck_assert_int_eq(apikeys_record_kind(NULL), 0);
}
END_TEST

START_TEST(a_new_record_is_null_everywhere) {
  apikeys_record *record = apikeys_record_new(AK_API_KEY);
  for (int field = -2; field < AK_FIELDS_MAX + 2; field++) {
    size_t length = 99;
    ck_assert_int_eq(apikeys_record_type(record, field), APIKEYS_TYPE_NULL);
    ck_assert_int_eq(apikeys_record_integer(record, field), 0);
    ck_assert_str_eq(apikeys_record_text(record, field, &length), "");
    ck_assert_uint_eq(length, 0);
    ck_assert_ptr_nonnull(apikeys_record_blob(record, field, NULL));
  }
  apikeys_record_free(record);
}
END_TEST

START_TEST(fields_take_their_own_type_only) {
  apikeys_record *record = apikeys_record_new(AK_API_KEY);
  const int refused = APIKEYS_ERROR_INVALID_ARGUMENT;
  ck_assert_int_eq(apikeys_record_set_integer(record, AK_API_KEY_NAME, 1), refused);
  ck_assert_int_eq(apikeys_record_set_text(record, AK_API_KEY_STATE, "1", 1), refused);
  ck_assert_int_eq(apikeys_record_set_text(record, AK_API_KEY_SEALED, "1", 1), refused);
  ck_assert_int_eq(apikeys_record_set_blob(record, AK_API_KEY_NAME, "1", 1), refused);
  ck_assert_int_eq(apikeys_record_set_integer(record, -1, 1), refused);
  ck_assert_int_eq(apikeys_record_set_null(record, AK_API_KEY_UPDATED_AT + 1), refused);
  ck_assert_int_eq(apikeys_record_set_text(record, AK_API_KEY_NAME, NULL, 1), refused);
  ck_assert_int_eq(apikeys_record_set_text(record, AK_API_KEY_NAME, "a\0b", 3), refused);
  ck_assert_int_eq(apikeys_record_set_blob(record, AK_API_KEY_SEALED, NULL, 1), refused);
  ck_assert_int_eq(apikeys_record_set_null(NULL, 0), refused);
  ck_assert_int_eq(apikeys_record_type(record, AK_API_KEY_NAME), APIKEYS_TYPE_NULL);
  ck_assert_int_eq(ak_record_status(record), APIKEYS_OK); /* a refusal is not a failure */

  ck_assert_int_eq(apikeys_record_set_text(record, AK_API_KEY_NAME, NULL, 0), APIKEYS_OK);
  assert_text(record, AK_API_KEY_NAME, "");
  ck_assert_int_eq(apikeys_record_set_blob(record, AK_API_KEY_SEALED, "a\0b", 3), APIKEYS_OK);
  ck_assert_mem_eq(apikeys_record_blob(record, AK_API_KEY_SEALED, NULL), "a\0b\0", 4);
  ck_assert_str_eq(apikeys_record_text(record, AK_API_KEY_SEALED, NULL), ""); /* not a text */
  ck_assert_int_eq(apikeys_record_set_integer(record, AK_API_KEY_STATE, INT64_MIN), APIKEYS_OK);
  ck_assert_int_eq(apikeys_record_integer(record, AK_API_KEY_STATE), INT64_MIN);
  apikeys_record_free(record);
}
END_TEST

START_TEST(text_is_compared_whole) {
  apikeys_record *record = apikeys_record_new(AK_ROLE);
  ck_assert(!ak_record_text_is(record, AK_ROLE_SLUG, "", 0)); /* NULL is not "" */
  ak_record_set_string(record, AK_ROLE_SLUG, "admin");
  ck_assert(ak_record_text_is(record, AK_ROLE_SLUG, "admin", 5));
  ck_assert(!ak_record_text_is(record, AK_ROLE_SLUG, "admin", 4));
  ck_assert(!ak_record_text_is(record, AK_ROLE_SLUG, "Admin", 5));
  ck_assert(!ak_record_text_is(record, AK_ROLE_PRIORITY, "", 0));
  ak_record_set_string(record, AK_ROLE_SLUG, "");
  ck_assert(ak_record_text_is(record, AK_ROLE_SLUG, "", 0));
  apikeys_record_free(record);
}
END_TEST

/* ----------------------------------------------------------------------------- buffer --------- */

START_TEST(what_fits_stays_in_place) {
  apikeys_record *record = apikeys_record_new(AK_ROLE);
  ak_record_set_string(record, AK_ROLE_NAME, "a long name");
  const char *place = apikeys_record_text(record, AK_ROLE_NAME, NULL);
  size_t used = record->used;
  ak_record_set_string(record, AK_ROLE_NAME, "short");
  ck_assert_ptr_eq(apikeys_record_text(record, AK_ROLE_NAME, NULL), place);
  ak_record_set_string(record, AK_ROLE_NAME, "a long one!");
  ck_assert_ptr_eq(apikeys_record_text(record, AK_ROLE_NAME, NULL), place);
  ck_assert_uint_eq(record->used, used);
  assert_text(record, AK_ROLE_NAME, "a long one!");
  apikeys_record_free(record);
}
END_TEST

START_TEST(a_record_in_use_stays_small) {
  static const char filler[401];
  apikeys_record *record = apikeys_record_new(AK_EVENT);
  char text[401];
  memcpy(text, filler, sizeof text);
  memset(text, 'x', 400);
  for (int i = 0; i < 20000; i++) {
    size_t length = random_below(401);
    int field = random_below(2) == 0 ? AK_EVENT_DATA : AK_EVENT_REASON;
    if (random_below(5) == 0)
      apikeys_record_set_null(record, field);
    else if (apikeys_record_set_text(record, field, text, length) != APIKEYS_OK)
      ck_abort_msg("set");
  }
  ck_assert_uint_le(record->capacity, 4 * (2 * 401));
  size_t capacity = record->capacity;
  apikeys_record_clear(record);
  ck_assert_uint_eq(record->capacity, capacity);
  ck_assert_uint_eq(record->used, 0);
  apikeys_record_free(record);
}
END_TEST

/* A field set from the record's own text, wherever that lies and whatever has to move. */
START_TEST(a_record_may_be_its_own_source) {
  for (int length = 1; length < 200; length++) {
    apikeys_record *record = apikeys_record_new(AK_ROLE);
    char text[201];
    memset(text, 'a', sizeof text);
    text[0] = 'b';
    apikeys_record_set_text(record, AK_ROLE_NAME, text, (size_t)length);
    size_t from_length;
    const char *from = apikeys_record_text(record, AK_ROLE_NAME, &from_length);
    ck_assert_int_eq(apikeys_record_set_text(record, AK_ROLE_PERMISSIONS, from, from_length), 0);
    from = apikeys_record_text(record, AK_ROLE_NAME, &from_length);
    ck_assert_int_eq(apikeys_record_set_text(record, AK_ROLE_NAME, from + 1, from_length - 1), 0);
    text[length] = '\0';
    assert_text(record, AK_ROLE_PERMISSIONS, text);
    assert_text(record, AK_ROLE_NAME, text + 1);
    apikeys_record_free(record);
  }
}
END_TEST

/* Against an array of what was set, over random sets of random lengths. */
START_TEST(values_keep_apart) {
  enum { FIELDS = 4, LONGEST = 60 };
  static const int fields[FIELDS] = {AK_MEMBER_USER_ID, AK_MEMBER_ROLES, AK_MEMBER_EMAIL,
                                     AK_MEMBER_DISPLAY_NAME};
  apikeys_record *record = apikeys_record_new(AK_MEMBER);
  apikeys_record *copy = apikeys_record_new(AK_MEMBER);
  char expected[FIELDS][LONGEST + 1] = {"", "", "", ""};
  for (int i = 0; i < FIELDS; i++)
    ak_record_set_string(record, fields[i], "");
  for (int round = 0; round < 3000; round++) {
    unsigned i = random_below(FIELDS), length = random_below(LONGEST + 1);
    memset(expected[i], 'a' + (int)random_below(26), length);
    expected[i][length] = '\0';
    ak_record_set_string(record, fields[i], expected[i]);
    apikeys_record *seen = round % 3 == 0 ? copy : record;
    if (seen == copy && apikeys_record_copy(copy, record) != APIKEYS_OK)
      ck_abort_msg("copy");
    for (int j = 0; j < FIELDS; j++)
      if (strcmp(apikeys_record_text(seen, fields[j], NULL), expected[j]) != 0)
        ck_abort_msg("round %d, field %d", round, j);
  }
  apikeys_record_free(record);
  apikeys_record_free(copy);
}
END_TEST

/* Refused before a byte of it is read, and the record says so until it is cleared. */
START_TEST(no_record_is_larger_than_its_bound) {
  apikeys_record *key = apikeys_record_new(AK_API_KEY);
  ck_assert_int_eq(apikeys_record_set_blob(key, AK_API_KEY_SEALED, "x", AK_RECORD_BYTES_MAX),
                   APIKEYS_ERROR_NO_MEMORY);
  ck_assert_int_eq(apikeys_record_set_blob(key, AK_API_KEY_SEALED, "x", SIZE_MAX),
                   APIKEYS_ERROR_NO_MEMORY);
  ck_assert_int_eq(ak_record_status(key), APIKEYS_ERROR_NO_MEMORY);
  ck_assert_ptr_null(ak_record_begin(key, AK_RECORD_BYTES_MAX + (size_t)1));
  apikeys_record_free(key);
}
END_TEST

START_TEST(copies_are_of_one_kind) {
  apikeys_record *role = apikeys_record_new(AK_ROLE), *member = apikeys_record_new(AK_MEMBER);
  ck_assert_int_eq(apikeys_record_copy(role, member), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_record_copy(role, NULL), APIKEYS_ERROR_INVALID_ARGUMENT);
  ak_record_set_string(role, AK_ROLE_NAME, "name");
  ck_assert_int_eq(apikeys_record_copy(role, role), APIKEYS_OK);
  assert_text(role, AK_ROLE_NAME, "name");
  role->failed = true; /* what is not whole is not passed on */
  apikeys_record *other = apikeys_record_new(AK_ROLE);
  ck_assert_int_eq(apikeys_record_copy(other, role), APIKEYS_ERROR_NO_MEMORY);
  ck_assert_int_eq(ak_record_status(role), APIKEYS_ERROR_NO_MEMORY);
  apikeys_record_clear(role);
  ck_assert_int_eq(ak_record_status(role), APIKEYS_OK);
  apikeys_record_free(role);
  apikeys_record_free(member);
  apikeys_record_free(other);
}
END_TEST

static bool is_blank(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

START_TEST(secrets_are_wiped_when_a_record_is_cleared) {
  apikeys_record record;
  ak_record_init(&record, AK_ENVIRONMENT);
  apikeys_record_set_blob(&record, AK_ENVIRONMENT_ROOT_KEY, "a long root key", 15);
  apikeys_record_set_blob(&record, AK_ENVIRONMENT_ROOT_KEY, "short", 5);
  size_t used = record.used;
  apikeys_record_clear(&record);
  ck_assert_uint_ge(used, 16);
  ck_assert(is_blank(record.bytes, used));
  ak_record_release(&record);
  ck_assert_ptr_null(record.bytes);
  ck_assert_int_eq(apikeys_record_set_blob(&record, AK_ENVIRONMENT_ROOT_KEY, "again", 5), 0);
  ak_record_release(&record);
  ck_assert(ak_kind_holds_secrets(AK_API_KEY));
  ck_assert(!ak_kind_holds_secrets(AK_EVENT));
}
END_TEST

/* --------------------------------------------------------------------------- problems --------- */

static void fill(apikeys_record *record) {
  for (int field = 0; field < apikeys_schema_field_count(record->kind); field++) {
    if (apikeys_schema_field_type(record->kind, field) == APIKEYS_TYPE_INTEGER)
      apikeys_record_set_integer(record, field, field);
    else if (apikeys_schema_field_type(record->kind, field) == APIKEYS_TYPE_TEXT)
      ak_record_set_string(record, field, "text");
    else
      apikeys_record_set_blob(record, field, "blob", 4);
  }
}

START_TEST(a_missing_field_is_named) {
  for (int kind = 1; kind < AK_KIND_END; kind++) {
    apikeys_record *record = apikeys_record_new(kind);
    fill(record);
    ck_assert_ptr_null(ak_record_problem(record));
    for (int field = 0; field < apikeys_schema_field_count(kind); field++) {
      fill(record);
      apikeys_record_set_null(record, field);
      const char *problem = ak_record_problem(record);
      if (apikeys_schema_field_nullable(kind, field))
        ck_assert_ptr_null(problem);
      else
        ck_assert_str_eq(problem, apikeys_schema_field_name(kind, field));
    }
    fill(record);
    apikeys_record_set_null(record, AK_NUMBER);
    ck_assert_ptr_null(ak_record_new_problem(record));
    apikeys_record_free(record);
  }
}
END_TEST

START_TEST(the_longest_entry_is_just_short_enough) {
  apikeys_record *record = apikeys_record_new(AK_MEMBER);
  char text[APIKEYS_INDEX_KEY_MAX];
  uint8_t key[APIKEYS_INDEX_KEY_MAX];
  size_t length;
  fill(record);
  memset(text, 'u', sizeof text);
  for (size_t size = 400; size < sizeof text; size++) {
    apikeys_record_set_text(record, AK_MEMBER_USER_ID, text, size);
    ck_assert_int_eq(apikeys_record_index_key(record, AK_MEMBER_OF_USER, NULL, 0, &length),
                     APIKEYS_ERROR_BUFFER_TOO_SMALL);
    if (length >= APIKEYS_INDEX_KEY_MAX)
      ck_assert_str_eq(ak_record_key_problem(record), "user_id");
    else
      ck_assert_ptr_null(ak_record_key_problem(record));
    ck_assert_int_eq(ak_record_key_problem(record) == NULL, length <= 511); /* LMDB's bound */
    int rc = apikeys_record_index_key(record, AK_MEMBER_OF_USER, key, sizeof key, &length);
    ck_assert_int_eq(rc, length > sizeof key ? APIKEYS_ERROR_BUFFER_TOO_SMALL : APIKEYS_OK);
  }
  apikeys_record_free(record);
}
END_TEST

/* ------------------------------------------------------------------------------ order --------- */

static struct ak_field_value random_value(uint8_t bytes[8]) {
  static const int64_t integers[] = {0, 1, -1, 127, 128, -128, 256, INT64_MIN, INT64_MAX};
  struct ak_field_value value = {.type = (int)random_below(4)};
  switch (value.type) {
  case APIKEYS_TYPE_INTEGER:
    value.integer = integers[random_below(9)] / (1 + random_below(3));
    break;
  case APIKEYS_TYPE_TEXT:
  case APIKEYS_TYPE_BLOB:
    value.bytes = bytes;
    value.length = random_below(5);
    for (size_t i = 0; i < value.length; i++) {
      static const uint8_t some[] = {0, 1, 0xff, 'a', 'b', 2};
      bytes[i] = some[random_below(6)];
      if (value.type == APIKEYS_TYPE_TEXT && bytes[i] == 0)
        bytes[i] = 3;
    }
    break;
  default:
    break;
  }
  return value;
}

static int sign(int number) {
  return (number > 0) - (number < 0);
}

static int compare_bytes(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length) {
  int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
  return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* Two values behind each other, compared as values and as bytes. */
START_TEST(bytes_order_as_values_do) {
  for (int round = 0; round < 200000; round++) {
    uint8_t bytes[4][8], a[64], b[64];
    struct ak_field_value values[4];
    for (int i = 0; i < 4; i++)
      values[i] = random_value(bytes[i]);
    int expected = ak_field_value_compare(&values[0], &values[2]);
    if (expected == 0)
      expected = ak_field_value_compare(&values[1], &values[3]);
    size_t a_length = ak_order_append(a, sizeof a, 0, &values[0]);
    size_t a_all = ak_order_append(a, sizeof a, a_length, &values[1]);
    size_t b_length = ak_order_append(b, sizeof b, 0, &values[2]);
    size_t b_all = ak_order_append(b, sizeof b, b_length, &values[3]);
    if (sign(compare_bytes(a, a_all, b, b_all)) != sign(expected))
      ck_abort_msg("round %d: the bytes say another thing than the values", round);
    /* What begins with the first value lies between it and it with 0xff behind. */
    if (ak_field_value_compare(&values[0], &values[2]) != 0) {
      a[a_length] = 0xff;
      bool inside =
          compare_bytes(b, b_all, a, a_length) >= 0 && compare_bytes(b, b_all, a, a_length + 1) < 0;
      if (inside)
        ck_abort_msg("round %d: another value lies inside", round);
    }
  }
}
END_TEST

START_TEST(nothing_is_written_that_does_not_fit) {
  for (int round = 0; round < 2000; round++) {
    uint8_t bytes[8], whole[32], part[32];
    struct ak_field_value value = random_value(bytes);
    size_t length = ak_order_append(whole, sizeof whole, 0, &value);
    for (size_t capacity = 0; capacity <= length; capacity++) {
      memset(part, 0xee, sizeof part);
      ck_assert_uint_eq(ak_order_append(part, capacity, 0, &value), length);
      for (size_t i = capacity < length ? 0 : length; i < sizeof part; i++)
        if (part[i] != 0xee)
          ck_abort_msg("written at %zu of %zu", i, capacity);
    }
    ck_assert_uint_eq(ak_order_append(NULL, 0, 5, &value), 5 + length);
  }
}
END_TEST

START_TEST(index_entries_are_as_documented) {
  static const uint8_t expected[] = {3, 'o',  'r', 'g', 0,                       /* the text */
                                     2, 0x7f, 255, 255, 255, 255, 255, 255, 254, /* -2 */
                                     2, 0x80, 0,   0,   0,   0,   0,   1,   2};  /* number 258 */
  apikeys_record *record = apikeys_record_new(AK_ROLE);
  uint8_t key[sizeof expected];
  size_t length = 0;
  ak_record_set_string(record, AK_ROLE_ORGANIZATION_ID, "org");
  apikeys_record_set_integer(record, AK_ROLE_PRIORITY, -2);
  apikeys_record_set_integer(record, AK_NUMBER, 258);
  ck_assert_int_eq(apikeys_record_index_key(record, AK_ROLE_BY_PRIORITY, key, sizeof key, &length),
                   0);
  ck_assert_uint_eq(length, sizeof expected);
  ck_assert_mem_eq(key, expected, sizeof expected);
  ck_assert_int_eq(
      apikeys_record_index_key(record, AK_ROLE_BY_PRIORITY, key, sizeof key - 1, &length),
      APIKEYS_ERROR_BUFFER_TOO_SMALL);
  ck_assert_uint_eq(length, sizeof expected);
  ck_assert_int_eq(apikeys_record_index_key(record, AK_INDEXES_MAX, key, sizeof key, &length),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_record_index_key(record, -1, key, sizeof key, &length),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_record_index_key(NULL, 0, key, sizeof key, &length),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_uint_eq(apikeys_index_key_max(), APIKEYS_INDEX_KEY_MAX);
  apikeys_record_free(record);
}
END_TEST

START_TEST(a_sparse_index_has_no_entry_for_null) {
  apikeys_record *record = apikeys_record_new(AK_ORGANIZATION);
  uint8_t key[64];
  size_t length = 0;
  fill(record);
  ck_assert_int_eq(
      apikeys_record_index_key(record, AK_ORGANIZATION_BY_EXTERNAL_ID, key, sizeof key, &length),
      APIKEYS_OK);
  apikeys_record_set_null(record, AK_ORGANIZATION_EXTERNAL_ID);
  ck_assert_int_eq(
      apikeys_record_index_key(record, AK_ORGANIZATION_BY_EXTERNAL_ID, key, sizeof key, &length),
      APIKEYS_ERROR_NOT_FOUND);
  ak_record_set_string(record, AK_ORGANIZATION_EXTERNAL_ID, ""); /* is a value */
  ck_assert_int_eq(
      apikeys_record_index_key(record, AK_ORGANIZATION_BY_EXTERNAL_ID, key, sizeof key, &length),
      APIKEYS_OK);
  apikeys_record_free(record);
}
END_TEST

/* ------------------------------------------------------------------ what a change alters ------ */

struct identities {
  int count;
  int kind;
  char seen[4][64];
  int stop_with;
};

static int note_identity(int kind, const char *identity, size_t length, void *visit_data) {
  struct identities *identities = visit_data;
  ck_assert_int_lt(identities->count, 4);
  ck_assert_uint_lt(length, sizeof identities->seen[0]);
  ck_assert_uint_eq(strlen(identity), length);
  identities->kind = kind;
  memcpy(identities->seen[identities->count++], identity, length + 1);
  return identities->stop_with;
}

static struct identities identities_of(const apikeys_record *before, const apikeys_record *after) {
  struct identities found = {0};
  ck_assert_int_eq(apikeys_record_identities(before, after, note_identity, &found), APIKEYS_OK);
  return found;
}

/* A removal of every kind that validates is visited; of other kinds nothing ever is. */
START_TEST(a_change_is_visited_if_validations_depend_on_its_kind) {
  int validating = 0;
  for (int kind = 1; kind <= apikeys_schema_kind_count(); kind++) {
    apikeys_record *record = apikeys_record_new(kind);
    fill(record);
    struct identities removed = identities_of(record, NULL);
    struct identities added = identities_of(NULL, record);
    int validates = apikeys_schema_kind_validates(kind);
    ck_assert_int_eq(removed.count, validates);
    ck_assert_int_eq(added.count, kind == AK_ENVIRONMENT || kind == AK_ROLE);
    if (validates)
      ck_assert_int_eq(removed.kind, kind);
    validating += validates;
    apikeys_record_free(record);
  }
  ck_assert_int_eq(validating, 6);
  ck_assert_int_eq(apikeys_schema_kind_validates(0), 0);
  ck_assert_int_eq(apikeys_schema_kind_validates(AK_EVENT), 0);
  ck_assert_int_eq(apikeys_schema_kind_validates(AK_KIND_END), 0);
}
END_TEST

START_TEST(a_changed_identity_is_visited_old_and_new) {
  apikeys_record *before = apikeys_record_new(AK_API_KEY);
  apikeys_record *after = apikeys_record_new(AK_API_KEY);
  fill(before);
  ak_record_set_string(before, AK_API_KEY_LOOKUP_ID, "old");
  apikeys_record_copy(after, before);
  struct identities same = identities_of(before, after);
  ck_assert_int_eq(same.count, 1);
  ck_assert_str_eq(same.seen[0], "old");
  ak_record_set_string(after, AK_API_KEY_LOOKUP_ID, "new");
  struct identities both = identities_of(before, after);
  ck_assert_int_eq(both.count, 2);
  ck_assert_str_eq(both.seen[0], "old");
  ck_assert_str_eq(both.seen[1], "new");
  struct identities stopped = {.stop_with = 7};
  ck_assert_int_eq(apikeys_record_identities(before, after, note_identity, &stopped), 7);
  ck_assert_int_eq(stopped.count, 1);
  apikeys_record_free(before);
  apikeys_record_free(after);
}
END_TEST

START_TEST(of_the_environment_some_fields_count) {
  apikeys_record *before = apikeys_record_new(AK_ENVIRONMENT);
  apikeys_record *after = apikeys_record_new(AK_ENVIRONMENT);
  fill(before);
  apikeys_record_copy(after, before);
  apikeys_record_set_integer(after, AK_ENVIRONMENT_EVENT_FLOOR, 99);
  ck_assert_int_eq(identities_of(before, after).count, 0);
  apikeys_record_set_integer(after, AK_ENVIRONMENT_ROOT_VERSION, 99);
  struct identities found = identities_of(before, after);
  ck_assert_int_eq(found.count, 1);
  ck_assert_str_eq(found.seen[0], "");
  apikeys_record_free(before);
  apikeys_record_free(after);
}
END_TEST

START_TEST(identities_of_nothing_are_refused) {
  apikeys_record *role = apikeys_record_new(AK_ROLE);
  apikeys_record *member = apikeys_record_new(AK_MEMBER);
  struct identities found = {0};
  ck_assert_int_eq(apikeys_record_identities(NULL, NULL, note_identity, &found),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_record_identities(role, member, note_identity, &found),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_record_identities(role, NULL, NULL, NULL),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(found.count, 0);
  apikeys_record_free(role);
  apikeys_record_free(member);
}
END_TEST

/* --------------------------------------------------------------------- records as bytes ------- */

static void randomize(apikeys_record *record) {
  apikeys_record_clear(record);
  for (int field = 0; field < apikeys_schema_field_count(record->kind); field++) {
    uint8_t bytes[300];
    size_t length = random_below(random_below(4) == 0 ? 300 : 12);
    for (size_t i = 0; i < length; i++)
      bytes[i] = (uint8_t)(1 + random_below(255));
    int64_t integer;
    memcpy(&integer, &random_state, sizeof integer);
    if (random_below(4) == 0)
      continue;
    if (apikeys_schema_field_type(record->kind, field) == APIKEYS_TYPE_INTEGER)
      apikeys_record_set_integer(record, field, integer >> random_below(64));
    else if (apikeys_schema_field_type(record->kind, field) == APIKEYS_TYPE_TEXT)
      apikeys_record_set_text(record, field, (const char *)bytes, length);
    else
      apikeys_record_set_blob(record, field, bytes, length);
  }
}

static uint8_t *encode(const apikeys_record *record, size_t *length) {
  ck_assert_int_eq(apikeys_record_encode(record, NULL, 0, length), APIKEYS_ERROR_BUFFER_TOO_SMALL);
  uint8_t *bytes = malloc(*length);
  ck_assert_ptr_nonnull(bytes);
  ck_assert_int_eq(apikeys_record_encode(record, bytes, *length, length), APIKEYS_OK);
  return bytes;
}

START_TEST(what_is_encoded_decodes) {
  int kind = _i;
  apikeys_record *record = apikeys_record_new(kind), *decoded = apikeys_record_new(kind);
  for (int round = 0; round < 200; round++) {
    size_t length, needed;
    randomize(record);
    uint8_t *bytes = encode(record, &length);
    if (apikeys_record_decode(decoded, bytes, length) != APIKEYS_OK || !same(record, decoded))
      ck_abort_msg("round %d", round);
    uint8_t *small = malloc(length);
    memset(small, 0xee, length);
    ck_assert_int_eq(apikeys_record_encode(record, small, length - 1, &needed),
                     APIKEYS_ERROR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(needed, length);
    for (size_t i = 0; i < length; i++)
      if (small[i] != 0xee)
        ck_abort_msg("something was written");
    free(small);
    free(bytes);
  }
  apikeys_record_free(record);
  apikeys_record_free(decoded);
}
END_TEST

/* From memory of exactly this size, so that a sanitizer sees a read beyond it. */
static int decode_exactly(apikeys_record *record, const uint8_t *bytes, size_t length) {
  uint8_t *copy = malloc(length > 0 ? length : 1);
  ck_assert_ptr_nonnull(copy);
  if (length > 0)
    memcpy(copy, bytes, length);
  int rc = apikeys_record_decode(record, copy, length);
  free(copy);
  return rc;
}

START_TEST(no_beginning_and_no_extension_decodes) {
  apikeys_record *record = apikeys_record_new(_i), *decoded = apikeys_record_new(_i);
  for (int round = 0; round < 10; round++) {
    size_t length;
    randomize(record);
    uint8_t *bytes = encode(record, &length);
    for (size_t part = 0; part < length; part++)
      if (decode_exactly(decoded, bytes, part) != APIKEYS_ERROR_CORRUPT)
        ck_abort_msg("%zu of %zu bytes decode", part, length);
    ck_assert_int_eq(apikeys_record_type(decoded, AK_ID), APIKEYS_TYPE_NULL);
    uint8_t *more = malloc(length + 1);
    memcpy(more, bytes, length);
    for (int byte = 0; byte < 256; byte++) {
      more[length] = (uint8_t)byte;
      if (apikeys_record_decode(decoded, more, length + 1) != APIKEYS_ERROR_CORRUPT)
        ck_abort_msg("one byte more decodes");
    }
    free(more);
    free(bytes);
  }
  apikeys_record_free(record);
  apikeys_record_free(decoded);
}
END_TEST

/* The form is stored: these bytes must read like this for ever. */
static const uint8_t stored[] = {1,   7,   3,   3,   0,   1, 4, 1,    2, 5,
                                 'k', 'e', 'y', '_', '1', 2, 1, 0x81, 1};

START_TEST(the_form_is_stable) {
  apikeys_record *record = apikeys_record_new(AK_API_KEY_USE);
  size_t length;
  ck_assert_int_eq(apikeys_record_decode(record, stored, sizeof stored), APIKEYS_OK);
  ck_assert_int_eq(apikeys_record_integer(record, AK_NUMBER), 2);
  assert_text(record, AK_ID, "key_1");
  ck_assert_int_eq(apikeys_record_integer(record, AK_API_KEY_USE_LAST_USED_AT), -65);
  uint8_t *bytes = encode(record, &length);
  ck_assert_uint_eq(length, sizeof stored);
  ck_assert_mem_eq(bytes, stored, sizeof stored);
  free(bytes);
  apikeys_record_free(record);
}
END_TEST

/* An organization as schema version 1 wrote it, before there was metadata. */
START_TEST(what_an_older_version_wrote_is_filled_in) {
  static const uint8_t older[] = {1, 4, 7,   6, 0, 1, 2, 1, 2, 1, 'o', 2,
                                  2, 1, 'n', 4, 2, 0, 5, 1, 2, 6, 1,   2};
  apikeys_record *record = apikeys_record_new(AK_ORGANIZATION);
  ck_assert_int_eq(apikeys_record_decode(record, older, sizeof older), APIKEYS_OK);
  assert_text(record, AK_ORGANIZATION_METADATA, "");
  ck_assert_int_eq(apikeys_record_type(record, AK_ORGANIZATION_EXTERNAL_ID), APIKEYS_TYPE_NULL);
  ck_assert_ptr_null(ak_record_problem(record));
  apikeys_record_free(record);
}
END_TEST

START_TEST(every_other_form_is_corrupt) {
  static const struct {
    const char *what;
    size_t length;
    uint8_t bytes[24];
  } bad[] = {
      {"nothing", 0, {0}},
      {"another format", 4, {2, 7, 3, 0}},
      {"another kind", 4, {1, 6, 3, 0}},
      {"more fields than there are", 4, {1, 7, 4, 0}},
      {"more fields set than known", 6, {1, 7, 0, 1, 0, 1}},
      {"a field twice", 10, {1, 7, 3, 2, 0, 1, 2, 0, 1, 2}},
      {"fields in disorder", 11, {1, 7, 3, 2, 1, 2, 0, 0, 1, 2, 0}},
      {"a field that was not known", 7, {1, 7, 1, 1, 2, 1, 2}},
      {"a field that is not", 7, {1, 7, 3, 1, 3, 1, 2}},
      {"another type", 7, {1, 7, 3, 1, 1, 1, 2}},
      {"NULL spelled out", 7, {1, 7, 3, 1, 1, 0, 0}},
      {"text with NUL", 9, {1, 7, 3, 1, 1, 2, 2, 'a', 0}},
      {"text beyond the end", 8, {1, 7, 3, 1, 1, 2, 2, 'a'}},
      {"a length of 64 bits",
       17,
       {1, 7, 3, 1, 1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 'a'}},
      {"a number in a longer form", 5, {0x81, 0, 7, 3, 0}},
      {"an integer beyond 64 bits",
       16,
       {1, 7, 3, 1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}},
      {"an integer without end",
       17,
       {1, 7, 3, 1, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}},
  };
  apikeys_record *record = apikeys_record_new(AK_API_KEY_USE);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    ck_assert_msg(decode_exactly(record, bad[i].bytes, bad[i].length) == APIKEYS_ERROR_CORRUPT,
                  "%s", bad[i].what);
  ck_assert_int_eq(apikeys_record_decode(NULL, stored, sizeof stored),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_record_decode(record, NULL, 1), APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_record_free(record);
}
END_TEST

START_TEST(what_failed_is_not_encoded) {
  apikeys_record *record = apikeys_record_new(AK_ROLE);
  uint8_t bytes[64];
  size_t length;
  record->failed = true;
  ck_assert_int_eq(apikeys_record_encode(record, bytes, sizeof bytes, &length),
                   APIKEYS_ERROR_NO_MEMORY);
  ck_assert_int_eq(apikeys_record_encode(NULL, bytes, sizeof bytes, &length),
                   APIKEYS_ERROR_INVALID_ARGUMENT);
  apikeys_record_free(record);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("record");
  TCase *tcase = tcase_create("records");
  tcase_add_test(tcase, the_schema_fits_the_arrays);
  tcase_add_test(tcase, there_are_no_records_of_no_kind);
  tcase_add_test(tcase, a_new_record_is_null_everywhere);
  tcase_add_test(tcase, fields_take_their_own_type_only);
  tcase_add_test(tcase, text_is_compared_whole);
  tcase_add_test(tcase, what_fits_stays_in_place);
  tcase_add_test(tcase, a_record_in_use_stays_small);
  tcase_add_test(tcase, a_record_may_be_its_own_source);
  tcase_add_test(tcase, values_keep_apart);
  tcase_add_test(tcase, no_record_is_larger_than_its_bound);
  tcase_add_test(tcase, copies_are_of_one_kind);
  tcase_add_test(tcase, secrets_are_wiped_when_a_record_is_cleared);
  tcase_add_test(tcase, a_missing_field_is_named);
  tcase_add_test(tcase, the_longest_entry_is_just_short_enough);
  tcase_add_test(tcase, bytes_order_as_values_do);
  tcase_add_test(tcase, nothing_is_written_that_does_not_fit);
  tcase_add_test(tcase, index_entries_are_as_documented);
  tcase_add_test(tcase, a_sparse_index_has_no_entry_for_null);
  tcase_add_test(tcase, a_change_is_visited_if_validations_depend_on_its_kind);
  tcase_add_test(tcase, a_changed_identity_is_visited_old_and_new);
  tcase_add_test(tcase, of_the_environment_some_fields_count);
  tcase_add_test(tcase, identities_of_nothing_are_refused);
  tcase_add_loop_test(tcase, what_is_encoded_decodes, 1, AK_KIND_END);
  tcase_add_loop_test(tcase, no_beginning_and_no_extension_decodes, 1, AK_KIND_END);
  tcase_add_test(tcase, the_form_is_stable);
  tcase_add_test(tcase, what_an_older_version_wrote_is_filled_in);
  tcase_add_test(tcase, every_other_form_is_corrupt);
  tcase_add_test(tcase, what_failed_is_not_encoded);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
