/* SPDX-License-Identifier: MIT */
/* Each step either refuses, or hands on to the next. */
#include "full_path.h"

#include "key_state.h"
#include "key_value.h"
#include "keys.h"
#include "membership.h"

#include <apikeys/key.h>

#include <string.h>

static int check_prefix(struct ak_full_path *path) {
  size_t length;
  const char *accepted =
      apikeys_record_text(path->environment, AK_ENVIRONMENT_ACCEPTED_PREFIXES, &length);
  return ak_slugs_has(accepted, length, path->token.prefix, path->token.prefix_length)
             ? APIKEYS_OK
             : APIKEYS_MALFORMED;
}

static int find_key(struct ak_full_path *path) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
  ak_query_equal_text(&query, path->token.lookup_id, AK_LOOKUP_ID_LENGTH);
  int rc = ak_get(&path->call->transaction, &query, &path->key);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_UNKNOWN : rc;
}

static int check_state(struct ak_full_path *path) {
  const apikeys_record *key = &path->key;
  int rc = ak_key_state(key, path->now_ms);
  if (rc != APIKEYS_REVOKED &&
      ak_env_expired(path->call->env, apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT),
                     path->now_ms, path->own_time))
    rc = APIKEYS_EXPIRED;
  if (rc != APIKEYS_OK)
    return rc;
  rc = ak_key_last_used(path->call, key, &path->last_used_at);
  if (rc != APIKEYS_OK)
    return rc;
  int64_t idle_lifetime_ms =
      apikeys_record_integer(path->environment, AK_ENVIRONMENT_IDLE_LIFETIME_MS);
  bool customers = apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE) != APIKEYS_OWNER_ENVIRONMENT;
  bool idle = customers && ak_key_idle(key, path->last_used_at, idle_lifetime_ms, path->now_ms);
  return idle ? APIKEYS_REVOKED : APIKEYS_OK;
}

/* A member's key is worth what the member holds now. */
static int hold_to_member(struct ak_full_path *path) {
  apikeys_record *key = &path->key;
  struct ak_slugs held = {0};
  size_t length;
  int rc = ak_active_member_permissions(&path->call->transaction,
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

/* An organization's keys are revoked when it is deleted; that it is there is asked all the same,
 * for stores that were edited by hand. */
static int check_owner(struct ak_full_path *path) {
  const apikeys_record *key = &path->key;
  const char *organization_id = apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL);
  int rc;
  switch (apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE)) {
  case APIKEYS_OWNER_ENVIRONMENT:
    return APIKEYS_OK;
  case APIKEYS_OWNER_ORGANIZATION:
    rc = ak_organization_exists(&path->call->transaction, organization_id);
    return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OWNER_INACTIVE : rc;
  case APIKEYS_OWNER_MEMBER:
    return hold_to_member(path);
  default:
    return APIKEYS_ERROR_CORRUPT;
  }
}

int ak_full_path(struct ak_full_path *path) {
  int rc = check_prefix(path);
  if (rc == APIKEYS_OK)
    rc = find_key(path);
  if (rc == APIKEYS_OK)
    rc = ak_key_value_verify(path->call->env, &path->key, path->value, path->length);
  if (rc == APIKEYS_OK)
    rc = check_state(path);
  return rc == APIKEYS_OK ? check_owner(path) : rc;
}
