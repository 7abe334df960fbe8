/* SPDX-License-Identifier: MIT */
#include "conformance_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------- random records, from small sets of values --------- */

static uint64_t random_state;

unsigned cf_random_below(unsigned bound) {
  random_state ^= random_state << 13; /* xorshift64 */
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)((random_state >> 33) % bound);
}

void cf_seed_random(int seed) {
  random_state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(seed + 1);
}

const char *const cf_texts[CF_TEXTS] = {"",
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
  cf_fill(record, cf_random_below(domain));
  for (int field = ID; field < apikeys_schema_field_count(kind); field++) {
    if (field == apikeys_schema_scope_field(kind) && field != ID) {
      static const char *const organizations[] = {"", "org_a", "org_b", "org_B"};
      cf_set_any_text(record, field, organizations[cf_random_below(4)]);
    } else if (apikeys_schema_field_nullable(kind, field) && cf_random_below(3) == 0) {
      REQUIRE(apikeys_record_set_null(record, field) == APIKEYS_OK);
    } else if (cf_tells_apart(kind, field)) {
      char text[32];
      unsigned n = cf_random_below(domain);
      snprintf(text, sizeof text, "%c%u", "xX"[n % 2], n);
      cf_set_value(record, field, text, (int64_t)n - (int64_t)domain / 2);
    } else {
      cf_set_value(record, field, cf_texts[cf_random_below(CF_TEXTS)],
                   integers[cf_random_below(sizeof integers / sizeof integers[0])]);
    }
  }
}

/* --------------------------------------- a model: what the store should hold and answer ------- */

void cf_model_free(struct model *model) {
  for (int i = 0; i < model->count; i++)
    apikeys_record_free(model->records[i]);
  model->count = 0;
}

void cf_model_copy(struct model *to, const struct model *from) {
  to->kind = from->kind;
  to->count = from->count;
  for (int i = 0; i < from->count; i++)
    to->records[i] = cf_copy_of(from->records[i]);
}

