/* SPDX-License-Identifier: MIT */
/*
 * apikeys/key.h: API keys: create, see, change, revoke.
 *
 * A key's value is the text that a client sends:
 *
 *   sk_0ZMjYpQ4bT8uWq1RkX3nV7cL5dH9sA2eF6gJ0iK4oP8yN1xE3mB
 *   prefix, 16 characters of lookup id (public), 32 of secret, 6 of checksum
 *
 * It is given out once, by apikeys_key_create(); the store holds a sealed digest. Afterwards a key
 * is shown by its obfuscated value, "sk_...E3mB", and found by its visible beginning.
 */
#ifndef APIKEYS_KEY_H
#define APIKEYS_KEY_H

#include <apikeys/environment.h>
#include <apikeys/list.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No value is longer than this, with its NUL; a buffer of this size always does. */
#define APIKEYS_VALUE_MAX 80
APIKEYS_API size_t apikeys_value_max(void);

enum {
  APIKEYS_OWNER_ORGANIZATION = 1, /* an organization: made under widgets:api-keys:manage */
  APIKEYS_OWNER_MEMBER = 2,       /* one member of it; dies with the membership */
  APIKEYS_OWNER_ENVIRONMENT = 3   /* the environment itself: a management key */
};

/* -------------------------------------------------------------------------------- a key ------ */

/*
 * A key as it was when it was created, got, listed or validated. Yours to reuse from call to call,
 * by one thread at a time; overwritten only by calls that return 0. Text getters lend
 * NUL-terminated text that lives until the object is overwritten or freed; `length` may be NULL.
 * Times are Unix milliseconds, 0 for "never". Since 1.0.
 */
APIKEYS_API apikeys_key *apikeys_key_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_key_free(apikeys_key *key);

APIKEYS_API const char *apikeys_key_id(const apikeys_key *key, size_t *length); /* "api_key_…" */
APIKEYS_API int apikeys_key_owner_type(const apikeys_key *key);                 /* …_OWNER_… */
/* "" where there is none. */
APIKEYS_API const char *apikeys_key_organization_id(const apikeys_key *key, size_t *length);
APIKEYS_API const char *apikeys_key_user_id(const apikeys_key *key, size_t *length);
APIKEYS_API const char *apikeys_key_name(const apikeys_key *key, size_t *length);
/*
 * The permissions: sorted slugs separated by blanks. From a validation, what the key may do now: a
 * member's key has no permission which its member lacks by then.
 */
APIKEYS_API const char *apikeys_key_permissions(const apikeys_key *key, size_t *length);
/* The same one by one: how many, and the i-th slug. Lent; not NUL-terminated. 0, or
 * APIKEYS_ERROR_INVALID_ARGUMENT beyond the count. Since 1.0. */
APIKEYS_API size_t apikeys_key_permission_count(const apikeys_key *key);
APIKEYS_API int apikeys_key_permission_at(const apikeys_key *key, size_t i, const char **slug,
                                          size_t *length);
APIKEYS_API const char *apikeys_key_obfuscated_value(const apikeys_key *key, size_t *length);
/* The 16 public characters behind the prefix: safe to log, to show, to search by. */
APIKEYS_API const char *apikeys_key_lookup_id(const apikeys_key *key, size_t *length);
APIKEYS_API int64_t apikeys_key_created_at_ms(const apikeys_key *key);
APIKEYS_API int64_t apikeys_key_updated_at_ms(const apikeys_key *key);
APIKEYS_API int64_t apikeys_key_expires_at_ms(const apikeys_key *key);
/*
 * 1 if the creation that filled this object was a repeat under its idempotency key, so that the
 * value which the first one returned no longer works; else 0. Since 1.0.
 */
APIKEYS_API int apikeys_key_value_replaced(const apikeys_key *key);
/* From a validation: the use before this one. */
APIKEYS_API int64_t apikeys_key_last_used_at_ms(const apikeys_key *key);
APIKEYS_API int64_t apikeys_key_revoked_at_ms(const apikeys_key *key);
APIKEYS_API const char *apikeys_key_revoked_reason(const apikeys_key *key, size_t *length);

/* 0: the key has this permission. APIKEYS_NOT_PERMITTED: it has not. Negative: a misuse. */
APIKEYS_API int apikeys_key_require_permission(const apikeys_key *key, const char *slug,
                                               size_t length) APIKEYS_WARN_UNUSED;

