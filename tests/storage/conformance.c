/* SPDX-License-Identifier: MIT */
#include "conformance.h"

#include "conformance_changes.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct storage_under_test *under_test;
static apikeys_storage store;

static void open_store(void) {
  memset(&store, 0, sizeof store);
  ck_assert_int_eq(under_test->open(&store), APIKEYS_OK);
}

static void close_store(void) {
  store.destroy(store.self);
  if (under_test->cleanup != NULL)
    under_test->cleanup();
}

/* For what is asked often: Check notes every assertion of its own in a file. */
#define REQUIRE(condition)                                                                         \
  do {                                                                                             \
    if (!(condition))                                                                              \
      ck_abort_msg("%s", #condition);                                                              \
  } while (0)

static int rounds(int usual) {
  return getenv("APIKEYS_SOAK") != NULL ? 20 * usual : usual;
}

/* ------------------------------------------------------------------- the slots, in short ------ */

/* A store may be busy for a moment with another thread's work: who asks again gets in. */
static int try_begin(apikeys_storage *storage, int mode, apikeys_transaction **transaction) {
  int rc = APIKEYS_ERROR_BUSY;
  for (int i = 0; i < 1000 && rc == APIKEYS_ERROR_BUSY; i++)
    rc = storage->begin(storage->self, mode, transaction);
  return rc;
}

static apikeys_transaction *begin_in(apikeys_storage *storage, int mode) {
  apikeys_transaction *transaction = NULL;
  ck_assert_int_eq(try_begin(storage, mode, &transaction), APIKEYS_OK);
  ck_assert_ptr_nonnull(transaction);
  return transaction;
}

static apikeys_transaction *begin_read(void) {
  return begin_in(&store, APIKEYS_TRANSACTION_READ);
}

static apikeys_transaction *begin_write(void) {
  return begin_in(&store, APIKEYS_TRANSACTION_WRITE);
}

static void commit(apikeys_transaction *transaction) {
  ck_assert_int_eq(store.commit(store.self, transaction), APIKEYS_OK);
}

static int insert(apikeys_transaction *transaction, apikeys_record *record) {
  return store.insert(store.self, transaction, record);
}

static int update(apikeys_transaction *transaction, const apikeys_record *record) {
  return store.update(store.self, transaction, record);
}

static int remove_number(apikeys_transaction *transaction, int kind, int64_t number) {
  return store.remove(store.self, transaction, kind, number);
}

static int get(apikeys_transaction *transaction, const apikeys_query *query, apikeys_record *out) {
  return store.get(store.self, transaction, query, out);
}

static uint64_t count(apikeys_transaction *transaction, const apikeys_query *query) {
  uint64_t counted = UINT64_MAX;
  ck_assert_int_eq(store.count(store.self, transaction, query, &counted), APIKEYS_OK);
  return counted;
}

/* -------------------------------------------------------------------------- records ----------- */

enum { NUMBER = 0, ID = 1 }; /* of every kind */

static apikeys_record *new_record(int kind) {
  apikeys_record *record = apikeys_record_new(kind);
  REQUIRE(record != NULL);
  return record;
}

static apikeys_record *copy_of(const apikeys_record *record) {
  apikeys_record *copy = new_record(apikeys_record_kind(record));
  REQUIRE(apikeys_record_copy(copy, record) == APIKEYS_OK);
  return copy;
}

static int64_t number_of(const apikeys_record *record) {
  return apikeys_record_integer(record, NUMBER);
}

static bool is_indexed(int kind, int field) {
  for (int i = 0; i < apikeys_schema_index_count(kind); i++)
    for (int j = 0; j < apikeys_schema_index_field_count(kind, i); j++)
      if (apikeys_schema_index_field(kind, i, j) == field)
        return true;
  return false;
}

/* The last field of a unique index: records that differ there do not collide. */
static bool tells_apart(int kind, int field) {
  for (int i = 0; i < apikeys_schema_index_count(kind); i++) {
    int last = apikeys_schema_index_field_count(kind, i) - 1;
    if (apikeys_schema_index_unique(kind, i) && last >= 0 &&
        apikeys_schema_index_field(kind, i, last) == field)
      return true;
  }
  return false;
}

static void set_any_text(apikeys_record *record, int field, const char *text) {
  REQUIRE(apikeys_record_set_text(record, field, text, strlen(text)) == APIKEYS_OK);
}

static void set_value(apikeys_record *record, int field, const char *text, int64_t integer) {
  switch (apikeys_schema_field_type(apikeys_record_kind(record), field)) {
  case APIKEYS_TYPE_INTEGER:
    REQUIRE(apikeys_record_set_integer(record, field, integer) == APIKEYS_OK);
    break;
  case APIKEYS_TYPE_TEXT:
    set_any_text(record, field, text);
    break;
  default:
    REQUIRE(apikeys_record_set_blob(record, field, text, strlen(text)) == APIKEYS_OK);
  }
}

/* Every field set, differently in every field, and differently for every n. */
static void fill(apikeys_record *record, unsigned n) {
  int kind = apikeys_record_kind(record);
  apikeys_record_clear(record);
  for (int field = ID; field < apikeys_schema_field_count(kind); field++) {
    char text[64];
    snprintf(text, sizeof text, "field %d of %06u", field, n);
    set_value(record, field, text, (int64_t)n * 100 + field);
  }
}

static bool same_bytes(const void *a, size_t a_length, const void *b, size_t b_length) {
  return a_length == b_length && memcmp(a, b, a_length) == 0;
}

static bool same_field(const apikeys_record *a, const apikeys_record *b, int field) {
  size_t a_length, b_length;
  const char *a_text = apikeys_record_text(a, field, &a_length);
  const char *b_text = apikeys_record_text(b, field, &b_length);
  if (!same_bytes(a_text, a_length, b_text, b_length))
    return false;
  const void *a_blob = apikeys_record_blob(a, field, &a_length);
  const void *b_blob = apikeys_record_blob(b, field, &b_length);
  return same_bytes(a_blob, a_length, b_blob, b_length) &&
         apikeys_record_type(a, field) == apikeys_record_type(b, field) &&
         apikeys_record_integer(a, field) == apikeys_record_integer(b, field);
}

static void assert_same(const apikeys_record *a, const apikeys_record *b) {
  int kind = apikeys_record_kind(a);
  REQUIRE(kind == apikeys_record_kind(b));
  for (int field = 0; field < apikeys_schema_field_count(kind); field++)
    if (!same_field(a, b, field))
      ck_abort_msg("%s.%s differs: type %d, %lld, \"%.40s\"; type %d, %lld, \"%.40s\"",
                   apikeys_schema_kind_name(kind), apikeys_schema_field_name(kind, field),
                   apikeys_record_type(a, field), (long long)apikeys_record_integer(a, field),
                   apikeys_record_text(a, field, NULL), apikeys_record_type(b, field),
                   (long long)apikeys_record_integer(b, field),
                   apikeys_record_text(b, field, NULL));
}

/* -------------------------------------------------------------------------- queries ----------- */

static apikeys_query *new_query(int kind, int index) {
  apikeys_query *query = apikeys_query_new(kind, index, APIKEYS_SCOPE_ANY, NULL, 0);
  REQUIRE(query != NULL);
  return query;
}

/* For the records that have the first `count` values of `like` in the index. */
static apikeys_query *query_like(const apikeys_record *like, int index, int equal_count) {
  apikeys_query *query = new_query(apikeys_record_kind(like), index);
  ck_assert_int_eq(apikeys_query_set_equal(query, like, equal_count), APIKEYS_OK);
  return query;
}

static int get_id(apikeys_transaction *transaction, const apikeys_record *like,
                  apikeys_record *out) {
  apikeys_query *query = query_like(like, 0, 1);
  int rc = get(transaction, query, out);
  apikeys_query_free(query);
  return rc;
}

static void assert_stored(apikeys_transaction *transaction, const apikeys_record *expected) {
  apikeys_record *found = new_record(apikeys_record_kind(expected));
  ck_assert_int_eq(get_id(transaction, expected, found), APIKEYS_OK);
  assert_same(found, expected);
  apikeys_record_free(found);
}

static void assert_absent(apikeys_transaction *transaction, const apikeys_record *record) {
  apikeys_record *found = new_record(apikeys_record_kind(record));
  ck_assert_int_eq(get_id(transaction, record, found), APIKEYS_ERROR_NOT_FOUND);
  apikeys_record_free(found);
}

static uint64_t count_all(apikeys_transaction *transaction, int kind) {
  apikeys_query *query = new_query(kind, 0);
  uint64_t counted = count(transaction, query);
  apikeys_query_free(query);
  return counted;
}

/* ----------------------------------------- random records, from small sets of values --------- */

static uint64_t random_state;

static unsigned random_below(unsigned bound) {
  random_state ^= random_state << 13; /* xorshift64 */
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)((random_state >> 33) % bound);
}