bool cf_make_key(struct index_key *key, const apikeys_record *record, int index) {
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
    if (!apikeys_schema_index_unique(model->kind, i) || !cf_make_key(&mine, record, i))
      continue;
    for (int j = 0; j < model->count; j++)
      if (cf_number_of(model->records[j]) != except && cf_make_key(&other, model->records[j], i) &&
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
      REQUIRE(cf_make_key(&answer[found], model->records[i], apikeys_query_index(query)));
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
  seen->records[seen->count++] = cf_copy_of(record);
  return 0;
}

/* scan, get and count answer what the model does. */
void cf_assert_answers(apikeys_transaction *transaction, const struct model *model,
                       const apikeys_query *query) {
  static struct index_key expected[MODEL_MAX];
  int matching = model_answer(model, query, expected);
  ck_assert_uint_eq(cf_count(transaction, query), (uint64_t)matching);

  size_t limit = apikeys_query_limit(query);
  int answered = limit > 0 && limit < (size_t)matching ? (int)limit : matching;
  struct seen seen = {.count = 0};
  ck_assert_int_eq(cf_store.scan(cf_store.self, transaction, query, see, &seen), APIKEYS_OK);
  ck_assert_int_eq(seen.count, answered);
  for (int i = 0; i < answered; i++) {
    cf_assert_same(seen.records[i], expected[i].record);
    apikeys_record_free(seen.records[i]);
  }

  apikeys_record *first = cf_new_record(model->kind);
  int rc = cf_get(transaction, query, first);
  ck_assert_int_eq(rc, matching > 0 ? APIKEYS_OK : APIKEYS_ERROR_NOT_FOUND);
  if (matching > 0)
    cf_assert_same(first, expected[0].record);
  apikeys_record_free(first);
}

/* Any query, with values that some record may have. */
apikeys_query *cf_random_query(int kind, unsigned domain) {
  static const char *const organizations[] = {"org_a", "org_B", "x1", "org_none"};
  int index = (int)cf_random_below((unsigned)apikeys_schema_index_count(kind));
  const char *organization = organizations[cf_random_below(4)];
  apikeys_query *query = apikeys_query_new(
      kind, index, cf_random_below(2) == 0 ? APIKEYS_SCOPE_ANY : 1 + (int)cf_random_below(3),
      organization, strlen(organization));
  ck_assert_ptr_nonnull(query);
  apikeys_record *like = cf_new_record(kind);
  randomize(like, domain);
  apikeys_record_set_integer(like, NUMBER, cf_random_below(domain));
  int fields = apikeys_schema_index_field_count(kind, index);
  /* NULL as a value is refused; then the query stays wider. */
  (void)apikeys_query_set_equal(query, like, (int)cf_random_below((unsigned)fields + 1));
  if (cf_random_below(3) == 0)
    (void)apikeys_query_set_lower(query, like);
  randomize(like, domain);
  apikeys_record_set_integer(like, NUMBER, 1 + cf_random_below(domain));
  if (cf_random_below(3) == 0)
    (void)apikeys_query_set_upper(query, like);
  if (cf_random_below(4) == 0) {
    int field = (int)cf_random_below((unsigned)apikeys_schema_field_count(kind));
    const char *text = cf_texts[cf_random_below(CF_TEXTS)];
    (void)apikeys_query_set_contains(query, field, text, strlen(text));
  }
  apikeys_query_set_descending(query, (int)cf_random_below(2));
  apikeys_query_set_limit(query, cf_random_below(2) == 0 ? 0 : cf_random_below(9));
  apikeys_record_free(like);
  return query;
}

static void insert_random(struct model *model, apikeys_transaction *transaction, unsigned domain) {
  apikeys_record *record = cf_new_record(model->kind);
  randomize(record, domain);
  bool collides = model_collides(model, record, -1);
  ck_assert_int_eq(cf_insert(transaction, record), collides ? APIKEYS_ERROR_EXISTS : APIKEYS_OK);
  if (collides || model->count == MODEL_MAX) {
    apikeys_record_free(record);
    return;
  }
  for (int i = 0; i < model->count; i++)
    REQUIRE(cf_number_of(record) > cf_number_of(model->records[i]));
  model->records[model->count++] = record;
}

static void update_random(struct model *model, apikeys_transaction *transaction, unsigned domain) {
  int at = (int)cf_random_below((unsigned)model->count);
  apikeys_record *record = cf_new_record(model->kind);
  randomize(record, domain);
  apikeys_record_set_integer(record, NUMBER, cf_number_of(model->records[at]));
  bool collides = model_collides(model, record, cf_number_of(record));
  ck_assert_int_eq(cf_update(transaction, record), collides ? APIKEYS_ERROR_EXISTS : APIKEYS_OK);
  if (!collides)
    ck_assert_int_eq(apikeys_record_copy(model->records[at], record), APIKEYS_OK);
  apikeys_record_free(record);
}

static void remove_random(struct model *model, apikeys_transaction *transaction) {
  int at = (int)cf_random_below((unsigned)model->count);
  apikeys_record *record = model->records[at];
  ck_assert_int_eq(cf_remove_number(transaction, model->kind, cf_number_of(record)), APIKEYS_OK);
  apikeys_record_free(record);
  model->records[at] = model->records[--model->count];
}

void cf_change_at_random(struct model *model, apikeys_transaction *transaction, unsigned domain) {
  switch (model->count == 0 ? 0 : cf_random_below(4)) {
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

void cf_insert_many(struct model *model, unsigned domain, int how_many) {
  apikeys_transaction *transaction = cf_begin_write();
  for (int i = 0; i < how_many; i++)
    insert_random(model, transaction, domain);
  cf_commit(transaction);
}

void cf_assert_holds(apikeys_transaction *transaction, const struct model *model) {
  for (int index = 0; index < apikeys_schema_index_count(model->kind); index++) {
    apikeys_query *query = cf_new_query(model->kind, index);
    cf_assert_answers(transaction, model, query);
    apikeys_query_free(query);
  }
}