/* The key as JSON, in the shape of the wire contract, without a value; NULL: out of memory. */
APIKEYS_API const char *apikeys_key_json(const apikeys_key *key, size_t *length);

/* ------------------------------------------------------------------ what a key shall be ------ */

/*
 * A specification for create, and for update, where only what is set changes. Setters copy; they
 * return 0, APIKEYS_ERROR_INVALID_ARGUMENT or APIKEYS_ERROR_NO_MEMORY, and what they were given is
 * checked when the specification is used. Since 1.0.
 */
typedef struct apikeys_key_spec apikeys_key_spec;

APIKEYS_API apikeys_key_spec *apikeys_key_spec_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_key_spec_free(apikeys_key_spec *spec);

/* The owner, one of three; the last one set counts. Create only. */
APIKEYS_API int apikeys_key_spec_set_organization(apikeys_key_spec *spec,
                                                  const char *organization_id, size_t length);
APIKEYS_API int apikeys_key_spec_set_member(apikeys_key_spec *spec, const char *organization_id,
                                            size_t organization_id_length, const char *user_id,
                                            size_t user_id_length);
APIKEYS_API int apikeys_key_spec_set_environment(apikeys_key_spec *spec);

/* 1 to 255 bytes; see Names in <apikeys.h>. */
APIKEYS_API int apikeys_key_spec_set_name(apikeys_key_spec *spec, const char *name, size_t length);

/*
 * The permissions, or, for a management key, the scopes. An empty set is no power at all.
 * add: one more. set: exactly those of a text in which blanks separate slugs, as
 * apikeys_key_permissions() gives it. clear: removes all from the specification.
 */
APIKEYS_API int apikeys_key_spec_add_permission(apikeys_key_spec *spec, const char *slug,
                                                size_t length);
APIKEYS_API int apikeys_key_spec_set_permissions(apikeys_key_spec *spec, const char *text,
                                                 size_t length);
APIKEYS_API int apikeys_key_spec_clear_permissions(apikeys_key_spec *spec);

/* When it expires, Unix milliseconds; 0: never, which is what a new key does unless told. In an
 * update a time that has passed means "now". From that millisecond on the key is refused. */
APIKEYS_API int apikeys_key_spec_set_expires_at_ms(apikeys_key_spec *spec, int64_t unix_ms);

/*
 * Create only: 1 to 255 bytes of text, chosen by the caller, that make a repeat safe when an answer
 * was lost. For 24 hours after an answer, for the same actor and owner:
 *
 *   within ten seconds   APIKEYS_ERROR_IDEMPOTENCY_IN_FLIGHT, in every process: repeats that race
 *   each
 *                        other would each get a value, of which one works. Wait, then repeat.
 *   afterwards           the same key with a new value; the value of before no longer works, and
 *                        apikeys_key_value_replaced() says so
 *   the key was used     APIKEYS_ERROR_IDEMPOTENCY_USED: somebody has the value
 *   another request      APIKEYS_ERROR_IDEMPOTENCY_MISMATCH
 *
 * The error's subject is the key's id. No value is kept for any of this. A use in another process
 * is seen once that process has written it (apikeys_maintain()).
 */
APIKEYS_API int apikeys_key_spec_set_idempotency_key(apikeys_key_spec *spec, const char *text,
                                                     size_t length);

/* -------------------------------------------------------------------------------- calls ------ */

/*
 * Create a key. On 0 its value is in `value`, NUL-terminated, its length in `value_length` (may be
 * NULL): hand it over, then wipe it; nobody can show it again. `key` may be NULL.
 *
 *   APIKEYS_ERROR_BUFFER_TOO_SMALL          `size` is below APIKEYS_VALUE_MAX
 *   APIKEYS_ERROR_INVALID_ARGUMENT          the error's field says which: name, owner, expires_at …
 *   APIKEYS_ERROR_UNKNOWN_PERMISSION        the error's subject says which, as with the next two
 *   APIKEYS_ERROR_PERMISSION_NOT_AVAILABLE  not available to keys of such an owner
 *   APIKEYS_ERROR_PERMISSION_NOT_HELD       a member's own key would exceed the member, or a
 *                                           management key the management key that makes it
 *   APIKEYS_ERROR_EXPIRY_REQUIRED, …_LIFETIME_TOO_LONG, …_TOO_MANY_KEYS  the environment's policies
 *   APIKEYS_ERROR_NOT_FOUND                 no such organization (or it is not the actor's), or
 *                                           member
 *   APIKEYS_ERROR_NOT_ALLOWED               the actor lacks the permission for it
 *
 * Leaves the event api_key.created (management_key.created for the environment's own).
 * Durable when it returns. Where several threads create, change or revoke keys at once, one of them
 * may do so for the others that wait, in one transaction, which makes many of them much faster than
 * one; each gets what it would have got alone, and the events on its own thread.
 * Actor: see <apikeys/actor.h>; the system; `apikeys:keys:write`, or
 * `apikeys:management-keys:write` for management keys.
 */
