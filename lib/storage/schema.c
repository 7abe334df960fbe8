/* SPDX-License-Identifier: MIT */
/* The schema: every kind of record, its fields, its indexes. */
#include "storage/schema.h"

/* A field of schema version 1, one that may be NULL, and one that a later version added. */
#define INTEGER(name)                                                                              \
  { name, APIKEYS_TYPE_INTEGER, false, 1 }
#define TEXT(name)                                                                                 \
  { name, APIKEYS_TYPE_TEXT, false, 1 }
#define BLOB(name)                                                                                 \
  { name, APIKEYS_TYPE_BLOB, false, 1 }
#define NULLABLE_TEXT(name)                                                                        \
  { name, APIKEYS_TYPE_TEXT, true, 1 }
#define NULLABLE_BLOB(name)                                                                        \
  { name, APIKEYS_TYPE_BLOB, true, 1 }
#define TEXT_SINCE(version, name)                                                                  \
  { name, APIKEYS_TYPE_TEXT, false, version }

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct ak_field environment_fields[] = {
    INTEGER("number"),
    TEXT("id"),
    TEXT("prefix"),
    TEXT("accepted_prefixes"),
    INTEGER("root_version"),
    BLOB("root_check"),
    NULLABLE_BLOB("root_key"),
    NULLABLE_BLOB("previous_token_key"),
    INTEGER("previous_token_key_until"),
    INTEGER("max_lifetime_ms"),
    INTEGER("expiry_required"),
    INTEGER("idle_lifetime_ms"),
    INTEGER("max_keys_per_owner"),
    INTEGER("grants_must_be_held"),
    INTEGER("event_retention_ms"),
    INTEGER("event_floor"),
    INTEGER("created_at"),
    INTEGER("updated_at"),
    {"token_keys", APIKEYS_TYPE_BLOB, true, 5},
    {"journal", APIKEYS_TYPE_BLOB, true, 6},
};

static const struct ak_field permission_fields[] = {
    INTEGER("number"),
    TEXT("id"),
    TEXT("slug"),
    TEXT("name"),
    NULLABLE_TEXT("description"),
    INTEGER("system"),
    INTEGER("for_organization_keys"),
    INTEGER("for_user_keys"),
    INTEGER("created_at"),
    INTEGER("updated_at"),
};

static const struct ak_field role_fields[] = {
    INTEGER("number"),     TEXT("id"),          TEXT("organization_id"),
    TEXT("slug"),          TEXT("name"),        NULLABLE_TEXT("description"),
    INTEGER("priority"),   TEXT("permissions"), INTEGER("created_at"),
    INTEGER("updated_at"),
};

static const struct ak_field organization_fields[] = {
    INTEGER("number"),     TEXT("id"),
    TEXT("name"),          NULLABLE_TEXT("external_id"),
    TEXT("domains"),       INTEGER("created_at"),
    INTEGER("updated_at"), TEXT_SINCE(2, "metadata"),
};

static const struct ak_field member_fields[] = {
    INTEGER("number"),       TEXT("id"),
    TEXT("organization_id"), TEXT("user_id"),
    INTEGER("status"),       TEXT("roles"),
    NULLABLE_TEXT("email"),  NULLABLE_TEXT("display_name"),
    INTEGER("created_at"),   INTEGER("updated_at"),
};

static const struct ak_field api_key_fields[] = {
    INTEGER("number"),        TEXT("id"),
    INTEGER("owner_type"),    TEXT("organization_id"),
    NULLABLE_TEXT("user_id"), TEXT("name"),
    TEXT("permissions"),      TEXT("lookup_id"),
    TEXT("obfuscated_value"), INTEGER("scheme"),
    INTEGER("root_version"),  BLOB("sealed_digest"),
    INTEGER("state"),         INTEGER("expires_at"),
    INTEGER("revoked_at"),    NULLABLE_TEXT("revoked_reason"),
    INTEGER("created_at"),    INTEGER("updated_at"),
};

static const struct ak_field api_key_use_fields[] = {
    INTEGER("number"),
    TEXT("key_id"),
    INTEGER("last_used_at"),
};

static const struct ak_field event_fields[] = {
    INTEGER("number"),
    TEXT("id"),
    TEXT("type"),
    TEXT("organization_id"),
    INTEGER("created_at"),
    TEXT("data"),
    INTEGER("actor_type"),
    TEXT("actor_id"),
    TEXT("actor_organization_id"),
    NULLABLE_TEXT("reason"),
    NULLABLE_TEXT("request_id"),
    NULLABLE_TEXT("address"),
    NULLABLE_TEXT("user_agent"),
    {"source", APIKEYS_TYPE_INTEGER, false, 3},
};

static const struct ak_field event_cursor_fields[] = {
    INTEGER("number"),
    TEXT("name"),
    INTEGER("position"),
    INTEGER("updated_at"),
};

static const struct ak_field idempotency_key_fields[] = {
    {"number", APIKEYS_TYPE_INTEGER, false, 2},     {"id", APIKEYS_TYPE_TEXT, false, 2},
    {"request", APIKEYS_TYPE_BLOB, false, 2},       {"api_key_id", APIKEYS_TYPE_TEXT, false, 2},
    {"created_at", APIKEYS_TYPE_INTEGER, false, 2},
};

