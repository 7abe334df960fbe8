/* SPDX-License-Identifier: MIT */
/* apikeys/organization.h: organizations, the customers that own keys. */
#ifndef APIKEYS_ORGANIZATION_H
#define APIKEYS_ORGANIZATION_H

#include <apikeys/environment.h>
#include <apikeys/list.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An organization: either one you are about to create or one you have read. Conventions as in
 * <apikeys/permission.h>. Since 1.0. */
APIKEYS_API apikeys_organization *apikeys_organization_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_organization_free(apikeys_organization *organization);

/* "org_" and 26 characters, assigned at creation. Set it to update without reading first. */
APIKEYS_API const char *apikeys_organization_id(const apikeys_organization *organization,
                                                size_t *length);
APIKEYS_API int apikeys_organization_set_id(apikeys_organization *organization, const char *id,
                                            size_t length);
/* 1 to 255 bytes of text. */
APIKEYS_API const char *apikeys_organization_name(const apikeys_organization *organization,
                                                  size_t *length);
APIKEYS_API int apikeys_organization_set_name(apikeys_organization *organization, const char *name,
                                              size_t length);
/* Your own id for the organization: 1 to 128 bytes of text, unique; "" for none. */
APIKEYS_API const char *apikeys_organization_external_id(const apikeys_organization *organization,
                                                         size_t *length);
APIKEYS_API int apikeys_organization_set_external_id(apikeys_organization *organization,
                                                     const char *id, size_t length);
/* Domain names, such as acme.example, separated by blanks; at most 100. Two labels or more; names
 * in other scripts in their ASCII form ("xn--…"). Letters stay large or small, as they are given.
 * */
APIKEYS_API const char *apikeys_organization_domains(const apikeys_organization *organization,
                                                     size_t *length);
APIKEYS_API int apikeys_organization_add_domain(apikeys_organization *organization,
                                                const char *domain, size_t length);
APIKEYS_API int apikeys_organization_clear_domains(apikeys_organization *organization);

/*
 * Your metadata: up to 50 pairs of a key (1 to 40 printable ASCII bytes) and a value (up to 600
 * bytes of text), in the order in which they were set. An empty value removes the pair.
 */
APIKEYS_API size_t apikeys_organization_metadata_count(const apikeys_organization *organization);
/* The i-th pair. Lent; not NUL-terminated. 0, or APIKEYS_ERROR_INVALID_ARGUMENT
 * beyond the count. */
APIKEYS_API int apikeys_organization_metadata_at(const apikeys_organization *organization, size_t i,
                                                 const char **key, size_t *key_length,
                                                 const char **value, size_t *value_length);
APIKEYS_API int apikeys_organization_set_metadata(apikeys_organization *organization,
                                                  const char *key, size_t key_length,
                                                  const char *value, size_t value_length);

APIKEYS_API int64_t apikeys_organization_created_at_ms(const apikeys_organization *organization);
APIKEYS_API int64_t apikeys_organization_updated_at_ms(const apikeys_organization *organization);
APIKEYS_API const char *apikeys_organization_json(const apikeys_organization *organization,
                                                  size_t *length);

/*
 * Actor for create, update and delete: the system, or `apikeys:organizations:write`. Each leaves an
 * event: organization.created, …updated, …deleted. APIKEYS_ERROR_EXISTS: the external id is taken.
 */
APIKEYS_API int apikeys_organization_create(apikeys_env *env, const apikeys_actor *actor,
                                            apikeys_organization *organization,
                                            apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Actor for get: the system, `apikeys:organizations:read`, and members who manage
 * keys, their own. */
APIKEYS_API int apikeys_organization_get(apikeys_env *env, const apikeys_actor *actor,
                                         const char *id, size_t length,
                                         apikeys_organization *organization,
                                         apikeys_error *err) APIKEYS_WARN_UNUSED;
APIKEYS_API int apikeys_organization_get_by_external_id(apikeys_env *env,
                                                        const apikeys_actor *actor, const char *id,
                                                        size_t length,
                                                        apikeys_organization *organization,
                                                        apikeys_error *err) APIKEYS_WARN_UNUSED;
APIKEYS_API int apikeys_organization_update(apikeys_env *env, const apikeys_actor *actor,
                                            apikeys_organization *organization,
                                            apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * One small transaction deletes the organization, with its event: from then on it is not found, its
 * members may not act, and its keys are refused by the next validation (APIKEYS_OWNER_INACTIVE).
 * Then its keys are revoked and its members and roles deleted, with an event each, in transactions
 * of at most 100 records. If that is interrupted, the call still returns 0 and apikeys_maintain()
 * goes on.
 */
APIKEYS_API int apikeys_organization_delete(apikeys_env *env, const apikeys_actor *actor,
                                            const char *id, size_t length,
                                            apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Filter: limit, order, after, before, search. Actor: the system, `apikeys:organizations:read`. */
APIKEYS_API int apikeys_organization_list(apikeys_env *env, const apikeys_actor *actor,
                                          const apikeys_filter *filter, apikeys_page *page,
                                          apikeys_error *err) APIKEYS_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
