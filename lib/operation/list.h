/* SPDX-License-Identifier: MIT */
/* Lists: a filter and up to two queries become a page. */
#ifndef AK_OPERATION_LIST_H
#define AK_OPERATION_LIST_H

#include "objects/filter.h"
#include "operation/operation.h"

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

/* Paging, searching and cursors for a listing, into a new content for `page`. The queries bring
 * scope, index and values; range, direction and limit are set here. */
int ak_list(struct ak_listing *listing, apikeys_page *page);

#endif
