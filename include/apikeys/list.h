/* SPDX-License-Identifier: MIT */
/*
 * apikeys/list.h: what to list (filter), and what a list call gave (page).
 */
#ifndef APIKEYS_LIST_H
#define APIKEYS_LIST_H

#include <apikeys/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct apikeys_key apikeys_key;
typedef struct apikeys_organization apikeys_organization;
typedef struct apikeys_member apikeys_member;
typedef struct apikeys_role apikeys_role;
typedef struct apikeys_permission apikeys_permission;
typedef struct apikeys_event apikeys_event;
typedef struct apikeys_document apikeys_document;

/*
 * A filter says which objects a list call returns, in which order, and where it starts. Each list
 * call documents the settings that it accepts; it fails with APIKEYS_ERROR_INVALID_ARGUMENT if
 * another one is set. Setters return 0, APIKEYS_ERROR_INVALID_ARGUMENT or
 * APIKEYS_ERROR_NO_MEMORY; length 0 removes the setting. If a setter failed, the list call fails
 * too, and its error names the setting and the reason, until that setting is set well or the filter
 * is cleared. One thread at a time may use a filter. Since 1.0.
 */
typedef struct apikeys_filter apikeys_filter;

APIKEYS_API apikeys_filter *apikeys_filter_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_filter_free(apikeys_filter *filter);
APIKEYS_API void apikeys_filter_clear(apikeys_filter *filter);

/* The largest number of objects in a page: 1 to 100; 10 if not set. */
APIKEYS_API int apikeys_filter_set_limit(apikeys_filter *filter, int limit);

/* The default is newest first, for events oldest first. */
enum { APIKEYS_ORDER_NEWEST_FIRST = 1, APIKEYS_ORDER_OLDEST_FIRST = 2 };
APIKEYS_API int apikeys_filter_set_order(apikeys_filter *filter, int order);

/*
 * Continue from an object: `after` returns the objects that follow it in the list's order, `before`
 * those immediately before it, still in the list's order. Set at most one of them. The id of a
 * deleted object works as a cursor for one week after its deletion. The id of no such object is
 * APIKEYS_ERROR_CURSOR_UNKNOWN, never the first page.
 */
APIKEYS_API int apikeys_filter_set_after(apikeys_filter *filter, const char *id, size_t length);
APIKEYS_API int apikeys_filter_set_before(apikeys_filter *filter, const char *id, size_t length);

/* Only objects whose name contains this text, ASCII letters compared without case. */
APIKEYS_API int apikeys_filter_set_search(apikeys_filter *filter, const char *text, size_t length);

APIKEYS_API int apikeys_filter_set_organization_id(apikeys_filter *filter, const char *id,
                                                   size_t length);
APIKEYS_API int apikeys_filter_set_user_id(apikeys_filter *filter, const char *user_id,
                                           size_t length);

/* Keys: the owner's type, APIKEYS_OWNER_… of <apikeys/key.h>. */
APIKEYS_API int apikeys_filter_set_owner_type(apikeys_filter *filter, int owner_type);

/* Keys: 1 includes revoked keys. */
APIKEYS_API int apikeys_filter_set_revoked(apikeys_filter *filter, int revoked);

/* Permissions: only those available to the keys of APIKEYS_OWNER_ORGANIZATION or …_MEMBER. */
APIKEYS_API int apikeys_filter_set_available_to(apikeys_filter *filter, int owner_type);

/* Events: only these types (each call adds one); created at or after `since`, before `until`. */
APIKEYS_API int apikeys_filter_add_event_type(apikeys_filter *filter, const char *type,
                                              size_t length);
APIKEYS_API int apikeys_filter_set_since_ms(apikeys_filter *filter, int64_t unix_ms);
APIKEYS_API int apikeys_filter_set_until_ms(apikeys_filter *filter, int64_t unix_ms);

/*
 * Documents (<apikeys/document.h>): the collection, the group in it, and only those that are due at
 * this time or earlier.
 */
APIKEYS_API int apikeys_filter_set_collection(apikeys_filter *filter, const char *collection,
                                              size_t length);
APIKEYS_API int apikeys_filter_set_group(apikeys_filter *filter, const char *group, size_t length);
APIKEYS_API int apikeys_filter_set_due_until_ms(apikeys_filter *filter, int64_t unix_ms);

/*
 * A page holds the result of a list call. Each list call replaces its contents. The page lends its
 * objects: a pointer lives until the page is filled again or freed. A getter returns NULL for
 * another kind than the listed one, and for an index beyond the count. Since 1.0.
 */
typedef struct apikeys_page apikeys_page;

APIKEYS_API apikeys_page *apikeys_page_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_page_free(apikeys_page *page);
APIKEYS_API size_t apikeys_page_count(const apikeys_page *page);
APIKEYS_API apikeys_key *apikeys_page_key(const apikeys_page *page, size_t i);
APIKEYS_API apikeys_organization *apikeys_page_organization(const apikeys_page *page, size_t i);
APIKEYS_API apikeys_member *apikeys_page_member(const apikeys_page *page, size_t i);
APIKEYS_API apikeys_role *apikeys_page_role(const apikeys_page *page, size_t i);
APIKEYS_API apikeys_permission *apikeys_page_permission(const apikeys_page *page, size_t i);
APIKEYS_API apikeys_event *apikeys_page_event(const apikeys_page *page, size_t i);
APIKEYS_API apikeys_document *apikeys_page_document(const apikeys_page *page, size_t i);

/*
 * Cursors for apikeys_filter_set_after() and _set_before(): "" if nothing follows, or if nothing
 * comes before. If a page continued from an object that the list no longer shows, such as a key
 * that was revoked meanwhile, its `before` cursor may lead to an empty page.
 */
APIKEYS_API const char *apikeys_page_after(const apikeys_page *page, size_t *length);
APIKEYS_API const char *apikeys_page_before(const apikeys_page *page, size_t *length);

#ifdef __cplusplus
}
#endif
#endif
