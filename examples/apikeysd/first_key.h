/* SPDX-License-Identifier: MIT */
/* The first management key of an environment. Without one no client could ask for another. It goes
 * to a file that only its owner can read, and to the terminal if there is one. */
#ifndef SERVER_FIRST_KEY_H
#define SERVER_FIRST_KEY_H

#include "service.h"

/* Makes a key if there is no management key. Failures are logged, and the service starts all the
 * same. */
void first_key_ensure(struct service *service);

/* Makes another key, for the owner of the files who has lost theirs. False: the log says why. */
bool first_key_recover(struct service *service);

#endif
