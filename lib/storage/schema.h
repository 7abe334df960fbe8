/* SPDX-License-Identifier: MIT */
/*
 * The one table of what is stored: kinds, their fields, their indexes. Back-ends are generic over
 * it; a new field is one line here and one in schema.c, with the schema version that adds it.
 */
#ifndef AK_STORAGE_SCHEMA_H
#define AK_STORAGE_SCHEMA_H

#include <apikeys/storage.h>

#include <stdbool.h>

enum { AK_SCHEMA_VERSION = 6 };

enum ak_kind {
  AK_ENVIRONMENT = 1,
  AK_PERMISSION,
  AK_ROLE,
  AK_ORGANIZATION,
  AK_MEMBER,
  AK_API_KEY,
  AK_API_KEY_USE,
  AK_EVENT,
  AK_EVENT_CURSOR,
  AK_IDEMPOTENCY_KEY,
  AK_DOCUMENT,
  AK_DELETED_CURSOR,
  AK_SWEEP,
  AK_KIND_END
};

enum { AK_NUMBER = 0, AK_ID = 1 }; /* of every kind */

enum ak_environment_field {
  AK_ENVIRONMENT_PREFIX = 2,
  AK_ENVIRONMENT_ACCEPTED_PREFIXES, /* separated by blanks; holds the current one too */
  AK_ENVIRONMENT_ROOT_VERSION,
  AK_ENVIRONMENT_ROOT_CHECK, /* tells the right root key from a wrong one */
  AK_ENVIRONMENT_ROOT_KEY,   /* only where the root key was asked to be in the store */
  AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY,
  AK_ENVIRONMENT_PREVIOUS_TOKEN_KEY_UNTIL,
  AK_ENVIRONMENT_MAX_LIFETIME_MS,
  AK_ENVIRONMENT_EXPIRY_REQUIRED,
  AK_ENVIRONMENT_IDLE_LIFETIME_MS,
  AK_ENVIRONMENT_MAX_KEYS_PER_OWNER,
  AK_ENVIRONMENT_GRANTS_MUST_BE_HELD,
  AK_ENVIRONMENT_EVENT_RETENTION_MS,
  AK_ENVIRONMENT_EVENT_FLOOR, /* every event numbered below was pruned */
  AK_ENVIRONMENT_CREATED_AT,
  AK_ENVIRONMENT_UPDATED_AT,
  AK_ENVIRONMENT_TOKEN_KEYS, /* of earlier root keys, sealed (token_keys.h) */
  AK_ENVIRONMENT_JOURNAL     /* the revocation journal's id and sealed key; NULL: none yet */
};

enum ak_permission_field {
  AK_PERMISSION_SLUG = 2,
  AK_PERMISSION_NAME,
  AK_PERMISSION_DESCRIPTION,
  AK_PERMISSION_SYSTEM,
  AK_PERMISSION_FOR_ORGANIZATION_KEYS,
  AK_PERMISSION_FOR_USER_KEYS,
  AK_PERMISSION_CREATED_AT,
  AK_PERMISSION_UPDATED_AT
};

enum ak_role_field {
  AK_ROLE_ORGANIZATION_ID = 2, /* "": a role of the environment */
  AK_ROLE_SLUG,
  AK_ROLE_NAME,
  AK_ROLE_DESCRIPTION,
  AK_ROLE_PRIORITY,
  AK_ROLE_PERMISSIONS,
  AK_ROLE_CREATED_AT,
  AK_ROLE_UPDATED_AT
};

enum ak_organization_field {
  AK_ORGANIZATION_NAME = 2,
  AK_ORGANIZATION_EXTERNAL_ID,
  AK_ORGANIZATION_DOMAINS,
  AK_ORGANIZATION_CREATED_AT,
  AK_ORGANIZATION_UPDATED_AT,
  AK_ORGANIZATION_METADATA
};

enum ak_member_field {
  AK_MEMBER_ORGANIZATION_ID = 2,
  AK_MEMBER_USER_ID,
  AK_MEMBER_STATUS,
  AK_MEMBER_ROLES,
  AK_MEMBER_EMAIL,
  AK_MEMBER_DISPLAY_NAME,
  AK_MEMBER_CREATED_AT,
  AK_MEMBER_UPDATED_AT
};

enum ak_api_key_field {
  AK_API_KEY_OWNER_TYPE = 2,
  AK_API_KEY_ORGANIZATION_ID, /* "": a management key */
  AK_API_KEY_USER_ID,         /* NULL unless a member owns it */
  AK_API_KEY_NAME,
  AK_API_KEY_PERMISSIONS,
  AK_API_KEY_LOOKUP_ID,
  AK_API_KEY_OBFUSCATED,
  AK_API_KEY_SCHEME,
  AK_API_KEY_ROOT_VERSION,
  AK_API_KEY_SEALED,
  AK_API_KEY_STATE,
  AK_API_KEY_EXPIRES_AT,
  AK_API_KEY_REVOKED_AT,
  AK_API_KEY_REVOKED_REASON,
  AK_API_KEY_CREATED_AT,
  AK_API_KEY_UPDATED_AT
};

