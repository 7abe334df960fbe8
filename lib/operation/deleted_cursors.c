/* SPDX-License-Identifier: MIT */
/* Positions of deleted objects, so that a list goes on from a cursor whose object is gone. */
#include "operation/deleted_cursors.h"

#include "access/authority.h"
#include "base/arithmetic.h"

#include <string.h>

static const int64_t deleted_cursors_lifetime_ms = INT64_C(7) * 24 * 3600 * 1000;

static int deleted_cursors_fill(struct ak_op *op, const apikeys_record *record,
                                apikeys_record *tombstone) {
  int scope = apikeys_schema_scope_field(record->kind);
  ak_record_set_string(tombstone, AK_ID, apikeys_record_text(record, AK_ID, NULL));
  apikeys_record_set_integer(tombstone, AK_DELETED_CURSOR_KIND, record->kind);
  apikeys_record_set_integer(tombstone, AK_DELETED_CURSOR_OBJECT_NUMBER,
                             apikeys_record_integer(record, AK_NUMBER));
  ak_record_set_string(tombstone, AK_DELETED_CURSOR_ORGANIZATION_ID,
                       scope >= 0 ? apikeys_record_text(record, scope, NULL) : "");
  apikeys_record_set_integer(tombstone, AK_DELETED_CURSOR_CREATED_AT, op->now_ms);
  return ak_record_status(tombstone);
}

int ak_remove_listed(struct ak_op *op, const apikeys_record *record) {
  apikeys_record tombstone;
  ak_record_init(&tombstone, AK_DELETED_CURSOR);
  int rc = deleted_cursors_fill(op, record, &tombstone);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&op->transaction, &tombstone);
  ak_record_release(&tombstone);
  return rc == APIKEYS_OK
             ? ak_remove(&op->transaction, record->kind, apikeys_record_integer(record, AK_NUMBER))
             : rc;
}

int ak_deleted_cursor_find(struct ak_op *op, int kind, const char *id, int64_t *number) {
  apikeys_query query;
  apikeys_record found;
  if (apikeys_schema_scope_field(kind) >= 0)
    ak_scope_query(&op->power, &query, AK_DELETED_CURSOR, 0);
  else
    ak_query_any(&query, AK_DELETED_CURSOR, 0);
  ak_query_equal_text(&query, id, strlen(id));
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_DELETED_CURSOR_KIND, kind);
  ak_record_init(&found, AK_DELETED_CURSOR);
  int rc = ak_get(&op->transaction, &query, &found);
  if (rc == APIKEYS_OK)
    *number = apikeys_record_integer(&found, AK_DELETED_CURSOR_OBJECT_NUMBER);
  ak_record_release(&found);
  return rc;
}

int ak_deleted_cursors_prune(struct ak_op *op, struct ak_budget *budget) {
  apikeys_query query;
  ak_query_any(&query, AK_DELETED_CURSOR, AK_DELETED_CURSOR_BY_AGE);
  ak_query_until(&query, ak_difference(op->now_ms, deleted_cursors_lifetime_ms));
  return ak_remove_some(&op->transaction, &query, budget);
}
