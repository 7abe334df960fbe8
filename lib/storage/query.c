/* SPDX-License-Identifier: MIT */
/* Queries: building them, and the one function that says whether a record matches. */
#include "storage/query.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------------- putting together ----- */

static const struct ak_index *index_of(const apikeys_query *query) {
  const struct ak_kind_schema *schema = ak_schema_kind(query->kind);
  return schema != NULL && query->index >= 0 && query->index < schema->index_count
             ? &schema->indexes[query->index]
             : NULL;
}

static bool known_scope(int scope) {
  return scope >= APIKEYS_SCOPE_ENVIRONMENT && scope <= APIKEYS_SCOPE_ANY;
}

bool ak_query_valid(const apikeys_query *query) {
  return query != NULL && known_scope(query->scope) && index_of(query) != NULL;
}

static void spoil(apikeys_query *query) {
  query->scope = 0;
}

static void query_start(apikeys_query *query, int kind, int index, int scope) {
  memset(query, 0, sizeof *query);
  query->kind = kind;
  query->index = index;
  query->scope = scope;
  query->organization = "";
}

void ak_query_any(apikeys_query *query, int kind, int index) {
  query_start(query, kind, index, APIKEYS_SCOPE_ANY);
}

void ak_query_environment(apikeys_query *query, int kind, int index) {
  query_start(query, kind, index, APIKEYS_SCOPE_ENVIRONMENT);
}

void ak_query_of(apikeys_query *query, int kind, int index, const char *organization,
                 size_t length) {
  query_start(query, kind, index, APIKEYS_SCOPE_ORGANIZATION);
  query->organization = organization != NULL ? organization : "";
  query->organization_length = organization != NULL ? length : 0;
  if (query->organization_length == 0) /* no organization is called that; the environment is */
    spoil(query);
}

/* The type of the field at a position of the index; behind the last comes the number. */
static int type_at(const apikeys_query *query, int position) {
  const struct ak_index *index = index_of(query);
  if (index == NULL || position > index->field_count)
    return APIKEYS_TYPE_NULL;
  if (position == index->field_count)
    return APIKEYS_TYPE_INTEGER;
  return ak_schema_kind(query->kind)->fields[index->fields[position]].type;
}

static void add_equal(apikeys_query *query, struct ak_field_value value) {
  const struct ak_index *index = index_of(query);
  if (index == NULL || query->equal_count >= index->field_count ||
      type_at(query, query->equal_count) != value.type)
    spoil(query);
  else
    query->equal[query->equal_count++] = value;
}

static void set_bound(apikeys_query *query, struct ak_field_value *bound,
                      struct ak_field_value value) {
  if (type_at(query, query->equal_count) != value.type)
    spoil(query);
  else
    *bound = value;
}

static struct ak_field_value text_value(const char *text, size_t length) {
  return (struct ak_field_value){.type = APIKEYS_TYPE_TEXT, .bytes = text, .length = length};
}

static struct ak_field_value integer_value(int64_t integer) {
  return (struct ak_field_value){.type = APIKEYS_TYPE_INTEGER, .integer = integer};
}

void ak_query_equal_text(apikeys_query *query, const char *text, size_t length) {
  add_equal(query, text_value(text, length));
}

void ak_query_equal_integer(apikeys_query *query, int64_t integer) {
  add_equal(query, integer_value(integer));
}

void ak_query_from(apikeys_query *query, int64_t lower) {
  set_bound(query, &query->lower, integer_value(lower));
}

void ak_query_until(apikeys_query *query, int64_t upper) {
  set_bound(query, &query->upper, integer_value(upper));
}

void ak_query_text_range(apikeys_query *query, const char *lower, size_t lower_length,
                         const char *upper, size_t upper_length) {
  set_bound(query, &query->lower, text_value(lower, lower_length));
  set_bound(query, &query->upper, text_value(upper, upper_length));
}

static void query_add_condition(apikeys_query *query, const struct ak_condition *condition,
                                int type) {
  if (query->condition_count >= AK_CONDITIONS_MAX ||
      apikeys_schema_field_type(query->kind, condition->field) != type)
    spoil(query);
  else
    query->conditions[query->condition_count++] = *condition;
}

void ak_query_where_text(apikeys_query *query, enum ak_condition_type type, int field,
                         const char *text, size_t length) {
  struct ak_condition condition = {.type = type, .field = field, .text = text, .length = length};
  query_add_condition(query, &condition, APIKEYS_TYPE_TEXT);
}