static void seed_random(int seed) {
  random_state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(seed + 1);
}

static const char *const texts[] = {"",
                                    "a",
                                    "ab",
                                    "b",
                                    "B",
                                    "a b",
                                    "\xc3\xa4",
                                    "100%",
                                    "under_score",
                                    "it's \"so\"; --",
                                    "a\\b",
                                    "\x7f",
                                    "\n",
                                    "\xf0\x9f\x94\x91"};
static const int64_t integers[] = {0,   1,    -1,        2,         255,
                                   256, -256, INT64_MAX, INT64_MIN, 1700000000000};

/* `domain`: how many values there are where unique indexes tell records apart. */
static void randomize(apikeys_record *record, unsigned domain) {
  int kind = apikeys_record_kind(record);
  fill(record, random_below(domain));
  for (int field = ID; field < apikeys_schema_field_count(kind); field++) {
    if (field == apikeys_schema_scope_field(kind) && field != ID) {
      static const char *const organizations[] = {"", "org_a", "org_b", "org_B"};
      set_any_text(record, field, organizations[random_below(4)]);
    } else if (apikeys_schema_field_nullable(kind, field) && random_below(3) == 0) {
      REQUIRE(apikeys_record_set_null(record, field) == APIKEYS_OK);
    } else if (tells_apart(kind, field)) {
      char text[32];
      unsigned n = random_below(domain);
      snprintf(text, sizeof text, "%c%u", "xX"[n % 2], n);
      set_value(record, field, text, (int64_t)n - (int64_t)domain / 2);
    } else {
      set_value(record, field, texts[random_below(sizeof texts / sizeof texts[0])],
                integers[random_below(sizeof integers / sizeof integers[0])]);
    }
  }
}

/* --------------------------------------- a model: what the store should hold and answer ------- */

enum { MODEL_MAX = 256 };

struct model {
  int kind;
  int count;
  apikeys_record *records[MODEL_MAX];
};

static void model_free(struct model *model) {
  for (int i = 0; i < model->count; i++)
    apikeys_record_free(model->records[i]);
  model->count = 0;
}

static void model_copy(struct model *to, const struct model *from) {
  to->kind = from->kind;
  to->count = from->count;
  for (int i = 0; i < from->count; i++)
    to->records[i] = copy_of(from->records[i]);
}

struct index_key {
  unsigned char bytes[APIKEYS_INDEX_KEY_MAX];
  size_t length;
  const apikeys_record *record;
};

static bool make_key(struct index_key *key, const apikeys_record *record, int index) {
  key->record = record;
  int rc = apikeys_record_index_key(record, index, key->bytes, sizeof key->bytes, &key->length);
  REQUIRE(rc == APIKEYS_OK || rc == APIKEYS_ERROR_NOT_FOUND);
  return rc == APIKEYS_OK;
}

static int compare_keys(const void *left, const void *right) {
  const struct index_key *a = left, *b = right;
  int order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);
  if (order != 0)
    return order;
  return a->length < b->length ? -1 : a->length > b->length;
}

/* Whether a unique index has the place of this record taken by another. */
static bool model_collides(const struct model *model, const apikeys_record *record,
                           int64_t except) {
  for (int i = 0; i < apikeys_schema_index_count(model->kind); i++) {
    struct index_key mine, other;
    if (!apikeys_schema_index_unique(model->kind, i) || !make_key(&mine, record, i))
      continue;
    for (int j = 0; j < model->count; j++)
      if (number_of(model->records[j]) != except && make_key(&other, model->records[j], i) &&
          compare_keys(&mine, &other) == 0)
        return true;
  }
  return false;
}

static int model_answer(const struct model *model, const apikeys_query *query,
                        struct index_key answer[MODEL_MAX]) {
  int found = 0;
  for (int i = 0; i < model->count; i++)
    if (apikeys_query_matches(query, model->records[i])) {
      REQUIRE(make_key(&answer[found], model->records[i], apikeys_query_index(query)));
      found++;
    }
  if (found > 1)
    qsort(answer, (size_t)found, sizeof answer[0], compare_keys);
  for (int i = 0; apikeys_query_descending(query) && i < found / 2; i++) {
    struct index_key key = answer[i];
    answer[i] = answer[found - 1 - i];
    answer[found - 1 - i] = key;
  }
  return found;
}

struct seen {
  int count;
  apikeys_record *records[MODEL_MAX];
};

static int see(const apikeys_record *record, void *visit_data) {
  struct seen *seen = visit_data;
  REQUIRE(seen->count < MODEL_MAX);
  seen->records[seen->count++] = copy_of(record);
  return 0;
}

/* scan, get and count answer what the model does. */
static void assert_answers(apikeys_transaction *transaction, const struct model *model,
                           const apikeys_query *query) {
  static struct index_key expected[MODEL_MAX];
  int matching = model_answer(model, query, expected);
  ck_assert_uint_eq(count(transaction, query), (uint64_t)matching);

  size_t limit = apikeys_query_limit(query);
  int answered = limit > 0 && limit < (size_t)matching ? (int)limit : matching;
  struct seen seen = {.count = 0};
  ck_assert_int_eq(store.scan(store.self, transaction, query, see, &seen), APIKEYS_OK);
  ck_assert_int_eq(seen.count, answered);
  for (int i = 0; i < answered; i++) {
    assert_same(seen.records[i], expected[i].record);
    apikeys_record_free(seen.records[i]);
  }

  apikeys_record *first = new_record(model->kind);
  int rc = get(transaction, query, first);
  ck_assert_int_eq(rc, matching > 0 ? APIKEYS_OK : APIKEYS_ERROR_NOT_FOUND);
  if (matching > 0)
    assert_same(first, expected[0].record);
  apikeys_record_free(first);
}

