/* SPDX-License-Identifier: MIT */
#include "storage/query.h"

#include "support/suite.h"

#include <check.h>
#include <string.h>

static uint64_t random_state = 88172645463325252;

static unsigned random_below(unsigned bound) {
  random_state ^= random_state << 13; /* xorshift64 */
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)((random_state >> 33) % bound);
}

/* ------------------------------------------------------------------------------ scopes -------- */

static apikeys_record key;

static void make_key(void) {
  ak_record_init(&key, AK_API_KEY);
  apikeys_record_set_integer(&key, AK_NUMBER, 10);
  ak_record_set_string(&key, AK_ID, "api_key_1");
  ak_record_set_string(&key, AK_API_KEY_ORGANIZATION_ID, "org_a");
  apikeys_record_set_integer(&key, AK_API_KEY_OWNER_TYPE, 1);
  apikeys_record_set_integer(&key, AK_API_KEY_STATE, 1);
  apikeys_record_set_integer(&key, AK_API_KEY_CREATED_AT, 1000);
  ak_record_set_string(&key, AK_API_KEY_NAME, "CI deploys");
  ak_record_set_string(&key, AK_API_KEY_PERMISSIONS, "posts:read posts:write");
}

static void release_key(void) {
  ak_record_release(&key);
}

static int in_organization(const char *id) {
  apikeys_query query;
  ak_query_of(&query, AK_API_KEY, 0, id, strlen(id));
  return apikeys_query_matches(&query, &key);
}

static int in_environment(void) {
  apikeys_query query;
  ak_query_environment(&query, AK_API_KEY, 0);
  return apikeys_query_matches(&query, &key);
}

static int anywhere(void) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, 0);
  return apikeys_query_matches(&query, &key);
}

START_TEST(a_scope_is_exact) {
  ck_assert(in_organization("org_a"));
  ck_assert(!in_organization("org_b"));
  ck_assert(!in_organization("org_"));
  ck_assert(!in_organization("org_aa"));
  ck_assert(!in_organization("ORG_A"));
  ck_assert(!in_organization(""));
  ck_assert(!in_environment());
  ck_assert(anywhere());

  ak_record_set_string(&key, AK_API_KEY_ORGANIZATION_ID, ""); /* the environment's */
  ck_assert(in_environment());
  ck_assert(anywhere());
  ck_assert(!in_organization("org_a"));
  ck_assert(!in_organization("")); /* "" names no organization: it is not a way to the others */

  apikeys_record_set_null(&key, AK_API_KEY_ORGANIZATION_ID); /* damaged */
  ck_assert(!in_environment());
  ck_assert(!in_organization("org_a"));
}
END_TEST

START_TEST(kinds_without_scope_are_the_environments) {
  apikeys_record permission;
  apikeys_query query;
  ak_record_init(&permission, AK_PERMISSION);
  ak_query_environment(&query, AK_PERMISSION, 0);
  ck_assert(apikeys_query_matches(&query, &permission));
  ak_query_any(&query, AK_PERMISSION, 0);
  ck_assert(apikeys_query_matches(&query, &permission));
  ak_query_of(&query, AK_PERMISSION, 0, "org_a", 5);
  ck_assert(!apikeys_query_matches(&query, &permission));
}
END_TEST

START_TEST(no_scope_matches_nothing) {
  apikeys_query query;
  uint8_t lower[APIKEYS_INDEX_KEY_MAX], upper[APIKEYS_INDEX_KEY_MAX];
  size_t lower_length, upper_length;
  static const int scopes[] = {0, -1, 4, 255};
  for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
    ak_query_any(&query, AK_API_KEY, 0);
    query.scope = scopes[i];
    ck_assert(!apikeys_query_matches(&query, &key));
    ck_assert(!ak_query_valid(&query));
    ck_assert_int_eq(apikeys_query_bounds(&query, lower, &lower_length, upper, &upper_length),
                     APIKEYS_ERROR_INVALID_ARGUMENT);
  }
  ck_assert(!apikeys_query_matches(NULL, &key));
  ak_query_any(&query, AK_API_KEY, 0);
  ck_assert(!apikeys_query_matches(&query, NULL));
  ak_query_any(&query, AK_EVENT, 0);
  ck_assert(!apikeys_query_matches(&query, &key));
}
END_TEST

