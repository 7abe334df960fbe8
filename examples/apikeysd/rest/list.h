/* SPDX-License-Identifier: MIT */
/*
 * Lists, as the contract has them: {"object":"list","data":[…],"list_metadata":{…}}, with limit,
 * order, before and after in the query.
 */
#ifndef SERVER_REST_LIST_H
#define SERVER_REST_LIST_H

#include "http/exchange.h"

#include <jansson.h>

/* A list being answered: open it, set the noun's filters, list, reply, close. */
struct list {
  struct exchange *x;
  apikeys_filter *filter;
  apikeys_page *page;
  int limit;
  bool continued; /* from a cursor, */
  bool backward;  /* and from that towards the list's beginning */
  bool swapped;   /* order=normal: newest first, with the cursors the other way round */
};

/* False: the query is wrong, and the exchange is answered; there is nothing to close. */
bool list_open(struct list *list, struct exchange *x);
void list_close(struct list *list);

/* Sets a filter from a parameter of the query, if present. */
typedef int (*list_setter)(apikeys_filter *filter, const char *text, size_t length);
int list_set(struct list *list, list_setter set, const char *parameter);

/* Reads "true" or "false"; absent is false. False: something else; answered. */
bool list_flag(struct list *list, const char *parameter, bool *flag);

/* The i-th object of the page as JSON text; NULL: out of memory. */
typedef const char *(*list_item)(const apikeys_page *page, size_t i, size_t *length);

/* Answers a failure of the call that filled the page; `noun` and `id` as in reply_failure(). */
void list_fail(struct list *list, int rc, const char *noun, const char *id);

/* Answers with the list, or with the failure of the call that filled the page. */
void list_reply(struct list *list, int rc, list_item item);
/* The same without "list_metadata", for lists that have one page only. */
void list_reply_whole(struct list *list, int rc, list_item item);

/*
 * The list with these values, which stay the caller's, instead of the page's. NULL: out of memory.
 */
void list_reply_values(struct list *list, json_t *values);
/* The same with these cursors instead of the page's; "" for none. */
void list_reply_between(struct list *list, json_t *values, const char *before, const char *after);

const char *list_key(const apikeys_page *page, size_t i, size_t *length);
const char *list_organization(const apikeys_page *page, size_t i, size_t *length);
const char *list_role(const apikeys_page *page, size_t i, size_t *length);
const char *list_permission(const apikeys_page *page, size_t i, size_t *length);
const char *list_event(const apikeys_page *page, size_t i, size_t *length);

#endif