static const struct ak_field document_fields[] = {
    {"number", APIKEYS_TYPE_INTEGER, false, 3},     {"path", APIKEYS_TYPE_TEXT, false, 3},
    {"collection", APIKEYS_TYPE_TEXT, false, 3},    {"id", APIKEYS_TYPE_TEXT, false, 3},
    {"group_id", APIKEYS_TYPE_TEXT, false, 3},      {"body", APIKEYS_TYPE_TEXT, false, 3},
    {"sealed_secret", APIKEYS_TYPE_BLOB, true, 3},  {"root_version", APIKEYS_TYPE_INTEGER, true, 3},
    {"due_at", APIKEYS_TYPE_INTEGER, false, 3},     {"expires_at", APIKEYS_TYPE_INTEGER, false, 3},
    {"version", APIKEYS_TYPE_INTEGER, false, 3},    {"created_at", APIKEYS_TYPE_INTEGER, false, 3},
    {"updated_at", APIKEYS_TYPE_INTEGER, false, 3},
};

static const struct ak_field tombstone_fields[] = {
    {"number", APIKEYS_TYPE_INTEGER, false, 3},
    {"object_id", APIKEYS_TYPE_TEXT, false, 3},
    {"kind", APIKEYS_TYPE_INTEGER, false, 3},
    {"object_number", APIKEYS_TYPE_INTEGER, false, 3},
    {"organization_id", APIKEYS_TYPE_TEXT, false, 3},
    {"created_at", APIKEYS_TYPE_INTEGER, false, 3},
};

static const struct ak_field sweep_fields[] = {
    {"number", APIKEYS_TYPE_INTEGER, false, 5},
    {"organization_id", APIKEYS_TYPE_TEXT, false, 5},
    {"created_at", APIKEYS_TYPE_INTEGER, false, 5},
};

#define UNIQUE(count, ...)                                                                         \
  { count, {__VA_ARGS__}, true, false, 1 }
#define UNIQUE_WHERE_SET(count, ...)                                                               \
  { count, {__VA_ARGS__}, true, true, 1 }
#define ORDER(count, ...)                                                                          \
  { count, {__VA_ARGS__}, false, false, 1 }
#define ORDER_WHERE_SET(count, ...)                                                                \
  { count, {__VA_ARGS__}, false, true, 1 }
#define BY_NUMBER ORDER(0, 0)

static const struct ak_index environment_indexes[] = {UNIQUE(1, AK_ID)};

static const struct ak_index permission_indexes[] = {
    UNIQUE(1, AK_ID),
    UNIQUE(1, AK_PERMISSION_SLUG),
    BY_NUMBER,
};

static const struct ak_index role_indexes[] = {
    UNIQUE(1, AK_ID),
    UNIQUE(2, AK_ROLE_ORGANIZATION_ID, AK_ROLE_SLUG),
    ORDER(2, AK_ROLE_ORGANIZATION_ID, AK_ROLE_PRIORITY),
    BY_NUMBER,
};

static const struct ak_index organization_indexes[] = {
    UNIQUE(1, AK_ID),
    UNIQUE_WHERE_SET(1, AK_ORGANIZATION_EXTERNAL_ID),
    BY_NUMBER,
};

static const struct ak_index member_indexes[] = {
    UNIQUE(1, AK_ID),
    UNIQUE(2, AK_MEMBER_ORGANIZATION_ID, AK_MEMBER_USER_ID),
    ORDER(1, AK_MEMBER_ORGANIZATION_ID),
    ORDER(1, AK_MEMBER_USER_ID),
    BY_NUMBER,
};

static const struct ak_index api_key_indexes[] = {
    UNIQUE(1, AK_ID),
    UNIQUE(1, AK_API_KEY_LOOKUP_ID),
    ORDER(3, AK_API_KEY_ORGANIZATION_ID, AK_API_KEY_OWNER_TYPE, AK_API_KEY_STATE),
    ORDER_WHERE_SET(2, AK_API_KEY_USER_ID, AK_API_KEY_STATE),
    BY_NUMBER,
};

static const struct ak_index api_key_use_indexes[] = {UNIQUE(1, AK_ID)};

static const struct ak_index event_indexes[] = {
    UNIQUE(1, AK_ID),
    BY_NUMBER,
    ORDER(1, AK_EVENT_ORGANIZATION_ID),
};

static const struct ak_index event_cursor_indexes[] = {UNIQUE(1, AK_ID)};

static const struct ak_index idempotency_key_indexes[] = {
    {1, {AK_ID}, true, false, 2},
    {1, {AK_IDEMPOTENCY_KEY_CREATED_AT}, false, false, 2},
};

static const struct ak_index document_indexes[] = {
    {1, {AK_ID}, true, false, 3},
    {1, {AK_DOCUMENT_COLLECTION}, false, false, 3},
    {2, {AK_DOCUMENT_COLLECTION, AK_DOCUMENT_GROUP}, false, false, 3},
    {2, {AK_DOCUMENT_COLLECTION, AK_DOCUMENT_DUE_AT}, false, false, 3},
    {1, {AK_DOCUMENT_EXPIRES_AT}, false, false, 3},
    {1, {AK_DOCUMENT_ROOT_VERSION}, false, true, 3},
};

