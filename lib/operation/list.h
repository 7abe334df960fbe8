/* SPDX-License-Identifier: MIT */
/* Filters and pages, from inside. */
#ifndef AK_OPERATION_LIST_H
#define AK_OPERATION_LIST_H

#include "base/text.h"
#include "operation/operation.h"

enum { AK_LIMIT_DEFAULT = 10, AK_LIMIT_MAX = 100 };
enum { AK_CURSOR_MAX = 128, AK_GROUP_MAX = 128 };

/* Which parts of a filter were set; a list names those it understands. */
enum {
  AK_FILTER_LIMIT = 1 << 0,
  AK_FILTER_ORDER = 1 << 1,
  AK_FILTER_AFTER = 1 << 2,
  AK_FILTER_BEFORE = 1 << 3,
  AK_FILTER_SEARCH = 1 << 4,
  AK_FILTER_ORGANIZATION = 1 << 5,
  AK_FILTER_USER = 1 << 6,
  AK_FILTER_OWNER_TYPE = 1 << 7,
  AK_FILTER_REVOKED = 1 << 8,
  AK_FILTER_AVAILABLE_TO = 1 << 9,
  AK_FILTER_EVENT_TYPES = 1 << 10,
  AK_FILTER_SINCE = 1 << 11,
  AK_FILTER_UNTIL = 1 << 12,
  AK_FILTER_COLLECTION = 1 << 13,
  AK_FILTER_GROUP = 1 << 14,
  AK_FILTER_DUE = 1 << 15,
  AK_FILTER_PAGING = AK_FILTER_LIMIT | AK_FILTER_ORDER | AK_FILTER_AFTER | AK_FILTER_BEFORE
};

struct apikeys_filter {
  unsigned set;
  int problem; /* a setter failed: so does every list */
  int limit;
  int order;
  char cursor[AK_CURSOR_MAX + 1]; /* after or before: the last one set */
  char *search;
  size_t search_length;
  char organization_id[AK_ID_MAX];
  char user_id[AK_USER_ID_MAX + 1];
  int owner_type;
  int revoked;
  int available_to;
  struct ak_slugs event_types;
  int64_t since_ms;
  int64_t until_ms;
  char collection[AK_SLUG_MAX + 1];
  char group[AK_GROUP_MAX + 1];
  size_t group_length;
  int64_t due_until_ms;
};

/* 0 if the filter (NULL: none) sets only what is
 * understood, else APIKEYS_ERROR_INVALID_ARGUMENT. */
int ak_filter_check(const apikeys_filter *filter, unsigned understood, apikeys_error *err);

/* What a list walks: one order of one kind, by number, newest or oldest first. */
struct ak_listing {
  struct ak_op *op;
  const apikeys_filter *filter;
  int kind;
  int order;                /* the default, if the filter says nothing */
  apikeys_query queries[2]; /* their results are merged by number; the second one is optional */
  int query_count;
  const char *collection; /* cursors are ids inside of it; NULL: ids of the kind */
};

struct apikeys_page {
  int kind;
  struct ak_object **objects;
  size_t count;
  size_t capacity;
  char after[AK_CURSOR_MAX + 1];
  char before[AK_CURSOR_MAX + 1];
};

/* Paging, searching and cursors for a listing, into a new content for `page`. The queries bring
 * scope, index and values; range, direction and limit are set here. */
int ak_list(struct ak_listing *listing, apikeys_page *page);

/* Append a copy of the record to the page. APIKEYS_ERROR_NO_MEMORY. */
int ak_page_append(apikeys_page *page, const apikeys_record *record);
/* The same as a visitor; its visit_data is the page. */
int ak_page_visit(const apikeys_record *record, void *page);
/* Empty, to be filled with objects of this kind. */
void ak_page_init(apikeys_page *page, int kind);
void ak_page_release(apikeys_page *page);
void ak_page_sort_newest_first(apikeys_page *page);
void ak_page_reverse(apikeys_page *page);
/* `to` gets what `from` holds, which gets the old content: outputs are set last. */
void ak_page_swap(apikeys_page *to, apikeys_page *from);

#endif
