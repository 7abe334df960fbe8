/* SPDX-License-Identifier: MIT */
#include "deeds.h"

#include "support/sql.h"

#include <stdio.h>
#include <stdlib.h>

void must_be_ok(struct world *world, int rc, const char *what) {
  ck_assert_msg(rc == APIKEYS_OK, "%s: %s (%s)", what, apikeys_result_name(rc),
                apikeys_error_message(world->err));
}

void make_posts(struct world *world) {
  make_permission(world, "posts:read", 1, 1);
  make_permission(world, "posts:write", 1, 1);
  make_permission(world, "posts:hidden", 0, 0);
}

static void update_settings(struct world *world, apikeys_settings *settings) {
  ok(world, apikeys_settings_update(world->env, world->system, settings, world->err));
  apikeys_settings_free(settings);
}

void change_setting(struct world *world, setting set, int64_t value) {
  apikeys_settings *settings = apikeys_settings_new();
  ok(world, set(settings, value));
  update_settings(world, settings);
}

void change_flag(struct world *world, setting_flag set, int value) {
  apikeys_settings *settings = apikeys_settings_new();
  ok(world, set(settings, value));
  update_settings(world, settings);
}

void change_text(struct world *world, setting_text set, const char *text) {
  apikeys_settings *settings = apikeys_settings_new();
  ok(world, apikeys_settings_get(world->env, world->system, settings, world->err));
  ok(world, set(settings, S(text)));
  update_settings(world, settings);
}

apikeys_key *get_key(struct world *world, const char *id) {
  apikeys_key *key = apikeys_key_new();
  ok(world, apikeys_key_get(world->env, world->system, S(id), key, world->err));
  return key;
}

apikeys_event *get_last_event(struct world *world) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_event *event = apikeys_event_new();
  apikeys_filter_set_order(filter, APIKEYS_ORDER_NEWEST_FIRST);
  apikeys_filter_set_limit(filter, 1);
  ok(world, apikeys_event_list(world->env, world->system, filter, page, world->err));
  const char *id = apikeys_event_id(apikeys_page_event(page, 0), NULL);
  ok(world, apikeys_event_get(world->env, world->system, S(id), event, world->err));
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return event;
}

apikeys_page *list_all_events(struct world *world) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_limit(filter, 100);
  ok(world, apikeys_event_list(world->env, world->system, filter, page, world->err));
  apikeys_filter_free(filter);
  return page;
}

apikeys_actor *management_actor(struct world *world, const char *scopes, struct made_key *key) {
  struct made_key made;
  if (key == NULL)
    key = &made;
  make_key(world, management_key_spec("management", scopes), key);
  apikeys_actor *actor = apikeys_actor_new();
  ok(world, apikeys_actor_set_management_key(world->env, actor, S(key->value), world->err));
  return actor;
}

apikeys_requirement *requirement(const char *permission) {
  apikeys_requirement *need = apikeys_requirement_new();
  if (permission != NULL)
    ck_assert_int_eq(apikeys_requirement_add_permission(need, S(permission)), 0);
  return need;
}

int revoke_key(struct world *world, const char *id, const char *reason) {
  return apikeys_key_revoke(world->env, world->system, S(id), reason,
                            reason != NULL ? strlen(reason) : 0, NULL, world->err);
}

int expire_key(struct world *world, const char *id, int64_t at_ms) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  ok(world, apikeys_key_spec_set_expires_at_ms(spec, at_ms));
  int rc = apikeys_key_update(world->env, world->system, S(id), spec, NULL, world->err);
  apikeys_key_spec_free(spec);
  return rc;
}

void set_status(struct world *world, const char *organization_id, const char *user_id, int status) {
  apikeys_member *member = apikeys_member_new();
  ok(world, apikeys_member_get(world->env, world->system, S(organization_id), S(user_id), member,
                               world->err));
  ok(world, apikeys_member_set_status(member, status));
  ok(world, apikeys_member_update(world->env, world->system, member, world->err));
  apikeys_member_free(member);
}

void set_role_permissions(struct world *world, const char *slug, const char *permissions) {
  apikeys_role *role = apikeys_role_new();
  ok(world, apikeys_role_get(world->env, world->system, "", 0, S(slug), role, world->err));
  ok(world, apikeys_role_clear_permissions(role));
  while (*permissions != '\0') {
    size_t length = strcspn(permissions, " ");
    ok(world, apikeys_role_add_permission(role, permissions, length));
    permissions += length + strspn(permissions + length, " ");
  }
  ok(world, apikeys_role_update(world->env, world->system, role, world->err));
  apikeys_role_free(role);
}

enum { LOOKUP_ID = 16, SECRET = 32, CHECKSUM = 6 };

/* CRC-32 as key.h tells the scanners, written anew: what the library computes is not asked. */
static uint32_t crc32_of(const char *text, size_t length) {
  uint32_t crc = UINT32_C(0xffffffff);
  for (size_t i = 0; i < length; i++) {
    crc ^= (unsigned char)text[i];
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ ((crc & 1u) != 0 ? UINT32_C(0xedb88320) : 0);
  }
  return ~crc;
}

void forge_value(char forged[APIKEYS_VALUE_MAX], const char *value) {
  static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  size_t length = strlen(value);
  snprintf(forged, APIKEYS_VALUE_MAX, "%s", value);
  char *last = forged + length - CHECKSUM - 1;
  *last = *last == 'x' ? 'y' : 'x';
  uint32_t crc = crc32_of(forged, length - CHECKSUM);
  for (size_t i = 1; i <= CHECKSUM; i++, crc /= 62)
    forged[length - i] = digits[crc % 62];
}

void lookup_id_of(char lookup_id[17], const char *value) {
  size_t start = strlen(value) - LOOKUP_ID - SECRET - CHECKSUM;
  memcpy(lookup_id, value + start, LOOKUP_ID);
  lookup_id[LOOKUP_ID] = '\0';
}

char *read_bytes(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return NULL;
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  char *bytes = calloc(1, *length + 1);
  ck_assert_uint_eq(fread(bytes, 1, *length, file), *length);
  fclose(file);
  return bytes;
}

int holds_bytes(const char *bytes, size_t length, const char *text, size_t text_length) {
  for (size_t i = 0; i + text_length <= length; i++)
    if (memcmp(bytes + i, text, text_length) == 0)
      return 1;
  return 0;
}

int run_sql(struct world *world, const char *sql) {
  int changed;
  ck_assert_int_eq(execute_sql(world->path, sql, &changed), 0);
  return changed;
}
