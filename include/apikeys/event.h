/* SPDX-License-Identifier: MIT */
/*
 * apikeys/event.h: events: what happened, when, and who did it.
 *
 * Every change leaves its event in its own transaction: there is no change without one, and no
 * event without its change. Events are numbered; whoever has seen number N never later sees a new
 * one numbered below N. Three ways to have them:
 *
 *   apikeys_event_list     pages with filters
 *   apikeys_subscribe      called in this process, after each commit made through this handle
 *   apikeys_event_poll     a named durable cursor: every event of every process, in order, at least
 *                          once
 *
 * Types: api_key.created, .updated, .revoked; management_key.created, .updated, .revoked;
 * organization.created, .updated, .deleted; organization_membership.created, .updated, .deleted;
 * role.created, .updated, .deleted; permission.created, .updated, .deleted; environment.created,
 * .updated, .pruned, .root_key_rotated.
 */
#ifndef APIKEYS_EVENT_H
#define APIKEYS_EVENT_H

#include <apikeys/environment.h>
#include <apikeys/list.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One event. Conventions as in <apikeys/permission.h>. Since 1.0. */
APIKEYS_API apikeys_event *apikeys_event_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_event_free(apikeys_event *event);

APIKEYS_API int64_t apikeys_event_number(const apikeys_event *event);
APIKEYS_API const char *apikeys_event_id(const apikeys_event *event, size_t *length); /* "event_…" */
APIKEYS_API const char *apikeys_event_type(const apikeys_event *event, size_t *length);
APIKEYS_API int64_t apikeys_event_created_at_ms(const apikeys_event *event);
/* "" for what concerns no organization. */
APIKEYS_API const char *apikeys_event_organization_id(const apikeys_event *event, size_t *length);
/* The object after the change (as it last was, if it was deleted), as JSON; updates carry
 * "previous_attributes" in it. Never a key's value. */
APIKEYS_API const char *apikeys_event_data(const apikeys_event *event, size_t *length);

/* Who did it: APIKEYS_ACTOR_…, and the user's or the management key's id. */
APIKEYS_API int apikeys_event_actor_type(const apikeys_event *event);
APIKEYS_API const char *apikeys_event_actor_id(const apikeys_event *event, size_t *length);
/* Through what they came: APIKEYS_SOURCE_… of <apikeys/actor.h>. */
APIKEYS_API int apikeys_event_source(const apikeys_event *event);
/* The member's display name or the management key's name as it is now, where the event was got,
 * listed or polled; "" for none. */
APIKEYS_API const char *apikeys_event_actor_name(const apikeys_event *event, size_t *length);
/* What the actor said: the system's reason; the request's id, address and user agent. */
APIKEYS_API const char *apikeys_event_reason(const apikeys_event *event, size_t *length);
APIKEYS_API const char *apikeys_event_request_id(const apikeys_event *event, size_t *length);
APIKEYS_API const char *apikeys_event_address(const apikeys_event *event, size_t *length);
APIKEYS_API const char *apikeys_event_user_agent(const apikeys_event *event, size_t *length);

/* The whole event as JSON, in the shape of the wire contract; NULL: out of memory. */
APIKEYS_API const char *apikeys_event_json(apikeys_event *event, size_t *length);

/* Actor for get, list and poll: the system, or `apikeys:events:read`. */
APIKEYS_API int apikeys_event_get(apikeys_env *env, const apikeys_actor *actor, const char *id,
                                  size_t length, apikeys_event *event, apikeys_error *err);

/*
 * Filter: limit, order, after, before, organization, event types, since_ms, until_ms. Oldest first
 * unless told. A cursor before the oldest event that was kept is APIKEYS_ERROR_CURSOR_EXPIRED.
 */
APIKEYS_API int apikeys_event_list(apikeys_env *env, const apikeys_actor *actor,
                                   const apikeys_filter *filter, apikeys_page *page,
                                   apikeys_error *err);

/*
 * The events behind a named cursor, oldest first, at most 1 to 100 of them: those that were not
 * acknowledged yet. A name (1 to 128 bytes of text) that was never used starts at the oldest event.
 * Poll, act on them, acknowledge the last one's number: after a crash in between they come again.
 * One reader per name; acknowledging never goes back. APIKEYS_ERROR_CURSOR_EXPIRED: events behind
 * the cursor were pruned; acknowledge any number to go on from the oldest.
 */
APIKEYS_API int apikeys_event_poll(apikeys_env *env, const apikeys_actor *actor, const char *name,
                                   size_t length, int limit, apikeys_page *page,
                                   apikeys_error *err);
APIKEYS_API int apikeys_event_acknowledge(apikeys_env *env, const apikeys_actor *actor,
                                          const char *name, size_t length, int64_t number,
                                          apikeys_error *err);

/*
 * Be called for each event of a change made through this handle: after its commit, on the thread
 * that made it, before its call returns, with no lock held. The callback may call everything,
 * subscribe and unsubscribe included. Callbacks of changes that threads make at the same time may
 * come out of the events' order; the numbers tell. The event is lent for the duration of the call.
 * `destroy` (may be NULL) is called exactly once with `user_data`: when the subscription was
 * freed and no callback is under way any more; also if subscribing fails. Since 1.0.
 */
typedef struct apikeys_subscription apikeys_subscription;
typedef void (*apikeys_event_callback)(apikeys_event *event, void *user_data);

APIKEYS_API int apikeys_subscribe(apikeys_env *env, apikeys_event_callback callback,
                                  void *user_data, void (*destroy)(void *user_data),
                                  apikeys_subscription **subscription, apikeys_error *err);

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
