/* SPDX-License-Identifier: MIT */
/*
 * Leader/follower group commit: calls that change something, made by several threads at once, share
 * a transaction, because most of what a small change costs is the wait for the disk.
 *
 * If no leader is active, the caller becomes it and runs all queued calls, and those that arrive
 * meanwhile (at most 64), one after the other in one transaction on its own thread. Nobody gets a
 * result before the commit returns. A lone caller commits at once: the queue grows only while the
 * commit before is under way.
 *
 * Each call comes out as if it had been alone. A refusal that changed nothing concerns its caller
 * only. After any other failure the leader rolls the transaction back, and each call runs again,
 * alone, on its own thread. If the outcome of the commit is unknown, every call of the group gets
 * APIKEYS_ERROR_OUTCOME_UNKNOWN.
 */
#ifndef AK_OPERATION_GROUP_COMMIT_H
#define AK_OPERATION_GROUP_COMMIT_H

#include <apikeys/actor.h>

struct ak_op;

/*
 * The part of a call that runs inside the transaction: 0, or a code, with the error object filled
 * or not. It may run on another thread than the caller's, and more than once: it starts from
 * nothing each time, and what it leaves in `data` counts only if the whole call returns 0.
 */
typedef int (*ak_group_body)(struct ak_op *op, void *data);

/* Like ak_op_begin(), for writing, then the body, then ak_op_end(). */
int ak_group_op(apikeys_env *env, const apikeys_actor *actor, ak_group_body body, void *data,
                apikeys_error *err);

#endif
