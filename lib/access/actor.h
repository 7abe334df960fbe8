/* SPDX-License-Identifier: MIT */
/* An actor: who makes a call, as the host asserted it or as it was verified. */
#ifndef AK_ACCESS_ACTOR_H
#define AK_ACCESS_ACTOR_H

#include "base/setter_faults.h"
#include "base/slug_set.h"
#include "base/text.h"
#include "crypto/ids.h"

#include <apikeys/actor.h>

struct apikeys_actor {
  int type;
  char environment_id[AK_ID_MAX]; /* where it was verified; "" if the host asserted it */
  char organization_id[AK_ID_MAX];
  char user_id[AK_USER_ID_MAX + 1]; /* "": a widget token without a user */
  char key_id[AK_ID_MAX];           /* a management key's */
  int64_t expires_at_ms;            /* a widget token's */
  struct ak_slugs permissions;      /* vouched for, or a widget token's scopes */
  int source;                       /* APIKEYS_SOURCE_…, or 0 */
  char reason[AK_CONTEXT_MAX + 1];
  char request_id[AK_CONTEXT_MAX + 1];
  char address[AK_CONTEXT_MAX + 1];
  char user_agent[AK_CONTEXT_MAX + 1];
  struct ak_setter_faults faults; /* every call of this actor fails with these */
};

/* Reset it to nobody, context included. */
void ak_actor_forget(apikeys_actor *actor);

/* 0, or the fault of a setter, with its field and reason. */
int ak_actor_check(const apikeys_actor *actor, apikeys_error *err);

#endif
