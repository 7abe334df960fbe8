/* SPDX-License-Identifier: MIT */
/*
 * apikeys/permission.h: the permissions of an environment, and which of them API keys can have.
 *
 * A permission is a slug, such as "posts:read", with a name. A new environment has the system
 * permissions widgets:api-keys:manage, widgets:user-api-keys:manage-self and …-manage-all. Nobody
 * can change or delete them, and no API key can have them. Slugs that begin with "widgets:" or
 * "apikeys:" are reserved for the library.
 */
#ifndef APIKEYS_PERMISSION_H
#define APIKEYS_PERMISSION_H

#include <apikeys/environment.h>
#include <apikeys/list.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A permission: either one you are about to create or one you have read. One thread at a time may
 * use it. Setters copy their arguments and return 0, APIKEYS_ERROR_INVALID_ARGUMENT (NULL, more
 * than 64 KiB) or APIKEYS_ERROR_NO_MEMORY; the call that uses the object checks the contents. Times
 * are Unix milliseconds. Text getters return NUL-terminated text that lives until the object is
 * changed or freed; `length` may be NULL. Since 1.0.
 */
APIKEYS_API apikeys_permission *apikeys_permission_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_permission_free(apikeys_permission *permission);

/* 1 to 48 of a-z 0-9 - _ : . * ; cannot change after creation. */
APIKEYS_API const char *apikeys_permission_slug(const apikeys_permission *permission,
                                                size_t *length);
APIKEYS_API int apikeys_permission_set_slug(apikeys_permission *permission, const char *slug,
                                            size_t length);
/* 1 to 48 bytes of text. */
APIKEYS_API const char *apikeys_permission_name(const apikeys_permission *permission,
                                                size_t *length);
APIKEYS_API int apikeys_permission_set_name(apikeys_permission *permission, const char *name,
                                            size_t length);
/* Up to 150 bytes of text; "" for none. */
APIKEYS_API const char *apikeys_permission_description(const apikeys_permission *permission,
                                                       size_t *length);
APIKEYS_API int apikeys_permission_set_description(apikeys_permission *permission, const char *text,
                                                   size_t length);
/*
 * Whether organizations' keys, and members' own keys, can have the permission: 1 or 0; 0 if not
 * set. Setting it to 0 stops new grants only; deleting the permission removes it from every key at
 * once.
 */
APIKEYS_API int
apikeys_permission_available_to_organization_keys(const apikeys_permission *permission);
APIKEYS_API int
apikeys_permission_set_available_to_organization_keys(apikeys_permission *permission,
                                                      int available);
APIKEYS_API int apikeys_permission_available_to_user_keys(const apikeys_permission *permission);
APIKEYS_API int apikeys_permission_set_available_to_user_keys(apikeys_permission *permission,
                                                              int available);

APIKEYS_API const char *apikeys_permission_id(const apikeys_permission *permission, size_t *length);
APIKEYS_API int apikeys_permission_system(const apikeys_permission *permission); /* 1 or 0 */
APIKEYS_API int64_t apikeys_permission_created_at_ms(const apikeys_permission *permission);
APIKEYS_API int64_t apikeys_permission_updated_at_ms(const apikeys_permission *permission);
/* The object as JSON, in the shape of the HTTP API; NULL: out of memory. Lives as long as text
 * does. */
APIKEYS_API const char *apikeys_permission_json(const apikeys_permission *permission,
                                                size_t *length);

/*
 * Creates the permission and fills in its id and times. APIKEYS_ERROR_EXISTS: the slug is taken.
 * Actor for create, update and delete: the system, or `apikeys:permissions:write`.
 * Each leaves an event: permission.created, permission.updated, permission.deleted.
 */
APIKEYS_API int apikeys_permission_create(apikeys_env *env, const apikeys_actor *actor,
                                          apikeys_permission *permission,
                                          apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Actor for get and list: the system, or `apikeys:permissions:read`. Members who may manage keys
 * can list the permissions that are available to those keys. */
APIKEYS_API int apikeys_permission_get(apikeys_env *env, const apikeys_actor *actor,
                                       const char *slug, size_t length,
                                       apikeys_permission *permission,
                                       apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Writes the fields that were set since the permission was read, or those that were set in a new
 * object beside its slug. Other fields stay. */
APIKEYS_API int apikeys_permission_update(apikeys_env *env, const apikeys_actor *actor,
                                          apikeys_permission *permission,
                                          apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Removes the permission from every role and every key. APIKEYS_ERROR_SYSTEM_OBJECT. In an
 * environment with up to 10,000 keys that is one transaction. With more keys the permission first
 * becomes unavailable to keys (an event permission.updated), then it is removed from its holders in
 * transactions of at most 100 keys, and at last it is deleted. After an error in between call
 * again.
 */
APIKEYS_API int apikeys_permission_delete(apikeys_env *env, const apikeys_actor *actor,
                                          const char *slug, size_t length,
                                          apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Filter: limit, order, after, before, search (in the name), available_to. */
APIKEYS_API int apikeys_permission_list(apikeys_env *env, const apikeys_actor *actor,
                                        const apikeys_filter *filter, apikeys_page *page,
                                        apikeys_error *err) APIKEYS_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
