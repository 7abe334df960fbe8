/* SPDX-License-Identifier: MIT */
/* The JSON of every kind of object, from one table of fields and members. */
#include "objects/object_json.h"

#include "base/metadata.h"
#include "base/slug_set.h"
#include "base/text.h"
#include "crypto/crypto.h"

#include <apikeys/actor.h>
#include <apikeys/key.h>
#include <apikeys/member.h>

#include <string.h>

enum form {
  FORM_TEXT,          /* a string, or null where the field is NULL */
  FORM_OPTIONAL_TEXT, /* a string; left out where it is empty */
  FORM_FLAG,          /* true or false */
  FORM_INTEGER,
  FORM_TIME,     /* RFC 3339, or null for 0 */
  FORM_SLUGS,    /* an array of strings */
  FORM_DOMAINS,  /* an array of objects */
  FORM_METADATA, /* an object of strings */
  FORM_STATUS,   /* a member's */
  FORM_ROLES,    /* "role" and "roles" */
  FORM_ROLE_TYPE,
  FORM_RESOURCE_TYPE, /* a constant: the field does not matter */
  FORM_FALSE,         /* constants, too */
  FORM_NOTHING,       /* an object with nothing in it */
  FORM_OWNER,
  FORM_LAST_USED
};

struct member {
  const char *name;
  enum form form;
  int field;
};

struct shape {
  const char *object;
  const struct member *members;
  size_t count;
};

static const struct member environment_members[] = {
    {"id", FORM_TEXT, AK_ID},
    {"prefix", FORM_TEXT, AK_ENVIRONMENT_PREFIX},
    {"accepted_prefixes", FORM_SLUGS, AK_ENVIRONMENT_ACCEPTED_PREFIXES},
    {"root_version", FORM_INTEGER, AK_ENVIRONMENT_ROOT_VERSION},
    {"max_lifetime_ms", FORM_INTEGER, AK_ENVIRONMENT_MAX_LIFETIME_MS},
    {"expiry_required", FORM_FLAG, AK_ENVIRONMENT_EXPIRY_REQUIRED},
    {"idle_lifetime_ms", FORM_INTEGER, AK_ENVIRONMENT_IDLE_LIFETIME_MS},
    {"max_keys_per_owner", FORM_INTEGER, AK_ENVIRONMENT_MAX_KEYS_PER_OWNER},
    {"grants_must_be_held", FORM_FLAG, AK_ENVIRONMENT_GRANTS_MUST_BE_HELD},
    {"event_retention_ms", FORM_INTEGER, AK_ENVIRONMENT_EVENT_RETENTION_MS},
    {"first_event_number", FORM_INTEGER, AK_ENVIRONMENT_EVENT_FLOOR},
    {"created_at", FORM_TIME, AK_ENVIRONMENT_CREATED_AT},
    {"updated_at", FORM_TIME, AK_ENVIRONMENT_UPDATED_AT},
};

static const struct member permission_members[] = {
    {"id", FORM_TEXT, AK_ID},
    {"slug", FORM_TEXT, AK_PERMISSION_SLUG},
    {"name", FORM_TEXT, AK_PERMISSION_NAME},
    {"description", FORM_TEXT, AK_PERMISSION_DESCRIPTION},
    {"system", FORM_FLAG, AK_PERMISSION_SYSTEM},
    {"resource_type_slug", FORM_RESOURCE_TYPE, AK_ID},
    {"available_to_organization_keys", FORM_FLAG, AK_PERMISSION_FOR_ORGANIZATION_KEYS},
    {"available_to_user_keys", FORM_FLAG, AK_PERMISSION_FOR_USER_KEYS},
    {"created_at", FORM_TIME, AK_PERMISSION_CREATED_AT},
    {"updated_at", FORM_TIME, AK_PERMISSION_UPDATED_AT},
};

