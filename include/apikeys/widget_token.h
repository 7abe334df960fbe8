/* SPDX-License-Identifier: MIT */
/*
 * apikeys/widget_token.h: short-lived tokens that let a browser act as one member.
 *
 * A widget token is a JWT (RFC 7519), HS256, signed with a key derived from the root key; good for
 * an hour at most, and only as long as the member holds what it names:
 * apikeys_actor_set_widget_token() verifies it, and its power is resolved at each call.
 */
#ifndef APIKEYS_WIDGET_TOKEN_H
#define APIKEYS_WIDGET_TOKEN_H

#include <apikeys/environment.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No token is longer than this, with its NUL. */
#define APIKEYS_WIDGET_TOKEN_MAX 4096
APIKEYS_API size_t apikeys_widget_token_max(void);

/*
 * Whom and what a token shall be for. Setters copy and return 0, APIKEYS_ERROR_INVALID_ARGUMENT or
 * APIKEYS_ERROR_NO_MEMORY. Since 1.0.
 */
typedef struct apikeys_widget_token_spec apikeys_widget_token_spec;

APIKEYS_API apikeys_widget_token_spec *apikeys_widget_token_spec_new(void);
APIKEYS_API void apikeys_widget_token_spec_free(apikeys_widget_token_spec *spec);

/* The organization it acts in; required. */
APIKEYS_API int apikeys_widget_token_spec_set_organization(apikeys_widget_token_spec *spec,
                                                           const char *id, size_t length);
/* The member it acts as. Without one it acts for the organization, with its scopes only. */
APIKEYS_API int apikeys_widget_token_spec_set_user(apikeys_widget_token_spec *spec,
                                                   const char *user_id, size_t length);
/*
 * What it may do at most: slugs that begin with "widgets:", up to 16. With a user, the token gets
 * those the user holds; APIKEYS_ERROR_PERMISSION_NOT_HELD if that leaves none of those asked for.
 * Without any scope it may do nothing.
 */
APIKEYS_API int apikeys_widget_token_spec_add_scope(apikeys_widget_token_spec *spec,
                                                    const char *slug, size_t length);
/* How long it lives: 1,000 to 3,600,000 ms, in whole seconds; an hour if not set. */
APIKEYS_API int apikeys_widget_token_spec_set_lifetime_ms(apikeys_widget_token_spec *spec,
                                                          int64_t lifetime_ms);

/*
 * Make a token; on 0 it is in `token`, NUL-terminated. APIKEYS_ERROR_BUFFER_TOO_SMALL if `size` is
 * below APIKEYS_WIDGET_TOKEN_MAX. APIKEYS_ERROR_NOT_FOUND: no such organization or no such active
 * member. Actor: the system, or `apikeys:widget-tokens:write`. Nothing is stored, and no event
 * left.
 */
APIKEYS_API int apikeys_widget_token_create(apikeys_env *env, const apikeys_actor *actor,
                                            const apikeys_widget_token_spec *spec, char *token,
                                            size_t size, size_t *token_length,
                                            apikeys_error *err) APIKEYS_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