/* --------------------------------------------------------------------------- conditions ------- */

static int meets_text(enum ak_condition_type type, int field, const char *text) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_where_text(&query, type, field, text, strlen(text));
  ck_assert(ak_query_valid(&query) && apikeys_query_has_conditions(&query));
  return apikeys_query_matches(&query, &key);
}

static int meets_integer(enum ak_condition_type type, int field, int64_t integer) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_where_integer(&query, type, field, integer);
  ck_assert(ak_query_valid(&query) && apikeys_query_has_conditions(&query));
  return apikeys_query_matches(&query, &key);
}

START_TEST(conditions_look_inside) {
  const int name = AK_API_KEY_NAME, permissions = AK_API_KEY_PERMISSIONS;
  ck_assert(meets_text(AK_CONDITION_CONTAINS, name, "deploy"));
  ck_assert(meets_text(AK_CONDITION_CONTAINS, name, "ci D"));
  ck_assert(meets_text(AK_CONDITION_CONTAINS, name, ""));
  ck_assert(!meets_text(AK_CONDITION_CONTAINS, name, "deploysx"));
  ck_assert(meets_text(AK_CONDITION_HAS_SLUG, permissions, "posts:read"));
  ck_assert(!meets_text(AK_CONDITION_HAS_SLUG, permissions, "posts"));
  ck_assert(meets_text(AK_CONDITION_ONE_OF, AK_ID, "api_key_0 api_key_1"));
  ck_assert(!meets_text(AK_CONDITION_ONE_OF, AK_ID, "api_key_0 api_key_10"));
  ck_assert(!meets_text(AK_CONDITION_ONE_OF, AK_ID, ""));
  ck_assert(meets_integer(AK_CONDITION_AT_LEAST, AK_API_KEY_CREATED_AT, 1000));
  ck_assert(!meets_integer(AK_CONDITION_AT_LEAST, AK_API_KEY_CREATED_AT, 1001));
  ck_assert(meets_integer(AK_CONDITION_BELOW, AK_API_KEY_CREATED_AT, 1001));
  ck_assert(!meets_integer(AK_CONDITION_BELOW, AK_API_KEY_CREATED_AT, 1000));
  ck_assert(meets_integer(AK_CONDITION_EQUALS, AK_API_KEY_STATE, 1));
  ck_assert(!meets_integer(AK_CONDITION_EQUALS, AK_API_KEY_STATE, 2));
  /* NULL meets nothing, not even the empty text. */
  ck_assert(!meets_text(AK_CONDITION_CONTAINS, AK_API_KEY_REVOKED_REASON, ""));
  ck_assert(!meets_integer(AK_CONDITION_EQUALS, AK_API_KEY_REVOKED_AT, 0));
  ck_assert(!meets_integer(AK_CONDITION_BELOW, AK_API_KEY_REVOKED_AT, 1));
}
END_TEST

START_TEST(all_conditions_must_be_met) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_API_KEY_STATE, 1);
  ak_query_where_text(&query, AK_CONDITION_CONTAINS, AK_API_KEY_NAME, "ci", 2);
  ck_assert(apikeys_query_matches(&query, &key));
  ak_query_where_integer(&query, AK_CONDITION_BELOW, AK_API_KEY_CREATED_AT, 5);
  ck_assert(!apikeys_query_matches(&query, &key));
}
END_TEST

/* ------------------------------------------------------------ queries put together wrongly ---- */

