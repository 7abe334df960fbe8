/* SPDX-License-Identifier: MIT */
/*
 * One public call: its transaction, its time, its actor with the power it has inside that
 * transaction, and the events that it leaves. Every noun works through this.
 *
 *   struct ak_call call;
 *   int rc = ak_call_begin(&call, env, actor, APIKEYS_TRANSACTION_WRITE, err);
 *   if (rc == APIKEYS_OK)
 *     rc = ak_call_end(&call, create(&call, …));
 *   return rc;
 */
#ifndef AK_CALL_H
#define AK_CALL_H

#include "actor.h"
#include "env.h"
#include "error.h"
#include "object.h"

/* What an actor may do, resolved inside the call's transaction. */
struct ak_power {
  const apikeys_actor *actor;
  struct ak_slugs held; /* a member's permissions now, or a management key's scopes */
};

struct ak_call {
  apikeys_env *env;
  struct ak_transaction transaction;
  int64_t now_ms;
  apikeys_error *err;
  struct ak_power power;
  apikeys_event **events; /* to deliver after the commit */
  size_t event_count;
  size_t event_capacity;
};

/* Checks, begins, and resolves the actor. On failure there is nothing to end. */
int ak_call_begin(struct ak_call *call, apikeys_env *env, const apikeys_actor *actor, int mode,
                  apikeys_error *err);

/* The same without an actor: for validations and maintenance. */
int ak_call_begin_internal(struct ak_call *call, apikeys_env *env, int mode, apikeys_error *err);

/*
 * Commits if `rc` is 0, else rolls back; then delivers the events. Returns rc, or what the commit
 * said; the error object says the same.
 */
int ak_call_end(struct ak_call *call, int rc);

/*
 * Of what these are made, for calls that share a transaction (group_commit.h): the checks before
 * it; in it, the call's time, and its actor's power; when it has ended, the error object and the
 * events, then what the call holds is let go.
 */
int ak_call_check(struct ak_call *call, apikeys_env *env, const apikeys_actor *actor,
                  apikeys_error *err);
int ak_call_resolve(struct ak_call *call);
int ak_call_finish(struct ak_call *call, int rc);
void ak_call_release(struct ak_call *call);

/* The environment's record. */
int ak_call_environment(struct ak_call *call, apikeys_record *out);

#endif
