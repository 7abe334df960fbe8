/* SPDX-License-Identifier: MIT */
/* Queries, from inside: built on the stack by the core, their values borrowed from its callers. */
#ifndef AK_STORAGE_QUERY_H
#define AK_STORAGE_QUERY_H

#include "base/slug_set.h"
#include "storage/record.h"

enum ak_condition_type {
  AK_CONDITION_CONTAINS = 1, /* the text has `text` in it, ASCII case aside */
  AK_CONDITION_HAS_SLUG,     /* the slug set holds `text` */
  AK_CONDITION_ONE_OF,       /* the text is one of `slugs` */
  AK_CONDITION_AT_LEAST,     /* integer >= value */
  AK_CONDITION_BELOW,        /* integer < value */
  AK_CONDITION_EQUALS,       /* integer == value, or the text is `text` */
  AK_CONDITION_NOT_OVER      /* integer >= value, or 0: a time that never comes */
};

struct ak_condition {
  enum ak_condition_type type;
  int field;
  const char *text;
  size_t length;
  int64_t integer;
};

enum { AK_CONDITIONS_MAX = 5 };

struct apikeys_query {
  int kind;
  int index;
  int scope;
  const char *organization;
  size_t organization_length;
  int equal_count;
  struct ak_field_value equal[AK_INDEX_FIELDS_MAX];
  struct ak_field_value lower;
  struct ak_field_value upper;
  bool descending;
  size_t limit;
  int condition_count;
  struct ak_condition conditions[AK_CONDITIONS_MAX];
};

/*
 * Every query starts with its scope: there is no default. A query that was put together wrongly
 * (a value too many, a condition too many, no such index) becomes one of no scope: it matches
 * nothing, and no slot is called with it.
 */
bool ak_query_valid(const apikeys_query *query);

void ak_query_any(apikeys_query *query, int kind, int index);
void ak_query_environment(apikeys_query *query, int kind, int index);
void ak_query_of(apikeys_query *query, int kind, int index, const char *organization,
                 size_t length);

/* Values for the index's fields, in their order. */
void ak_query_equal_text(apikeys_query *query, const char *text, size_t length);
void ak_query_equal_integer(apikeys_query *query, int64_t integer);

/* A half-open range on the field behind them; NULL is in no range. */
void ak_query_from(apikeys_query *query, int64_t lower);
void ak_query_until(apikeys_query *query, int64_t upper);
void ak_query_text_range(apikeys_query *query, const char *lower, size_t lower_length,
                         const char *upper, size_t upper_length);

void ak_query_where_text(apikeys_query *query, enum ak_condition_type type, int field,
                         const char *text, size_t length);
void ak_query_where_integer(apikeys_query *query, enum ak_condition_type type, int field,
                            int64_t integer);

#endif