void ak_query_where_integer(apikeys_query *query, enum ak_condition_type type, int field,
                            int64_t integer) {
  struct ak_condition condition = {.type = type, .field = field, .integer = integer};
  query_add_condition(query, &condition, APIKEYS_TYPE_INTEGER);
}

/* ------------------------------------------------------------------------------ reading ------- */

int apikeys_query_kind(const apikeys_query *query) {
  return query != NULL ? query->kind : 0;
}

int apikeys_query_index(const apikeys_query *query) {
  return query != NULL ? query->index : -1;
}

int apikeys_query_descending(const apikeys_query *query) {
  return query != NULL && query->descending;
}

size_t apikeys_query_limit(const apikeys_query *query) {
  return query != NULL ? query->limit : 0;
}

int apikeys_query_scope(const apikeys_query *query) {
  return query != NULL ? query->scope : 0;
}

const char *apikeys_query_organization(const apikeys_query *query, size_t *length) {
  bool there = query != NULL && query->scope == APIKEYS_SCOPE_ORGANIZATION;
  if (length != NULL)
    *length = there ? query->organization_length : 0;
  return there ? query->organization : "";
}

int apikeys_query_equal_count(const apikeys_query *query) {
  return query != NULL ? query->equal_count : 0;
}

static const struct ak_field_value *value_at(const apikeys_query *query, int position) {
  static const struct ak_field_value none = {0};
  if (query == NULL)
    return &none;
  if (position == APIKEYS_QUERY_LOWER)
    return &query->lower;
  if (position == APIKEYS_QUERY_UPPER)
    return &query->upper;
  return position >= 0 && position < query->equal_count ? &query->equal[position] : &none;
}

int apikeys_query_value(const apikeys_query *query, int position, int64_t *integer,
                        const void **bytes, size_t *length) {
  const struct ak_field_value *value = value_at(query, position);
  if (integer != NULL)
    *integer = value->integer;
  if (bytes != NULL)
    *bytes = value->bytes != NULL ? value->bytes : "";
  if (length != NULL)
    *length = value->length;
  return value->type;
}

int apikeys_query_has_conditions(const apikeys_query *query) {
  return query != NULL && query->condition_count > 0;
}

/* ------------------------------------------------------------------------------- bounds ------- */

/* In the place of a value's tag: above every value, and above NULL but not above the others. */
enum { ABOVE_ALL = 0xff, ABOVE_NULL = 0x02 };

struct bound {
  uint8_t *bytes;
  size_t used;
  bool cut; /* a value was too long to fit: no entry has it */
};

static void bound_value(struct bound *bound, const struct ak_field_value *value) {
  size_t used = ak_order_append(bound->bytes, APIKEYS_INDEX_KEY_MAX, bound->used, value);
  if (used > APIKEYS_INDEX_KEY_MAX)
    bound->cut = true;
  else
    bound->used = used;
}

static void bound_byte(struct bound *bound, uint8_t byte) {
  if (bound->used < APIKEYS_INDEX_KEY_MAX)
    bound->bytes[bound->used++] = byte;
  else
    bound->cut = true;
}

/* A unique index has no number in its entries: behind all its fields nothing can be bounded. */
static bool range_is_in_entries(const apikeys_query *query, const struct ak_index *index) {
  return query->equal_count < index->field_count || !index->unique;
}

