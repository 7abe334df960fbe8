/* SPDX-License-Identifier: MIT */
/* Walks a list and keeps the objects that match. */
#include "rest/filtered_list.h"

#include <string.h>

enum { PAGE = 100, PAGES_MAX = 100 };

struct walk {
  struct list *list;
  const struct filtered_list *filtered;
  json_t *values;
  bool more;        /* one more was found than asked for */
  const char *next; /* where the walk stopped; "" at the list's end */
};

static void add(const struct walk *walk, json_t *value) {
  if (walk->list->backward)
    json_array_insert_new(walk->values, 0, value);
  else
    json_array_append_new(walk->values, value);
}

/* Walks in the list's direction until there are enough. */
static int look_at_page(struct walk *walk) {
  struct list *list = walk->list;
  size_t count = apikeys_page_count(list->page);
  int rc = APIKEYS_OK;
  for (size_t k = 0; rc == APIKEYS_OK && !walk->more && k < count; k++) {
    json_t *value = NULL;
    rc = walk->filtered->look(list, list->backward ? count - 1 - k : k, &value);
    walk->more = value != NULL && json_array_size(walk->values) == (size_t)list->limit;
    if (walk->more)
      json_decref(value);
    else if (value != NULL)
      add(walk, value);
  }
  return rc;
}

/* Copied, because the page that lent the cursor is about to be filled again. */
static int go_on(struct walk *walk) {
  struct list *list = walk->list;
  size_t length;
  const char *next = list->backward ? apikeys_page_before(list->page, &length)
                                    : apikeys_page_after(list->page, &length);
  walk->next = exchange_copy(list->x, next, length);
  if (walk->next == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  if (length == 0)
    return APIKEYS_OK;
  return list->backward ? apikeys_filter_set_before(list->filter, walk->next, length)
                        : apikeys_filter_set_after(list->filter, walk->next, length);
}

static int go(struct walk *walk) {
  int rc = apikeys_filter_set_limit(walk->list->filter, PAGE);
  for (int i = 0; rc == APIKEYS_OK && i < PAGES_MAX; i++) {
    rc = walk->filtered->fetch(walk->list);
    if (rc == APIKEYS_OK)
      rc = look_at_page(walk);
    if (rc != APIKEYS_OK || walk->more)
      break;
    rc = go_on(walk);
    if (walk->next == NULL || walk->next[0] == '\0')
      break;
  }
  return rc;
}

static const char *id_at(const struct walk *walk, size_t i) {
  const char *id = json_string_value(json_object_get(json_array_get(walk->values, i), "id"));
  return id != NULL ? id : "";
}

static void reply(const struct walk *walk) {
  struct list *list = walk->list;
  size_t count = json_array_size(walk->values);
  const char *first = id_at(walk, 0), *last = count > 0 ? id_at(walk, count - 1) : "";
  if (list->backward)
    list_reply_between(list, walk->values, walk->more ? first : walk->next, last);
  else
    list_reply_between(list, walk->values, list->continued ? first : "",
                       walk->more ? last : walk->next);
}

void filtered_list_reply(struct list *list, const struct filtered_list *filtered,
                         const char *noun) {
  struct walk walk = {.list = list, .filtered = filtered, .values = json_array(), .next = ""};
  int rc = walk.values != NULL ? go(&walk) : APIKEYS_ERROR_NO_MEMORY;
  if (rc == APIKEYS_OK)
    reply(&walk);
  else
    list_fail(list, rc, noun, "");
  json_decref(walk.values);
}
