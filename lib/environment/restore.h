/* SPDX-License-Identifier: MIT */
/* Accepting a restored backup: no key that the revocation journal names stays alive. */
#ifndef AK_ENVIRONMENT_RESTORE_H
#define AK_ENVIRONMENT_RESTORE_H

#include "operation/operation.h"

/*
 * In bounded transactions: raises the numbers of events above the journal's, drops idempotency keys,
 * revokes each key of `entries` that is active, and leaves the event "environment.restored", which
 * the journal gets last: a crash before that leaves the store to be accepted again.
 */
int ak_restore_accept(apikeys_env *env, const struct ak_journal_entry *entries, size_t count,
                      apikeys_error *err);

#endif
