/* SPDX-License-Identifier: MIT */
/* Each step either refuses, or hands on to the next. */
#include "validate/validate_in_store.h"

#include "access/effective_permissions.h"
#include "domain/key_value.h"
#include "domain/keys.h"
#include "storage/key_state.h"

#include <apikeys/key.h>

#include <string.h>

static int check_prefix(struct ak_store_check *check) {
  const struct ak_policy *policy = check->snapshot->policy;
  return ak_slugs_has(policy->accepted_prefixes, policy->prefixes_length, check->token.prefix,
                      check->token.prefix_length)
             ? APIKEYS_OK
             : APIKEYS_MALFORMED;
}

static int find_key(struct ak_store_check *check) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
  ak_query_equal_text(&query, check->token.lookup_id, AK_LOOKUP_ID_LENGTH);
  int rc = ak_get(&check->snapshot->op->transaction, &query, &check->key);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_UNKNOWN : rc;
}

/* Only the rule about idle keys needs the last use for itself. */
static int check_use(struct ak_store_check *check) {
  const apikeys_record *key = &check->key;
  int64_t idle_lifetime_ms = check->snapshot->policy->idle_lifetime_ms;
  if (!check->wants_use && idle_lifetime_ms <= 0)
    return APIKEYS_OK;
  int rc = ak_key_last_used(check->snapshot->op, key, &check->last_used_at);
  if (rc != APIKEYS_OK)
    return rc;
  bool customers = apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE) != APIKEYS_OWNER_ENVIRONMENT;
  int64_t idle_at = ak_key_idle_at(key, check->last_used_at, idle_lifetime_ms);
  bool idle = customers && ak_passed(&check->snapshot->op->env->passed_times, AK_DEADLINE_IDLE,
                                     idle_at, check->now_ms, check->own_time);
  return idle ? APIKEYS_REVOKED : APIKEYS_OK;
}

static int check_state(struct ak_store_check *check) {
  int rc = ak_key_state(&check->snapshot->op->env->passed_times, &check->key, check->now_ms,
                        check->own_time);
  return rc == APIKEYS_OK ? check_use(check) : rc;
}

/* A member's key is worth what the member holds now. */
static int hold_to_member(struct ak_store_check *check) {
  apikeys_record *key = &check->key;
  struct ak_slugs held = {0};
  size_t length;
  int rc = ak_active_member_permissions(&check->snapshot->op->transaction,
                                        apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL),
                                        apikeys_record_text(key, AK_API_KEY_USER_ID, NULL), &held);
  if (rc == APIKEYS_OK) {
    const char *granted = apikeys_record_text(key, AK_API_KEY_PERMISSIONS, &length);
    ak_slugs_intersect(&held, granted, length);
    rc = held.failed ? APIKEYS_ERROR_NO_MEMORY
                     : apikeys_record_set_text(key, AK_API_KEY_PERMISSIONS, ak_slugs_text(&held),
                                               held.length);
  }
  ak_slugs_release(&held);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OWNER_INACTIVE : rc;
}

static int find_organization(struct ak_read_snapshot *snapshot, const char *id) {
  struct ak_policy_cache *policy_usable = &snapshot->op->env->policy_cache;
  if (snapshot->policy_usable &&
      ak_policy_cache_organization(policy_usable, snapshot->generation, id)) {
    snapshot->policy_used = true;
    return APIKEYS_OK;
  }
  int rc = ak_organization_exists(&snapshot->op->transaction, id);
  if (rc == APIKEYS_OK && snapshot->policy_usable)
    ak_policy_cache_put_organization(policy_usable, snapshot->generation, id);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OWNER_INACTIVE : rc;
}

/* A deleted organization's keys are revoked one after the other; all of them are refused at
 * once. */
static int stored_check_owner(struct ak_store_check *check) {
  const apikeys_record *key = &check->key;
  const char *organization_id = apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL);
  int rc;
  switch (apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE)) {
  case APIKEYS_OWNER_ENVIRONMENT:
    return APIKEYS_OK;
  case APIKEYS_OWNER_ORGANIZATION:
    return find_organization(check->snapshot, organization_id);
  case APIKEYS_OWNER_MEMBER:
    rc = find_organization(check->snapshot, organization_id);
    return rc == APIKEYS_OK ? hold_to_member(check) : rc;
  default:
    return APIKEYS_ERROR_CORRUPT;
  }
}

int ak_store_check(struct ak_store_check *check) {
  int rc = check_prefix(check);
  if (rc == APIKEYS_OK)
    rc = find_key(check);
  if (rc == APIKEYS_OK)
    rc = ak_key_value_verify(check->snapshot->op->env, &check->key, check->value, check->length);
  if (rc == APIKEYS_OK)
    rc = check_state(check);
  return rc == APIKEYS_OK ? stored_check_owner(check) : rc;
}
