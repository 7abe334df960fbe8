/* SPDX-License-Identifier: MIT */
/*
 * Lists filtered by something that the store has no index for: an organization's domain, a
 * membership's status. The list is walked, and objects that do not match are left out.
 *
 * One request walks a bounded distance. So a page may have fewer objects than asked for, or none,
 * and still be followed by another: its cursors tell.
 */
#ifndef SERVER_REST_FILTERED_LIST_H
#define SERVER_REST_FILTERED_LIST_H

#include "rest/list.h"

struct filtered_list {
  int (*fetch)(struct list *list); /* fills the page by the filter */
  /* The i-th object of the page as JSON; NULL with 0: it does not match. */
  int (*look)(const struct list *list, size_t i, json_t **value);
};

/* Answers the exchange of a list that is open, with its filter set; `noun` as in list_fail(). */
void filtered_list_reply(struct list *list, const struct filtered_list *filtered, const char *noun);

#endif
