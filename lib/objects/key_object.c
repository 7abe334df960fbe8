/* SPDX-License-Identifier: MIT */
/* The key object, and what is said about keys without a store. */
#include "base/text.h"
#include "crypto/key_text.h"
#include "objects/accessors.h"

#include <apikeys/key.h>

AK_NEW_AND_FREE(key, AK_API_KEY)
AK_GET_TEXT(key, id, AK_ID)
AK_GET_INTEGER(key, int, owner_type, AK_API_KEY_OWNER_TYPE)
AK_GET_TEXT(key, organization_id, AK_API_KEY_ORGANIZATION_ID)
AK_GET_TEXT(key, user_id, AK_API_KEY_USER_ID)
AK_GET_TEXT(key, name, AK_API_KEY_NAME)
AK_GET_TEXT(key, permissions, AK_API_KEY_PERMISSIONS)
AK_GET_TEXT(key, obfuscated_value, AK_API_KEY_OBFUSCATED)
AK_GET_TEXT(key, lookup_id, AK_API_KEY_LOOKUP_ID)
AK_GET_INTEGER(key, int64_t, created_at_ms, AK_API_KEY_CREATED_AT)
AK_GET_INTEGER(key, int64_t, updated_at_ms, AK_API_KEY_UPDATED_AT)
AK_GET_INTEGER(key, int64_t, expires_at_ms, AK_API_KEY_EXPIRES_AT)
AK_GET_INTEGER(key, int64_t, revoked_at_ms, AK_API_KEY_REVOKED_AT)
AK_GET_TEXT(key, revoked_reason, AK_API_KEY_REVOKED_REASON)

int apikeys_key_value_replaced(const apikeys_key *key) {
  return key != NULL && key->value_replaced;
}

int64_t apikeys_key_last_used_at_ms(const apikeys_key *key) {
  return key != NULL ? key->last_used_at : 0;
}

AK_GET_SLUGS(key, permission, AK_API_KEY_PERMISSIONS)

const char *apikeys_key_json(const apikeys_key *key, size_t *length) {
  struct ak_object_json_extra extra = {apikeys_key_last_used_at_ms(key)};
  return ak_object_json(key != NULL ? &key->object : NULL, &extra, length);
}

size_t apikeys_value_max(void) {
  return APIKEYS_VALUE_MAX;
}

int apikeys_scanner_rule(const char *prefix, size_t prefix_length, char *buffer, size_t size,
                         size_t *length) {
  prefix_length = ak_text_length(prefix, prefix_length);
  if (prefix == NULL || buffer == NULL || length == NULL ||
      ak_prefix_check(prefix, prefix_length) != 0)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  *length = ak_key_text_scanner_rule(buffer, size, prefix, prefix_length);
  return *length < size ? APIKEYS_OK : APIKEYS_ERROR_BUFFER_TOO_SMALL;
}
