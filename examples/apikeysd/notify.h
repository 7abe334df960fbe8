/* SPDX-License-Identifier: MIT */
/* Telling the supervisor, systemd or one that does as it does, how we are. */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

/* "READY=1", "STOPPING=1", to the socket in $NOTIFY_SOCKET (sd_notify(3)); nothing without one. */
void notify_supervisor(const char *state);

#endif