enum ak_api_key_use_field { AK_API_KEY_USE_LAST_USED_AT = 2 }; /* its id is the key's */

enum ak_event_field {
  AK_EVENT_TYPE = 2,
  AK_EVENT_ORGANIZATION_ID,
  AK_EVENT_CREATED_AT,
  AK_EVENT_DATA,
  AK_EVENT_ACTOR_TYPE,
  AK_EVENT_ACTOR_ID,
  AK_EVENT_ACTOR_ORGANIZATION_ID,
  AK_EVENT_REASON,
  AK_EVENT_REQUEST_ID,
  AK_EVENT_ADDRESS,
  AK_EVENT_USER_AGENT,
  AK_EVENT_SOURCE /* 0: what fits the actor's type */
};

enum ak_event_cursor_field { AK_EVENT_CURSOR_POSITION = 2, AK_EVENT_CURSOR_UPDATED_AT };

enum ak_idempotency_key_field {
  AK_IDEMPOTENCY_KEY_REQUEST = 2, /* digest of the request */
  AK_IDEMPOTENCY_KEY_API_KEY_ID,
  AK_IDEMPOTENCY_KEY_CREATED_AT
};

enum ak_document_field {
  /* AK_ID: the path, "<collection>/<id>" */
  AK_DOCUMENT_COLLECTION = 2,
  AK_DOCUMENT_ID,
  AK_DOCUMENT_GROUP,
  AK_DOCUMENT_BODY,
  AK_DOCUMENT_SECRET,       /* sealed here; in an object's record as it was given */
  AK_DOCUMENT_ROOT_VERSION, /* NULL where there is no secret */
  AK_DOCUMENT_DUE_AT,       /* 0: never, as in all times */
  AK_DOCUMENT_EXPIRES_AT,
  AK_DOCUMENT_VERSION,
  AK_DOCUMENT_CREATED_AT,
  AK_DOCUMENT_UPDATED_AT
};

enum ak_deleted_cursor_field {
  /* AK_ID: of the object that was removed */
  AK_DELETED_CURSOR_KIND = 2,
  AK_DELETED_CURSOR_OBJECT_NUMBER,
  AK_DELETED_CURSOR_ORGANIZATION_ID,
  AK_DELETED_CURSOR_CREATED_AT
};

/* An organization that was deleted while keys, members and roles of it are left to be. */
enum ak_sweep_field {
  /* AK_ID: the organization's */
  AK_SWEEP_CREATED_AT = 2
};

/* Indexes beyond 0, which is the id. */
enum { AK_PERMISSION_BY_SLUG = 1, AK_PERMISSION_BY_NUMBER = 2 };
enum { AK_ROLE_BY_SLUG = 1, AK_ROLE_BY_PRIORITY = 2, AK_ROLE_BY_NUMBER = 3 };
enum { AK_ORGANIZATION_BY_EXTERNAL_ID = 1, AK_ORGANIZATION_BY_NUMBER = 2 };
enum {
  AK_MEMBER_BY_USER = 1,
  AK_MEMBER_BY_ORGANIZATION = 2,
  AK_MEMBER_OF_USER = 3,
  AK_MEMBER_BY_NUMBER = 4
};
enum {
  AK_API_KEY_BY_LOOKUP_ID = 1,
  AK_API_KEY_BY_OWNER = 2,
  AK_API_KEY_BY_USER = 3,
  AK_API_KEY_BY_NUMBER = 4
};
enum { AK_EVENT_BY_NUMBER = 1, AK_EVENT_BY_ORGANIZATION = 2 };
enum { AK_IDEMPOTENCY_KEY_BY_AGE = 1 };
enum {
  AK_DOCUMENT_BY_COLLECTION = 1,
  AK_DOCUMENT_BY_GROUP = 2,
  AK_DOCUMENT_BY_DUE_TIME = 3,
  AK_DOCUMENT_BY_EXPIRY = 4,
  AK_DOCUMENT_BY_ROOT_VERSION = 5
};
enum { AK_DELETED_CURSOR_BY_AGE = 1 };
enum { AK_SWEEP_BY_NUMBER = 1 };

enum { AK_FIELDS_MAX = 24, AK_INDEXES_MAX = 8, AK_INDEX_FIELDS_MAX = 3 };

struct ak_field {
  const char *name;
  int type;
  bool nullable;
  int since;
};

struct ak_index {
  int field_count;
  int fields[AK_INDEX_FIELDS_MAX];
  bool unique;
  bool sparse;
  int since;
};

struct ak_kind_schema {
  const char *name;
  int since;
  int scope_field; /* -1: none */
  int field_count;
  const struct ak_field *fields;
  int index_count;
  const struct ak_index *indexes;
};

/* NULL if there is no such kind. */
const struct ak_kind_schema *ak_schema_kind(int kind);

#endif