int apikeys_query_bounds(const apikeys_query *query, void *lower, size_t *lower_length, void *upper,
                         size_t *upper_length) {
  if (!ak_query_valid(query) || lower == NULL || lower_length == NULL || upper == NULL ||
      upper_length == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  struct bound from = {.bytes = lower}, until = {.bytes = upper};
  for (int i = 0; i < query->equal_count; i++) {
    bound_value(&from, &query->equal[i]);
    bound_value(&until, &query->equal[i]);
  }
  bool nothing = from.cut;
  bool range = range_is_in_entries(query, index_of(query));
  bool has_lower = range && query->lower.type != APIKEYS_TYPE_NULL;
  bool has_upper = range && query->upper.type != APIKEYS_TYPE_NULL;
  if (has_lower)
    bound_value(&from, &query->lower);
  else if (has_upper)
    bound_byte(&from, ABOVE_NULL);
  if (has_upper)
    bound_value(&until, &query->upper);
  if (!has_upper || until.cut)
    bound_byte(&until, ABOVE_ALL);
  if (nothing) /* an empty range: both ends are the same */
    from.used = until.used = 0;
  *lower_length = from.used;
  *upper_length = until.used;
  return APIKEYS_OK;
}

/* ------------------------------------------------------------------------------ matching ------ */

static bool in_scope(const apikeys_query *query, const apikeys_record *record) {
  int field = ak_schema_kind(query->kind)->scope_field;
  switch (query->scope) {
  case APIKEYS_SCOPE_ANY:
    return true;
  case APIKEYS_SCOPE_ENVIRONMENT:
    return field < 0 || ak_record_text_is(record, field, "", 0);
  case APIKEYS_SCOPE_ORGANIZATION:
    return field >= 0 &&
           ak_record_text_is(record, field, query->organization, query->organization_length);
  default:
    return false;
  }
}

static bool has_values(const apikeys_query *query, const struct ak_index *index,
                       const apikeys_record *record) {
  for (int i = 0; i < query->equal_count; i++) {
    struct ak_field_value value = ak_record_value(record, index->fields[i]);
    if (ak_field_value_compare(&value, &query->equal[i]) != 0)
      return false;
  }
  return true;
}

static bool in_range(const apikeys_query *query, const struct ak_index *index,
                     const apikeys_record *record) {
  bool has_lower = query->lower.type != APIKEYS_TYPE_NULL;
  bool has_upper = query->upper.type != APIKEYS_TYPE_NULL;
  if (!has_lower && !has_upper)
    return true;
  int field =
      query->equal_count < index->field_count ? index->fields[query->equal_count] : AK_NUMBER;
  struct ak_field_value value = ak_record_value(record, field);
  return value.type != APIKEYS_TYPE_NULL &&
         (!has_lower || ak_field_value_compare(&value, &query->lower) >= 0) &&
         (!has_upper || ak_field_value_compare(&value, &query->upper) < 0);
}

static bool meets_text(const struct ak_condition *condition, const char *text, size_t length) {
  switch (condition->type) {
  case AK_CONDITION_CONTAINS:
    return ak_text_contains(text, length, condition->text, condition->length);
  case AK_CONDITION_HAS_SLUG:
    return ak_slugs_has(text, length, condition->text, condition->length);
  case AK_CONDITION_ONE_OF:
    return ak_slugs_has(condition->text, condition->length, text, length);
  case AK_CONDITION_EQUALS:
    return length == condition->length && memcmp(text, condition->text, length) == 0;
  default:
    return false;
  }
}

static bool meets_integer(const struct ak_condition *condition, int64_t integer) {
  switch (condition->type) {
  case AK_CONDITION_AT_LEAST:
    return integer >= condition->integer;
  case AK_CONDITION_BELOW:
    return integer < condition->integer;
  case AK_CONDITION_EQUALS:
    return integer == condition->integer;
  case AK_CONDITION_NOT_OVER:
    return integer == 0 || integer >= condition->integer;
  default:
    return false;
  }
}

/* NULL meets no condition. */
static bool meets(const struct ak_condition *condition, const apikeys_record *record) {
  struct ak_field_value value = ak_record_value(record, condition->field);
  switch (value.type) {
  case APIKEYS_TYPE_TEXT:
    return meets_text(condition, value.bytes, value.length);
  case APIKEYS_TYPE_INTEGER:
    return meets_integer(condition, value.integer);
  default:
    return false;
  }
}

int apikeys_query_matches(const apikeys_query *query, const apikeys_record *record) {
  if (!ak_query_valid(query) || record == NULL || record->kind != query->kind)
    return 0;
  const struct ak_index *index = index_of(query);
  if (!ak_record_has_entry(record, index) || !in_scope(query, record) ||
      !has_values(query, index, record) || !in_range(query, index, record))
    return 0;
  for (int i = 0; i < query->condition_count; i++)
    if (!meets(&query->conditions[i], record))
      return 0;
  return 1;
}

/* ------------------------------------------------------------------- queries of one's own ----- */

/* The public builder's: the query with copies of what it borrows. */
struct owned_query {
  apikeys_query query; /* first: it is what the caller holds */
  apikeys_record *equal;
  apikeys_record *lower;
  apikeys_record *upper;
  char *organization;
  char *contains;
};

static struct owned_query *owned(apikeys_query *query) {
  return (struct owned_query *)query;
}

static char *query_copy_text(const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (copy != NULL && length > 0)
    memcpy(copy, text, length);
  if (copy != NULL)
    copy[length] = '\0';
  return copy;
}

apikeys_query *apikeys_query_new(int kind, int index, int scope, const char *organization,
                                 size_t length) {
  length = ak_text_length(organization, length);
  apikeys_query query;
  if (scope == APIKEYS_SCOPE_ORGANIZATION)
    ak_query_of(&query, kind, index, organization, length);
  else
    query_start(&query, kind, index, scope);
  struct owned_query *own = ak_query_valid(&query) ? calloc(1, sizeof *own) : NULL;
  if (own == NULL)
    return NULL;
  own->query = query;
  own->organization = query_copy_text(query.organization, query.organization_length);
  if (own->organization == NULL) {
    free(own);
    return NULL;
  }
  own->query.organization = own->organization;
  return &own->query;
}

void apikeys_query_free(apikeys_query *query) {
  if (query == NULL)
    return;
  struct owned_query *own = owned(query);
  apikeys_record_free(own->equal);
  apikeys_record_free(own->lower);
  apikeys_record_free(own->upper);
  free(own->organization);
  free(own->contains);
  free(own);
}

/* Puts a copy of `like` in place of *kept. */
static int query_keep(apikeys_record **kept, const apikeys_record *like) {
  apikeys_record *copy = apikeys_record_new(like->kind);
  int rc = copy != NULL ? apikeys_record_copy(copy, like) : APIKEYS_ERROR_NO_MEMORY;
  if (rc != APIKEYS_OK) {
    apikeys_record_free(copy);
    return rc;
  }
  apikeys_record_free(*kept);
  *kept = copy;
  return APIKEYS_OK;
}

static bool comparable(const apikeys_query *query, const apikeys_record *like) {
  return query != NULL && like != NULL && like->kind == query->kind;
}

int apikeys_query_set_equal(apikeys_query *query, const apikeys_record *like, int count) {
  if (!comparable(query, like) || count < 0 || count > index_of(query)->field_count)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  const struct ak_index *index = index_of(query);
  for (int i = 0; i < count; i++)
    if (apikeys_record_type(like, index->fields[i]) == APIKEYS_TYPE_NULL)
      return APIKEYS_ERROR_INVALID_ARGUMENT;
  int rc = query_keep(&owned(query)->equal, like);
  if (rc != APIKEYS_OK)
    return rc;
  query->equal_count = count;
  for (int i = 0; i < count; i++)
    query->equal[i] = ak_record_value(owned(query)->equal, index->fields[i]);
  query->lower = query->upper = (struct ak_field_value){0}; /* they were of another field */
  return APIKEYS_OK;
}

static int set_like_bound(apikeys_query *query, apikeys_record **kept, struct ak_field_value *bound,
                          const apikeys_record *like) {
  const struct ak_index *index = index_of(query);
  bool number = query->equal_count == index->field_count;
  int field = number ? AK_NUMBER : index->fields[query->equal_count];
  if (apikeys_record_type(like, field) == APIKEYS_TYPE_NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  int rc = query_keep(kept, like);
  if (rc == APIKEYS_OK)
    *bound = ak_record_value(*kept, field);
  return rc;
}

int apikeys_query_set_lower(apikeys_query *query, const apikeys_record *like) {
  if (!comparable(query, like))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return set_like_bound(query, &owned(query)->lower, &query->lower, like);
}

int apikeys_query_set_upper(apikeys_query *query, const apikeys_record *like) {
  if (!comparable(query, like))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return set_like_bound(query, &owned(query)->upper, &query->upper, like);
}

int apikeys_query_set_descending(apikeys_query *query, int descending) {
  if (query == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  query->descending = descending != 0;
  return APIKEYS_OK;
}

int apikeys_query_set_limit(apikeys_query *query, size_t limit) {
  if (query == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  query->limit = limit;
  return APIKEYS_OK;
}

int apikeys_query_set_contains(apikeys_query *query, int field, const char *text, size_t length) {
  length = ak_text_length(text, length);
  if (query == NULL || text == NULL ||
      apikeys_schema_field_type(query->kind, field) != APIKEYS_TYPE_TEXT)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  char *copy = query_copy_text(text, length);
  if (copy == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  free(owned(query)->contains);
  owned(query)->contains = copy;
  query->conditions[0] = (struct ak_condition){
      .type = AK_CONDITION_CONTAINS, .field = field, .text = copy, .length = length};
  query->condition_count = 1;
  return APIKEYS_OK;
}
