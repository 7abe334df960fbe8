/* SPDX-License-Identifier: MIT */
/*
 * Lists, as the contract has them: {"object":"list","data":[…],"list_metadata":{…}}, with limit,
 * order, before and after in the query.
 */
#ifndef SERVER_REST_LIST_H
#define SERVER_REST_LIST_H

#include "http/exchange.h"

#include <jansson.h>

/* A list being answered: open it, set what the noun filters by, list, reply, close. */
struct list {
  struct exchange *x;
  apikeys_filter *filter;
  apikeys_page *page;
  int limit;
  bool continued; /* from a cursor, */
  bool backward;  /* and from that towards the list's beginning */
  bool swapped;   /* order=normal: newest first, with the cursors the other way round */
};

/* False: the query is wrong, and the exchange answered; there is nothing to close. */
bool list_open(struct list *list, struct exchange *x);
void list_close(struct list *list);

/* Sets a filter from a parameter of the query, if it is there. */
typedef int (*list_setter)(apikeys_filter *filter, const char *text, size_t length);
int list_set(struct list *list, list_setter set, const char *parameter);

/* "true" or "false", which is what an absent one says. False: something else; answered. */
bool list_flag(struct list *list, const char *parameter, bool *flag);

/* The i-th object of the page as JSON text; NULL: out of memory. */
typedef const char *(*list_item)(const apikeys_page *page, size_t i, size_t *length);

/* What the call that filled the page said, other than 0; `noun` and `id` as in reply_failure(). */
void list_fail(struct list *list, int rc, const char *noun, const char *id);

/* What the call that filled the page said: the list, or an error. */
void list_reply(struct list *list, int rc, list_item item);
/* The same without "list_metadata", for lists that are given whole. */
void list_reply_whole(struct list *list, int rc, list_item item);

/* The list with these values, which stay the caller's, in the page's place. NULL: out of memory. */
void list_reply_values(struct list *list, json_t *values);
/* And with these cursors in the place of the page's; "" for none. */
void list_reply_between(struct list *list, json_t *values, const char *before, const char *after);

const char *list_key(const apikeys_page *page, size_t i, size_t *length);
const char *list_organization(const apikeys_page *page, size_t i, size_t *length);
const char *list_role(const apikeys_page *page, size_t i, size_t *length);
const char *list_permission(const apikeys_page *page, size_t i, size_t *length);
const char *list_event(const apikeys_page *page, size_t i, size_t *length);

#endif
