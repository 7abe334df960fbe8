/* SPDX-License-Identifier: MIT */
/*
 * The first management key of an environment: with none, nobody could ask for one. It goes to a
 * file that only its owner can read, and to the terminal if there is one.
 */
#ifndef SERVER_FIRST_KEY_H
#define SERVER_FIRST_KEY_H

#include "service.h"

/* Makes it if there is no management key. What goes wrong is logged: the service starts all the
 * same. */
void first_key_ensure(struct service *service);

/* Makes another one, for whoever owns the files and has lost theirs. False: said why in the log. */
bool first_key_recover(struct service *service);

#endif