/* Any query, with values that some record may have. */
static apikeys_query *random_query(int kind, unsigned domain) {
  static const char *const organizations[] = {"org_a", "org_B", "x1", "org_none"};
  int index = (int)random_below((unsigned)apikeys_schema_index_count(kind));
  const char *organization = organizations[random_below(4)];
  apikeys_query *query = apikeys_query_new(
      kind, index, random_below(2) == 0 ? APIKEYS_SCOPE_ANY : 1 + (int)random_below(3),
      organization, strlen(organization));
  ck_assert_ptr_nonnull(query);
  apikeys_record *like = new_record(kind);
  randomize(like, domain);
  apikeys_record_set_integer(like, NUMBER, random_below(domain));
  int fields = apikeys_schema_index_field_count(kind, index);
  /* NULL as a value is refused; then the query stays wider. */
  (void)apikeys_query_set_equal(query, like, (int)random_below((unsigned)fields + 1));
  if (random_below(3) == 0)
    (void)apikeys_query_set_lower(query, like);
  randomize(like, domain);
  apikeys_record_set_integer(like, NUMBER, 1 + random_below(domain));
  if (random_below(3) == 0)
    (void)apikeys_query_set_upper(query, like);
  if (random_below(4) == 0) {
    int field = (int)random_below((unsigned)apikeys_schema_field_count(kind));
    const char *text = texts[random_below(sizeof texts / sizeof texts[0])];
    (void)apikeys_query_set_contains(query, field, text, strlen(text));
  }
  apikeys_query_set_descending(query, (int)random_below(2));
  apikeys_query_set_limit(query, random_below(2) == 0 ? 0 : random_below(9));
  apikeys_record_free(like);
  return query;
}

static void insert_random(struct model *model, apikeys_transaction *transaction, unsigned domain) {
  apikeys_record *record = new_record(model->kind);
  randomize(record, domain);
  bool collides = model_collides(model, record, -1);
  ck_assert_int_eq(insert(transaction, record), collides ? APIKEYS_ERROR_EXISTS : APIKEYS_OK);
  if (collides || model->count == MODEL_MAX) {
    apikeys_record_free(record);
    return;
  }
  for (int i = 0; i < model->count; i++)
    REQUIRE(number_of(record) > number_of(model->records[i]));
  model->records[model->count++] = record;
}

static void update_random(struct model *model, apikeys_transaction *transaction, unsigned domain) {
  int at = (int)random_below((unsigned)model->count);
  apikeys_record *record = new_record(model->kind);
  randomize(record, domain);
  apikeys_record_set_integer(record, NUMBER, number_of(model->records[at]));
  bool collides = model_collides(model, record, number_of(record));
  ck_assert_int_eq(update(transaction, record), collides ? APIKEYS_ERROR_EXISTS : APIKEYS_OK);
  if (!collides)
    ck_assert_int_eq(apikeys_record_copy(model->records[at], record), APIKEYS_OK);
  apikeys_record_free(record);
}

static void remove_random(struct model *model, apikeys_transaction *transaction) {
  int at = (int)random_below((unsigned)model->count);
  apikeys_record *record = model->records[at];
  ck_assert_int_eq(remove_number(transaction, model->kind, number_of(record)), APIKEYS_OK);
  apikeys_record_free(record);
  model->records[at] = model->records[--model->count];
}

static void change_at_random(struct model *model, apikeys_transaction *transaction,
                             unsigned domain) {
  switch (model->count == 0 ? 0 : random_below(4)) {
  case 0:
  case 1:
    insert_random(model, transaction, domain);
    break;
  case 2:
    update_random(model, transaction, domain);
    break;
  default:
    remove_random(model, transaction);
  }
}

/* ------------------------------------------------------------------------ one at a time ------- */

START_TEST(the_struct_is_one) {
  ck_assert_uint_ge(store.struct_size, sizeof store.struct_size);
  ck_assert(store.destroy != NULL && store.begin != NULL && store.commit != NULL &&
            store.rollback != NULL && store.get != NULL && store.insert != NULL &&
            store.update != NULL && store.remove != NULL && store.count != NULL &&
            store.scan != NULL && store.raise != NULL);
  if ((store.capabilities & (APIKEYS_STORAGE_DURABLE | APIKEYS_STORAGE_MANY_PROCESSES)) != 0)
    ck_assert_msg(under_test->reopen != NULL, "a promise that cannot be checked: give a reopen");
}
END_TEST

START_TEST(a_new_store_is_empty) {
  apikeys_transaction *transaction = begin_read();
  apikeys_record *record = new_record(_i);
  fill(record, 1);
  assert_absent(transaction, record);
  ck_assert_uint_eq(count_all(transaction, _i), 0);
  store.rollback(store.self, transaction);
  apikeys_record_free(record);
}
END_TEST

START_TEST(a_record_comes_back_as_it_went) {
  apikeys_record *record = new_record(_i);
  apikeys_transaction *transaction = begin_write();
  fill(record, 1);
  ck_assert_int_eq(apikeys_record_set_integer(record, NUMBER, 4711), APIKEYS_OK);
  ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
  ck_assert_msg(number_of(record) > 0 && number_of(record) != 4711,
                "the number is the store's to give");
  assert_stored(transaction, record); /* its own change */
  commit(transaction);

  transaction = begin_read();
  assert_stored(transaction, record);
  commit(transaction);
  apikeys_record_free(record);
}
END_TEST

START_TEST(an_update_replaces_every_field) {
  apikeys_record *record = new_record(_i);
  apikeys_record *other = new_record(_i);
  apikeys_record *before;
  apikeys_transaction *transaction = begin_write();
  fill(record, 1);
  ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
  before = copy_of(record);
  fill(other, 3);
  ck_assert_int_eq(insert(transaction, other), APIKEYS_OK);
  fill(record, 2);
  apikeys_record_set_integer(record, NUMBER, number_of(before));
  ck_assert_int_eq(update(transaction, record), APIKEYS_OK);
  assert_stored(transaction, record);
  commit(transaction);

  transaction = begin_read();
  assert_stored(transaction, record);
  assert_stored(transaction, other);
  assert_absent(transaction, before);
  ck_assert_uint_eq(count_all(transaction, _i), 2);
  commit(transaction);
  apikeys_record_free(record);
  apikeys_record_free(other);
  apikeys_record_free(before);
}
END_TEST

