/* SPDX-License-Identifier: MIT */
/* What a stored member holds now: the union of their roles' permissions, read in a transaction. */
#ifndef AK_ACCESS_EFFECTIVE_PERMISSIONS_H
#define AK_ACCESS_EFFECTIVE_PERMISSIONS_H

#include "base/slug_set.h"
#include "storage/storage.h"

/* The member's record, active or not; APIKEYS_ERROR_NOT_FOUND. */
int ak_member_find(struct ak_transaction *transaction, const char *organization_id,
                   const char *user_id, apikeys_record *out);

/* The record of a role that members of this organization can have; APIKEYS_ERROR_NOT_FOUND. */
int ak_role_find(struct ak_transaction *transaction, const char *organization_id, const char *slug,
                 size_t length, apikeys_record *out);

/* Adds the permissions of a member's roles. */
int ak_member_permissions(struct ak_transaction *transaction, const apikeys_record *member,
                          struct ak_slugs *permissions);

/* The same for an active member; APIKEYS_ERROR_NOT_FOUND if there is none. */
int ak_active_member_permissions(struct ak_transaction *transaction, const char *organization_id,
                                 const char *user_id, struct ak_slugs *permissions);

/* 0 if there is such an organization, else APIKEYS_ERROR_NOT_FOUND. */
int ak_organization_exists(struct ak_transaction *transaction, const char *organization_id);

/* Roles of one organization have slugs that begin with this; the environment's do not. */
#define AK_ORGANIZATION_ROLE_START "org-"
bool ak_role_is_organizations(const char *slug, size_t length);

#endif
