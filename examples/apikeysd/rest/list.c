/* SPDX-License-Identifier: MIT */
/* Lists: reads limit, order and cursors from the query, writes the page. */
#include "rest/list.h"

#include "http/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 10, LIMIT_MAX = 100 };

/* An impossible limit is an error: a client that asks for 1,000 would take 100 for all. */
static bool read_limit(struct list *list) {
  const char *text = exchange_parameter(list->x, "limit", NULL);
  if (text == NULL)
    return true;
  char *end;
  long limit = strtol(text, &end, 10);
  if (end != text && *end == '\0' && limit >= 1 && limit <= LIMIT_MAX &&
      apikeys_filter_set_limit(list->filter, (int)limit) == APIKEYS_OK) {
    list->limit = (int)limit;
    return true;
  }
  reply_invalid(list->x, "invalid", "limit");
  return false;
}

static bool read_order(struct list *list) {
  const char *text = exchange_parameter(list->x, "order", NULL);
  int order = APIKEYS_ORDER_NEWEST_FIRST;
  if (text == NULL)
    return true;
  if (strcmp(text, "asc") == 0)
    order = APIKEYS_ORDER_OLDEST_FIRST;
  else if (strcmp(text, "normal") == 0)
    list->swapped = true;
  else if (strcmp(text, "desc") != 0) {
    reply_invalid(list->x, "invalid", "order");
    return false;
  }
  return apikeys_filter_set_order(list->filter, order) == APIKEYS_OK;
}

static void refuse_cursor(struct list *list, const char *code) {
  bool after = exchange_parameter(list->x, "after", NULL) != NULL;
  reply_invalid(list->x, code, after ? "after" : "before");
}

static bool read_cursors(struct list *list) {
  const char *after = list->swapped ? "before" : "after";
  const char *before = list->swapped ? "after" : "before";
  if (exchange_parameter(list->x, "after", NULL) != NULL &&
      exchange_parameter(list->x, "before", NULL) != NULL) {
    reply_error(list->x, 422, "invalid", "Only one of after and before can be given.");
    return false;
  }
  list->backward = exchange_parameter(list->x, before, NULL) != NULL;
  list->continued = list->backward || exchange_parameter(list->x, after, NULL) != NULL;
  if (list_set(list, apikeys_filter_set_after, after) == APIKEYS_OK &&
      list_set(list, apikeys_filter_set_before, before) == APIKEYS_OK)
    return true;
  refuse_cursor(list, "cursor_unknown");
  return false;
}

bool list_open(struct list *list, struct exchange *x) {
  *list = (struct list){
      .x = x, .filter = apikeys_filter_new(), .page = apikeys_page_new(), .limit = LIMIT};
  if (list->filter == NULL || list->page == NULL)
    reply_failure(x, APIKEYS_ERROR_NO_MEMORY, "List", "");
  else if (read_limit(list) && read_order(list) && read_cursors(list))
    return true;
  list_close(list);
  return false;
}

void list_close(struct list *list) {
  apikeys_page_free(list->page);
  apikeys_filter_free(list->filter);
}

int list_set(struct list *list, list_setter set, const char *parameter) {
  size_t length;
  const char *text = exchange_parameter(list->x, parameter, &length);
  return text != NULL ? set(list->filter, text, length) : APIKEYS_OK;
}

void list_fail(struct list *list, int rc, const char *noun, const char *id) {
  if (rc == APIKEYS_ERROR_CURSOR_UNKNOWN)
    refuse_cursor(list, "cursor_unknown");
  else if (rc == APIKEYS_ERROR_CURSOR_EXPIRED)
    refuse_cursor(list, "cursor_expired");
  else
    reply_failure(list->x, rc, noun, id);
}

/* -- Writing ----------------------------------------------------------------------------------- */

static bool write_items(FILE *out, const struct list *list, list_item item) {
  fputs("{\"object\":\"list\",\"data\":[", out);
  for (size_t i = 0; i < apikeys_page_count(list->page); i++) {
    size_t length;
    const char *json = item(list->page, i, &length);
    if (json == NULL)
      return false;
    if (i > 0)
      fputc(',', out);
    fwrite(json, 1, length, out);
  }
  fputc(']', out);
  return true;
}

/* Cursors are ids: nothing in them needs escaping. */
static void write_cursor(FILE *out, const char *name, const char *cursor) {
  if (cursor[0] != '\0')
    fprintf(out, "\"%s\":\"%s\"", name, cursor);
  else
    fprintf(out, "\"%s\":null", name);
}

static void write_metadata(FILE *out, const struct list *list) {
  const char *after = apikeys_page_after(list->page, NULL);
  const char *before = apikeys_page_before(list->page, NULL);
  fputs(",\"list_metadata\":{", out);
  write_cursor(out, "before", list->swapped ? after : before);
  fputc(',', out);
  write_cursor(out, "after", list->swapped ? before : after);
  fputc('}', out);
}

static void reply(struct list *list, int rc, list_item item, bool paged) {
  char *text = NULL;
  size_t size = 0;
  if (rc != APIKEYS_OK) {
    list_fail(list, rc, "List", "");
    return;
  }
  FILE *out = open_memstream(&text, &size);
  bool good = out != NULL && write_items(out, list, item);
  if (good && paged)
    write_metadata(out, list);
  if (good)
    fputc('}', out);
  if (out != NULL && fclose(out) != 0)
    good = false;
  if (!good) {
    free(text);
    text = NULL;
  }
  reply_take(list->x, 200, text, size);
}

void list_reply(struct list *list, int rc, list_item item) {
  reply(list, rc, item, true);
}

void list_reply_whole(struct list *list, int rc, list_item item) {
  reply(list, rc, item, false);
}

static json_t *cursor_json(const char *cursor) {
  return cursor[0] != '\0' ? json_string(cursor) : json_null();
}

void list_reply_between(struct list *list, json_t *values, const char *before, const char *after) {
  reply_json(list->x, 200,
             json_pack("{s:s,s:O,s:{s:o,s:o}}", "object", "list", "data", values, "list_metadata",
                       "before", cursor_json(list->swapped ? after : before), "after",
                       cursor_json(list->swapped ? before : after)));
}

void list_reply_values(struct list *list, json_t *values) {
  list_reply_between(list, values, apikeys_page_before(list->page, NULL),
                     apikeys_page_after(list->page, NULL));
}

bool list_flag(struct list *list, const char *parameter, bool *flag) {
  const char *text = exchange_parameter(list->x, parameter, NULL);
  *flag = text != NULL && strcmp(text, "true") == 0;
  if (text == NULL || *flag || strcmp(text, "false") == 0)
    return true;
  reply_invalid(list->x, "invalid", parameter);
  return false;
}

#define ITEM(noun)                                                                                 \
  const char *list_##noun(const apikeys_page *page, size_t i, size_t *length) {                    \
    return apikeys_##noun##_json(apikeys_page_##noun(page, i), length);                            \
  }
ITEM(key)
ITEM(organization)
ITEM(role)
ITEM(permission)
ITEM(event)