static const struct ak_index tombstone_indexes[] = {
    {1, {AK_ID}, true, false, 3},
    {1, {AK_DELETED_CURSOR_CREATED_AT}, false, false, 3},
};

static const struct ak_index sweep_indexes[] = {
    {1, {AK_ID}, true, false, 5},
    {0, {0}, false, false, 5},
};

#define KIND(name, since, scope, stem)                                                             \
  { name, since, scope, COUNT(stem##_fields), stem##_fields, COUNT(stem##_indexes), stem##_indexes }

static const struct ak_kind_schema kinds[] = {
    KIND("environment", 1, -1, environment),
    KIND("permissions", 1, -1, permission),
    KIND("roles", 1, AK_ROLE_ORGANIZATION_ID, role),
    KIND("organizations", 1, AK_ID, organization),
    KIND("members", 1, AK_MEMBER_ORGANIZATION_ID, member),
    KIND("api_keys", 1, AK_API_KEY_ORGANIZATION_ID, api_key),
    KIND("api_key_uses", 1, -1, api_key_use),
    KIND("events", 1, AK_EVENT_ORGANIZATION_ID, event),
    KIND("event_cursors", 1, -1, event_cursor),
    KIND("idempotency_keys", 2, -1, idempotency_key),
    KIND("documents", 3, -1, document),
    KIND("tombstones", 3, AK_DELETED_CURSOR_ORGANIZATION_ID, tombstone),
    KIND("sweeps", 5, -1, sweep),
};

_Static_assert(COUNT(kinds) == AK_KIND_END - 1, "one row for every kind");

const struct ak_kind_schema *ak_schema_kind(int kind) {
  return kind >= 1 && kind < AK_KIND_END ? &kinds[kind - 1] : NULL;
}

static const struct ak_field *schema_find_field(int kind, int field) {
  const struct ak_kind_schema *schema = ak_schema_kind(kind);
  return schema != NULL && field >= 0 && field < schema->field_count ? &schema->fields[field]
                                                                     : NULL;
}

static const struct ak_index *find_index(int kind, int index) {
  const struct ak_kind_schema *schema = ak_schema_kind(kind);
  return schema != NULL && index >= 0 && index < schema->index_count ? &schema->indexes[index]
                                                                     : NULL;
}

int apikeys_schema_version(void) {
  return AK_SCHEMA_VERSION;
}

int apikeys_schema_kind_count(void) {
  return COUNT(kinds);
}

const char *apikeys_schema_kind_name(int kind) {
  const struct ak_kind_schema *schema = ak_schema_kind(kind);
  return schema != NULL ? schema->name : "";
}

int apikeys_schema_kind_since(int kind) {
  const struct ak_kind_schema *schema = ak_schema_kind(kind);
  return schema != NULL ? schema->since : 0;
}

int apikeys_schema_field_count(int kind) {
  const struct ak_kind_schema *schema = ak_schema_kind(kind);
  return schema != NULL ? schema->field_count : 0;
}

const char *apikeys_schema_field_name(int kind, int field) {
  const struct ak_field *found = schema_find_field(kind, field);
  return found != NULL ? found->name : "";
}

int apikeys_schema_field_type(int kind, int field) {
  const struct ak_field *found = schema_find_field(kind, field);
  return found != NULL ? found->type : APIKEYS_TYPE_NULL;
}

int apikeys_schema_field_nullable(int kind, int field) {
  const struct ak_field *found = schema_find_field(kind, field);
  return found != NULL && found->nullable;
}

int apikeys_schema_field_since(int kind, int field) {
  const struct ak_field *found = schema_find_field(kind, field);
  return found != NULL ? found->since : 0;
}

int apikeys_schema_scope_field(int kind) {
  const struct ak_kind_schema *schema = ak_schema_kind(kind);
  return schema != NULL ? schema->scope_field : -1;
}

int apikeys_schema_index_count(int kind) {
  const struct ak_kind_schema *schema = ak_schema_kind(kind);
  return schema != NULL ? schema->index_count : 0;
}

int apikeys_schema_index_unique(int kind, int index) {
  const struct ak_index *found = find_index(kind, index);
  return found != NULL && found->unique;
}

int apikeys_schema_index_sparse(int kind, int index) {
  const struct ak_index *found = find_index(kind, index);
  return found != NULL && found->sparse;
}

int apikeys_schema_index_since(int kind, int index) {
  const struct ak_index *found = find_index(kind, index);
  return found != NULL ? found->since : 0;
}

int apikeys_schema_index_field_count(int kind, int index) {
  const struct ak_index *found = find_index(kind, index);
  return found != NULL ? found->field_count : 0;
}

int apikeys_schema_index_field(int kind, int index, int position) {
  const struct ak_index *found = find_index(kind, index);
  return found != NULL && position >= 0 && position < found->field_count ? found->fields[position]
                                                                         : 0;
}
