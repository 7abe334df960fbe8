/* SPDX-License-Identifier: MIT */
/* From events to deliveries: which endpoint gets which event. */
#ifndef SERVER_WEBHOOKS_FAN_OUT_H
#define SERVER_WEBHOOKS_FAN_OUT_H

#include <apikeys.h>
#include <stdbool.h>

/*
 * Plans deliveries of the events that came since the last time, a page of them at most; *more:
 * there may be others. Planning is idempotent: a replay after a crash creates no duplicate.
 */
int fan_out(apikeys_env *env, const apikeys_actor *actor, bool *more, apikeys_error *err);

/* No endpoint wants events: skip those that there are, so that a first endpoint need not wait until
 * all of the past has been looked through. */
int fan_out_skip(apikeys_env *env, const apikeys_actor *actor, apikeys_error *err);

#endif
