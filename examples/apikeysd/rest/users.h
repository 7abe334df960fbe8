/* SPDX-License-Identifier: MIT */
/*
 * Users, as far as keys need them: documents of the service in the environment's store; memberships
 * are the library's. A host may also keep its users elsewhere and name them by ids that are unknown
 * here.
 */
#ifndef SERVER_REST_USERS_H
#define SERVER_REST_USERS_H

#include "http/exchange.h"

#include <jansson.h>

/* Gives a member the user's name and address for display, if the user is known here. */
int users_describe_member(struct exchange *x, apikeys_member *member, const char *user_id,
                          size_t length);

/* The member's user as JSON, as in GET /user_management/users/ID. NULL: out of memory. */
json_t *users_json_of_member(struct exchange *x, const apikeys_member *member);

/* APIKEYS_ERROR_NOT_FOUND: neither a user of ours nor a member of any organization. */
int users_check(struct exchange *x, const char *user_id, size_t length);

#endif
