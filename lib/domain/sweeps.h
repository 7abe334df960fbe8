/* SPDX-License-Identifier: MIT */
/*
 * What a deleted organization leaves behind: its keys, members and roles. The deletion itself is
 * one small transaction that makes the organization not found and its keys refused. The rest
 * follows in bounded transactions; a record in the store says that there is some left, so that
 * maintenance resumes after a crash.
 */
#ifndef AK_DOMAIN_SWEEPS_H
#define AK_DOMAIN_SWEEPS_H

#include "operation/operation.h"

/* In the transaction that deletes the organization. */
int ak_sweep_record(struct ak_op *op, const char *organization_id);

/* Transactions of their own, until nothing is left; the events name this actor (NULL:
 * maintenance). */
int ak_sweep_run(apikeys_env *env, const apikeys_actor *actor, const char *organization_id);

/* All that is recorded. */
int ak_sweeps_resume(apikeys_env *env);

#endif
