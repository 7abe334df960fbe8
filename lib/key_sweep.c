/* SPDX-License-Identifier: MIT */
/* What happens to many keys together: revoked with their owner or for being idle, pruned. */
#include "keys.h"
#include "list.h"
#include "tombstones.h"

#include <apikeys/key.h>

#include <string.h>

enum { AT_ONCE = 100 };

/* Revoke what the query gives until it gives nothing: each one revoked leaves the query's index
 * range, which is of active keys. */
static int revoke_all(struct ak_call *call, const apikeys_query *query, const char *reason) {
  int rc;
  size_t revoked;
  do {
    apikeys_page page;
    apikeys_query batch = *query;
    batch.limit = AT_ONCE;
    ak_page_init(&page, AK_API_KEY);
    rc = ak_scan(&call->transaction, &batch, ak_page_visit, &page);
    revoked = page.count;
    for (size_t i = 0; rc == APIKEYS_OK && i < page.count; i++)
      rc = ak_key_revoke_record(call, &page.objects[i]->record, reason, strlen(reason));
    ak_page_release(&page);
  } while (rc == APIKEYS_OK && revoked > 0);
  return rc;
}

static int revoke_owned(struct ak_call *call, int type, const char *organization_id,
                        const char *user_id, const char *reason) {
  struct ak_key_owner owner = {type, organization_id, user_id};
  apikeys_query query;
  ak_key_owner_query(&query, &owner, AK_KEY_ACTIVE);
  return revoke_all(call, &query, reason);
}

int ak_keys_revoke_of_organization(struct ak_call *call, const char *organization_id) {
  int rc = revoke_owned(call, APIKEYS_OWNER_ORGANIZATION, organization_id, "",
                        AK_REASON_ORGANIZATION_DELETED);
  return rc == APIKEYS_OK ? revoke_owned(call, APIKEYS_OWNER_MEMBER, organization_id, "",
                                         AK_REASON_ORGANIZATION_DELETED)
                          : rc;
}

int ak_keys_revoke_of_member(struct ak_call *call, const char *organization_id,
                             const char *user_id) {
  return revoke_owned(call, APIKEYS_OWNER_MEMBER, organization_id, user_id,
                      AK_REASON_MEMBER_DELETED);
}

/* Walk all keys by number, a batch at a time, and act on each. */
static int for_each_key(struct ak_call *call, const apikeys_query *query,
                        int (*act)(struct ak_call *, apikeys_record *, void *), void *data) {
  int64_t from = 0;
  int rc;
  size_t seen;
  do {
    apikeys_page page;
    apikeys_query batch = *query;
    ak_query_from(&batch, from);
    batch.limit = AT_ONCE;
    ak_page_init(&page, AK_API_KEY);
    rc = ak_scan(&call->transaction, &batch, ak_page_visit, &page);
    seen = page.count;
    for (size_t i = 0; rc == APIKEYS_OK && i < page.count; i++) {
      from = apikeys_record_integer(&page.objects[i]->record, AK_NUMBER) + 1;
      rc = act(call, &page.objects[i]->record, data);
    }
    ak_page_release(&page);
  } while (rc == APIKEYS_OK && seen > 0);
  return rc;
}

static int revoke_if_idle(struct ak_call *call, apikeys_record *key, void *data) {
  const int64_t *idle_lifetime_ms = data;
  int64_t last_used;
  int rc = ak_key_last_used(call, key, &last_used);
  if (rc == APIKEYS_OK && ak_key_idle(key, last_used, *idle_lifetime_ms, call->now_ms))
    rc = ak_key_revoke_record(call, key, AK_REASON_IDLE, strlen(AK_REASON_IDLE));
  return rc;
}

int ak_keys_revoke_idle(struct ak_call *call, int64_t idle_lifetime_ms) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_API_KEY_STATE, AK_KEY_ACTIVE);
  ak_query_where_integer(&query, AK_CONDITION_BELOW, AK_API_KEY_OWNER_TYPE,
                         APIKEYS_OWNER_ENVIRONMENT);
  ak_query_where_integer(&query, AK_CONDITION_BELOW, AK_API_KEY_CREATED_AT,
                         call->now_ms - idle_lifetime_ms);
  return for_each_key(call, &query, revoke_if_idle, &idle_lifetime_ms);
}

static int remove_use(struct ak_call *call, const char *key_id) {
  apikeys_query query;
  apikeys_record use;
  ak_record_init(&use, AK_API_KEY_USE);
  ak_query_environment(&query, AK_API_KEY_USE, 0);
  ak_query_equal_text(&query, key_id, strlen(key_id));
  int rc = ak_get(&call->transaction, &query, &use);
  if (rc == APIKEYS_OK)
    rc = ak_remove(&call->transaction, AK_API_KEY_USE, apikeys_record_integer(&use, AK_NUMBER));
  ak_record_release(&use);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

static int prune_key(struct ak_call *call, apikeys_record *key, void *data) {
  uint64_t *pruned = data;
  int rc = remove_use(call, apikeys_record_text(key, AK_ID, NULL));
  if (rc == APIKEYS_OK)
    rc = ak_remove_listed(call, key);
  *pruned += 1;
  return rc;
}

int ak_keys_prune(struct ak_call *call, int64_t before_ms, uint64_t *pruned) {
  apikeys_query query;
  *pruned = 0;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_where_integer(&query, AK_CONDITION_EQUALS, AK_API_KEY_STATE, AK_KEY_REVOKED);
  ak_query_where_integer(&query, AK_CONDITION_BELOW, AK_API_KEY_REVOKED_AT, before_ms);
  return for_each_key(call, &query, prune_key, pruned);
}
