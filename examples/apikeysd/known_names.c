/* SPDX-License-Identifier: MIT */
/*
 * Query parameters and body fields of each route, as data. Names of the contract are those of its
 * published OpenAPI document, and of the widget's requests under /_widgets.
 */
#include "known_names.h"

#include <string.h>

#define PAGED "limit order before after"
#define KEY_FIELDS "name permissions expires_at"
#define ORGANIZATION_FIELDS                                                                        \
  "name domain_data domain_data.domain domain_data.state metadata external_id"
#define ORGANIZATION_UNUSED "allow_profiles_outside_organization domains stripe_customer_id"
#define USER_FIELDS "email first_name last_name external_id metadata"
#define USER_UNUSED                                                                                \
  "name email_verified password password_hash password_hash_type password_salt_position locale "   \
  "ip_address user_agent signals_id"
#define ROLE_FIELDS "slug name description"

#define OURS(method, pattern, query, body)                                                         \
  { METHOD_##method, pattern, false, 422, query, body, NULL }
#define THEIRS(method, pattern, query, body)                                                       \
  { METHOD_##method, pattern, true, 422, query, body, NULL }
#define UNUSED(method, pattern, query, body, unused)                                               \
  { METHOD_##method, pattern, true, 422, query, body, unused }

#define USERS "/user_management/users"
#define MEMBERSHIPS "/user_management/organization_memberships"
#define PERMISSIONS "/authorization/permissions"
#define ROLES "/authorization/roles"
#define ORGANIZATION_ROLES "/authorization/organizations/:organization/roles"
#define ENDPOINTS "/webhook_endpoints"
#define ORGANIZATION_WIDGET "/_widgets/ApiKeys"
#define USER_WIDGET "/_widgets/UserApiKeys"

const struct known_names known_names[] = {
    THEIRS(POST, "/api_keys/validations", NULL, "value"),
    THEIRS(POST, "/organizations/:organization/api_keys", NULL, KEY_FIELDS),
    THEIRS(GET, "/organizations/:organization/api_keys", PAGED " search revoked", NULL),
    {METHOD_POST, USERS "/:user/api_keys", true, 400, NULL, KEY_FIELDS " organization_id", NULL},
    THEIRS(GET, USERS "/:user/api_keys", PAGED " organization_id search revoked", NULL),
    OURS(GET, "/api_keys/:id", NULL, NULL),
    THEIRS(DELETE, "/api_keys/:id", NULL, "reason"),
    THEIRS(POST, "/api_keys/:id/expire", NULL, "expires_at"),
    OURS(POST, "/api_keys/lookups", NULL, "value"),

    UNUSED(POST, "/organizations", NULL, ORGANIZATION_FIELDS, ORGANIZATION_UNUSED),
    THEIRS(GET, "/organizations", PAGED " search domains include", NULL),
    THEIRS(GET, "/organizations/external_id/:external_id", NULL, NULL),
    THEIRS(GET, "/organizations/:organization", "include", NULL),
    UNUSED(PUT, "/organizations/:organization", NULL, ORGANIZATION_FIELDS, ORGANIZATION_UNUSED),
    THEIRS(DELETE, "/organizations/:organization", NULL, NULL),

    THEIRS(POST, PERMISSIONS, NULL, "slug name description resource_type_slug"),
    THEIRS(GET, PERMISSIONS, PAGED " search", NULL),
    THEIRS(GET, PERMISSIONS "/:slug", NULL, NULL),
    THEIRS(PATCH, PERMISSIONS "/:slug", NULL, "name description"),
    THEIRS(DELETE, PERMISSIONS "/:slug", NULL, NULL),
    OURS(GET, PERMISSIONS "/:slug/availability", NULL, NULL),
    OURS(PUT, PERMISSIONS "/:slug/availability", NULL, "organization_keys user_keys"),

    UNUSED(POST, ROLES, NULL, ROLE_FIELDS, "resource_type_slug"),
    UNUSED(GET, ROLES, NULL, NULL, PAGED),
    THEIRS(GET, ROLES "/:slug", NULL, NULL),
    THEIRS(PATCH, ROLES "/:slug", NULL, "name description"),
    OURS(DELETE, ROLES "/:slug", NULL, NULL),
    THEIRS(PUT, ROLES "/:slug/permissions", NULL, "permissions"),
    THEIRS(POST, ROLES "/:slug/permissions", NULL, "slug"),
    UNUSED(POST, ORGANIZATION_ROLES, NULL, ROLE_FIELDS, "resource_type_slug"),
    UNUSED(GET, ORGANIZATION_ROLES, NULL, NULL, PAGED),
    THEIRS(GET, ORGANIZATION_ROLES "/:slug", NULL, NULL),
    THEIRS(PATCH, ORGANIZATION_ROLES "/:slug", NULL, "name description"),
    THEIRS(DELETE, ORGANIZATION_ROLES "/:slug", NULL, NULL),
    THEIRS(PUT, ORGANIZATION_ROLES "/:slug/permissions", NULL, "permissions"),
    THEIRS(POST, ORGANIZATION_ROLES "/:slug/permissions", NULL, "slug"),
    THEIRS(DELETE, ORGANIZATION_ROLES "/:slug/permissions/:permission", NULL, NULL),

    UNUSED(POST, USERS, NULL, USER_FIELDS, USER_UNUSED),
    THEIRS(GET, USERS, PAGED " email organization_id organization", NULL),
    THEIRS(GET, USERS "/external_id/:external_id", NULL, NULL),
    THEIRS(GET, USERS "/:user", NULL, NULL),
    UNUSED(PUT, USERS "/:user", NULL, USER_FIELDS, USER_UNUSED),
    THEIRS(DELETE, USERS "/:user", NULL, NULL),
    THEIRS(POST, MEMBERSHIPS, NULL, "organization_id user_id role_slug role_slugs"),
    THEIRS(GET, MEMBERSHIPS, PAGED " organization_id user_id statuses include", NULL),
    THEIRS(GET, MEMBERSHIPS "/:id", "include", NULL),
    THEIRS(PUT, MEMBERSHIPS "/:id", NULL, "role_slug role_slugs"),
    THEIRS(DELETE, MEMBERSHIPS "/:id", NULL, NULL),
    THEIRS(PUT, MEMBERSHIPS "/:id/deactivate", NULL, NULL),
    THEIRS(PUT, MEMBERSHIPS "/:id/reactivate", NULL, NULL),

    /* "events[]" is how older clients write "events". */
    UNUSED(GET, "/events", PAGED " events organization_id range_start range_end include", NULL,
           "events[]"),
    OURS(GET, "/events/:id", "include", NULL),

    THEIRS(POST, ENDPOINTS, NULL, "endpoint_url events status"),
    THEIRS(GET, ENDPOINTS, PAGED, NULL),
    OURS(GET, ENDPOINTS "/:id", NULL, NULL),
    THEIRS(PATCH, ENDPOINTS "/:id", NULL, "endpoint_url events status"),
    THEIRS(DELETE, ENDPOINTS "/:id", NULL, NULL),
    OURS(POST, ENDPOINTS "/:id/rotate_secret", NULL, NULL),
    OURS(GET, ENDPOINTS "/:id/deliveries", PAGED " status", NULL),
    OURS(POST, ENDPOINTS "/:id/resend_failed", NULL, NULL),
    OURS(GET, "/webhook_deliveries/:id", NULL, NULL),
    OURS(POST, "/webhook_deliveries/:id/resend", NULL, NULL),

    OURS(GET, "/environment", NULL, NULL),
    OURS(PATCH, "/environment", NULL,
         "prefix accepted_prefixes max_lifetime_ms idle_lifetime_ms max_keys_per_owner "
         "event_retention_ms expiry_required grants_must_be_held"),
    OURS(POST, "/management_keys", NULL, KEY_FIELDS),
    OURS(GET, "/management_keys", PAGED " search", NULL),
    OURS(GET, "/management_keys/:id", NULL, NULL),
    OURS(DELETE, "/management_keys/:id", "force", "reason"),
    OURS(POST, "/management_keys/:id/expire", "force", "expires_at"),
    OURS(POST, "/dashboard/session", NULL, "key"),

    THEIRS(POST, "/widgets/token", NULL, "organization_id user_id scopes"),
    THEIRS(GET, ORGANIZATION_WIDGET "/organization-api-keys", "limit before after search", NULL),
    THEIRS(POST, ORGANIZATION_WIDGET "/organization-api-keys", NULL, "name permissions expiresAt"),
    UNUSED(GET, ORGANIZATION_WIDGET "/permissions", "limit", NULL, "before after search"),
    THEIRS(DELETE, ORGANIZATION_WIDGET "/:id", NULL, NULL),
    THEIRS(POST, ORGANIZATION_WIDGET "/:id/expire", NULL, "expiresAt"),
    THEIRS(GET, USER_WIDGET "/api-keys", "limit before after search", NULL),
    THEIRS(POST, USER_WIDGET "/api-keys", NULL, "name permissions expiresAt"),
    UNUSED(GET, USER_WIDGET "/permissions", "limit", NULL, "before after search"),
    THEIRS(DELETE, USER_WIDGET "/:id", NULL, NULL),
    THEIRS(POST, USER_WIDGET "/:id/expire", NULL, "expiresAt"),
    {0},
};

const struct known_names *known_names_of(enum method method, const char *pattern) {
  for (const struct known_names *row = known_names; row->pattern != NULL; row++)
    if (row->method == method && strcmp(row->pattern, pattern) == 0)
      return row;
  return NULL;
}
