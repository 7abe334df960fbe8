/* SPDX-License-Identifier: MIT */
/*
 * apikeys/actor.h: who makes a call.
 *
 * Every call that reads or changes something names its actor. The library itself enforces what the
 * actor may do, inside the call's transaction: a member who lost a role a moment ago is refused,
 * whatever the caller believed.
 *
 *   system            the host's own code. May do everything; gives a reason, which events keep.
 *   member            a member that the environment stores; holds what their roles hold now.
 *   vouched member    a user of an organization whose permissions the host vouches for, for hosts
 *                     with roles of their own. Recorded as vouched.
 *   widget token      a member of one organization, proven by a widget token.
 *   management key    an API key of the environment itself, proven by its value; holds scopes.
 *
 * Your program asserts the first three, and the library trusts it; the library verifies the last
 * two. Members, vouched members and widget tokens act in their organization only: they get
 * APIKEYS_ERROR_NOT_FOUND for everything else.
 *
 * What members may do:
 *   widgets:api-keys:manage               the organization's keys: create, see, change, revoke
 *   widgets:user-api-keys:manage-self     their own keys: create, see, change, revoke
 *   widgets:user-api-keys:manage-all      the same, and see and revoke other members' keys
 * With any of these they may also read their organization and the permissions available to keys.
 * Everything else is for the system and management keys.
 *
 * A management key may do what its scopes allow. These are all the scopes that exist:
 *   apikeys:environment:read    apikeys:environment:write     settings, root key, backup
 *   apikeys:permissions:read    apikeys:permissions:write
 *   apikeys:roles:read          apikeys:roles:write
 *   apikeys:organizations:read  apikeys:organizations:write
 *   apikeys:members:read        apikeys:members:write
 *   apikeys:keys:read           apikeys:keys:write            customers' keys
 *   apikeys:management-keys:read  apikeys:management-keys:write
 *   apikeys:widget-tokens:write
 *   apikeys:events:read
 *   apikeys:documents:read      apikeys:documents:write       what the host keeps in the store
 */
#ifndef APIKEYS_ACTOR_H
#define APIKEYS_ACTOR_H

#include <apikeys/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An environment: see <apikeys/environment.h>. */
typedef struct apikeys_env apikeys_env;

/*
 * An actor, for any number of calls, by one thread at a time. A new actor is "nobody": every call
 * fails with APIKEYS_ERROR_ACTOR_UNKNOWN until one of the setters below succeeds. Each setter
 * replaces the actor and clears the request's context; if it fails, the actor is nobody. If
 * a setter failed, every call of the actor fails too, and the error names the field and the reason:
 * until that field is set well, or, after apikeys_actor_add_permission(), the actor is replaced.
 * Since 1.0.
 */
typedef struct apikeys_actor apikeys_actor;

APIKEYS_API apikeys_actor *apikeys_actor_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_actor_free(apikeys_actor *actor);

/* Makes it "nobody" again, for an actor object that is reused from request to request. */
APIKEYS_API int apikeys_actor_set_nobody(apikeys_actor *actor);

/* `reason`: 1 to 255 bytes of text: "nightly clean-up", "support ticket 4711". */
APIKEYS_API int apikeys_actor_set_system(apikeys_actor *actor, const char *reason, size_t length);

/*
 * User ids are 1 to 128 printable ASCII bytes, organization ids 30. Each call checks that such a
 * member exists and is active: APIKEYS_ERROR_ACTOR_UNKNOWN if not.
 */
APIKEYS_API int apikeys_actor_set_member(apikeys_actor *actor, const char *organization_id,
                                         size_t organization_id_length, const char *user_id,
                                         size_t user_id_length);

/* A vouched member starts without permissions; add those that your program vouches for. */
APIKEYS_API int apikeys_actor_set_vouched_member(apikeys_actor *actor, const char *organization_id,
                                                 size_t organization_id_length, const char *user_id,
                                                 size_t user_id_length);
APIKEYS_API int apikeys_actor_add_permission(apikeys_actor *actor, const char *slug, size_t length);

/*
 * Verifies a widget token (apikeys_widget_token_create()). Until it expires, the actor is the
 * member that the token names, with its scopes and no more than the member's roles hold at each
 * call. APIKEYS_ERROR_TOKEN_INVALID, APIKEYS_ERROR_TOKEN_EXPIRED.
 */
APIKEYS_API int apikeys_actor_set_widget_token(apikeys_env *env, apikeys_actor *actor,
                                               const char *token, size_t length,
                                               apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Validate a management key's value and act with its scopes, as long as the key is good: that is
 * asked again at each call. APIKEYS_ERROR_ACTOR_UNKNOWN for anything but a good management key.
 */
APIKEYS_API int apikeys_actor_set_management_key(apikeys_env *env, apikeys_actor *actor,
                                                 const char *value, size_t length,
                                                 apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Act as the management key of this id, asserted by the host, which saw its value earlier: a
 * session that somebody signed in to with it. The scopes and whether the key is good are asked at
 * each call, as above. APIKEYS_ERROR_ACTOR_UNKNOWN for anything but a good management key.
 */
APIKEYS_API int apikeys_actor_set_management_key_by_id(apikeys_env *env, apikeys_actor *actor,
                                                       const char *id, size_t length,
                                                       apikeys_error *err) APIKEYS_WARN_UNUSED;

/* The actor's type and ids; for a widget token, those that it names. "" if there is none. */
enum {
  APIKEYS_ACTOR_NOBODY = 0,
  APIKEYS_ACTOR_SYSTEM = 1,
  APIKEYS_ACTOR_MEMBER = 2,
  APIKEYS_ACTOR_VOUCHED_MEMBER = 3,
  APIKEYS_ACTOR_WIDGET_TOKEN = 4,
  APIKEYS_ACTOR_MANAGEMENT_KEY = 5
};
APIKEYS_API int apikeys_actor_type(const apikeys_actor *actor);
APIKEYS_API const char *apikeys_actor_organization_id(const apikeys_actor *actor, size_t *length);
APIKEYS_API const char *apikeys_actor_user_id(const apikeys_actor *actor, size_t *length);
/* The management key's id. */
APIKEYS_API const char *apikeys_actor_key_id(const apikeys_actor *actor, size_t *length);

/*
 * The channel that the actor used, for the events' context. 0 (the default) follows from the type:
 * API for management keys, ADMIN_PORTAL for widget tokens, DASHBOARD for members, SYSTEM for the
 * system.
 */
enum {
  APIKEYS_SOURCE_API = 1,
  APIKEYS_SOURCE_DASHBOARD = 2,
  APIKEYS_SOURCE_ADMIN_PORTAL = 3,
  APIKEYS_SOURCE_SYSTEM = 4
};
APIKEYS_API int apikeys_actor_set_source(apikeys_actor *actor, int source);

/*
 * Context of the request that the actor acts in, stored in events. Optional; each 1 to 255 bytes of
 * text; length 0 removes it.
 */
APIKEYS_API int apikeys_actor_set_request_id(apikeys_actor *actor, const char *text, size_t length);
APIKEYS_API int apikeys_actor_set_address(apikeys_actor *actor, const char *text, size_t length);
APIKEYS_API int apikeys_actor_set_user_agent(apikeys_actor *actor, const char *text, size_t length);

#ifdef __cplusplus
}
#endif
#endif