START_TEST(what_is_removed_is_gone) {
  apikeys_record *record = new_record(_i);
  apikeys_transaction *transaction = begin_write();
  fill(record, 1);
  ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
  commit(transaction);

  transaction = begin_write();
  ck_assert_int_eq(remove_number(transaction, _i, number_of(record)), APIKEYS_OK);
  assert_absent(transaction, record);
  ck_assert_int_eq(remove_number(transaction, _i, number_of(record)), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(update(transaction, record), APIKEYS_ERROR_NOT_FOUND);
  commit(transaction);

  transaction = begin_write();
  assert_absent(transaction, record);
  ck_assert_int_eq(insert(transaction, record), APIKEYS_OK); /* its ids are free again */
  commit(transaction);
  apikeys_record_free(record);
}
END_TEST

START_TEST(what_is_not_there_is_not_found) {
  apikeys_record *record = new_record(_i);
  apikeys_transaction *transaction = begin_write();
  fill(record, 1);
  ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
  int64_t number = number_of(record);
  fill(record, 2);
  apikeys_record_set_integer(record, NUMBER, number + 1);
  ck_assert_int_eq(update(transaction, record), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(remove_number(transaction, _i, number + 1), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(remove_number(transaction, _i, 0), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(remove_number(transaction, _i, -number), APIKEYS_ERROR_NOT_FOUND);
  assert_absent(transaction, record);
  ck_assert_uint_eq(count_all(transaction, _i), 1); /* the transaction goes on */
  commit(transaction);
  apikeys_record_free(record);
}
END_TEST

/* NULL is not "", and "" is not NULL. */
START_TEST(empty_values_are_not_null) {
  apikeys_record *null = new_record(_i);
  apikeys_record *empty = new_record(_i);
  fill(null, 1);
  fill(empty, 2);
  for (int field = ID + 1; field < apikeys_schema_field_count(_i); field++) {
    if (apikeys_schema_field_nullable(_i, field))
      apikeys_record_set_null(null, field);
    if (!tells_apart(_i, field))
      set_value(empty, field, "", 0);
  }
  apikeys_transaction *transaction = begin_write();
  ck_assert_int_eq(insert(transaction, null), APIKEYS_OK);
  ck_assert_int_eq(insert(transaction, empty), APIKEYS_OK);
  commit(transaction);
  transaction = begin_read();
  assert_stored(transaction, null);
  assert_stored(transaction, empty);
  commit(transaction);
  apikeys_record_free(null);
  apikeys_record_free(empty);
}
END_TEST

enum { LONG = 70001 };

static void set_long(apikeys_record *record, int field, unsigned char *bytes) {
  if (apikeys_schema_field_type(apikeys_record_kind(record), field) == APIKEYS_TYPE_BLOB) {
    for (size_t i = 0; i < LONG; i++)
      bytes[i] = (unsigned char)(i * 7); /* every byte, NUL too */
    ck_assert_int_eq(apikeys_record_set_blob(record, field, bytes, LONG), APIKEYS_OK);
  } else if (apikeys_schema_field_type(apikeys_record_kind(record), field) == APIKEYS_TYPE_TEXT) {
    for (size_t i = 0; i < LONG; i++)
      bytes[i] = (unsigned char)('!' + i % 90);
    ck_assert_int_eq(apikeys_record_set_text(record, field, (const char *)bytes, LONG), APIKEYS_OK);
  } else {
    ck_assert_int_eq(apikeys_record_set_integer(record, field, INT64_MIN), APIKEYS_OK);
  }
}

START_TEST(long_values_are_kept_whole) {
  unsigned char *bytes = malloc(LONG);
  apikeys_record *record = new_record(_i);
  ck_assert_ptr_nonnull(bytes);
  fill(record, 1);
  for (int field = ID + 1; field < apikeys_schema_field_count(_i); field++)
    if (!is_indexed(_i, field))
      set_long(record, field, bytes);
  apikeys_transaction *transaction = begin_write();
  ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
  commit(transaction);
  transaction = begin_read();
  assert_stored(transaction, record);
  commit(transaction);
  apikeys_record_free(record);
  free(bytes);
}
END_TEST

START_TEST(every_index_finds_every_record) {
  apikeys_record *records[9];
  apikeys_record *found = new_record(_i);
  apikeys_transaction *transaction = begin_write();
  for (unsigned n = 0; n < 9; n++) {
    records[n] = new_record(_i);
    fill(records[n], n);
    ck_assert_int_eq(insert(transaction, records[n]), APIKEYS_OK);
  }
  for (int index = 0; index < apikeys_schema_index_count(_i); index++)
    for (int n = 0; n < 9; n++) {
      int fields = apikeys_schema_index_field_count(_i, index);
      apikeys_query *query = query_like(records[n], index, fields);
      if (fields == 0) /* the order of numbers: ask for those from this on */
        ck_assert_int_eq(apikeys_query_set_lower(query, records[n]), APIKEYS_OK);
      ck_assert_int_eq(get(transaction, query, found), APIKEYS_OK);
      assert_same(found, records[n]);
      ck_assert_uint_eq(count(transaction, query), fields == 0 ? 9 - (uint64_t)n : 1);
      apikeys_query_free(query);
    }
  commit(transaction);
  for (int n = 0; n < 9; n++)
    apikeys_record_free(records[n]);
  apikeys_record_free(found);
}
END_TEST

START_TEST(a_sparse_index_leaves_null_out) {
  apikeys_record *with = new_record(_i);
  apikeys_record *without[2] = {new_record(_i), new_record(_i)};
  apikeys_transaction *transaction = begin_write();
  fill(with, 1);
  ck_assert_int_eq(insert(transaction, with), APIKEYS_OK);
  for (int n = 0; n < 2; n++) {
    fill(without[n], 2 + (unsigned)n);
    for (int index = 0; index < apikeys_schema_index_count(_i); index++)
      if (apikeys_schema_index_sparse(_i, index))
        apikeys_record_set_null(without[n], apikeys_schema_index_field(_i, index, 0));
    /* Two without a value do not collide where the index is unique. */
    ck_assert_int_eq(insert(transaction, without[n]), APIKEYS_OK);
  }
  for (int index = 0; index < apikeys_schema_index_count(_i); index++) {
    apikeys_query *query = new_query(_i, index);
    ck_assert_uint_eq(count(transaction, query), apikeys_schema_index_sparse(_i, index) ? 1 : 3);
    apikeys_query_free(query);
  }
  commit(transaction);
  apikeys_record_free(with);
  apikeys_record_free(without[0]);
  apikeys_record_free(without[1]);
}
END_TEST

/* -------------------------------------------------------------------------- unique ------------ */

/* `record` gets the values that `other` has in the index. */
static void take_values(apikeys_record *record, const apikeys_record *other, int index) {
  int kind = apikeys_record_kind(record);
  for (int i = 0; i < apikeys_schema_index_field_count(kind, index); i++) {
    int field = apikeys_schema_index_field(kind, index, i);
    if (apikeys_schema_field_type(kind, field) == APIKEYS_TYPE_INTEGER)
      apikeys_record_set_integer(record, field, apikeys_record_integer(other, field));
    else
      set_any_text(record, field, apikeys_record_text(other, field, NULL));
  }
}

START_TEST(a_collision_changes_nothing) {
  for (int index = 0; index < apikeys_schema_index_count(_i); index++) {
    if (!apikeys_schema_index_unique(_i, index))
      continue;
    unsigned base = 10 * (unsigned)index;
    apikeys_record *first = new_record(_i), *second = new_record(_i), *third = new_record(_i);
    apikeys_transaction *transaction = begin_write();
    uint64_t before = count_all(transaction, _i);
    fill(first, base + 1);
    ck_assert_int_eq(insert(transaction, first), APIKEYS_OK);
    fill(second, base + 2);
    take_values(second, first, index);
    ck_assert_int_eq(insert(transaction, second), APIKEYS_ERROR_EXISTS);
    assert_stored(transaction, first);
    ck_assert_uint_eq(count_all(transaction, _i), before + 1);

    fill(second, base + 2); /* as it should be; then it tries to become the first */
    ck_assert_int_eq(insert(transaction, second), APIKEYS_OK);
    apikeys_record *changed = copy_of(second);
    take_values(changed, first, index);
    ck_assert_int_eq(update(transaction, changed), APIKEYS_ERROR_EXISTS);
    assert_stored(transaction, first);
    assert_stored(transaction, second);

    fill(third, base + 3);
    ck_assert_int_eq(insert(transaction, third), APIKEYS_OK);
    ck_assert_int_eq(update(transaction, third), APIKEYS_OK); /* with itself nothing collides */
    commit(transaction);

    transaction = begin_read();
    assert_stored(transaction, first);
    assert_stored(transaction, second);
    assert_stored(transaction, third);
    ck_assert_uint_eq(count_all(transaction, _i), before + 3);
    commit(transaction);
    apikeys_record_free(first);
    apikeys_record_free(second);
    apikeys_record_free(third);
    apikeys_record_free(changed);
  }
}
END_TEST

/* -------------------------------------------------------------------------- numbers ----------- */

START_TEST(numbers_ascend_and_are_not_used_again) {
  apikeys_record *record = new_record(_i);
  int64_t last = 0;
  for (unsigned n = 0; n < 12; n++) {
    apikeys_transaction *transaction = begin_write();
    fill(record, n);
    ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
    if (n % 4 == 3) { /* what is rolled back never was, and takes nothing back */
      store.rollback(store.self, transaction);
      continue;
    }
    ck_assert_int_gt(number_of(record), last);
    last = number_of(record);
    if (n % 4 == 1) /* removed where it was made */
      ck_assert_int_eq(remove_number(transaction, _i, last), APIKEYS_OK);
    commit(transaction);
    if (n % 4 == 2) { /* removed later, as the highest there is */
      transaction = begin_write();
      ck_assert_int_eq(remove_number(transaction, _i, last), APIKEYS_OK);
      commit(transaction);
    }
  }
  apikeys_record_free(record);
}
END_TEST

/* ------------------------------------------------------------------------- rollback ----------- */

static void insert_many(struct model *model, unsigned domain, int how_many) {
  apikeys_transaction *transaction = begin_write();
  for (int i = 0; i < how_many; i++)
    insert_random(model, transaction, domain);
  commit(transaction);
}

static void assert_holds(apikeys_transaction *transaction, const struct model *model) {
  for (int index = 0; index < apikeys_schema_index_count(model->kind); index++) {
    apikeys_query *query = new_query(model->kind, index);
    assert_answers(transaction, model, query);
    apikeys_query_free(query);
  }
}

START_TEST(a_rollback_restores_everything) {
  struct model kept = {.kind = _i}, changed;
  seed_random(_i);
  insert_many(&kept, 1000, 25);
  for (int round = 0; round < 4; round++) {
    model_copy(&changed, &kept);
    apikeys_transaction *transaction = begin_write();
    for (int i = 0; i < 30; i++)
      change_at_random(&changed, transaction, 40);
    assert_holds(transaction, &changed);
    store.rollback(store.self, transaction);
    transaction = begin_read();
    assert_holds(transaction, &kept);
    commit(transaction);
    model_free(&changed);
  }
  model_free(&kept);
}
END_TEST

/* --------------------------------------------------------------------- order and ranges ------- */

/* Every index, every number of values, no bound, one, or two, both directions, several limits. */
START_TEST(answers_come_in_order_and_in_bounds) {
  struct model model = {.kind = _i};
  seed_random(100 + _i);
  insert_many(&model, 1000, 60);
  apikeys_transaction *transaction = begin_read();
  for (int index = 0; index < apikeys_schema_index_count(_i); index++)
    for (int equal = 0; equal <= apikeys_schema_index_field_count(_i, index); equal++)
      for (int shape = 0; shape < 4 * 2 * 3; shape++) {
        static const size_t limits[] = {0, 1, 7};
        const apikeys_record *one = model.records[random_below((unsigned)model.count)];
        const apikeys_record *two = model.records[random_below((unsigned)model.count)];
        apikeys_query *query = new_query(_i, index);
        (void)apikeys_query_set_equal(query, one, equal); /* refused where the value is NULL */
        if ((shape & 1) != 0)
          (void)apikeys_query_set_lower(query, one);
        if ((shape & 2) != 0)
          (void)apikeys_query_set_upper(query, two);
        apikeys_query_set_descending(query, (shape & 4) != 0);
        apikeys_query_set_limit(query, limits[shape / 8]);
        assert_answers(transaction, &model, query);
        apikeys_query_free(query);
      }
  commit(transaction);
  model_free(&model);
}
END_TEST

/* --------------------------------------------------------------------------- scopes ----------- */

static const char *scope_text(const apikeys_record *record) {
  int field = apikeys_schema_scope_field(apikeys_record_kind(record));
  return field < 0 ? "" : apikeys_record_text(record, field, NULL);
}

static void assert_scope(apikeys_transaction *transaction, const struct model *model, int index,
                         int scope, const char *organization) {
  int field = apikeys_schema_scope_field(model->kind);
  uint64_t expected = 0;
  for (int i = 0; i < model->count; i++) {
    struct index_key key;
    const char *text = scope_text(model->records[i]);
    bool in =
        scope == APIKEYS_SCOPE_ANY || (scope == APIKEYS_SCOPE_ENVIRONMENT && text[0] == '\0') ||
        (scope == APIKEYS_SCOPE_ORGANIZATION && field >= 0 && strcmp(text, organization) == 0);
    expected += in && make_key(&key, model->records[i], index);
  }
  apikeys_query *query =
      apikeys_query_new(model->kind, index, scope, organization, strlen(organization));
  ck_assert_ptr_nonnull(query);
  ck_assert_uint_eq(count(transaction, query), expected);
  assert_answers(transaction, model, query);
  apikeys_query_free(query);
}

START_TEST(a_scope_shows_its_own_records_only) {
  struct model model = {.kind = _i};
  seed_random(200 + _i);
  insert_many(&model, 1000, 40);
  apikeys_transaction *transaction = begin_read();
  for (int index = 0; index < apikeys_schema_index_count(_i); index++) {
    assert_scope(transaction, &model, index, APIKEYS_SCOPE_ANY, "");
    assert_scope(transaction, &model, index, APIKEYS_SCOPE_ENVIRONMENT, "");
    assert_scope(transaction, &model, index, APIKEYS_SCOPE_ORGANIZATION, "org_a");
    assert_scope(transaction, &model, index, APIKEYS_SCOPE_ORGANIZATION, "org_none");
    if (apikeys_schema_scope_field(_i) == ID)
      assert_scope(transaction, &model, index, APIKEYS_SCOPE_ORGANIZATION,
                   scope_text(model.records[0]));
  }
  commit(transaction);
  model_free(&model);
}
END_TEST

/* Somebody who knows a record's id does not get it under another organization's scope. */
START_TEST(a_known_id_does_not_open_another_scope) {
  int field = apikeys_schema_scope_field(_i);
  if (field < 0)
    return;
  apikeys_record *record = new_record(_i), *found = new_record(_i);
  apikeys_transaction *transaction = begin_write();
  fill(record, 1);
  set_any_text(record, field, "org_owner");
  ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
  static const struct {
    int scope;
    const char *organization;
    int expected;
  } cases[] = {{APIKEYS_SCOPE_ORGANIZATION, "org_owner", APIKEYS_OK},
               {APIKEYS_SCOPE_ORGANIZATION, "org_other", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ORGANIZATION, "org_owne", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ORGANIZATION, "org_owner2", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ORGANIZATION, "ORG_OWNER", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ORGANIZATION, "org%", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ENVIRONMENT, "", APIKEYS_ERROR_NOT_FOUND},
               {APIKEYS_SCOPE_ANY, "", APIKEYS_OK}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    apikeys_query *query = apikeys_query_new(_i, 0, cases[i].scope, cases[i].organization,
                                             strlen(cases[i].organization));
    ck_assert_int_eq(apikeys_query_set_equal(query, record, 1), APIKEYS_OK);
    ck_assert_int_eq(get(transaction, query, found), cases[i].expected);
    ck_assert_uint_eq(count(transaction, query), cases[i].expected == APIKEYS_OK);
    apikeys_query_free(query);
  }
  commit(transaction);
  apikeys_record_free(record);
  apikeys_record_free(found);
}
END_TEST

START_TEST(conditions_are_met) {
  struct model model = {.kind = _i};
  seed_random(300 + _i);
  insert_many(&model, 1000, 40);
  apikeys_transaction *transaction = begin_read();
  for (int field = 0; field < apikeys_schema_field_count(_i); field++)
    for (int i = 0; i < (int)(sizeof texts / sizeof texts[0]); i++) {
      if (apikeys_schema_field_type(_i, field) != APIKEYS_TYPE_TEXT)
        continue;
      apikeys_query *query = new_query(_i, (field + i) % apikeys_schema_index_count(_i));
      ck_assert_int_eq(apikeys_query_set_contains(query, field, texts[i], strlen(texts[i])),
                       APIKEYS_OK);
      apikeys_query_set_limit(query, (size_t)i % 3); /* of what meets it, not of what is seen */
      assert_answers(transaction, &model, query);
      apikeys_query_free(query);
    }
  commit(transaction);
  model_free(&model);
}
END_TEST

/* ---------------------------------------------------------------------------- raise ----------- */

START_TEST(raise_never_goes_back) {
  for (int field = ID + 1; field < apikeys_schema_field_count(_i); field++) {
    if (apikeys_schema_field_type(_i, field) != APIKEYS_TYPE_INTEGER)
      continue;
    static const struct {
      int64_t given, expected;
    } steps[] = {{100, 100}, {50, 100}, {100, 100}, {101, 101}, {-1, 101}, {INT64_MAX, INT64_MAX}};
    apikeys_record *record = new_record(_i), *expected = new_record(_i);
    apikeys_transaction *transaction = begin_write();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
      /* Only the id and the field count, once it is there: the rest is another each time. */
      fill(record, 1000 * (unsigned)field + (unsigned)i);
      if (i > 0)
        set_any_text(record, ID, apikeys_record_text(expected, ID, NULL));
      apikeys_record_set_integer(record, field, steps[i].given);
      ck_assert_int_eq(store.raise(store.self, transaction, record, field), APIKEYS_OK);
      if (i == 0) {
        ck_assert_int_eq(get_id(transaction, record, expected), APIKEYS_OK); /* it was inserted */
        ck_assert_int_gt(number_of(expected), 0);
        apikeys_record_set_integer(record, NUMBER, number_of(expected));
        assert_same(expected, record);
      }
      apikeys_record_set_integer(expected, field, steps[i].expected);
      assert_stored(transaction, expected);
    }
    commit(transaction);
    transaction = begin_read();
    assert_stored(transaction, expected);
    commit(transaction);
    apikeys_record_free(record);
    apikeys_record_free(expected);
  }
}
END_TEST

START_TEST(a_raise_is_rolled_back) {
  apikeys_record *record = new_record(_i);
  int field = apikeys_schema_field_count(_i) - 1;
  while (field > ID && apikeys_schema_field_type(_i, field) != APIKEYS_TYPE_INTEGER)
    field--;
  if (field > ID) {
    apikeys_transaction *transaction = begin_write();
    fill(record, 1);
    ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
    commit(transaction);
    apikeys_record *higher = copy_of(record);
    apikeys_record_set_integer(higher, field, INT64_MAX);
    transaction = begin_write();
    ck_assert_int_eq(store.raise(store.self, transaction, higher, field), APIKEYS_OK);
    assert_stored(transaction, higher);
    store.rollback(store.self, transaction);
    transaction = begin_read();
    assert_stored(transaction, record);
    commit(transaction);
    apikeys_record_free(higher);
  }
  apikeys_record_free(record);
}
END_TEST

/* ---------------------------------------------------------------------------- scans ----------- */

struct stop {
  int after;
  int with;
  int calls;
};

static int stop_after(const apikeys_record *record, void *visit_data) {
  struct stop *stop = visit_data;
  (void)record;
  return ++stop->calls >= stop->after ? stop->with : 0;
}

START_TEST(a_visitor_ends_the_scan_with_its_number) {
  static const int numbers[] = {
      1, 7, -7, APIKEYS_ERROR_NOT_FOUND, APIKEYS_ERROR_EXISTS, INT32_MAX, INT32_MIN};
  struct model model = {.kind = _i};
  seed_random(400 + _i);
  insert_many(&model, 1000, 10);
  apikeys_transaction *transaction = begin_read();
  apikeys_query *query = new_query(_i, 0);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    for (int after = 1; after <= model.count; after += model.count - 1) {
      struct stop stop = {.after = after, .with = numbers[i]};
      ck_assert_int_eq(store.scan(store.self, transaction, query, stop_after, &stop), numbers[i]);
      ck_assert_int_eq(stop.calls, after);
    }
  assert_answers(transaction, &model, query); /* nothing is left over */
  apikeys_query_free(query);
  commit(transaction);
  model_free(&model);
}
END_TEST

/* The kind that pages by number: with an index of no fields. */
static int kind_by_number(int *index) {
  for (int kind = 1; kind <= apikeys_schema_kind_count(); kind++)
    for (*index = 0; *index < apikeys_schema_index_count(kind); (*index)++)
      if (apikeys_schema_index_field_count(kind, *index) == 0)
        return kind;
  ck_abort_msg("no kind has an order of numbers");
  return 0;
}

struct page {
  int64_t previous;
  int64_t last;
  int count;
  int descending;
};

static int turn_page(const apikeys_record *record, void *visit_data) {
  struct page *page = visit_data;
  page->previous = page->last;
  page->last = number_of(record);
  page->count++;
  if (page->count == 1)
    return 0;
  return page->descending ? page->last >= page->previous : page->last <= page->previous;
}

enum { PAGE = 100 };

START_TEST(many_records_are_paged_through) {
  int index, kind = kind_by_number(&index), descending = _i;
  unsigned many = under_test->many_records > 0 ? under_test->many_records : 10000;
  apikeys_record *record = new_record(kind);
  apikeys_transaction *transaction = begin_write();
  for (unsigned n = 0; n < many; n++) {
    fill(record, n);
    REQUIRE(insert(transaction, record) == APIKEYS_OK);
  }
  commit(transaction);
  transaction = begin_read();
  ck_assert_uint_eq(count_all(transaction, kind), many);
  commit(transaction);

  struct page page = {.descending = descending, .last = descending ? INT64_MAX : -1};
  int total = 0, pages = 0;
  do {
    apikeys_query *query = new_query(kind, index);
    apikeys_record_set_integer(record, NUMBER, descending ? page.last : page.last + 1);
    ck_assert_int_eq(descending ? apikeys_query_set_upper(query, record)
                                : apikeys_query_set_lower(query, record),
                     APIKEYS_OK);
    apikeys_query_set_descending(query, descending);
    apikeys_query_set_limit(query, PAGE);
    page.count = 0;
    transaction = begin_read(); /* pages are read in transactions of their own */
    ck_assert_int_eq(store.scan(store.self, transaction, query, turn_page, &page), 0);
    commit(transaction);
    apikeys_query_free(query);
    total += page.count;
    pages += page.count > 0;
  } while (page.count > 0);
  ck_assert_uint_eq((unsigned)total, many);
  ck_assert_uint_eq((unsigned)pages, many / PAGE);
  apikeys_record_free(record);
}
END_TEST

/* -------------------------------------------------------------------- anything at all --------- */

START_TEST(random_changes_agree_with_a_model) {
  enum { DOMAIN = 40 };
  struct model model = {.kind = _i}, before;
  seed_random(500 + _i);
  for (int round = 0; round < rounds(12); round++) {
    model_copy(&before, &model);
    apikeys_transaction *transaction = begin_write();
    for (int i = 0; i < 12; i++) {
      change_at_random(&model, transaction, DOMAIN);
      apikeys_query *query = random_query(_i, DOMAIN);
      assert_answers(transaction, &model, query);
      apikeys_query_free(query);
    }
    if (random_below(3) == 0) {
      store.rollback(store.self, transaction);
      model_free(&model);
      model = before;
    } else {
      commit(transaction);
      model_free(&before);
    }
    transaction = begin_read();
    for (int i = 0; i < 12; i++) {
      apikeys_query *query = random_query(_i, DOMAIN);
      assert_answers(transaction, &model, query);
      apikeys_query_free(query);
    }
    commit(transaction);
  }
  model_free(&model);
}
END_TEST

/* ------------------------------------------------------------------------- isolation ---------- */

START_TEST(a_reader_keeps_its_state) {
  if (!under_test->snapshots)
    return;
  struct model old = {.kind = _i}, new;
  seed_random(600 + _i);
  insert_many(&old, 1000, 20);
  model_copy(&new, &old);
  apikeys_transaction *reader = begin_read();
  assert_holds(reader, &old);
  apikeys_transaction *writer = begin_write();
  for (int i = 0; i < 20; i++) {
    change_at_random(&new, writer, 1000);
    if (i % 10 == 0)
      assert_holds(reader, &old);
  }
  commit(writer);
  assert_holds(reader, &old);
  apikeys_transaction *later = begin_read();
  assert_holds(later, &new);
  assert_holds(reader, &old);
  commit(reader);
  commit(later);
  model_free(&old);
  model_free(&new);
}
END_TEST

/*
 * Threads. Two records hold the same value, which every write transaction raises in both. A
 * number of commits that returned is kept beside: no reader may see less than it was before the
 * reader began, and none may see the two differ, first or later.
 */
struct race {
  apikeys_storage *storage;
  int kind;
  int field;
  int writes;
  _Atomic int64_t committed;
  _Atomic bool done;
  _Atomic int failures;
  _Atomic int reads;
};

static void expect(struct race *race, bool good) {
  if (!good)
    atomic_fetch_add(&race->failures, 1);
}

static int integer_field(int kind) {
  for (int field = ID + 1; field < apikeys_schema_field_count(kind); field++)
    if (apikeys_schema_field_type(kind, field) == APIKEYS_TYPE_INTEGER && !is_indexed(kind, field))
      return field;
  return -1;
}

/* Reads one of the two by id, with what the thread prepared. */
static int64_t read_one(struct race *race, apikeys_transaction *transaction,
                        const apikeys_query *query, apikeys_record *out) {
  int rc = race->storage->get(race->storage->self, transaction, query, out);
  expect(race, rc == APIKEYS_OK);
  return rc == APIKEYS_OK ? apikeys_record_integer(out, race->field) : -1;
}

/* Threads other than the first make no assertion of Check's; they count failures. */
struct pair {
  apikeys_query *queries[2];
  apikeys_record *record;
};

static void pair_init(struct pair *pair, int kind) {
  pair->record = apikeys_record_new(kind);
  for (unsigned n = 0; n < 2; n++) {
    char id[32];
    snprintf(id, sizeof id, "field %d of %06u", ID, n); /* as fill() names them */
    (void)apikeys_record_set_text(pair->record, ID, id, strlen(id));
    pair->queries[n] = apikeys_query_new(kind, 0, APIKEYS_SCOPE_ANY, NULL, 0);
    (void)apikeys_query_set_equal(pair->queries[n], pair->record, 1);
  }
}

static void pair_free(struct pair *pair) {
  apikeys_record_free(pair->record);
  apikeys_query_free(pair->queries[0]);
  apikeys_query_free(pair->queries[1]);
}

static void raise_both(struct race *race, struct pair *pair, bool keep) {
  apikeys_storage *storage = race->storage;
  apikeys_transaction *transaction = NULL;
  if (try_begin(storage, APIKEYS_TRANSACTION_WRITE, &transaction) != APIKEYS_OK) {
    expect(race, false);
    return;
  }
  int64_t value = 0;
  for (int n = 0; n < 2; n++) {
    value = read_one(race, transaction, pair->queries[n], pair->record) + 1;
    (void)apikeys_record_set_integer(pair->record, race->field, value);
    expect(race, storage->update(storage->self, transaction, pair->record) == APIKEYS_OK);
  }
  if (!keep) {
    storage->rollback(storage->self, transaction);
    return;
  }
  expect(race, storage->commit(storage->self, transaction) == APIKEYS_OK);
  int64_t known = atomic_load(&race->committed);
  while (known < value && !atomic_compare_exchange_weak(&race->committed, &known, value))
    ;
}

static void *write_pairs(void *argument) {
  struct race *race = argument;
  struct pair pair;
  pair_init(&pair, race->kind);
  for (int i = 0; i < race->writes; i++) {
    raise_both(race, &pair, true);
    raise_both(race, &pair, false);
  }
  pair_free(&pair);
  return NULL;
}

static void *read_pairs(void *argument) {
  struct race *race = argument;
  struct pair pair;
  pair_init(&pair, race->kind);
  do {
    apikeys_transaction *transaction = NULL;
    int64_t floor = atomic_load(&race->committed);
    if (try_begin(race->storage, APIKEYS_TRANSACTION_READ, &transaction) != APIKEYS_OK) {
      expect(race, false);
      break;
    }
    int64_t first = read_one(race, transaction, pair.queries[0], pair.record);
    int64_t second = read_one(race, transaction, pair.queries[1], pair.record);
    int64_t again = read_one(race, transaction, pair.queries[0], pair.record);
    expect(race, first >= floor && first == second && first == again);
    expect(race, race->storage->commit(race->storage->self, transaction) == APIKEYS_OK);
    atomic_fetch_add(&race->reads, 1);
  } while (!atomic_load(&race->done));
  pair_free(&pair);
  return NULL;
}

static void prepare_race(struct race *race, apikeys_storage *storage) {
  int index;
  race->storage = storage;
  race->kind = kind_by_number(&index);
  race->field = integer_field(race->kind);
  race->writes = rounds(60);
  ck_assert_int_gt(race->field, 0);
  apikeys_record *record = new_record(race->kind);
  apikeys_transaction *transaction = begin_write();
  for (unsigned n = 0; n < 2; n++) {
    fill(record, n);
    apikeys_record_set_integer(record, race->field, 0);
    ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
  }
  commit(transaction);
  apikeys_record_free(record);
}

static void assert_raised_to(struct race *race, int64_t expected) {
  struct pair pair;
  pair_init(&pair, race->kind);
  apikeys_transaction *transaction = begin_read();
  for (int n = 0; n < 2; n++)
    ck_assert_int_eq(read_one(race, transaction, pair.queries[n], pair.record), expected);
  commit(transaction);
  pair_free(&pair);
  ck_assert_int_eq(atomic_load(&race->failures), 0);
}

START_TEST(threads_see_whole_commits_and_new_ones) {
  enum { WRITERS = 2, READERS = 3 };
  struct race race = {.done = false};
  pthread_t writers[WRITERS], readers[READERS];
  prepare_race(&race, &store);
  for (int i = 0; i < READERS; i++)
    ck_assert_int_eq(pthread_create(&readers[i], NULL, read_pairs, &race), 0);
  for (int i = 0; i < WRITERS; i++)
    ck_assert_int_eq(pthread_create(&writers[i], NULL, write_pairs, &race), 0);
  for (int i = 0; i < WRITERS; i++)
    pthread_join(writers[i], NULL);
  atomic_store(&race.done, true);
  for (int i = 0; i < READERS; i++)
    pthread_join(readers[i], NULL);
  ck_assert_int_ge(atomic_load(&race.reads), READERS);
  assert_raised_to(&race, (int64_t)WRITERS * race.writes); /* and no write was lost */
}
END_TEST

/* A reader that began sees one state while others write, also where those have to wait for it. */
static void *write_while_read(void *argument) {
  struct race *race = argument;
  struct pair pair;
  pair_init(&pair, race->kind);
  raise_both(race, &pair, true);
  pair_free(&pair);
  return NULL;
}

START_TEST(a_reader_sees_one_state_while_others_write) {
  struct race race = {.done = false};
  struct pair pair;
  prepare_race(&race, &store);
  pair_init(&pair, race.kind);
  for (int round = 0; round < rounds(20); round++) {
    pthread_t writer;
    apikeys_transaction *reader = begin_read();
    int64_t value = read_one(&race, reader, pair.queries[0], pair.record);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_while_read, &race), 0);
    for (int i = 0; i < 50; i++)
      ck_assert_int_eq(read_one(&race, reader, pair.queries[i % 2], pair.record), value);
    commit(reader);
    pthread_join(writer, NULL);
    assert_raised_to(&race, value + 1);
  }
  pair_free(&pair);
}
END_TEST

/* ----------------------------------------------------------- reopened, and opened twice ------- */

START_TEST(what_was_committed_survives) {
  if ((store.capabilities & APIKEYS_STORAGE_DURABLE) == 0)
    return;
  struct model model = {.kind = _i};
  seed_random(700 + _i);
  insert_many(&model, 1000, 30);
  apikeys_transaction *transaction = begin_write();
  for (int i = 0; i < 30; i++)
    change_at_random(&model, transaction, 1000);
  commit(transaction);

  int64_t highest = 0; /* remove the newest: its number must not come again */
  int before = model.count;
  insert_many(&model, 100000, 1);
  ck_assert_int_eq(model.count, before + 1);
  apikeys_record *newest = model.records[model.count - 1];
  highest = number_of(newest);
  transaction = begin_write();
  ck_assert_int_eq(remove_number(transaction, _i, highest), APIKEYS_OK);
  commit(transaction);
  apikeys_record_free(newest);
  model.count--;

  store.destroy(store.self);
  ck_assert_int_eq(under_test->reopen(&store), APIKEYS_OK);
  transaction = begin_write();
  assert_holds(transaction, &model);
  apikeys_record *next = new_record(_i);
  fill(next, 999999);
  ck_assert_int_eq(insert(transaction, next), APIKEYS_OK);
  ck_assert_int_gt(number_of(next), highest);
  commit(transaction);
  apikeys_record_free(next);
  model_free(&model);
}
END_TEST

START_TEST(what_was_not_committed_does_not_survive) {
  if ((store.capabilities & APIKEYS_STORAGE_DURABLE) == 0)
    return;
  apikeys_record *record = new_record(_i);
  fill(record, 1);
  apikeys_transaction *transaction = begin_write();
  ck_assert_int_eq(insert(transaction, record), APIKEYS_OK);
  store.rollback(store.self, transaction);
  store.destroy(store.self);
  ck_assert_int_eq(under_test->reopen(&store), APIKEYS_OK);
  transaction = begin_read();
  ck_assert_uint_eq(count_all(transaction, _i), 0);
  commit(transaction);
  apikeys_record_free(record);
}
END_TEST

static bool two_handles(apikeys_storage *other) {
  if ((store.capabilities & APIKEYS_STORAGE_MANY_PROCESSES) == 0)
    return false;
  memset(other, 0, sizeof *other);
  ck_assert_int_eq(under_test->reopen(other), APIKEYS_OK);
  return true;
}

START_TEST(two_handles_share_one_store) {
  apikeys_storage other;
  if (!two_handles(&other))
    return;
  apikeys_record *record = new_record(_i), *found = new_record(_i);
  apikeys_query *query = new_query(_i, 0);
  int64_t last = 0;
  for (unsigned n = 0; n < 10; n++) { /* by turns; each sees at once what the other did */
    apikeys_storage *writer = n % 2 == 0 ? &store : &other;
    apikeys_storage *reader = n % 2 == 0 ? &other : &store;
    apikeys_transaction *transaction = begin_in(writer, APIKEYS_TRANSACTION_WRITE);
    fill(record, n);
    ck_assert_int_eq(writer->insert(writer->self, transaction, record), APIKEYS_OK);
    ck_assert_int_gt(number_of(record), last);
    last = number_of(record);
    ck_assert_int_eq(writer->commit(writer->self, transaction), APIKEYS_OK);

    transaction = begin_in(reader, APIKEYS_TRANSACTION_WRITE);
    ck_assert_int_eq(apikeys_query_set_equal(query, record, 1), APIKEYS_OK);
    ck_assert_int_eq(reader->get(reader->self, transaction, query, found), APIKEYS_OK);
    assert_same(found, record);
    ck_assert_int_eq(reader->insert(reader->self, transaction, record), APIKEYS_ERROR_EXISTS);
    reader->rollback(reader->self, transaction);
  }
  apikeys_query_free(query);
  apikeys_record_free(record);
  apikeys_record_free(found);
  other.destroy(other.self);
}
END_TEST

START_TEST(two_handles_write_by_turns) {
  apikeys_storage other;
  if (!two_handles(&other))
    return;
  struct race here = {.done = false}, there;
  pthread_t threads[2];
  prepare_race(&here, &store);
  there = (struct race){
      .storage = &other, .kind = here.kind, .field = here.field, .writes = here.writes};
  ck_assert_int_eq(pthread_create(&threads[0], NULL, write_pairs, &here), 0);
  ck_assert_int_eq(pthread_create(&threads[1], NULL, write_pairs, &there), 0);
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  ck_assert_int_eq(atomic_load(&there.failures), 0);
  assert_raised_to(&here, 2 * (int64_t)here.writes);
  other.destroy(other.self);
}
END_TEST

/* --------------------------------------------------------------------------- the suite -------- */

static TCase *new_case(Suite *suite, const char *name) {
  TCase *tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, open_store, close_store);
  suite_add_tcase(suite, tcase);
  return tcase;
}

