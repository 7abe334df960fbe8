/* SPDX-License-Identifier: MIT */
/*
 * What happens to many keys together: revoked with their owner or for being idle, pruned.
 * Candidates are found in read transactions; no write transaction changes more than AK_BUDGET keys.
 */
#include "base/arithmetic.h"
#include "domain/key_walk.h"
#include "domain/keys.h"
#include "operation/deleted_cursors.h"
#include "operation/list.h"

#include <apikeys/key.h>

#include <string.h>

/* -- With their owner -------------------------------------------------------------------------- */

static int revoke_some(struct ak_op *op, const apikeys_query *query, const char *reason,
                       struct ak_budget *budget) {
  apikeys_page page;
  apikeys_query batch = *query;
  if (budget->left == 0)
    return APIKEYS_OK;
  batch.limit = budget->left;
  ak_page_init(&page, AK_API_KEY);
  int rc = ak_scan(&op->transaction, &batch, ak_page_visit, &page);
  size_t done = 0;
  bool over = false;
  for (; rc == APIKEYS_OK && done < page.count && !over; done++) {
    rc = ak_key_revoke_record(op, &page.objects[done]->record, reason, strlen(reason));
    over = ak_budget_is_over(budget);
  }
  budget->left = over ? 0 : budget->left - done; /* 0: come again */
  ak_page_release(&page);
  return rc;
}

static int revoke_owned(struct ak_op *op, int type, const char *organization_id,
                        const char *user_id, const char *reason, struct ak_budget *budget) {
  struct ak_key_owner owner = {type, organization_id, user_id};
  apikeys_query query;
  ak_key_owner_query(&query, &owner, AK_KEY_ACTIVE);
  return revoke_some(op, &query, reason, budget);
}

int ak_keys_revoke_of_organization(struct ak_op *op, const char *organization_id,
                                   struct ak_budget *budget) {
  int rc = revoke_owned(op, APIKEYS_OWNER_ORGANIZATION, organization_id, "",
                        AK_REASON_ORGANIZATION_DELETED, budget);
  return rc == APIKEYS_OK ? revoke_owned(op, APIKEYS_OWNER_MEMBER, organization_id, "",
                                         AK_REASON_ORGANIZATION_DELETED, budget)
                          : rc;
}

int ak_keys_revoke_of_member(struct ak_op *op, const char *organization_id, const char *user_id,
                             struct ak_budget *budget) {
  return revoke_owned(op, APIKEYS_OWNER_MEMBER, organization_id, user_id, AK_REASON_MEMBER_DELETED,
                      budget);
}

/* -- For being idle ---------------------------------------------------------------------------- */

static int is_idle(struct ak_op *op, const apikeys_record *key, void *data, bool *idle) {
  const int64_t *idle_lifetime_ms = data;
  int64_t last_used;
  int rc = ak_key_last_used(op, key, &last_used);
  *idle = rc == APIKEYS_OK &&
          ak_passed(&op->env->passed_times, AK_DEADLINE_IDLE,
                    ak_key_idle_at(key, last_used, *idle_lifetime_ms), op->now_ms, false);
  return rc;
}

/* Since it was found, a key may have been used, revoked, or pruned. */
static int revoke_if_idle(struct ak_op *op, int64_t number, int64_t idle_lifetime_ms) {
  apikeys_record key;
  bool idle = false;
  ak_record_init(&key, AK_API_KEY);
  int rc = ak_key_of_number(op, number, &key);
  if (rc == APIKEYS_OK && apikeys_record_integer(&key, AK_API_KEY_STATE) == AK_KEY_ACTIVE)
    rc = is_idle(op, &key, &idle_lifetime_ms, &idle);
  if (rc == APIKEYS_OK && idle)
    rc = ak_key_revoke_record(op, &key, AK_REASON_IDLE, strlen(AK_REASON_IDLE));
  ak_record_release(&key);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

/* One transaction, of those from *at on. */
static int revoke_some_found(apikeys_env *env, const struct ak_key_numbers *numbers, size_t *at,
                             int64_t idle_lifetime_ms) {
  struct ak_op op;
  struct ak_budget budget = {.left = AK_BUDGET};
  int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_WRITE, NULL);
  if (rc != APIKEYS_OK)
    return rc;
  do
    rc = revoke_if_idle(&op, numbers->list[(*at)++], idle_lifetime_ms);
  while (rc == APIKEYS_OK && *at < numbers->count && !ak_budget_is_over(&budget));
  return ak_op_end(&op, rc);
}

static int revoke_found(apikeys_env *env, const struct ak_key_numbers *numbers,
                        int64_t idle_lifetime_ms) {
  int rc = APIKEYS_OK;
  for (size_t at = 0; rc == APIKEYS_OK && at < numbers->count;) {
    rc = revoke_some_found(env, numbers, &at, idle_lifetime_ms);
    ak_budget_pause();
  }
  return rc;
}

int ak_keys_revoke_idle(apikeys_env *env, int64_t idle_lifetime_ms) {
  apikeys_query query;
  struct ak_key_numbers numbers;
  int64_t from = 0;
  bool done = false;
  int rc = APIKEYS_OK;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_API_KEY_STATE, AK_KEY_ACTIVE);
  ak_query_where_integer(&query, AK_CONDITION_BELOW, AK_API_KEY_OWNER_TYPE,
                         APIKEYS_OWNER_ENVIRONMENT);
  ak_query_where_integer(&query, AK_CONDITION_BELOW, AK_API_KEY_CREATED_AT,
                         ak_difference(ak_now_ms(&env->options), idle_lifetime_ms));
  while (rc == APIKEYS_OK && !done) {
    rc = ak_keys_collect(env, &query, is_idle, &idle_lifetime_ms, &from, &numbers, &done);
    if (rc == APIKEYS_OK)
      rc = revoke_found(env, &numbers, idle_lifetime_ms);
  }
  return rc;
}

/* -- Pruning ----------------------------------------------------------------------------------- */

static int remove_use(struct ak_op *op, const char *key_id) {
  apikeys_query query;
  apikeys_record use;
  ak_record_init(&use, AK_API_KEY_USE);
  ak_query_environment(&query, AK_API_KEY_USE, 0);
  ak_query_equal_text(&query, key_id, strlen(key_id));
  int rc = ak_get(&op->transaction, &query, &use);
  if (rc == APIKEYS_OK)
    rc = ak_remove(&op->transaction, AK_API_KEY_USE, apikeys_record_integer(&use, AK_NUMBER));
  ak_record_release(&use);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

void ak_keys_pruned_query(apikeys_query *query, int64_t before_ms) {
  ak_query_any(query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_where_integer(query, AK_CONDITION_EQUALS, AK_API_KEY_STATE, AK_KEY_REVOKED);
  ak_query_where_integer(query, AK_CONDITION_BELOW, AK_API_KEY_REVOKED_AT, before_ms);
}

int ak_key_prune(struct ak_op *op, apikeys_record *key, int64_t before_ms) {
  if (apikeys_record_integer(key, AK_API_KEY_STATE) != AK_KEY_REVOKED ||
      apikeys_record_integer(key, AK_API_KEY_REVOKED_AT) >= before_ms)
    return APIKEYS_ERROR_NOT_FOUND;
  int rc = remove_use(op, apikeys_record_text(key, AK_ID, NULL));
  return rc == APIKEYS_OK ? ak_remove_listed(op, key) : rc;
}
