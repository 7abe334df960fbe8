/* SPDX-License-Identifier: MIT */
/*
 * apikeys/member.h: members, the users of an organization with their roles.
 *
 * Users belong to your application: the library keeps their id and, if you give them, a name and an
 * e-mail address to display. A user can be a member of several organizations; each membership has
 * its own roles and keys.
 */
#ifndef APIKEYS_MEMBER_H
#define APIKEYS_MEMBER_H

#include <apikeys/environment.h>
#include <apikeys/list.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A membership: either one you are about to create or one you have read. Conventions as in
 * <apikeys/permission.h>. Since 1.0. */
APIKEYS_API apikeys_member *apikeys_member_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_member_free(apikeys_member *member);

/* Neither can change after creation. User ids are 1 to 128 printable ASCII bytes without blanks. */
APIKEYS_API const char *apikeys_member_organization_id(const apikeys_member *member,
                                                       size_t *length);
APIKEYS_API int apikeys_member_set_organization_id(apikeys_member *member, const char *id,
                                                   size_t length);
APIKEYS_API const char *apikeys_member_user_id(const apikeys_member *member, size_t *length);
APIKEYS_API int apikeys_member_set_user_id(apikeys_member *member, const char *id, size_t length);

/* Only an active member may act, and only an active member's keys are valid. Default: active. */
enum { APIKEYS_MEMBER_ACTIVE = 1, APIKEYS_MEMBER_INACTIVE = 2, APIKEYS_MEMBER_PENDING = 3 };
APIKEYS_API int apikeys_member_status(const apikeys_member *member);
APIKEYS_API int apikeys_member_set_status(apikeys_member *member, int status);

/* Roles of the environment or of the organization: sorted slugs separated by blanks. A member that
 * is created without a role gets "member". A role that does not exist is APIKEYS_ERROR_NOT_FOUND,
 * with the field "roles". */
APIKEYS_API const char *apikeys_member_roles(const apikeys_member *member, size_t *length);
APIKEYS_API int apikeys_member_add_role(apikeys_member *member, const char *slug, size_t length);
APIKEYS_API int apikeys_member_remove_role(apikeys_member *member, const char *slug, size_t length);
APIKEYS_API int apikeys_member_clear_roles(apikeys_member *member);
/* Exactly those of a text in which blanks separate slugs, as the getter gives it. */
APIKEYS_API int apikeys_member_set_roles(apikeys_member *member, const char *text, size_t length);
/* How many, and the i-th slug. Lent; not NUL-terminated. 0, or APIKEYS_ERROR_INVALID_ARGUMENT
 * beyond the count. */
APIKEYS_API size_t apikeys_member_role_count(const apikeys_member *member);
APIKEYS_API int apikeys_member_role_at(const apikeys_member *member, size_t i, const char **slug,
                                       size_t *length);

/* For display: up to 255 bytes of text each; "" for none. Events never contain them; they are
 * looked up when events are read, so clearing them here erases the person from the history too. */
APIKEYS_API const char *apikeys_member_email(const apikeys_member *member, size_t *length);
APIKEYS_API int apikeys_member_set_email(apikeys_member *member, const char *text, size_t length);
APIKEYS_API const char *apikeys_member_display_name(const apikeys_member *member, size_t *length);
APIKEYS_API int apikeys_member_set_display_name(apikeys_member *member, const char *text,
                                                size_t length);

APIKEYS_API const char *apikeys_member_id(const apikeys_member *member, size_t *length);
APIKEYS_API int64_t apikeys_member_created_at_ms(const apikeys_member *member);
APIKEYS_API int64_t apikeys_member_updated_at_ms(const apikeys_member *member);
APIKEYS_API const char *apikeys_member_json(const apikeys_member *member, size_t *length);

/*
 * Actor for create, update and delete: the system, or `apikeys:members:write`. Each leaves an
 * event: organization_membership.created, …updated, …deleted. APIKEYS_ERROR_EXISTS: the user is a
 * member already.
 */
APIKEYS_API int apikeys_member_create(apikeys_env *env, const apikeys_actor *actor,
                                      apikeys_member *member,
                                      apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Actor for get and list: the system, or `apikeys:members:read`. */
APIKEYS_API int apikeys_member_get(apikeys_env *env, const apikeys_actor *actor,
                                   const char *organization_id, size_t organization_id_length,
                                   const char *user_id, size_t user_id_length,
                                   apikeys_member *member, apikeys_error *err) APIKEYS_WARN_UNUSED;
APIKEYS_API int apikeys_member_get_by_id(apikeys_env *env, const apikeys_actor *actor,
                                         const char *id, size_t length, apikeys_member *member,
                                         apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Writes the fields that were set since the member was read. */
APIKEYS_API int apikeys_member_update(apikeys_env *env, const apikeys_actor *actor,
                                      apikeys_member *member,
                                      apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Revokes the member's own keys in the same transaction, with an event each. With more than 100
 * keys there are several transactions; the member goes with the last one. */
APIKEYS_API int apikeys_member_delete(apikeys_env *env, const apikeys_actor *actor,
                                      const char *organization_id, size_t organization_id_length,
                                      const char *user_id, size_t user_id_length,
                                      apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Filter: limit, order, after, before, and organization or user (or both, or neither: all). */
APIKEYS_API int apikeys_member_list(apikeys_env *env, const apikeys_actor *actor,
                                    const apikeys_filter *filter, apikeys_page *page,
                                    apikeys_error *err) APIKEYS_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
