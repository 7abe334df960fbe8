/* SPDX-License-Identifier: MIT */
/*
 * --demo: something to look at. An organization with an admin, the permissions posts:read,
 * posts:write and posts:delete, the first two of them available to keys, and widget tokens for
 * whoever asks: only ever on loopback.
 */
#ifndef SERVER_DEMO_H
#define SERVER_DEMO_H

#include "service.h"

struct demo;

/* Finds or makes what the demo needs. NULL: the log says why. */
struct demo *demo_start(struct service *service);
void demo_stop(struct demo *demo);

const char *demo_organization_id(const struct demo *demo);

#endif
