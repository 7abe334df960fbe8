/* SPDX-License-Identifier: MIT */
/* The table of event types. */
#include "rest/event_types.h"

#include <string.h>

const char *const event_types[EVENT_TYPES_ALL] = {
    "api_key.created",
    "api_key.updated",
    "api_key.revoked",
    "organization.created",
    "organization.updated",
    "organization.deleted",
    "organization_membership.created",
    "organization_membership.updated",
    "organization_membership.deleted",
    "role.created",
    "role.updated",
    "role.deleted",
    "organization_role.created",
    "organization_role.updated",
    "organization_role.deleted",
    "permission.created",
    "permission.updated",
    "permission.deleted",
    "management_key.created",
    "management_key.updated",
    "management_key.revoked",
    "environment.created",
    "environment.updated",
    "environment.pruned",
    "environment.root_key_rotated",
    "environment.restored",
};

bool event_type_is_known(const char *type, size_t length, size_t known) {
  for (size_t i = 0; i < known; i++)
    if (strlen(event_types[i]) == length && memcmp(event_types[i], type, length) == 0)
      return true;
  return false;
}

/* Subjects of the contract's events that do not exist in this service. */
bool event_type_is_foreign(const char *type, size_t length) {
  static const char *const nouns[] = {
      "action",         "authentication", "connection", "dsync",      "email_verification",
      "flag",           "group",          "invitation", "magic_auth", "organization_domain",
      "password_reset", "pipes",          "session",    "user",       "vault",
      "waitlist_user",  "agent",          "radar",
  };
  const char *point = memchr(type, '.', length);
  for (size_t i = 0; point != NULL && i < sizeof nouns / sizeof nouns[0]; i++)
    if (strlen(nouns[i]) == (size_t)(point - type) &&
        memcmp(nouns[i], type, (size_t)(point - type)) == 0)
      return true;
  return false;
}