START_TEST(a_wrong_query_matches_nothing) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_equal_text(&query, "api_key_1", 9);
  ck_assert(apikeys_query_matches(&query, &key));
  ak_query_equal_text(&query, "api_key_1", 9); /* a value too many */
  ck_assert(!ak_query_valid(&query) && !apikeys_query_matches(&query, &key));

  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_equal_integer(&query, 1); /* of another type */
  ck_assert(!ak_query_valid(&query));

  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_text_range(&query, "a", 1, "b", 1);
  ck_assert(!ak_query_valid(&query));

  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_where_text(&query, AK_CONDITION_CONTAINS, AK_API_KEY_STATE, "1", 1);
  ck_assert(!ak_query_valid(&query));
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_API_KEY_NAME, 1);
  ck_assert(!ak_query_valid(&query));
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, 99, 1);
  ck_assert(!ak_query_valid(&query));

  ak_query_any(&query, AK_API_KEY, 0);
  for (int i = 0; i < AK_CONDITIONS_MAX; i++)
    ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_API_KEY_STATE, 1);
  ck_assert(apikeys_query_matches(&query, &key));
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_API_KEY_STATE, 2); /* must not be lost */
  ck_assert(!apikeys_query_matches(&query, &key));

  ak_query_any(&query, AK_API_KEY, apikeys_schema_index_count(AK_API_KEY));
  ck_assert(!ak_query_valid(&query));
  ak_query_any(&query, 0, 0);
  ck_assert(!ak_query_valid(&query));
  ak_query_of(&query, AK_API_KEY, 0, NULL, 3);
  ck_assert(!ak_query_valid(&query));
}
END_TEST

/* ------------------------------------------------------------------------------ ranges -------- */

START_TEST(ranges_are_half_open) {
  apikeys_query query;
  for (int64_t number = 8; number <= 12; number++) {
    ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
    ak_query_from(&query, number);
    ck_assert_int_eq(apikeys_query_matches(&query, &key), number <= 10);
    ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
    ak_query_until(&query, number);
    ck_assert_int_eq(apikeys_query_matches(&query, &key), number > 10);
  }
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
  ak_record_set_string(&key, AK_API_KEY_LOOKUP_ID, "mno");
  ak_query_text_range(&query, "mn", 2, "mo", 2); /* a prefix */
  ck_assert(apikeys_query_matches(&query, &key));
  ak_query_text_range(&query, "mnp", 3, "mo", 2);
  ck_assert(!apikeys_query_matches(&query, &key));
  ak_query_text_range(&query, "a", 1, "mno", 3);
  ck_assert(!apikeys_query_matches(&query, &key));
  ak_query_text_range(&query, "mno", 3, "mnoa", 4);
  ck_assert(apikeys_query_matches(&query, &key));
}
END_TEST

START_TEST(the_parts_of_a_query_are_told) {
  apikeys_query query;
  int64_t integer = 99;
  const void *bytes = NULL;
  size_t length = 99;
  ak_query_of(&query, AK_ROLE, AK_ROLE_BY_PRIORITY, "org_a", 5);
  ak_query_equal_text(&query, "org_a", 5);
  ak_query_until(&query, 7);
  query.descending = true;
  query.limit = 12;
  ck_assert_int_eq(apikeys_query_kind(&query), AK_ROLE);
  ck_assert_int_eq(apikeys_query_index(&query), AK_ROLE_BY_PRIORITY);
  ck_assert_int_eq(apikeys_query_descending(&query), 1);
  ck_assert_uint_eq(apikeys_query_limit(&query), 12);
  ck_assert_int_eq(apikeys_query_scope(&query), APIKEYS_SCOPE_ORGANIZATION);
  ck_assert_str_eq(apikeys_query_organization(&query, &length), "org_a");
  ck_assert_uint_eq(length, 5);
  ck_assert_int_eq(apikeys_query_has_conditions(&query), 0);
  ck_assert_int_eq(apikeys_query_equal_count(&query), 1);
  ck_assert_int_eq(apikeys_query_value(&query, 0, &integer, &bytes, &length), APIKEYS_TYPE_TEXT);
  ck_assert_uint_eq(length, 5);
  ck_assert_mem_eq(bytes, "org_a", 5);
  ck_assert_int_eq(apikeys_query_value(&query, 1, NULL, NULL, NULL), APIKEYS_TYPE_NULL);
  ck_assert_int_eq(apikeys_query_value(&query, -3, NULL, NULL, NULL), APIKEYS_TYPE_NULL);
  ck_assert_int_eq(apikeys_query_value(&query, APIKEYS_QUERY_LOWER, NULL, NULL, NULL),
                   APIKEYS_TYPE_NULL);
  ck_assert_int_eq(apikeys_query_value(&query, APIKEYS_QUERY_UPPER, &integer, NULL, NULL),
                   APIKEYS_TYPE_INTEGER);
  ck_assert_int_eq(integer, 7);
  ak_query_any(&query, AK_ROLE, 0);
  ck_assert_str_eq(apikeys_query_organization(&query, &length), "");
  ck_assert_uint_eq(length, 0);
}
END_TEST

