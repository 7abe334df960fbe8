/* SPDX-License-Identifier: MIT */
/*
 * Calls that change something, made by several threads at once, share a transaction: most of what
 * a small change costs is the wait for the disk, and one wait does for all of them.
 *
 * Who finds nobody leading leads: the calls that are queued by then, and those that come while they
 * run, run one after the other in the leader's transaction, on its thread; nobody is told anything
 * before its commit has returned. Nothing ever waits for company: the queue grows while the commit
 * before is under way, and who is alone has a transaction of its own at once.
 *
 * Each call comes out as if it had been alone. A refusal that changed nothing is its caller's own
 * affair; after any other failure the transaction is rolled back, and each call runs again, alone,
 * on its own thread. A commit that may have happened is told to all who were in it.
 */
#ifndef AK_GROUP_COMMIT_H
#define AK_GROUP_COMMIT_H

#include <apikeys/actor.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct ak_call;
struct ak_caller;

struct ak_callers {
  struct ak_caller *first;
  struct ak_caller **end;
  size_t count;
};

/* One of an environment. */
struct ak_group_commit {
  pthread_mutex_t lock; /* guards the rest; never held around a slot or a call's body */
  struct ak_callers queue;
  bool led;
};

void ak_group_commit_init(struct ak_group_commit *commit);
void ak_group_commit_release(struct ak_group_commit *commit);

/*
 * What a call does inside the transaction: 0, or a code, with the error object filled or not. It
 * may run on another thread than the caller's, and more than once: it starts from nothing each
 * time, and what it leaves in `data` counts only if the whole call returns 0.
 */
typedef int (*ak_group_body)(struct ak_call *call, void *data);

/* Like ak_call_begin(), for writing, then the body, then ak_call_end(). */
int ak_group_call(apikeys_env *env, const apikeys_actor *actor, ak_group_body body, void *data,
                  apikeys_error *err);

#endif
