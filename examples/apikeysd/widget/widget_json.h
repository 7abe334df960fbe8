/* SPDX-License-Identifier: MIT */
/* Objects as the widgets read them: names in camelCase, no "object" field. */
#ifndef SERVER_WIDGET_WIDGET_JSON_H
#define SERVER_WIDGET_WIDGET_JSON_H

#include <apikeys.h>
#include <jansson.h>

/* NULL: out of memory. */
json_t *widget_key_json(const apikeys_key *key);
json_t *widget_permission_json(const apikeys_permission *permission);
/* The creator of a user's key. `member` NULL: the member was deleted, only the id remains. */
json_t *widget_owner_json(const char *user_id, const apikeys_member *member);

#endif
