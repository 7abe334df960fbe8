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
  const struct ak_policy *policy = path->ground->policy;
  return ak_slugs_has(policy->accepted_prefixes, policy->prefixes_length, path->token.prefix,
                      path->token.prefix_length)
             ? APIKEYS_OK
             : APIKEYS_MALFORMED;
}

static int find_key(struct ak_full_path *path) {
  apikeys_query query;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_LOOKUP_ID);
  ak_query_equal_text(&query, path->token.lookup_id, AK_LOOKUP_ID_LENGTH);
  int rc = ak_get(&path->ground->call->transaction, &query, &path->key);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_UNKNOWN : rc;
}

/* Only the rule about idle keys needs the last use for itself. */
static int check_use(struct ak_full_path *path) {
  const apikeys_record *key = &path->key;
  int64_t idle_lifetime_ms = path->ground->policy->idle_lifetime_ms;
  if (!path->wants_use && idle_lifetime_ms <= 0)
    return APIKEYS_OK;
  int rc = ak_key_last_used(path->ground->call, key, &path->last_used_at);
  if (rc != APIKEYS_OK)
    return rc;
  bool customers = apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE) != APIKEYS_OWNER_ENVIRONMENT;
  int64_t idle_at = ak_key_idle_at(key, path->last_used_at, idle_lifetime_ms);
  bool idle = customers && ak_passed(&path->ground->call->env->passed_times, idle_at, path->now_ms,
                                     path->own_time);
  return idle ? APIKEYS_REVOKED : APIKEYS_OK;
}

static int check_state(struct ak_full_path *path) {
  const apikeys_record *key = &path->key;
  int rc = ak_key_state(key, path->now_ms);
  if (rc != APIKEYS_REVOKED &&
      ak_passed(&path->ground->call->env->passed_times,
                apikeys_record_integer(key, AK_API_KEY_EXPIRES_AT), path->now_ms, path->own_time))
    rc = APIKEYS_EXPIRED;
  return rc == APIKEYS_OK ? check_use(path) : rc;
}

/* A member's key is worth what the member holds now. */
static int hold_to_member(struct ak_full_path *path) {
  apikeys_record *key = &path->key;
  struct ak_slugs held = {0};
  size_t length;
  int rc = ak_active_member_permissions(&path->ground->call->transaction,
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

static int find_organization(struct ak_full_path_ground *ground, const char *id) {
  struct ak_standing *standing = &ground->call->env->standing;
  if (ground->standing && ak_standing_organization(standing, ground->generation, id)) {
    ground->stood = true;
    return APIKEYS_OK;
  }
  int rc = ak_organization_exists(&ground->call->transaction, id);
  if (rc == APIKEYS_OK && ground->standing)
    ak_standing_put_organization(standing, ground->generation, id);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OWNER_INACTIVE : rc;
}

/* A deleted organization's keys are revoked one after the other; all of them are refused at once. */
static int check_owner(struct ak_full_path *path) {
  const apikeys_record *key = &path->key;
  const char *organization_id = apikeys_record_text(key, AK_API_KEY_ORGANIZATION_ID, NULL);
  int rc;
  switch (apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE)) {
  case APIKEYS_OWNER_ENVIRONMENT:
    return APIKEYS_OK;
  case APIKEYS_OWNER_ORGANIZATION:
    return find_organization(path->ground, organization_id);
  case APIKEYS_OWNER_MEMBER:
    rc = find_organization(path->ground, organization_id);
    return rc == APIKEYS_OK ? hold_to_member(path) : rc;
  default:
    return APIKEYS_ERROR_CORRUPT;
  }
}

int ak_full_path(struct ak_full_path *path) {
  int rc = check_prefix(path);
  if (rc == APIKEYS_OK)
    rc = find_key(path);
  if (rc == APIKEYS_OK)
    rc = ak_key_value_verify(path->ground->call->env, &path->key, path->value, path->length);
  if (rc == APIKEYS_OK)
    rc = check_state(path);
  return rc == APIKEYS_OK ? check_owner(path) : rc;
}
