/* SPDX-License-Identifier: MIT */
/*
 * Where webhooks may go. An endpoint names an address that this service calls from inside the
 * operator's network, which invites server-side request forgery. So names that can only mean this
 * machine are refused, and every address is checked when the connection is made.
 */
#ifndef SERVER_WEBHOOKS_TARGET_H
#define SERVER_WEBHOOKS_TARGET_H

#include "config.h"

#include <stdbool.h>
#include <sys/socket.h>

enum { TARGET_URL_MAX = 2048 };

/* NULL, or a message that says what is wrong with the URL. */
const char *target_problem(const char *url, const struct config *config);

/* True for public unicast addresses only. `length` is the address family's. */
bool target_address_is_public(const struct sockaddr *address, size_t length);

#endif
