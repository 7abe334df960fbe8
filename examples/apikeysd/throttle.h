/* SPDX-License-Identifier: MIT */
/*
 * Limits guesses per address. Each attempt takes a permit before its credential is checked, so that
 * simultaneous guesses cannot outrun the count. A good credential gives the permit back, and is
 * answered even when none was left, so that others behind the same address cannot lock it out.
 */
#ifndef SERVER_THROTTLE_H
#define SERVER_THROTTLE_H

struct throttle;

/* `failures_a_minute`: failed attempts per minute; 0: no throttling. NULL: out of memory. */
struct throttle *throttle_new(int failures_a_minute);
void throttle_free(struct throttle *throttle);

/* Counted separately, so that a stale token in a browser costs a server none of its attempts. */
enum throttled { THROTTLED_MANAGEMENT_KEYS, THROTTLED_WIDGET_TOKENS };

struct permit {
  int wait_seconds; /* 0: there was one; else until when none is left */
  int slot;
  long long window;
};

struct permit throttle_take(struct throttle *throttle, enum throttled kind, const char *address);
/* The credential was good, or could not be looked at. */
void throttle_give_back(struct throttle *throttle, const struct permit *permit);

#endif