static const struct member role_members[] = {
    {"id", FORM_TEXT, AK_ID},
    {"slug", FORM_TEXT, AK_ROLE_SLUG},
    {"name", FORM_TEXT, AK_ROLE_NAME},
    {"description", FORM_TEXT, AK_ROLE_DESCRIPTION},
    {"type", FORM_ROLE_TYPE, AK_ROLE_ORGANIZATION_ID},
    {"organization_id", FORM_OPTIONAL_TEXT, AK_ROLE_ORGANIZATION_ID},
    {"resource_type_slug", FORM_RESOURCE_TYPE, AK_ID},
    {"permissions", FORM_SLUGS, AK_ROLE_PERMISSIONS},
    {"priority", FORM_INTEGER, AK_ROLE_PRIORITY},
    {"created_at", FORM_TIME, AK_ROLE_CREATED_AT},
    {"updated_at", FORM_TIME, AK_ROLE_UPDATED_AT},
};

static const struct member organization_members[] = {
    {"id", FORM_TEXT, AK_ID},
    {"name", FORM_TEXT, AK_ORGANIZATION_NAME},
    {"domains", FORM_DOMAINS, AK_ORGANIZATION_DOMAINS},
    {"metadata", FORM_METADATA, AK_ORGANIZATION_METADATA},
    {"external_id", FORM_TEXT, AK_ORGANIZATION_EXTERNAL_ID},
    {"created_at", FORM_TIME, AK_ORGANIZATION_CREATED_AT},
    {"updated_at", FORM_TIME, AK_ORGANIZATION_UPDATED_AT},
};

/* No name and no e-mail address: this goes into events, which outlive a person's wish to be
 * forgotten. */
static const struct member member_members[] = {
    {"id", FORM_TEXT, AK_ID},
    {"user_id", FORM_TEXT, AK_MEMBER_USER_ID},
    {"organization_id", FORM_TEXT, AK_MEMBER_ORGANIZATION_ID},
    {"status", FORM_STATUS, AK_MEMBER_STATUS},
    {"role", FORM_ROLES, AK_MEMBER_ROLES},
    {"directory_managed", FORM_FALSE, AK_ID},
    {"custom_attributes", FORM_NOTHING, AK_ID},
    {"created_at", FORM_TIME, AK_MEMBER_CREATED_AT},
    {"updated_at", FORM_TIME, AK_MEMBER_UPDATED_AT},
};

static const struct member api_key_members[] = {
    {"id", FORM_TEXT, AK_ID},
    {"owner", FORM_OWNER, AK_API_KEY_OWNER_TYPE},
    {"name", FORM_TEXT, AK_API_KEY_NAME},
    {"obfuscated_value", FORM_TEXT, AK_API_KEY_OBFUSCATED},
    {"last_used_at", FORM_LAST_USED, AK_ID},
    {"expires_at", FORM_TIME, AK_API_KEY_EXPIRES_AT},
    {"permissions", FORM_SLUGS, AK_API_KEY_PERMISSIONS},
    {"created_at", FORM_TIME, AK_API_KEY_CREATED_AT},
    {"updated_at", FORM_TIME, AK_API_KEY_UPDATED_AT},
};

/* No secret. */
static const struct member document_members[] = {
    {"collection", FORM_TEXT, AK_DOCUMENT_COLLECTION},
    {"id", FORM_TEXT, AK_DOCUMENT_ID},
    {"group", FORM_TEXT, AK_DOCUMENT_GROUP},
    {"body", FORM_TEXT, AK_DOCUMENT_BODY},
    {"version", FORM_INTEGER, AK_DOCUMENT_VERSION},
    {"due_at", FORM_TIME, AK_DOCUMENT_DUE_AT},
    {"expires_at", FORM_TIME, AK_DOCUMENT_EXPIRES_AT},
    {"created_at", FORM_TIME, AK_DOCUMENT_CREATED_AT},
    {"updated_at", FORM_TIME, AK_DOCUMENT_UPDATED_AT},
};