APIKEYS_API int apikeys_key_create(apikeys_env *env, const apikeys_actor *actor,
                                   const apikeys_key_spec *spec, apikeys_key *key, char *value,
                                   size_t size, size_t *value_length,
                                   apikeys_error *err) APIKEYS_WARN_UNUSED;

APIKEYS_API int apikeys_key_get(apikeys_env *env, const apikeys_actor *actor, const char *id,
                                size_t length, apikeys_key *key,
                                apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Filter (required): limit, order, after, before, search (in the name), revoked, and whose keys:
 *   organization                       the organization's keys
 *   organization, owner_type MEMBER    its members' own keys
 *   organization, user                 one member's own keys
 *   user                               a user's own keys in all organizations
 *   owner_type ENVIRONMENT             management keys
 * Expired keys are listed; revoked ones only on request.
 */
APIKEYS_API int apikeys_key_list(apikeys_env *env, const apikeys_actor *actor,
                                 const apikeys_filter *filter, apikeys_page *page,
                                 apikeys_error *err) APIKEYS_WARN_UNUSED;

/* How many such a list has in all. Filter (required): search, revoked, and whose keys, as above.
 * Since 1.0. */
APIKEYS_API int apikeys_key_count(apikeys_env *env, const apikeys_actor *actor,
                                  const apikeys_filter *filter, uint64_t *count,
                                  apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Find keys, revoked ones too, by the visible beginning of their value: "sk_0ZMj", or any length
 * that includes some of the lookup id, for support and for answering leaks. A whole value does as
 * well: only its lookup id is used, nothing of it is kept. Or by the obfuscated form, "sk_...E3mB",
 * exactly: a scan of the newest million keys, not an index. At most 100, newest first. Actor: the
 * system, or `apikeys:keys:read`; management keys are found by those who may also list them.
 */
APIKEYS_API int apikeys_key_find(apikeys_env *env, const apikeys_actor *actor, const char *text,
                                 size_t length, apikeys_page *page,
                                 apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Change a key: its name, permissions, expiry, whatever `spec` sets. `key` may be NULL. Permissions
 * are held against the same rules as at creation. APIKEYS_ERROR_ALREADY_REVOKED;
 * APIKEYS_ERROR_ALREADY_EXPIRED for a new expiry of an expired key.
 * Leaves the event api_key.updated with the previous attributes, unless nothing changed.
 */
APIKEYS_API int apikeys_key_update(apikeys_env *env, const apikeys_actor *actor, const char *id,
                                   size_t length, const apikeys_key_spec *spec, apikeys_key *key,
                                   apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Revoke a key, for good: the next validation, in any thread and any process, refuses it. `reason`
 * (up to 255 bytes of text, may be NULL with 0) is kept. A second time is
 * APIKEYS_ERROR_ALREADY_REVOKED, with the key as it is in `key` (may be NULL): the one output that
 * is written although the call did not return 0. Leaves the event api_key.revoked.
 */
APIKEYS_API int apikeys_key_revoke(apikeys_env *env, const apikeys_actor *actor, const char *id,
                                   size_t length, const char *reason, size_t reason_length,
                                   apikeys_key *key, apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * A rule for secret scanners: a regular expression that matches values with this prefix. Writes
 * NUL-terminated text into `buffer`; *length is its length, also where
 * APIKEYS_ERROR_BUFFER_TOO_SMALL says that `size` must be larger than it. The last 6 characters are
 * the CRC-32 (zlib's) of what precedes them, in base62 (0-9 A-Z a-z), most significant digit first,
 * padded with 0: a match whose checksum is wrong is not a key.
 */
APIKEYS_API int apikeys_scanner_rule(const char *prefix, size_t prefix_length, char *buffer,
                                     size_t size, size_t *length);

#ifdef __cplusplus
}
#endif
#endif