/* ----------------------------------------------------------------- bounds against matching ---- */

static int compare(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length) {
  int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
  return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static void randomize(apikeys_record *record) {
  static const char *const texts[] = {"", "a", "aa", "ab", "b", "\xff", "\x01", "org_a"};
  static const int64_t integers[] = {0, 1, -1, 255, 256, INT64_MIN, INT64_MAX};
  apikeys_record_clear(record);
  for (int field = 0; field < apikeys_schema_field_count(record->kind); field++) {
    int type = apikeys_schema_field_type(record->kind, field);
    if (apikeys_schema_field_nullable(record->kind, field) && random_below(3) == 0)
      continue;
    if (type == APIKEYS_TYPE_INTEGER)
      apikeys_record_set_integer(record, field, integers[random_below(7)]);
    else if (type == APIKEYS_TYPE_TEXT)
      ak_record_set_string(record, field, texts[random_below(8)]);
    else
      apikeys_record_set_blob(record, field, "\0\xff", random_below(3));
  }
}

/* Whether the index has the record's entry between the bounds. */
static bool is_within(const apikeys_query *query, const apikeys_record *record) {
  uint8_t lower[APIKEYS_INDEX_KEY_MAX], upper[APIKEYS_INDEX_KEY_MAX], entry[512];
  size_t lower_length, upper_length, length;
  int rc = apikeys_record_index_key(record, query->index, entry, sizeof entry, &length);
  if (rc != APIKEYS_OK ||
      apikeys_query_bounds(query, lower, &lower_length, upper, &upper_length) != APIKEYS_OK)
    return false;
  return compare(entry, length, lower, lower_length) >= 0 &&
         compare(entry, length, upper, upper_length) < 0;
}

/* With the scope ANY and no conditions the bounds are not only wide enough, they are exact. */
START_TEST(bounds_hold_exactly_what_matches) {
  int kind = _i, inside = 0;
  apikeys_record *record = apikeys_record_new(kind), *like = apikeys_record_new(kind);
  for (int round = 0; round < 20000; round++) {
    int index = (int)random_below((unsigned)apikeys_schema_index_count(kind));
    int fields = apikeys_schema_index_field_count(kind, index);
    apikeys_query *query = apikeys_query_new(kind, index, APIKEYS_SCOPE_ANY, NULL, 0);
    randomize(like);
    randomize(record);
    int equal = (int)random_below((unsigned)fields + 1);
    (void)apikeys_query_set_equal(query, random_below(2) == 0 ? record : like, equal);
    bool bounded = apikeys_query_equal_count(query) < fields ||
                   !apikeys_schema_index_unique(kind, index); /* the number is in no unique entry */
    if (bounded && random_below(2) == 0)
      (void)apikeys_query_set_lower(query, like);
    randomize(like);
    if (bounded && random_below(2) == 0)
      (void)apikeys_query_set_upper(query, like);
    bool within = is_within(query, record);
    if (within != (apikeys_query_matches(query, record) != 0))
      ck_abort_msg("round %d: index %d, %d values", round, index, equal);
    inside += within;
    apikeys_query_free(query);
  }
  ck_assert_int_gt(inside, 2000); /* else nothing was shown */
  apikeys_record_free(record);
  apikeys_record_free(like);
}
END_TEST

/* A range on the number behind all the values of a unique index is matched, not bounded. */
START_TEST(a_number_behind_a_unique_entry_is_matched) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_equal_text(&query, "api_key_1", 9);
  ak_query_from(&query, 11);
  ck_assert(ak_query_valid(&query));
  ck_assert(is_within(&query, &key));
  ck_assert(!apikeys_query_matches(&query, &key));
}
END_TEST

