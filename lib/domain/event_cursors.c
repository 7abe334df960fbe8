/* SPDX-License-Identifier: MIT */
/* Named durable cursors: at least once, in order, whichever process made the change. */
#include "access/authority.h"

#include "base/arithmetic.h"
#include "base/text.h"
#include "domain/event_list.h"
#include "operation/events.h"

#include <apikeys/event.h>

enum { CURSOR_NAME_MAX = 128 };

static int find_cursor(struct ak_op *op, const char *name, size_t length, apikeys_record *out) {
  apikeys_query query;
  ak_query_environment(&query, AK_EVENT_CURSOR, 0);
  ak_query_equal_text(&query, name, length);
  return ak_get(&op->transaction, &query, out);
}

static int poll_events(struct ak_op *op, const char *name, size_t length, int limit,
                       apikeys_page *page) {
  int64_t position = 0, floor = 0;
  int rc = ak_allow(&op->power, "apikeys:events:read");
  if (rc == APIKEYS_OK)
    rc = ak_event_floor(op, &floor);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_record cursor;
  ak_record_init(&cursor, AK_EVENT_CURSOR);
  rc = find_cursor(op, name, length, &cursor);
  bool used = rc == APIKEYS_OK;
  if (used)
    position = apikeys_record_integer(&cursor, AK_EVENT_CURSOR_POSITION);
  ak_record_release(&cursor);
  if (rc != APIKEYS_OK && rc != APIKEYS_ERROR_NOT_FOUND)
    return rc;
  if (used && ak_sum(position, 1) < floor)
    return ak_error_set(op->err, APIKEYS_ERROR_CURSOR_EXPIRED, "cursor", NULL);
  apikeys_query query;
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  ak_query_from(&query, ak_sum(position, 1));
  query.limit = (size_t)limit;
  rc = ak_scan(&op->transaction, &query, ak_page_visit, page);
  return rc == APIKEYS_OK ? ak_event_join_names(op, page) : rc;
}

int apikeys_event_poll(apikeys_env *env, const apikeys_actor *actor, const char *name,
                       size_t length, int limit, apikeys_page *page, apikeys_error *err) {
  length = ak_text_length(name, length);
  const char *problem =
      name != NULL ? ak_text_problem(name, length, 1, CURSOR_NAME_MAX) : "is NULL";
  if (problem != NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "name", "%s", problem);
  if (page == NULL || limit < 1 || limit > AK_LIMIT_MAX)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, page == NULL ? "page" : "limit",
                        page == NULL ? "is NULL" : "must be 1 to 100");
  struct ak_op op;
  apikeys_page found;
  ak_page_init(&found, AK_EVENT);
  int rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_op_end(&op, poll_events(&op, name, length, limit, &found));
  if (rc == APIKEYS_OK)
    ak_page_swap(page, &found);
  ak_page_release(&found);
  return rc;
}

/* Behind the floor there is nothing to come back to: a cursor there moves up to it. */
static int acknowledge(struct ak_op *op, const char *name, size_t length, int64_t number) {
  int64_t floor = 0;
  int rc = ak_allow(&op->power, "apikeys:events:read");
  if (rc == APIKEYS_OK)
    rc = ak_event_floor(op, &floor);
  if (rc != APIKEYS_OK)
    return rc;
  if (number < ak_difference(floor, 1))
    number = ak_difference(floor, 1);
  apikeys_record cursor;
  ak_record_init(&cursor, AK_EVENT_CURSOR);
  apikeys_record_set_text(&cursor, AK_ID, name, length);
  apikeys_record_set_integer(&cursor, AK_EVENT_CURSOR_POSITION, number);
  apikeys_record_set_integer(&cursor, AK_EVENT_CURSOR_UPDATED_AT, op->now_ms);
  rc = ak_record_status(&cursor);
  if (rc == APIKEYS_OK)
    rc = ak_store_max(&op->transaction, &cursor, AK_EVENT_CURSOR_POSITION);
  ak_record_release(&cursor);
  return rc;
}

/* An acknowledgement beyond the newest event would skip events that are still to come. */
static int check_number(struct ak_op *op, int64_t number) {
  apikeys_record newest;
  apikeys_query query;
  ak_record_init(&newest, AK_EVENT);
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  query.descending = true;
  query.limit = 1;
  int rc = ak_get(&op->transaction, &query, &newest);
  if (rc == APIKEYS_OK && number > apikeys_record_integer(&newest, AK_NUMBER))
    rc = ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "number", "is of no event yet");
  ak_record_release(&newest);
  return rc;
}

int apikeys_event_acknowledge(apikeys_env *env, const apikeys_actor *actor, const char *name,
                              size_t length, int64_t number, apikeys_error *err) {
  length = ak_text_length(name, length);
  const char *problem =
      name != NULL ? ak_text_problem(name, length, 1, CURSOR_NAME_MAX) : "is NULL";
  if (problem != NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "name", "%s", problem);
  if (number < 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "number", "must not be negative");
  struct ak_op op;
  int rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_WRITE, err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = check_number(&op, number);
  return ak_op_end(&op, rc == APIKEYS_OK ? acknowledge(&op, name, length, number) : rc);
}
