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
 * True with x->session and x->actor set: there is a session, its key is good, and what changes
 * something comes from a page of ours with the session's token. Else answered with 401 or 403.
 * "X-Background: 1" marks what a page asks by itself: it does not count as the person's being
 * there.
 */
bool sessions_enter(struct exchange *x);

/* Starts one for x->actor, a management key that was verified, and sets its cookie; the session
 * that the request came with ends. False: answered. */
bool sessions_start(struct exchange *x);

/* Ends the one that the request came with, if any, and takes the cookie back. */
void sessions_end(struct exchange *x);

/* When it ends, whatever happens. */
int64_t session_ends_ms(const struct exchange *x);

#endif
