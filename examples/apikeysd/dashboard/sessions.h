/* SPDX-License-Identifier: MIT */
/*
 * Dashboard sessions: who signed in with a management key, for how long.
 *
 * A browser holds 256 random bits in a cookie that no script can read; the store holds their
 * digest, in a document which expires by itself. The key's value is kept nowhere: a session acts as
 * its key by its id, with what the key may do at that moment, and ends when the key does.
 */
#ifndef SERVER_DASHBOARD_SESSIONS_H
#define SERVER_DASHBOARD_SESSIONS_H

#include "http/exchange.h"

enum { SESSION_BYTES = 32, SESSION_TEXT = 2 * SESSION_BYTES + 1 };

struct session {
  unsigned char id[SESSION_BYTES];
  char csrf_token[SESSION_TEXT]; /* what a page of ours sends back with each change */
  char key_id[64];
  int64_t signed_in_ms;
  int64_t seen_ms;
  int64_t root_key_epoch; /* at its start: a rotation after a theft ends it */
  int64_t version;        /* of its document */
};

/*
 * True with x->session and x->actor set: the session exists, its key is good, and a change comes
 * from a page of ours with the session's token. Else answered with 401 or 403. "X-Background: 1"
 * marks requests that a page makes by itself: they do not restart the idle time.
 */
bool sessions_enter(struct exchange *x);

/* Starts a session for x->actor, a verified management key, and sets its cookie. Ends the session
 * that the request came with. False: answered. */
bool sessions_start(struct exchange *x);

/* Ends the session that the request came with, if any, and removes the cookie. */
void sessions_end(struct exchange *x);

/* The session ends at this time even if it is used. */
int64_t session_ends_ms(const struct exchange *x);

#endif
