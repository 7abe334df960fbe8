/* SPDX-License-Identifier: MIT */
/* Tells the supervisor (systemd, or one with its protocol) the service's state. */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

/* "READY=1", "STOPPING=1", to the socket in $NOTIFY_SOCKET (sd_notify(3)); nothing without one. */
void notify_supervisor(const char *state);

#endif
