/* SPDX-License-Identifier: MIT */
/* Keys and permissions as the widgets read them. */
#include "widget/widget_json.h"

#include "http/timestamp.h"

#include <string.h>

/* Slugs separated by blanks, as an array. */
static json_t *slugs_json(const char *slugs) {
  json_t *array = json_array();
  while (array != NULL && *slugs != '\0') {
    size_t length = strcspn(slugs, " ");
    json_array_append_new(array, json_stringn(slugs, length));
    slugs += length + (slugs[length] == ' ');
  }
  return array;
}

json_t *widget_key_json(const apikeys_key *key) {
  return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "id", apikeys_key_id(key, NULL), "name",
                   apikeys_key_name(key, NULL), "obfuscatedValue",
                   apikeys_key_obfuscated_value(key, NULL), "createdAt",
                   timestamp_json(apikeys_key_created_at_ms(key)), "lastUsedAt",
                   timestamp_json(apikeys_key_last_used_at_ms(key)), "expiresAt",
                   timestamp_json(apikeys_key_expires_at_ms(key)), "permissions",
                   slugs_json(apikeys_key_permissions(key, NULL)));
}

static json_t *text_or_null(const char *text) {
  return text[0] != '\0' ? json_string(text) : json_null();
}

json_t *widget_permission_json(const apikeys_permission *permission) {
  return json_pack("{s:s,s:s,s:s,s:o}", "id", apikeys_permission_id(permission, NULL), "slug",
                   apikeys_permission_slug(permission, NULL), "name",
                   apikeys_permission_name(permission, NULL), "description",
                   text_or_null(apikeys_permission_description(permission, NULL)));
}

json_t *widget_owner_json(const char *user_id, const apikeys_member *member) {
  const char *email = member != NULL ? apikeys_member_email(member, NULL) : "";
  const char *name = member != NULL ? apikeys_member_display_name(member, NULL) : "";
  if (name[0] == '\0')
    name = email[0] != '\0' ? email : user_id;
  return json_pack("{s:s,s:s,s:s,s:n,s:n,s:s}", "type", "user", "id", user_id, "email", email,
                   "firstName", "lastName", "displayName", name);
}
