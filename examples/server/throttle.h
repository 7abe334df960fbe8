/* SPDX-License-Identifier: MIT */
/* Failures per address: who guesses is made to wait, whoever they say they are. */
#ifndef SERVER_THROTTLE_H
#define SERVER_THROTTLE_H

struct throttle;

/* `failures_a_minute`: how many are free; 0: no throttling. NULL: out of memory. */
struct throttle *throttle_new(int failures_a_minute);
void throttle_free(struct throttle *throttle);

/* Seconds until this address may try again; 0: now. */
int throttle_wait(struct throttle *throttle, const char *address);
/* One more failure of this address. */
void throttle_count(struct throttle *throttle, const char *address);

#endif
