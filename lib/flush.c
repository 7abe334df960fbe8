/* SPDX-License-Identifier: MIT */
#include "flush.h"

#include "call.h"

#include <string.h>

enum { FLUSH_AT_ONCE = 4096 }; /* uses in one transaction: other writers wait no longer than that */

/* Only keys that are there are written: a use may outlive its key's pruning. */
static int write_use(struct ak_call *call, const struct ak_use *use) {
  apikeys_query query;
  apikeys_record record;
  ak_record_init(&record, AK_API_KEY);
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_equal_text(&query, use->key_id, strlen(use->key_id));
  int rc = ak_get(&call->transaction, &query, &record);
  ak_record_release(&record);
  if (rc != APIKEYS_OK)
    return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
  ak_record_init(&record, AK_API_KEY_USE);
  ak_record_set_string(&record, AK_ID, use->key_id);
  apikeys_record_set_integer(&record, AK_API_KEY_USE_LAST_USED_AT, use->at_ms);
  rc = ak_record_status(&record);
  if (rc == APIKEYS_OK)
    rc = ak_raise(&call->transaction, &record, AK_API_KEY_USE_LAST_USED_AT);
  ak_record_release(&record);
  return rc;
}

static int write_uses(apikeys_env *env, const struct ak_use *table, size_t capacity) {
  size_t i = 0;
  while (i < capacity) {
    struct ak_call call;
    int rc = ak_call_begin_internal(&call, env, APIKEYS_TRANSACTION_WRITE, NULL);
    if (rc != APIKEYS_OK)
      return rc;
    size_t written = 0;
    for (; rc == APIKEYS_OK && i < capacity && written < FLUSH_AT_ONCE; i++)
      if (table[i].at_ms != 0) {
        rc = write_use(&call, &table[i]);
        written++;
      }
    rc = ak_call_end(&call, rc);
    if (rc != APIKEYS_OK)
      return rc;
  }
  return APIKEYS_OK;
}

int ak_flush_usage(apikeys_env *env) {
  struct ak_use *table;
  size_t capacity;
  ak_usage_take(&env->usage, &table, &capacity);
  if (table == NULL)
    return APIKEYS_OK;
  int rc = write_uses(env, table, capacity);
  ak_usage_return(&env->usage, table, capacity, rc == APIKEYS_OK);
  if (rc != APIKEYS_OK)
    ak_log(&env->options, APIKEYS_LOG_WARNING, "recorded uses were not written yet: %s",
           apikeys_result_text(rc));
  return rc;
}
