/* SPDX-License-Identifier: MIT */
/*
 * What actors may do: the rules of <apikeys/actor.h>, in one place. Each function returns 0,
 * APIKEYS_ERROR_NOT_ALLOWED, or APIKEYS_ERROR_NOT_FOUND for what the actor must not know of.
 */
#ifndef AK_ACCESS_AUTHORITY_H
#define AK_ACCESS_AUTHORITY_H

#include "access/actor.h"
#include "base/error.h"
#include "storage/query.h"

#include <apikeys/key.h>

#define AK_MANAGE_KEYS "widgets:api-keys:manage"
#define AK_MANAGE_OWN_KEYS "widgets:user-api-keys:manage-self"
#define AK_MANAGE_ALL_USER_KEYS "widgets:user-api-keys:manage-all"

/* What an actor may do, resolved inside a call's transaction. */
struct ak_power {
  const apikeys_actor *actor;
  struct ak_slugs held; /* a member's permissions now, or a management key's scopes */
  apikeys_error *err;   /* says why something is not allowed; may be NULL */
};

/* 1 if `slug` is a scope that a management key can hold. */
bool ak_scope_known(const char *slug, size_t length);

/* 1 if `slug` begins with "widgets:" or "apikeys:": never for customers' keys. */
bool ak_slug_reserved(const char *slug, size_t length);

/* 1 if the power holds the permission or scope. */
bool ak_power_holds(const struct ak_power *power, const char *slug);

/* True for actors that are confined to one organization. */
bool ak_power_is_member(const struct ak_power *power);

/* The system, or a management key with this scope. */
int ak_allow(const struct ak_power *power, const char *scope);

/* The same, and members of that organization who may manage some keys. */
int ak_allow_in_organization(const struct ak_power *power, const char *scope,
                             const char *organization_id, size_t length);

enum ak_key_verb { AK_KEY_SEE, AK_KEY_CREATE, AK_KEY_CHANGE, AK_KEY_REVOKE };

/*
 * Keys of one owner. `user_id` is "" for organizations' keys; for members' keys "" means "of
 * whichever member", which seeing alone can ask.
 */
int ak_allow_keys(const struct ak_power *power, enum ak_key_verb verb, int owner_type,
                  const char *organization_id, const char *user_id);

/* Members who may manage no keys at all are told so before anything is looked up. */
int ak_allow_some_keys(const struct ak_power *power);

/* A query about a kind, narrowed to what the actor may know of: members to their organization's,
 * where the kind belongs to organizations at all. */
void ak_scope_query(const struct ak_power *power, apikeys_query *query, int kind, int index);

#endif
