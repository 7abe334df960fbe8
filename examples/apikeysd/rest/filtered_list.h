/* SPDX-License-Identifier: MIT */
/*
 * Lists by what the store has no index for: an organization's domain, a membership's status. The
 * list is walked, and what is not wanted left out.
 *
 * One request walks so far and no further. A page may then have fewer objects than were asked for,
 * or none, and still be followed by another: its cursors tell.
 */
#ifndef SERVER_REST_FILTERED_LIST_H
#define SERVER_REST_FILTERED_LIST_H

#include "rest/list.h"

struct filtered_list {
  int (*fetch)(struct list *list); /* fills the page as the filter says */
  /* The i-th object of the page as JSON; NULL with 0: it is not wanted. */
  int (*look)(const struct list *list, size_t i, json_t **value);
};

/* Answers the exchange of a list that is open, with its filter set; `noun` as in list_fail(). */
void filtered_list_reply(struct list *list, const struct filtered_list *filtered, const char *noun);

#endif