START_TEST(overlong_values_bound_nothing_or_all_that_may_match) {
  char text[2000];
  uint8_t lower[APIKEYS_INDEX_KEY_MAX], upper[APIKEYS_INDEX_KEY_MAX];
  size_t lower_length, upper_length;
  memset(text, 'm', sizeof text);
  for (size_t length = 480; length < sizeof text; length += length < 530 ? 1 : 300) {
    apikeys_query query;
    ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
    ak_query_equal_text(&query, text, length);
    ck_assert_int_eq(apikeys_query_bounds(&query, lower, &lower_length, upper, &upper_length),
                     APIKEYS_OK);
    ck_assert_uint_le(lower_length, sizeof lower);
    ck_assert_uint_le(upper_length, sizeof upper);
    apikeys_record_set_text(&key, AK_API_KEY_LOOKUP_ID, text, length);
    if (ak_record_key_problem(&key) == NULL) /* it may be stored: it must be found */
      ck_assert(is_within(&query, &key));

    ak_record_set_string(&key, AK_API_KEY_LOOKUP_ID, "n");
    ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
    ak_query_text_range(&query, text, length, "z", 1);
    ck_assert(apikeys_query_matches(&query, &key) && is_within(&query, &key));
    ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
    ak_query_text_range(&query, "a", 1, text, length);
    ak_record_set_string(&key, AK_API_KEY_LOOKUP_ID, "mm");
    ck_assert(apikeys_query_matches(&query, &key) && is_within(&query, &key));
  }
}
END_TEST

/* ----------------------------------------------------------------- queries of one's own ------- */

START_TEST(the_public_builder_checks) {
  const int refused = APIKEYS_ERROR_INVALID_ARGUMENT;
  apikeys_record *role = apikeys_record_new(AK_ROLE), *user = apikeys_record_new(AK_MEMBER);
  ck_assert_ptr_null(apikeys_query_new(0, 0, APIKEYS_SCOPE_ANY, NULL, 0));
  ck_assert_ptr_null(apikeys_query_new(AK_ROLE, 99, APIKEYS_SCOPE_ANY, NULL, 0));
  ck_assert_ptr_null(apikeys_query_new(AK_ROLE, -1, APIKEYS_SCOPE_ANY, NULL, 0));
  ck_assert_ptr_null(apikeys_query_new(AK_ROLE, 0, 0, NULL, 0));
  ck_assert_ptr_null(apikeys_query_new(AK_ROLE, 0, APIKEYS_SCOPE_ORGANIZATION, NULL, 0));
  ck_assert_ptr_null(apikeys_query_new(AK_ROLE, 0, APIKEYS_SCOPE_ORGANIZATION, "", 0));
  apikeys_query *query = apikeys_query_new(AK_ROLE, 1, APIKEYS_SCOPE_ORGANIZATION, "org_a", 5);
  ck_assert_ptr_nonnull(query);
  ck_assert_int_eq(apikeys_query_set_equal(query, role, 1), refused); /* NULL is no value */
  ck_assert_int_eq(apikeys_query_set_lower(query, role), refused);
  ck_assert_int_eq(apikeys_query_set_equal(query, user, 0), refused);
  ck_assert_int_eq(apikeys_query_set_equal(query, role, 3), refused);
  ck_assert_int_eq(apikeys_query_set_equal(query, role, -1), refused);
  ck_assert_int_eq(apikeys_query_set_equal(query, NULL, 0), refused);
  ck_assert_int_eq(apikeys_query_set_contains(query, AK_ROLE_PRIORITY, "a", 1), refused);
  ck_assert_int_eq(apikeys_query_set_contains(query, 99, "a", 1), refused);
  ck_assert_int_eq(apikeys_query_set_contains(query, AK_ROLE_NAME, NULL, 1), refused);
  ck_assert_int_eq(apikeys_query_set_limit(NULL, 1), refused);
  ck_assert_int_eq(apikeys_query_set_descending(NULL, 1), refused);
  ck_assert(ak_query_valid(query)); /* what was refused changed nothing */
  ck_assert_int_eq(apikeys_query_equal_count(query), 0);
  apikeys_query_free(query);
  apikeys_query_free(NULL);
  apikeys_record_free(role);
  apikeys_record_free(user);
}
END_TEST

