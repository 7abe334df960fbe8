/* SPDX-License-Identifier: MIT */
/* What a member holds now: the permissions of the member's roles, read in the caller's
 * transaction. */
#include "access/effective_permissions.h"

#include <apikeys/member.h>

#include <string.h>

bool ak_role_is_organizations(const char *slug, size_t length) {
  size_t start = strlen(AK_ORGANIZATION_ROLE_START);
  return length >= start && memcmp(slug, AK_ORGANIZATION_ROLE_START, start) == 0;
}

int ak_member_find(struct ak_transaction *transaction, const char *organization_id,
                   const char *user_id, apikeys_record *out) {
  apikeys_query query;
  size_t length = strlen(organization_id);
  ak_query_of(&query, AK_MEMBER, AK_MEMBER_BY_USER, organization_id, length);
  ak_query_equal_text(&query, organization_id, length);
  ak_query_equal_text(&query, user_id, strlen(user_id));
  return ak_get(transaction, &query, out);
}

int ak_role_find(struct ak_transaction *transaction, const char *organization_id, const char *slug,
                 size_t length, apikeys_record *out) {
  apikeys_query query;
  bool own = ak_role_is_organizations(slug, length);
  const char *owner = own ? organization_id : "";
  if (own)
    ak_query_of(&query, AK_ROLE, AK_ROLE_BY_SLUG, owner, strlen(owner));
  else
    ak_query_environment(&query, AK_ROLE, AK_ROLE_BY_SLUG);
  ak_query_equal_text(&query, owner, strlen(owner));
  ak_query_equal_text(&query, slug, length);
  return ak_get(transaction, &query, out);
}

int ak_member_permissions(struct ak_transaction *transaction, const apikeys_record *member,
                          struct ak_slugs *permissions) {
  apikeys_record role;
  ak_record_init(&role, AK_ROLE);
  const char *organization_id = apikeys_record_text(member, AK_MEMBER_ORGANIZATION_ID, NULL);
  size_t length, at = 0, slug_length;
  const char *roles = apikeys_record_text(member, AK_MEMBER_ROLES, &length), *slug;
  int rc = APIKEYS_OK;
  while (rc == APIKEYS_OK && ak_slugs_next(roles, length, &at, &slug, &slug_length)) {
    rc = ak_role_find(transaction, organization_id, slug, slug_length, &role);
    if (rc == APIKEYS_ERROR_NOT_FOUND) {
      rc = APIKEYS_OK; /* a role that is gone gives nothing */
      continue;
    }
    if (rc == APIKEYS_OK) {
      size_t role_length;
      const char *role_permissions = apikeys_record_text(&role, AK_ROLE_PERMISSIONS, &role_length);
      ak_slugs_add_all(permissions, role_permissions, role_length);
    }
  }
  ak_record_release(&role);
  return rc == APIKEYS_OK && permissions->failed ? APIKEYS_ERROR_NO_MEMORY : rc;
}

int ak_active_member_permissions(struct ak_transaction *transaction, const char *organization_id,
                                 const char *user_id, struct ak_slugs *permissions) {
  apikeys_record member;
  ak_record_init(&member, AK_MEMBER);
  int rc = ak_member_find(transaction, organization_id, user_id, &member);
  if (rc == APIKEYS_OK &&
      apikeys_record_integer(&member, AK_MEMBER_STATUS) != APIKEYS_MEMBER_ACTIVE)
    rc = APIKEYS_ERROR_NOT_FOUND;
  if (rc == APIKEYS_OK)
    rc = ak_member_permissions(transaction, &member, permissions);
  ak_record_release(&member);
  return rc;
}

int ak_organization_exists(struct ak_transaction *transaction, const char *organization_id) {
  apikeys_record organization;
  apikeys_query query;
  size_t length = strlen(organization_id);
  ak_record_init(&organization, AK_ORGANIZATION);
  ak_query_of(&query, AK_ORGANIZATION, 0, organization_id, length);
  ak_query_equal_text(&query, organization_id, length);
  int rc = ak_get(transaction, &query, &organization);
  ak_record_release(&organization);
  return rc;
}
