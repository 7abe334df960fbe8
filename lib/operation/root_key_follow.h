/* SPDX-License-Identifier: MIT */
/*
 * Following a rotation of the root key that another process made: finds the key that the store is
 * sealed under by now, and takes it over. Called between transactions, with no lock held.
 */
#ifndef AK_OPERATION_ROOT_KEY_FOLLOW_H
#define AK_OPERATION_ROOT_KEY_FOLLOW_H

#include "operation/env_handle.h"

enum ak_follow {
  AK_FOLLOW_FAILED,  /* the key is not to be had: the error object says which is wanted */
  AK_FOLLOW_CURRENT, /* this process has the store's root key already */
  AK_FOLLOW_DONE     /* it has it now */
};

/*
 * One thread searches, the others wait for it (for a second at most). A search that failed is not
 * repeated within a second.
 */
enum ak_follow ak_root_key_follow(apikeys_env *env, apikeys_error *err);

/*
 * For the frames around calls: true if the call should begin anew. A call begins anew three times
 * at most where there was nothing to follow, and fifteen times where the root key was rotated each
 * time: a writer that queues behind rotations meets a new one whenever it gets the lock.
 * `spent` starts at 0.
 */
enum { AK_FOLLOW_BUDGET = 15, AK_FOLLOW_COST_CURRENT = 5, AK_FOLLOW_COST_DONE = 1 };
bool ak_should_repeat(apikeys_env *env, int rc, int *spent, apikeys_error *err);

#endif
