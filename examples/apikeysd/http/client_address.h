/* SPDX-License-Identifier: MIT */
/*
 * Who asks, behind a proxy. The address that throttling, logs and events go by is the connection's,
 * unless that is a proxy of ours: then X-Forwarded-For tells, read from its end, where each proxy
 * adds whom it heard from; what stands before the last address that is no proxy of ours is
 * whatever a client liked to write.
 */
#ifndef SERVER_HTTP_CLIENT_ADDRESS_H
#define SERVER_HTTP_CLIENT_ADDRESS_H

#include "config.h"
#include "http/exchange.h"

/* "10.0.0.1", "10.0.0.0/8", "fd00::/8": is the text one of these? */
bool client_address_is_block(const char *text);

/* Is the address in one of the blocks? */
bool client_address_is_proxy(const char *address, const struct config_list *proxies);

/* Sets x->address to the client's, if the connection's is in one of the blocks. */
void client_address_find(struct exchange *x, const struct config_list *proxies);

#endif