START_TEST(the_public_builder_copies) {
  char organization[] = "org_a", text[] = "deploy";
  apikeys_record *like = apikeys_record_new(AK_API_KEY);
  ck_assert_int_eq(apikeys_record_copy(like, &key), 0);
  apikeys_query *query = apikeys_query_new(AK_API_KEY, 0, APIKEYS_SCOPE_ORGANIZATION, organization,
                                           strlen(organization));
  ck_assert_int_eq(apikeys_query_set_equal(query, like, 1), 0);
  ck_assert_int_eq(apikeys_query_set_lower(query, like), 0);
  ck_assert_int_eq(apikeys_query_set_contains(query, AK_API_KEY_NAME, text, strlen(text)), 0);
  ck_assert_int_eq(apikeys_query_set_limit(query, 3), 0);
  ck_assert_int_eq(apikeys_query_set_descending(query, 5), 0);
  memset(organization, 'x', sizeof organization - 1);
  memset(text, 'x', sizeof text - 1);
  apikeys_record_free(like);
  ck_assert(apikeys_query_matches(query, &key));
  ck_assert_uint_eq(apikeys_query_limit(query), 3);
  ck_assert_int_eq(apikeys_query_descending(query), 1);
  ak_record_set_string(&key, AK_API_KEY_NAME, "another");
  ck_assert(!apikeys_query_matches(query, &key));
  apikeys_query_free(query);
}
END_TEST

START_TEST(no_query_is_no_answer) {
  ck_assert_int_eq(apikeys_query_kind(NULL), 0);
  ck_assert_int_eq(apikeys_query_index(NULL), -1);
  ck_assert_int_eq(apikeys_query_scope(NULL), 0);
  ck_assert_int_eq(apikeys_query_value(NULL, 0, NULL, NULL, NULL), APIKEYS_TYPE_NULL);
  ck_assert_int_eq(apikeys_query_equal_count(NULL), 0);
  ck_assert_uint_eq(apikeys_query_limit(NULL), 0);
  ck_assert_int_eq(apikeys_query_descending(NULL), 0);
  ck_assert_int_eq(apikeys_query_has_conditions(NULL), 0);
  ck_assert_str_eq(apikeys_query_organization(NULL, NULL), "");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("query");
  TCase *tcase = tcase_create("queries");
  tcase_add_checked_fixture(tcase, make_key, release_key);
  tcase_add_test(tcase, a_scope_is_exact);
  tcase_add_test(tcase, kinds_without_scope_are_the_environments);
  tcase_add_test(tcase, no_scope_matches_nothing);
  tcase_add_test(tcase, conditions_look_inside);
  tcase_add_test(tcase, all_conditions_must_be_met);
  tcase_add_test(tcase, a_wrong_query_matches_nothing);
  tcase_add_test(tcase, ranges_are_half_open);
  tcase_add_test(tcase, the_parts_of_a_query_are_told);
  tcase_add_loop_test(tcase, bounds_hold_exactly_what_matches, 1, AK_KIND_END);
  tcase_add_test(tcase, a_number_behind_a_unique_entry_is_matched);
  tcase_add_test(tcase, overlong_values_bound_nothing_or_all_that_may_match);
  tcase_add_test(tcase, the_public_builder_checks);
  tcase_add_test(tcase, the_public_builder_copies);
  tcase_add_test(tcase, no_query_is_no_answer);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
