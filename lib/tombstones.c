/* SPDX-License-Identifier: MIT */
#include "tombstones.h"

#include "arithmetic.h"
#include "authority.h"

#include <string.h>

static const int64_t lifetime_ms = INT64_C(7) * 24 * 3600 * 1000;

static int fill(struct ak_call *call, const apikeys_record *record, apikeys_record *tombstone) {
  int scope = apikeys_schema_scope_field(record->kind);
  ak_record_set_string(tombstone, AK_ID, apikeys_record_text(record, AK_ID, NULL));
  apikeys_record_set_integer(tombstone, AK_TOMBSTONE_KIND, record->kind);
  apikeys_record_set_integer(tombstone, AK_TOMBSTONE_OBJECT_NUMBER,
                             apikeys_record_integer(record, AK_NUMBER));
  ak_record_set_string(tombstone, AK_TOMBSTONE_ORGANIZATION_ID,
                       scope >= 0 ? apikeys_record_text(record, scope, NULL) : "");
  apikeys_record_set_integer(tombstone, AK_TOMBSTONE_CREATED_AT, call->now_ms);
  return ak_record_status(tombstone);
}

int ak_remove_listed(struct ak_call *call, const apikeys_record *record) {
  apikeys_record tombstone;
  ak_record_init(&tombstone, AK_TOMBSTONE);
  int rc = fill(call, record, &tombstone);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&call->transaction, &tombstone);
  ak_record_release(&tombstone);
  return rc == APIKEYS_OK ? ak_remove(&call->transaction, record->kind,
                                      apikeys_record_integer(record, AK_NUMBER))
                          : rc;
}

int ak_tombstone_find(struct ak_call *call, int kind, const char *id, int64_t *number) {
  apikeys_query query;
  apikeys_record found;
  if (apikeys_schema_scope_field(kind) >= 0)
    ak_scope_query(call, &query, AK_TOMBSTONE, 0);
  else
    ak_query_any(&query, AK_TOMBSTONE, 0);
  ak_query_equal_text(&query, id, strlen(id));
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_TOMBSTONE_KIND, kind);
  ak_record_init(&found, AK_TOMBSTONE);
  int rc = ak_get(&call->transaction, &query, &found);
  if (rc == APIKEYS_OK)
    *number = apikeys_record_integer(&found, AK_TOMBSTONE_OBJECT_NUMBER);
  ak_record_release(&found);
  return rc;
}

int ak_tombstones_prune(struct ak_call *call, struct ak_budget *budget) {
  apikeys_query query;
  ak_query_any(&query, AK_TOMBSTONE, AK_TOMBSTONE_BY_AGE);
  ak_query_until(&query, ak_difference(call->now_ms, lifetime_ms));
  return ak_remove_some(&call->transaction, &query, budget);
}
