/* SPDX-License-Identifier: MIT */
/*
 * At each open: is the store the one that the revocation journal tells of, or an earlier state of it,
 * from a backup that was restored while no process had it open?
 *
 * The journal's last event must be in the store with its id, unless it was pruned. Numbers alone
 * prove nothing: a store that lost events gives their numbers to others.
 */
#ifndef AK_ENVIRONMENT_STORE_HISTORY_H
#define AK_ENVIRONMENT_STORE_HISTORY_H

#include "operation/operation.h"

/*
 * Starts the environment's journal, which env->journal.path names; makes it where there is none yet.
 * APIKEYS_ERROR_STORE_WENT_BACK; with the option to require a journal, also where it is missing or
 * damaged. With the option to accept a restore, what it asks for is done (restore.h).
 */
int ak_store_history_open(apikeys_env *env, apikeys_error *err);

/* Inside a rotation of the root key: seals the journal's key in the record anew. */
int ak_store_history_reseal(apikeys_record *environment, const struct ak_secrets *from,
                            const struct ak_secrets *to, const struct ak_random *random);

#endif