static Suite *make_suite(void) {
  Suite *suite = suite_create(under_test->name);
  int end = apikeys_schema_kind_count() + 1;

  TCase *basics = new_case(suite, "records");
  tcase_add_test(basics, the_struct_is_one);
  tcase_add_loop_test(basics, a_new_store_is_empty, 1, end);
  tcase_add_loop_test(basics, a_record_comes_back_as_it_went, 1, end);
  tcase_add_loop_test(basics, an_update_replaces_every_field, 1, end);
  tcase_add_loop_test(basics, what_is_removed_is_gone, 1, end);
  tcase_add_loop_test(basics, what_is_not_there_is_not_found, 1, end);
  tcase_add_loop_test(basics, empty_values_are_not_null, 1, end);
  tcase_add_loop_test(basics, long_values_are_kept_whole, 1, end);
  tcase_add_loop_test(basics, a_collision_changes_nothing, 1, end);
  tcase_add_loop_test(basics, numbers_ascend_and_are_not_used_again, 1, end);
  tcase_add_loop_test(basics, a_rollback_restores_everything, 1, end);
  tcase_add_loop_test(basics, raise_never_goes_back, 1, end);
  tcase_add_loop_test(basics, a_raise_is_rolled_back, 1, end);

  TCase *queries = new_case(suite, "queries");
  tcase_add_loop_test(queries, every_index_finds_every_record, 1, end);
  tcase_add_loop_test(queries, a_sparse_index_leaves_null_out, 1, end);
  tcase_add_loop_test(queries, answers_come_in_order_and_in_bounds, 1, end);
  tcase_add_loop_test(queries, a_scope_shows_its_own_records_only, 1, end);
  tcase_add_loop_test(queries, a_known_id_does_not_open_another_scope, 1, end);
  tcase_add_loop_test(queries, conditions_are_met, 1, end);
  tcase_add_loop_test(queries, a_visitor_ends_the_scan_with_its_number, 1, end);
  tcase_add_loop_test(queries, many_records_are_paged_through, 0, 2);
  tcase_add_loop_test(queries, random_changes_agree_with_a_model, 1, end);

  TCase *isolation = new_case(suite, "isolation");
  tcase_add_loop_test(isolation, a_reader_keeps_its_state, 1, end);
  tcase_add_test(isolation, threads_see_whole_commits_and_new_ones);
  tcase_add_test(isolation, a_reader_sees_one_state_while_others_write);

  TCase *handles = new_case(suite, "reopened");
  tcase_add_loop_test(handles, what_was_committed_survives, 1, end);
  tcase_add_loop_test(handles, what_was_not_committed_does_not_survive, 1, end);
  tcase_add_loop_test(handles, two_handles_share_one_store, 1, end);
  tcase_add_test(handles, two_handles_write_by_turns);

  storage_conformance_changes(suite, under_test);
  return suite;
}

int storage_conformance_main(const struct storage_under_test *given) {
  under_test = given;
  SRunner *runner = srunner_create(make_suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
