/* SPDX-License-Identifier: MIT */
/* Requirements: building them, and holding a key against one. */
#include "validate/requirement.h"

#include "base/slug_set.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* -- Requirements ------------------------------------------------------------------------------ */

apikeys_requirement *apikeys_requirement_new(void) {
  apikeys_requirement *requirement = calloc(1, sizeof *requirement);
  if (requirement != NULL && (requirement->notes = calloc(1, sizeof *requirement->notes)) == NULL) {
    free(requirement);
    return NULL;
  }
  return requirement;
}

void apikeys_requirement_free(apikeys_requirement *requirement) {
  if (requirement == NULL)
    return;
  ak_slugs_release(&requirement->permissions);
  free(requirement->notes);
  free(requirement);
}

/* A requirement that could not be set as wanted must not pass for a weaker one. */
enum requirement_field { REQUIREMENT_PERMISSIONS, REQUIREMENT_ACCEPT_MANAGEMENT_KEYS };

static int requirement_refuse(apikeys_requirement *requirement, int field, const char *reason) {
  return ak_setter_fault_keep(&requirement->faults, field, APIKEYS_ERROR_INVALID_ARGUMENT, reason);
}

int apikeys_requirement_add_permission(apikeys_requirement *requirement, const char *slug,
                                       size_t length) {
  length = ak_text_length(slug, length);
  if (requirement == NULL || atomic_load(&requirement->notes->frozen))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (slug == NULL || ak_slug_check(slug, length) != 0)
    return requirement_refuse(requirement, REQUIREMENT_PERMISSIONS, AK_SLUG_REASON);
  ak_slugs_add(&requirement->permissions, slug, length);
  if (requirement->permissions.failed)
    return ak_setter_fault_keep(&requirement->faults, REQUIREMENT_PERMISSIONS,
                                APIKEYS_ERROR_NO_MEMORY, NULL);
  return APIKEYS_OK;
}

int apikeys_requirement_set_accept_management_keys(apikeys_requirement *requirement, int accept) {
  if (requirement == NULL || atomic_load(&requirement->notes->frozen))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  if (accept != 0 && accept != 1)
    return requirement_refuse(requirement, REQUIREMENT_ACCEPT_MANAGEMENT_KEYS, AK_FLAG_REASON);
  requirement->accept_management_keys = accept;
  return ak_setter_fault_clear(&requirement->faults, REQUIREMENT_ACCEPT_MANAGEMENT_KEYS);
}

/* -- Asking ------------------------------------------------------------------------------------ */

void ak_requirement_freeze(const apikeys_requirement *requirement) {
  if (requirement != NULL &&
      atomic_load_explicit(&requirement->notes->frozen, memory_order_relaxed) == 0)
    atomic_store_explicit(&requirement->notes->frozen, 1, memory_order_relaxed);
}

static int refuse_permission(const char *missing, size_t length, apikeys_error *err) {
  int rc = ak_error_set(err, APIKEYS_NOT_PERMITTED, "permissions", "%.*s: %s", (int)length, missing,
                        apikeys_result_text(APIKEYS_NOT_PERMITTED));
  ak_error_set_subject(err, missing, length);
  return rc;
}

int ak_require_owner(int owner_type, const apikeys_requirement *requirement) {
  return owner_type == APIKEYS_OWNER_ENVIRONMENT &&
                 (requirement == NULL || requirement->accept_management_keys != 1)
             ? APIKEYS_MANAGEMENT_KEY
             : APIKEYS_OK;
}

int ak_require_permissions(const char *permissions, size_t length,
                           const apikeys_requirement *requirement, apikeys_error *err) {
  if (requirement == NULL)
    return APIKEYS_OK;
  const struct ak_setter_fault *fault = ak_setter_fault_first(&requirement->faults);
  if (fault != NULL)
    return ak_setter_fault_report(
        fault, fault->field == REQUIREMENT_PERMISSIONS ? "permissions" : "accept_management_keys",
        err);
  const char *missing;
  size_t missing_length;
  bool included = ak_slugs_include(permissions, length, ak_slugs_text(&requirement->permissions),
                                   requirement->permissions.length, &missing, &missing_length);
  return included ? APIKEYS_OK : refuse_permission(missing, missing_length, err);
}

int ak_require(int owner_type, const char *permissions, size_t length,
               const apikeys_requirement *requirement, apikeys_error *err) {
  int rc = ak_require_owner(owner_type, requirement);
  return rc == APIKEYS_OK ? ak_require_permissions(permissions, length, requirement, err) : rc;
}

static int require_of(const apikeys_key *key, const apikeys_requirement *requirement) {
  size_t length;
  const char *permissions = apikeys_key_permissions(key, &length);
  return ak_require(apikeys_key_owner_type(key), permissions, length, requirement, NULL);
}

int apikeys_key_require(const apikeys_key *key, const apikeys_requirement *requirement) {
  if (key == NULL || apikeys_key_id(key, NULL)[0] == '\0')
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return require_of(key, requirement);
}

int apikeys_key_require_permission(const apikeys_key *key, const char *slug, size_t length) {
  length = ak_text_length(slug, length);
  if (key == NULL || apikeys_key_id(key, NULL)[0] == '\0' || slug == NULL ||
      ak_slug_check(slug, length) != 0)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  size_t set_length;
  const char *set = apikeys_key_permissions(key, &set_length);
  return ak_slugs_has(set, set_length, slug, length) ? APIKEYS_OK : APIKEYS_NOT_PERMITTED;
}
