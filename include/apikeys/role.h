/* SPDX-License-Identifier: MIT */
/*
 * apikeys/role.h: roles, which say what members may do.
 *
 * A role is a slug with permissions. Members of every organization can have the environment's
 * roles; an organization's own roles are for its members only, and their slugs begin with "org-". A
 * new environment has two roles: "admin", which holds the system permissions, and "member", which
 * holds none. A membership that is created without a role gets "member".
 */
#ifndef APIKEYS_ROLE_H
#define APIKEYS_ROLE_H

#include <apikeys/environment.h>
#include <apikeys/list.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A role: either one you are about to create or one you have read. Conventions as in
 * <apikeys/permission.h>. Since 1.0. */
APIKEYS_API apikeys_role *apikeys_role_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_role_free(apikeys_role *role);

/* 1 to 48 of a-z 0-9 - _ : . * ; cannot change after creation. */
APIKEYS_API const char *apikeys_role_slug(const apikeys_role *role, size_t *length);
APIKEYS_API int apikeys_role_set_slug(apikeys_role *role, const char *slug, size_t length);
/* The organization that owns the role; "" (the default): the environment. Cannot change after
 * creation. */
APIKEYS_API const char *apikeys_role_organization_id(const apikeys_role *role, size_t *length);
APIKEYS_API int apikeys_role_set_organization_id(apikeys_role *role, const char *id, size_t length);
/* 1 to 48 bytes of text. */
APIKEYS_API const char *apikeys_role_name(const apikeys_role *role, size_t *length);
APIKEYS_API int apikeys_role_set_name(apikeys_role *role, const char *name, size_t length);
/* Up to 150 bytes of text; "" for none. */
APIKEYS_API const char *apikeys_role_description(const apikeys_role *role, size_t *length);
APIKEYS_API int apikeys_role_set_description(apikeys_role *role, const char *text, size_t length);
/* Position among the roles: lists start with the lowest number. -1000000 to 1000000; 0 if not
 * set. */
APIKEYS_API int64_t apikeys_role_priority(const apikeys_role *role);
APIKEYS_API int apikeys_role_set_priority(apikeys_role *role, int64_t priority);

/* The role's permissions: sorted slugs separated by blanks. Creating or updating a role with a slug
 * that does not exist is APIKEYS_ERROR_UNKNOWN_PERMISSION. */
APIKEYS_API const char *apikeys_role_permissions(const apikeys_role *role, size_t *length);
APIKEYS_API int apikeys_role_add_permission(apikeys_role *role, const char *slug, size_t length);
APIKEYS_API int apikeys_role_remove_permission(apikeys_role *role, const char *slug, size_t length);
APIKEYS_API int apikeys_role_clear_permissions(apikeys_role *role);
/* Exactly those of a text in which blanks separate slugs, as the getter gives it. */
APIKEYS_API int apikeys_role_set_permissions(apikeys_role *role, const char *text, size_t length);
/* How many, and the i-th slug. Lent; not NUL-terminated. 0, or APIKEYS_ERROR_INVALID_ARGUMENT
 * beyond the count. */
APIKEYS_API size_t apikeys_role_permission_count(const apikeys_role *role);
APIKEYS_API int apikeys_role_permission_at(const apikeys_role *role, size_t i, const char **slug,
                                           size_t *length);

APIKEYS_API const char *apikeys_role_id(const apikeys_role *role, size_t *length);
APIKEYS_API int64_t apikeys_role_created_at_ms(const apikeys_role *role);
APIKEYS_API int64_t apikeys_role_updated_at_ms(const apikeys_role *role);
APIKEYS_API const char *apikeys_role_json(const apikeys_role *role, size_t *length);

/*
 * Actor for create, update and delete: the system, or `apikeys:roles:write`. Each leaves an event:
 * role.created, role.updated, role.deleted; for an organization's role organization_role.created
 * and so on, with the organization's id in its data. APIKEYS_ERROR_EXISTS: the slug is taken there.
 * APIKEYS_ERROR_NOT_FOUND: no such organization.
 */
APIKEYS_API int apikeys_role_create(apikeys_env *env, const apikeys_actor *actor,
                                    apikeys_role *role, apikeys_error *err) APIKEYS_WARN_UNUSED;

/* `organization_id` "" or NULL with length 0: a role of the environment. Actor for get and list:
 * the system, or `apikeys:roles:read`. */
APIKEYS_API int apikeys_role_get(apikeys_env *env, const apikeys_actor *actor,
                                 const char *organization_id, size_t organization_id_length,
                                 const char *slug, size_t length, apikeys_role *role,
                                 apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Writes the fields that were set since the role was read. Members have the change from their next
 * call, and their keys from the next validation. */
APIKEYS_API int apikeys_role_update(apikeys_env *env, const apikeys_actor *actor,
                                    apikeys_role *role, apikeys_error *err) APIKEYS_WARN_UNUSED;

/* APIKEYS_ERROR_IN_USE while a member has it; APIKEYS_ERROR_SYSTEM_OBJECT for "admin" and "member"
 * of the environment. */
APIKEYS_API int apikeys_role_delete(apikeys_env *env, const apikeys_actor *actor,
                                    const char *organization_id, size_t organization_id_length,
                                    const char *slug, size_t length,
                                    apikeys_error *err) APIKEYS_WARN_UNUSED;

/* All roles, ordered by priority. Filter: organization, for its own roles; without it, the
 * environment's. */
APIKEYS_API int apikeys_role_list(apikeys_env *env, const apikeys_actor *actor,
                                  const apikeys_filter *filter, apikeys_page *page,
                                  apikeys_error *err) APIKEYS_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
