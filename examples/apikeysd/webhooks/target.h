/* SPDX-License-Identifier: MIT */
/*
 * Where webhooks may go. Whoever configures an endpoint names an address that this service then
 * calls from inside the operator's network (server-side request forgery): names are refused that
 * can only mean ourselves, and every address is looked at when its connection is made, whatever
 * its name said before.
 */
#ifndef SERVER_WEBHOOKS_TARGET_H
#define SERVER_WEBHOOKS_TARGET_H

#include "config.h"

#include <stdbool.h>
#include <sys/socket.h>

enum { TARGET_URL_MAX = 2048 };

/* NULL, or what is wrong with the URL, for people. */
const char *target_problem(const char *url, const struct config *config);

/* False for everything but public unicast addresses; `length` as the address family has it. */
bool target_address_is_public(const struct sockaddr *address, size_t length);

#endif
