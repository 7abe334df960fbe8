/* SPDX-License-Identifier: MIT */
/* Pages: growing, ordering and reading them. */
#include "objects/page.h"

#include <stdlib.h>
#include <string.h>

apikeys_page *apikeys_page_new(void) {
  return calloc(1, sizeof(apikeys_page));
}

void ak_page_init(apikeys_page *page, int kind) {
  memset(page, 0, sizeof *page);
  page->kind = kind;
}

void ak_page_release(apikeys_page *page) {
  for (size_t i = 0; i < page->count; i++)
    ak_object_free(page->objects[i]);
  free(page->objects);
  ak_page_init(page, 0);
}

void apikeys_page_free(apikeys_page *page) {
  if (page == NULL)
    return;
  ak_page_release(page);
  free(page);
}

void ak_page_swap(apikeys_page *to, apikeys_page *from) {
  apikeys_page old = *to;
  *to = *from;
  *from = old;
}

static size_t object_size(int kind) {
  switch (kind) {
  case AK_API_KEY:
    return sizeof(apikeys_key);
  case AK_EVENT:
    return sizeof(apikeys_event);
  default:
    return sizeof(struct ak_object);
  }
}

int ak_page_append(apikeys_page *page, const apikeys_record *record) {
  if (page->count == page->capacity) {
    size_t capacity = page->capacity > 0 ? page->capacity * 2 : 16;
    struct ak_object **objects = realloc(page->objects, capacity * sizeof(struct ak_object *));
    if (objects == NULL)
      return APIKEYS_ERROR_NO_MEMORY;
    page->objects = objects;
    page->capacity = capacity;
  }
  struct ak_object *object = ak_object_new(object_size(page->kind), page->kind);
  if (object == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = apikeys_record_copy(&object->record, record);
  if (rc != APIKEYS_OK) {
    ak_object_free(object);
    return rc;
  }
  page->objects[page->count++] = object;
  return APIKEYS_OK;
}

int ak_page_visit(const apikeys_record *record, void *page) {
  return ak_page_append(page, record);
}

static int64_t number_of(const void *element) {
  struct ak_object *const *object = element;
  return apikeys_record_integer(&(*object)->record, AK_NUMBER);
}

static int compare_newest_first(const void *a, const void *b) {
  int64_t left = number_of(a), right = number_of(b);
  return left > right ? -1 : left < right;
}

void ak_page_sort_newest_first(apikeys_page *page) {
  if (page->count > 1)
    qsort(page->objects, page->count, sizeof(struct ak_object *), compare_newest_first);
}

void ak_page_reverse(apikeys_page *page) {
  for (size_t i = 0, j = page->count; i + 1 < j; i++) {
    struct ak_object *swapped = page->objects[i];
    page->objects[i] = page->objects[--j];
    page->objects[j] = swapped;
  }
}

size_t apikeys_page_count(const apikeys_page *page) {
  return page != NULL ? page->count : 0;
}

static void *at(const apikeys_page *page, int kind, size_t i) {
  return page != NULL && page->kind == kind && i < page->count ? page->objects[i] : NULL;
}

apikeys_key *apikeys_page_key(const apikeys_page *page, size_t i) {
  return at(page, AK_API_KEY, i);
}

apikeys_organization *apikeys_page_organization(const apikeys_page *page, size_t i) {
  return at(page, AK_ORGANIZATION, i);
}

apikeys_member *apikeys_page_member(const apikeys_page *page, size_t i) {
  return at(page, AK_MEMBER, i);
}

apikeys_role *apikeys_page_role(const apikeys_page *page, size_t i) {
  return at(page, AK_ROLE, i);
}

apikeys_permission *apikeys_page_permission(const apikeys_page *page, size_t i) {
  return at(page, AK_PERMISSION, i);
}

apikeys_event *apikeys_page_event(const apikeys_page *page, size_t i) {
  return at(page, AK_EVENT, i);
}

apikeys_document *apikeys_page_document(const apikeys_page *page, size_t i) {
  return at(page, AK_DOCUMENT, i);
}

static const char *page_lend(const char *text, size_t *length) {
  if (length != NULL)
    *length = strlen(text);
  return text;
}

const char *apikeys_page_after(const apikeys_page *page, size_t *length) {
  return page_lend(page != NULL ? page->after : "", length);
}

const char *apikeys_page_before(const apikeys_page *page, size_t *length) {
  return page_lend(page != NULL ? page->before : "", length);
}
