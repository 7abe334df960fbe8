/* SPDX-License-Identifier: MIT */
/*
 * apikeys/event.h: events: what happened, when, and who did it.
 *
 * Every change writes its event in its own transaction: there is no change without an event and no
 * event without its change. Events are numbered. Once you have seen number N, no new event with a
 * lower number appears. Three ways to read them:
 *
 *   apikeys_event_list     pages with filters
 *   apikeys_subscribe      a callback in this process, after each commit made through this handle
 *   apikeys_event_poll     a named durable cursor: every event of every process, in order, at least
 *                          once
 *
 * Types: api_key.created, .updated, .revoked; management_key.created, .updated, .revoked;
 * organization.created, .updated, .deleted; organization_membership.created, .updated, .deleted;
 * role.created, .updated, .deleted; organization_role.created, .updated, .deleted;
 * permission.created, .updated, .deleted; environment.created, .updated, .pruned,
 * .root_key_rotated.
 */
#ifndef APIKEYS_EVENT_H
#define APIKEYS_EVENT_H

#include <apikeys/environment.h>
#include <apikeys/list.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One event; ids begin with "event_". Conventions as in <apikeys/permission.h>. Since 1.0. */
APIKEYS_API apikeys_event *apikeys_event_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_event_free(apikeys_event *event);

APIKEYS_API int64_t apikeys_event_number(const apikeys_event *event);
APIKEYS_API const char *apikeys_event_id(const apikeys_event *event, size_t *length);
APIKEYS_API const char *apikeys_event_type(const apikeys_event *event, size_t *length);
APIKEYS_API int64_t apikeys_event_created_at_ms(const apikeys_event *event);
/* "" for events that concern no organization. */
APIKEYS_API const char *apikeys_event_organization_id(const apikeys_event *event, size_t *length);
/* The object after the change as JSON; for a deletion, the object as it was before. Updates contain
 * "previous_attributes". Never a key's value. */
APIKEYS_API const char *apikeys_event_data(const apikeys_event *event, size_t *length);

/* The actor: APIKEYS_ACTOR_…, and the user's or the management key's id. */
APIKEYS_API int apikeys_event_actor_type(const apikeys_event *event);
APIKEYS_API const char *apikeys_event_actor_id(const apikeys_event *event, size_t *length);
/* The channel that the actor used: APIKEYS_SOURCE_… of <apikeys/actor.h>. */
APIKEYS_API int apikeys_event_source(const apikeys_event *event);
/* The member's display name, or the management key's name, at the time of the read; "" if there is
 * none, and in events that a subscription delivers. */
APIKEYS_API const char *apikeys_event_actor_name(const apikeys_event *event, size_t *length);
/* Context that the actor gave: the system's reason; the request's id, address and user agent. */
APIKEYS_API const char *apikeys_event_reason(const apikeys_event *event, size_t *length);
APIKEYS_API const char *apikeys_event_request_id(const apikeys_event *event, size_t *length);
APIKEYS_API const char *apikeys_event_address(const apikeys_event *event, size_t *length);
APIKEYS_API const char *apikeys_event_user_agent(const apikeys_event *event, size_t *length);

/* The whole event as JSON, in the shape of the HTTP API; NULL: out of memory. */
APIKEYS_API const char *apikeys_event_json(const apikeys_event *event, size_t *length);

/* Actor for get, list and poll: the system, or `apikeys:events:read`. */
APIKEYS_API int apikeys_event_get(apikeys_env *env, const apikeys_actor *actor, const char *id,
                                  size_t length, apikeys_event *event,
                                  apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Filter: limit, order, after, before, organization, event types (one that never happens matches
 * nothing), since_ms, until_ms. Oldest first
 * unless told. A cursor before the oldest event that was kept is APIKEYS_ERROR_CURSOR_EXPIRED.
 */
APIKEYS_API int apikeys_event_list(apikeys_env *env, const apikeys_actor *actor,
                                   const apikeys_filter *filter, apikeys_page *page,
                                   apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Returns the events after a named cursor that were not acknowledged yet, oldest first, at most
 * `limit` (1 to 100). A new name (1 to 128 bytes of text) starts at the oldest event. Poll, act on
 * the events, then acknowledge the last one's number; after a crash in between, the events come
 * again. Use one reader per name. Acknowledging a lower number than before changes nothing.
 * APIKEYS_ERROR_CURSOR_EXPIRED: events after the cursor were pruned; acknowledge any number to
 * continue with the oldest event that is left.
 */
APIKEYS_API int apikeys_event_poll(apikeys_env *env, const apikeys_actor *actor, const char *name,
                                   size_t length, int limit, apikeys_page *page,
                                   apikeys_error *err) APIKEYS_WARN_UNUSED;
APIKEYS_API int apikeys_event_acknowledge(apikeys_env *env, const apikeys_actor *actor,
                                          const char *name, size_t length, int64_t number,
                                          apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Calls back for each event of a change made through this handle: after its commit, on the thread
 * that made it, before its call returns, with no lock held. The callback may call everything,
 * subscribe and unsubscribe included; a subscription that it adds starts with the next event.
 * Callbacks of changes that threads make at the same time may come out of the events' order; the
 * numbers tell. The event is lent for the duration of the call.
 * `destroy` (may be NULL) is called exactly once with `user_data`: when the subscription was
 * freed and no callback is under way any more; also if subscribing fails. Since 1.0.
 */
typedef struct apikeys_subscription apikeys_subscription;
typedef void (*apikeys_event_callback)(apikeys_event *event, void *user_data);

APIKEYS_API int apikeys_subscribe(apikeys_env *env, apikeys_event_callback callback,
                                  void *user_data, void (*destroy)(void *user_data),
                                  apikeys_subscription **subscription,
                                  apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * End it; from within its own callback, too, and before or after the environment is closed. A
 * callback that another thread is about to make may still come: `user_data` must live until
 * `destroy` was called.
 */
APIKEYS_API void apikeys_subscription_free(apikeys_subscription *subscription);

#ifdef __cplusplus
}
#endif
#endif
