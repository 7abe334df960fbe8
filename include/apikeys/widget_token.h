/* SPDX-License-Identifier: MIT */
/*
 * apikeys/widget_token.h: short-lived tokens that let a browser act as one member.
 *
 * A widget token is a JWT (RFC 7519), HS256, signed with a key that is derived from the root key.
 * It is valid for at most one hour, and never gives more than the member holds at the time of a
 * call. apikeys_actor_set_widget_token() verifies it; each call resolves its permissions again.
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
 * The specification of a token: for which organization and member, and for which scopes. Setters
 * copy their arguments and return 0, APIKEYS_ERROR_INVALID_ARGUMENT or APIKEYS_ERROR_NO_MEMORY.
 * Since 1.0.
 */
typedef struct apikeys_widget_token_spec apikeys_widget_token_spec;

APIKEYS_API apikeys_widget_token_spec *apikeys_widget_token_spec_new(void);
APIKEYS_API void apikeys_widget_token_spec_free(apikeys_widget_token_spec *spec);

/* The organization that the token acts in; required. */
APIKEYS_API int apikeys_widget_token_spec_set_organization_id(apikeys_widget_token_spec *spec,
                                                              const char *id, size_t length);
/* The member that the token acts as. Without one it acts for the organization, with its scopes. */
APIKEYS_API int apikeys_widget_token_spec_set_user_id(apikeys_widget_token_spec *spec,
                                                      const char *user_id, size_t length);
/*
 * Scopes, the upper bound of the token's permissions: up to 16 slugs that begin with "widgets:".
 * With a user, the token gets those that the user holds; APIKEYS_ERROR_PERMISSION_NOT_HELD if the
 * user holds none of them. A token without a scope may do nothing.
 */
APIKEYS_API int apikeys_widget_token_spec_add_scope(apikeys_widget_token_spec *spec,
                                                    const char *slug, size_t length);
/* Lifetime: 1,000 to 3,600,000 ms, in whole seconds; one hour if not set. */
APIKEYS_API int apikeys_widget_token_spec_set_lifetime_ms(apikeys_widget_token_spec *spec,
                                                          int64_t lifetime_ms);

/*
 * Creates a token and writes it to `token`, NUL-terminated. APIKEYS_ERROR_BUFFER_TOO_SMALL: `size`
 * is below APIKEYS_WIDGET_TOKEN_MAX. APIKEYS_ERROR_NOT_FOUND: no such organization, or no such
 * active member. Actor: the system, or `apikeys:widget-tokens:write`. Tokens are not stored and
 * leave no event.
 */
APIKEYS_API int apikeys_widget_token_create(apikeys_env *env, const apikeys_actor *actor,
                                            const apikeys_widget_token_spec *spec, char *token,
                                            size_t size, size_t *token_length,
                                            apikeys_error *err) APIKEYS_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
