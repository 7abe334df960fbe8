/* SPDX-License-Identifier: MIT */
/* A page: the objects of one list answer, and the cursors to its neighbours. */
#ifndef AK_OBJECTS_PAGE_H
#define AK_OBJECTS_PAGE_H

#include "objects/object.h"

enum { AK_CURSOR_MAX = 128 };

struct apikeys_page {
  int kind;
  struct ak_object **objects;
  size_t count;
  size_t capacity;
  char after[AK_CURSOR_MAX + 1];
  char before[AK_CURSOR_MAX + 1];
};

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
