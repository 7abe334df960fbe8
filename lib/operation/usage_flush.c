/* SPDX-License-Identifier: MIT */
/* Saves use times: drains the table of unsaved ones into the store in batches. */
#include "operation/usage_flush.h"

#include "base/arithmetic.h"
#include "operation/operation.h"

enum { FLUSH_AT_ONCE = 1000 }; /* uses in one transaction: other writers wait no longer than that */

/* Only keys that are there are written: a use may outlive its key's pruning. */
static int write_use(struct ak_op *op, const struct ak_use *use) {
  apikeys_query query;
  apikeys_record key, record;
  ak_record_init(&key, AK_API_KEY);
  ak_record_init(&record, AK_API_KEY_USE);
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_from(&query, use->number);
  ak_query_until(&query, ak_sum(use->number, 1));
  int rc = ak_get(&op->transaction, &query, &key);
  if (rc == APIKEYS_OK) {
    ak_record_set_string(&record, AK_ID, apikeys_record_text(&key, AK_ID, NULL));
    apikeys_record_set_integer(&record, AK_API_KEY_USE_LAST_USED_AT, use->at_ms);
    rc = ak_record_status(&record);
    if (rc == APIKEYS_OK)
      rc = ak_store_max(&op->transaction, &record, AK_API_KEY_USE_LAST_USED_AT);
  }
  ak_record_release(&record);
  ak_record_release(&key);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static int write_uses(apikeys_env *env, const struct ak_uses *uses) {
  size_t i = 0;
  while (i < uses->capacity) {
    struct ak_op op;
    int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_WRITE, NULL);
    if (rc != APIKEYS_OK)
      return rc;
    size_t written = 0;
    for (; rc == APIKEYS_OK && i < uses->capacity && written < FLUSH_AT_ONCE; i++)
      if (uses->table[i].number != 0) {
        rc = write_use(&op, &uses->table[i]);
        written++;
      }
    rc = ak_op_end(&op, rc);
    if (rc != APIKEYS_OK)
      return rc;
  }
  return APIKEYS_OK;
}

static int write_pending(apikeys_env *env) {
  struct ak_uses uses;
  if (!ak_usage_drain(&env->usage, &uses))
    return APIKEYS_OK;
  int rc = write_uses(env, &uses);
  ak_usage_ack(&env->usage, &uses, rc == APIKEYS_OK);
  return rc;
}

static int usage_flush_report(apikeys_env *env, int rc) {
  if (rc != APIKEYS_OK)
    ak_log(&env->options, APIKEYS_LOG_WARNING, "recorded uses were not written yet: %s",
           apikeys_result_text(rc));
  return rc;
}

int ak_flush_usage(apikeys_env *env) {
  size_t slot = 0;
  bool more = true;
  int rc = APIKEYS_OK;
  while (rc == APIKEYS_OK && more) {
    more = ak_cache_hand_over_uses(&env->cache, &slot);
    rc = write_pending(env);
  }
  return usage_flush_report(env, rc);
}

int ak_flush_pending(apikeys_env *env) {
  return usage_flush_report(env, write_pending(env));
}
