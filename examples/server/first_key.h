/* SPDX-License-Identifier: MIT */
/*
 * The first management key of an environment: with none, nobody could ask for one. It goes to a
 * file that only its owner can read, and to the terminal if there is one.
 */
#ifndef SERVER_FIRST_KEY_H
#define SERVER_FIRST_KEY_H

#include "service.h"

/* Makes it if there is no management key yet. False: said why in the log. */
bool first_key_ensure(struct service *service);

#endif
