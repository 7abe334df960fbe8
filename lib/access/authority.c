/* SPDX-License-Identifier: MIT */
/* Every permission check of every call. */
#include "access/authority.h"

#include <string.h>

static const char *const scopes[] = {
    "apikeys:environment:read",
    "apikeys:environment:write",
    "apikeys:permissions:read",
    "apikeys:permissions:write",
    "apikeys:roles:read",
    "apikeys:roles:write",
    "apikeys:organizations:read",
    "apikeys:organizations:write",
    "apikeys:members:read",
    "apikeys:members:write",
    "apikeys:keys:read",
    "apikeys:keys:write",
    "apikeys:management-keys:read",
    "apikeys:management-keys:write",
    "apikeys:widget-tokens:write",
    "apikeys:events:read",
    "apikeys:documents:read",
    "apikeys:documents:write",
};

bool ak_scope_known(const char *slug, size_t length) {
  for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
    if (strlen(scopes[i]) == length && memcmp(scopes[i], slug, length) == 0)
      return true;
  return false;
}

static bool begins_with(const char *slug, size_t length, const char *start) {
  size_t start_length = strlen(start);
  return length >= start_length && memcmp(slug, start, start_length) == 0;
}

bool ak_slug_reserved(const char *slug, size_t length) {
  return begins_with(slug, length, "widgets:") || begins_with(slug, length, "apikeys:");
}

bool ak_power_holds(const struct ak_power *power, const char *slug) {
  return ak_slugs_has(ak_slugs_text(&power->held), power->held.length, slug, strlen(slug));
}

bool ak_power_is_member(const struct ak_power *power) {
  return power->actor->type == APIKEYS_ACTOR_MEMBER ||
         power->actor->type == APIKEYS_ACTOR_VOUCHED_MEMBER ||
         power->actor->type == APIKEYS_ACTOR_WIDGET_TOKEN;
}

static int not_allowed(const struct ak_power *power, const char *needs) {
  return ak_error_set(power->err, APIKEYS_ERROR_NOT_ALLOWED, "actor", "lacks %s", needs);
}

int ak_allow(const struct ak_power *power, const char *scope) {
  if (power->actor->type == APIKEYS_ACTOR_SYSTEM)
    return APIKEYS_OK;
  if (power->actor->type == APIKEYS_ACTOR_MANAGEMENT_KEY && ak_power_holds(power, scope))
    return APIKEYS_OK;
  return not_allowed(power, scope);
}

static bool manages_all_users(const struct ak_power *power) {
  return ak_power_holds(power, AK_MANAGE_ALL_USER_KEYS);
}

static bool manages_own(const struct ak_power *power) {
  return ak_power_holds(power, AK_MANAGE_OWN_KEYS) || manages_all_users(power);
}

int ak_allow_some_keys(const struct ak_power *power) {
  if (!ak_power_is_member(power) || ak_power_holds(power, AK_MANAGE_KEYS) || manages_own(power))
    return APIKEYS_OK;
  return not_allowed(power, AK_MANAGE_KEYS);
}

int ak_allow_in_organization(const struct ak_power *power, const char *scope,
                             const char *organization_id, size_t length) {
  if (!ak_power_is_member(power))
    return ak_allow(power, scope);
  const char *own = power->actor->organization_id;
  int rc = ak_allow_some_keys(power);
  if (rc == APIKEYS_OK && (strlen(own) != length || memcmp(own, organization_id, length) != 0))
    rc = ak_error_code(power->err, APIKEYS_ERROR_NOT_FOUND);
  return rc;
}

static const char *keys_scope(enum ak_key_verb verb, int owner_type) {
  if (owner_type == APIKEYS_OWNER_ENVIRONMENT)
    return verb == AK_KEY_SEE ? "apikeys:management-keys:read" : "apikeys:management-keys:write";
  return verb == AK_KEY_SEE ? "apikeys:keys:read" : "apikeys:keys:write";
}

static int allow_members_keys(const struct ak_power *power, enum ak_key_verb verb,
                              const char *user_id) {
  bool own = user_id[0] != '\0' && strcmp(power->actor->user_id, user_id) == 0;
  if (own)
    return manages_own(power) ? APIKEYS_OK : not_allowed(power, AK_MANAGE_OWN_KEYS);
  if (!manages_all_users(power))
    return not_allowed(power, AK_MANAGE_ALL_USER_KEYS);
  if (verb == AK_KEY_SEE || verb == AK_KEY_REVOKE)
    return APIKEYS_OK;
  return ak_error_set(power->err, APIKEYS_ERROR_NOT_ALLOWED, "actor",
                      "may see and revoke other members' keys, but not make or change them");
}

int ak_allow_keys(const struct ak_power *power, enum ak_key_verb verb, int owner_type,
                  const char *organization_id, const char *user_id) {
  if (!ak_power_is_member(power))
    return ak_allow(power, keys_scope(verb, owner_type));
  int rc = ak_allow_some_keys(power);
  if (rc != APIKEYS_OK)
    return rc;
  if (owner_type == APIKEYS_OWNER_ENVIRONMENT ||
      strcmp(power->actor->organization_id, organization_id) != 0)
    return ak_error_code(power->err, APIKEYS_ERROR_NOT_FOUND);
  if (owner_type == APIKEYS_OWNER_MEMBER)
    return allow_members_keys(power, verb, user_id);
  return ak_power_holds(power, AK_MANAGE_KEYS) ? APIKEYS_OK : not_allowed(power, AK_MANAGE_KEYS);
}

void ak_scope_query(const struct ak_power *power, apikeys_query *query, int kind, int index) {
  const apikeys_actor *actor = power->actor;
  bool owned = apikeys_schema_scope_field(kind) >= 0;
  if (owned && ak_power_is_member(power))
    ak_query_of(query, kind, index, actor->organization_id, strlen(actor->organization_id));
  else
    ak_query_any(query, kind, index);
}
