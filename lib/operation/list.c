/* SPDX-License-Identifier: MIT */
/*
 * Paging. Lists go by the store's own numbers, not by ids, which clocks made. A page is what
 * follows a cursor in the list's order, or what comes right before it; to know whether there is
 * more, one object more than asked for is read and left out.
 */
#include "operation/list.h"

#include "access/authority.h"
#include "base/arithmetic.h"
#include "operation/deleted_cursors.h"

#include <stdio.h>
#include <string.h>

/* The number of the object that the cursor names: any such object of this environment will do,
 * also one that the list no longer shows, or that is not there any more; the number says nothing
 * about it. */
static int resolve_cursor(struct ak_listing *listing, int64_t *number) {
  apikeys_record record;
  apikeys_query query;
  char name[AK_SLUG_MAX + 1 + AK_CURSOR_MAX + 1];
  const char *cursor = listing->filter->cursor;
  if (listing->collection != NULL) {
    snprintf(name, sizeof name, "%s/%s", listing->collection, cursor);
    cursor = name;
  }
  ak_scope_query(&listing->op->power, &query, listing->kind, 0);
  ak_query_equal_text(&query, cursor, strlen(cursor));
  ak_record_init(&record, listing->kind);
  int rc = ak_get(&listing->op->transaction, &query, &record);
  *number = apikeys_record_integer(&record, AK_NUMBER);
  ak_record_release(&record);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = ak_deleted_cursor_find(listing->op, listing->kind, cursor, number);
  if (rc == APIKEYS_ERROR_NOT_FOUND)
    rc = ak_error_set(listing->op->err, APIKEYS_ERROR_CURSOR_UNKNOWN, "cursor", NULL);
  return rc;
}

static void cut(apikeys_page *page, size_t count) {
  while (page->count > count)
    ak_object_free(page->objects[--page->count]);
}

/* Up to `limit` objects in walking order, from all queries together. */
static int list_collect(struct ak_listing *listing, apikeys_page *page, size_t limit,
                        bool descending, int64_t from, int64_t until) {
  for (int i = 0; i < listing->query_count; i++) {
    apikeys_query *query = &listing->queries[i];
    query->descending = descending;
    query->limit = limit;
    if (from > 0)
      ak_query_from(query, from);
    if (until > 0)
      ak_query_until(query, until);
    int rc = ak_scan(&listing->op->transaction, query, ak_page_visit, page);
    if (rc != APIKEYS_OK)
      return rc;
  }
  if (listing->query_count > 1 && page->count > 1) {
    ak_page_sort_newest_first(page);
    if (!descending)
      ak_page_reverse(page);
    cut(page, limit);
  }
  return APIKEYS_OK;
}

static void name_cursor(char out[AK_CURSOR_MAX + 1], const struct ak_object *object) {
  size_t length;
  int field = object->record.kind == AK_DOCUMENT ? AK_DOCUMENT_ID : AK_ID;
  const char *id = apikeys_record_text(&object->record, field, &length);
  if (length <= AK_CURSOR_MAX)
    memcpy(out, id, length + 1);
}

int ak_list(struct ak_listing *listing, apikeys_page *page) {
  static const apikeys_filter no_filter;
  const apikeys_filter *filter = listing->filter != NULL ? listing->filter : &no_filter;
  listing->filter = filter;
  size_t limit = filter->limit > 0 ? (size_t)filter->limit : AK_LIMIT_DEFAULT;
  bool newest_first =
      (filter->order != 0 ? filter->order : listing->order) == APIKEYS_ORDER_NEWEST_FIRST;
  bool backward = (filter->set & AK_FILTER_BEFORE) != 0;
  bool continued = backward || (filter->set & AK_FILTER_AFTER) != 0;
  bool descending = newest_first != backward;
  int64_t number = 0;
  if (continued) {
    int rc = resolve_cursor(listing, &number);
    if (rc != APIKEYS_OK)
      return rc;
  }
  ak_page_init(page, listing->kind);
  int rc = list_collect(listing, page, limit + 1, descending,
                        continued && !descending ? ak_sum(number, 1) : 0,
                        continued && descending ? number : 0);
  if (rc != APIKEYS_OK) {
    ak_page_release(page);
    return rc;
  }
  bool more = page->count > limit;
  cut(page, limit);
  if (backward)
    ak_page_reverse(page);
  if (page->count == 0)
    return APIKEYS_OK;
  if (backward || more)
    name_cursor(page->after, page->objects[page->count - 1]);
  if (backward ? more : continued)
    name_cursor(page->before, page->objects[0]);
  return APIKEYS_OK;
}