#define SHAPE(object, stem)                                                                        \
  { object, stem##_members, sizeof stem##_members / sizeof stem##_members[0] }

static const struct shape shapes[AK_KIND_END] = {
    [AK_ENVIRONMENT] = SHAPE("environment", environment),
    [AK_PERMISSION] = SHAPE("permission", permission),
    [AK_ROLE] = SHAPE("role", role),
    [AK_ORGANIZATION] = SHAPE("organization", organization),
    [AK_MEMBER] = SHAPE("organization_membership", member),
    [AK_API_KEY] = SHAPE("api_key", api_key),
    [AK_DOCUMENT] = SHAPE("document", document),
};

static void write_text(struct ak_json *json, const apikeys_record *record, int field) {
  if (apikeys_record_type(record, field) == APIKEYS_TYPE_NULL) {
    ak_json_null(json);
    return;
  }
  size_t length;
  const char *text = apikeys_record_text(record, field, &length);
  ak_json_string(json, text, length);
}

static void object_json_write_time(struct ak_json *json, int64_t unix_ms) {
  if (unix_ms == 0) {
    ak_json_null(json);
    return;
  }
  char text[AK_TIME_TEXT_LENGTH + 1];
  ak_time_text(text, unix_ms);
  ak_json_literal(json, text);
}

static void write_named(struct ak_json *json, const char *name, const char *text, size_t length) {
  ak_json_key(json, name);
  ak_json_string(json, text, length);
}

static void write_slugs(struct ak_json *json, const apikeys_record *record, int field) {
  size_t length, at = 0, slug_length;
  const char *set = apikeys_record_text(record, field, &length), *slug;
  ak_json_array_begin(json);
  while (ak_slugs_next(set, length, &at, &slug, &slug_length))
    ak_json_string(json, slug, slug_length);
  ak_json_array_end(json);
}

/*
 * Official clients want every domain to be an object of its own, with an id and times; to us it is
 * a name. So it gets an id that tells nothing but which domain of which organization it is.
 */
static void write_domain_id(struct ak_json *json, const struct ak_piece *organization,
                            const struct ak_piece *domain) {
  enum { ID_BYTES = 16 };
  static const char prefix[] = "org_domain_";
  uint8_t digest[AK_DIGEST_BYTES];
  char id[sizeof prefix + 2 * ID_BYTES];
  struct ak_piece pieces[] = {*organization, *domain};
  ak_digest_pieces(digest, pieces, sizeof pieces / sizeof pieces[0]);
  memcpy(id, prefix, sizeof prefix);
  ak_hex_text(id + sizeof prefix - 1, digest, ID_BYTES);
  write_named(json, "id", id, strlen(id));
}

static void write_domain(struct ak_json *json, const apikeys_record *record,
                         const struct ak_piece *domain) {
  struct ak_piece organization;
  organization.bytes = apikeys_record_text(record, AK_ID, &organization.length);
  ak_json_object_begin(json);
  ak_json_name(json, "object");
  ak_json_literal(json, "organization_domain");
  write_domain_id(json, &organization, domain);
  write_named(json, "organization_id", organization.bytes, organization.length);
  write_named(json, "domain", domain->bytes, domain->length);
  ak_json_name(json, "created_at");
  object_json_write_time(json, apikeys_record_integer(record, AK_ORGANIZATION_CREATED_AT));
  ak_json_name(json, "updated_at");
  object_json_write_time(json, apikeys_record_integer(record, AK_ORGANIZATION_UPDATED_AT));
  ak_json_object_end(json);
}

static void write_domains(struct ak_json *json, const apikeys_record *record, int field) {
  size_t length, at = 0, domain_length;
  const char *set = apikeys_record_text(record, field, &length), *domain;
  ak_json_array_begin(json);
  while (ak_slugs_next(set, length, &at, &domain, &domain_length))
    write_domain(json, record, &(struct ak_piece){domain, domain_length});
  ak_json_array_end(json);
}

static void write_metadata(struct ak_json *json, const apikeys_record *record, int field) {
  size_t length, at = 0;
  const char *text = apikeys_record_text(record, field, &length);
  struct ak_pair pair;
  ak_json_object_begin(json);
  while (ak_metadata_next(text, length, &at, &pair)) {
    char key[AK_METADATA_KEY_MAX + 1];
    memcpy(key, pair.key, pair.key_length);
    key[pair.key_length] = '\0';
    write_named(json, key, pair.value, pair.value_length);
  }
  ak_json_object_end(json);
}

static void write_status(struct ak_json *json, int64_t status) {
  ak_json_literal(json, status == APIKEYS_MEMBER_ACTIVE    ? "active"
                        : status == APIKEYS_MEMBER_PENDING ? "pending"
                                                           : "inactive");
}

static void write_role(struct ak_json *json, const char *slug, size_t length) {
  ak_json_object_begin(json);
  write_named(json, "slug", slug, length);
  ak_json_object_end(json);
}

/* "role" is the first of "roles"; its key was written already. */
static void write_roles(struct ak_json *json, const apikeys_record *record, int field) {
  size_t length, at = 0, slug_length;
  const char *set = apikeys_record_text(record, field, &length), *slug;
  if (ak_slugs_next(set, length, &at, &slug, &slug_length))
    write_role(json, slug, slug_length);
  else
    ak_json_null(json);
  ak_json_name(json, "roles");
  ak_json_array_begin(json);
  at = 0;
  while (ak_slugs_next(set, length, &at, &slug, &slug_length))
    write_role(json, slug, slug_length);
  ak_json_array_end(json);
}

static void write_field_named(struct ak_json *json, const char *name, const apikeys_record *record,
                              int field) {
  ak_json_name(json, name);
  write_text(json, record, field);
}

static void write_owner(struct ak_json *json, const apikeys_record *record) {
  ak_json_object_begin(json);
  ak_json_name(json, "type");
  switch (apikeys_record_integer(record, AK_API_KEY_OWNER_TYPE)) {
  case APIKEYS_OWNER_ORGANIZATION:
    ak_json_literal(json, "organization");
    write_field_named(json, "id", record, AK_API_KEY_ORGANIZATION_ID);
    break;
  case APIKEYS_OWNER_MEMBER:
    ak_json_literal(json, "user");
    write_field_named(json, "id", record, AK_API_KEY_USER_ID);
    write_field_named(json, "organization_id", record, AK_API_KEY_ORGANIZATION_ID);
    break;
  default:
    ak_json_literal(json, "environment");
    break;
  }
  ak_json_object_end(json);
}

static void object_json_write_member(struct ak_json *json, const struct member *member,
                                     const apikeys_record *record,
                                     const struct ak_object_json_extra *extra) {
  if (member->form == FORM_OPTIONAL_TEXT &&
      apikeys_record_text(record, member->field, NULL)[0] == '\0')
    return;
  ak_json_name(json, member->name);
  switch (member->form) {
  case FORM_TEXT:
  case FORM_OPTIONAL_TEXT:
    write_text(json, record, member->field);
    break;
  case FORM_FLAG:
    ak_json_bool(json, apikeys_record_integer(record, member->field) != 0);
    break;
  case FORM_INTEGER:
    ak_json_int64(json, apikeys_record_integer(record, member->field));
    break;
  case FORM_TIME:
    object_json_write_time(json, apikeys_record_integer(record, member->field));
    break;
  case FORM_SLUGS:
    write_slugs(json, record, member->field);
    break;
  case FORM_DOMAINS:
    write_domains(json, record, member->field);
    break;
  case FORM_METADATA:
    write_metadata(json, record, member->field);
    break;
  case FORM_STATUS:
    write_status(json, apikeys_record_integer(record, member->field));
    break;
  case FORM_ROLES:
    write_roles(json, record, member->field);
    break;
  case FORM_ROLE_TYPE:
    ak_json_literal(json, apikeys_record_text(record, member->field, NULL)[0] != '\0'
                              ? "OrganizationRole"
                              : "EnvironmentRole");
    break;
  case FORM_RESOURCE_TYPE:
    ak_json_literal(json, "organization");
    break;
  case FORM_FALSE:
    ak_json_bool(json, false);
    break;
  case FORM_NOTHING:
    ak_json_object_begin(json);
    ak_json_object_end(json);
    break;
  case FORM_OWNER:
    write_owner(json, record);
    break;
  case FORM_LAST_USED:
    object_json_write_time(json, extra != NULL ? extra->last_used_at : 0);
    break;
  }
}

static bool differs(const apikeys_record *a, const apikeys_record *b, int field) {
  struct ak_field_value left = ak_record_value(a, field), right = ak_record_value(b, field);
  return ak_field_value_compare(&left, &right) != 0;
}

/* The time of the change itself is no news. A key's expiry always is told: clients expect it. */
static bool is_news(const struct member *member, const apikeys_record *record,
                    const apikeys_record *before) {
  if (record->kind == AK_API_KEY && member->field == AK_API_KEY_EXPIRES_AT)
    return true;
  return strcmp(member->name, "updated_at") != 0 && differs(record, before, member->field);
}

static void write_previous(struct ak_json *json, const struct shape *shape,
                           const apikeys_record *record, const apikeys_record *before) {
  ak_json_name(json, "previous_attributes");
  ak_json_object_begin(json);
  for (size_t i = 0; i < shape->count; i++)
    if (is_news(&shape->members[i], record, before))
      object_json_write_member(json, &shape->members[i], before, NULL);
  ak_json_object_end(json);
}

void ak_object_json_write(struct ak_json *json, const apikeys_record *record,
                          const apikeys_record *before, const struct ak_object_json_extra *extra) {
  const struct shape *shape = &shapes[record->kind];
  ak_json_object_begin(json);
  ak_json_name(json, "object");
  ak_json_literal(json, shape->object);
  for (size_t i = 0; i < shape->count; i++)
    object_json_write_member(json, &shape->members[i], record, extra);
  if (before != NULL)
    write_previous(json, shape, record, before);
  ak_json_object_end(json);
}

int ak_event_source(const apikeys_record *event) {
  int source = (int)apikeys_record_integer(event, AK_EVENT_SOURCE);
  if (source != 0)
    return source;
  switch (apikeys_record_integer(event, AK_EVENT_ACTOR_TYPE)) {
  case APIKEYS_ACTOR_MANAGEMENT_KEY:
    return APIKEYS_SOURCE_API;
  case APIKEYS_ACTOR_WIDGET_TOKEN:
    return APIKEYS_SOURCE_ADMIN_PORTAL;
  case APIKEYS_ACTOR_MEMBER:
  case APIKEYS_ACTOR_VOUCHED_MEMBER:
    return APIKEYS_SOURCE_DASHBOARD;
  default:
    return APIKEYS_SOURCE_SYSTEM;
  }
}

static const char *source_name(int source) {
  switch (source) {
  case APIKEYS_SOURCE_API:
    return "api";
  case APIKEYS_SOURCE_ADMIN_PORTAL:
    return "admin_portal";
  case APIKEYS_SOURCE_DASHBOARD:
    return "dashboard";
  default:
    return "system";
  }
}

static void write_context(struct ak_json *json, const apikeys_record *event,
                          const char *actor_name) {
  ak_json_object_begin(json);
  ak_json_name(json, "actor");
  ak_json_object_begin(json);
  write_field_named(json, "id", event, AK_EVENT_ACTOR_ID);
  ak_json_name(json, "source");
  ak_json_literal(json, source_name(ak_event_source(event)));
  ak_json_name(json, "name");
  if (actor_name != NULL && actor_name[0] != '\0')
    ak_json_string(json, actor_name, strlen(actor_name));
  else
    ak_json_null(json);
  ak_json_object_end(json);
  ak_json_object_end(json);
}

void ak_object_json_write_event(struct ak_json *json, const apikeys_record *event,
                                const char *actor_name) {
  size_t length;
  const char *data = apikeys_record_text(event, AK_EVENT_DATA, &length);
  ak_json_object_begin(json);
  ak_json_name(json, "object");
  ak_json_literal(json, "event");
  write_field_named(json, "id", event, AK_ID);
  write_field_named(json, "event", event, AK_EVENT_TYPE);
  ak_json_name(json, "data");
  ak_json_raw(json, data, length);
  ak_json_name(json, "created_at");
  object_json_write_time(json, apikeys_record_integer(event, AK_EVENT_CREATED_AT));
  ak_json_name(json, "context");
  write_context(json, event, actor_name);
  ak_json_object_end(json);
}

const char *ak_object_json(const struct ak_object *object, const struct ak_object_json_extra *extra,
                           size_t *length) {
  if (length != NULL)
    *length = 0;
  if (object == NULL)
    return NULL;
  struct ak_object *memo = ak_object_memo(object);
  if (!memo->json_written) {
    ak_json_clear(&memo->json);
    ak_object_json_write(&memo->json, &object->record, NULL, extra);
    memo->json_written = !ak_json_failed(&memo->json);
  }
  return ak_json_text(&memo->json, length);
}
