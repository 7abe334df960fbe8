/* SPDX-License-Identifier: MIT */
/* Leader/follower group commit: runs the calls of a group. The queue is leader_queue.c. */
#include "operation/group_commit.h"

#include "operation/operation.h"
#include "operation/root_key_follow.h"

enum { FULL_AT = 64 }; /* a full group takes in no more callers: other writers want to write, too */

struct caller {
  struct ak_queued queued; /* first: the queue links this part */
  struct ak_op op;
  ak_group_body body;
  void *data;
  int rc;
};

static struct caller *caller_of(struct ak_queued *queued) {
  return (struct caller *)queued;
}

/* -- The group, run by its leader -------------------------------------------------------------- */

static struct ak_queued *next_of(struct ak_leader_queue *queue, struct ak_queued_list *group,
                                 const struct ak_queued *caller) {
  if (caller->next == NULL && group->count < FULL_AT)
    ak_leader_queue_take_in(queue, group);
  return caller->next;
}

/* 0 also for a refusal that left the transaction as it was: it does not concern the others. */
static int group_commit_run(struct caller *caller, struct ak_transaction *transaction) {
  struct ak_op *op = &caller->op;
  size_t changes = transaction->changes;
  op->transaction = *transaction;
  int rc = ak_op_resolve(op);
  if (rc == APIKEYS_OK)
    rc = caller->body(op, caller->data);
  *transaction = op->transaction;
  caller->rc = rc;
  bool refused = apikeys_result_category(rc) != APIKEYS_CATEGORY_UNAVAILABLE &&
                 transaction->changes == changes;
  return refused ? APIKEYS_OK : rc;
}

/* One append to the revocation journal for the whole group; refused callers leave nothing in it. */
static int commit_group(const struct ak_queued_list *group, struct ak_transaction *transaction) {
  int rc = ak_commit(transaction);
  bool sync = false;
  if (rc != APIKEYS_OK)
    return rc;
  for (struct ak_queued *caller = group->first; caller != NULL; caller = caller->next)
    if (caller_of(caller)->rc == APIKEYS_OK)
      sync = ak_op_queue_journal(&caller_of(caller)->op) || sync;
  ak_op_append_journal(caller_of(group->first)->op.env, sync);
  return APIKEYS_OK;
}

static int run_all(struct ak_leader_queue *queue, struct ak_queued_list *group,
                   struct ak_transaction *transaction) {
  int rc = APIKEYS_OK;
  struct ak_queued *caller = group->first;
  while (caller != NULL && (rc = group_commit_run(caller_of(caller), transaction)) == APIKEYS_OK)
    caller = next_of(queue, group, caller);
  if (rc == APIKEYS_OK && transaction->changes > 0)
    return commit_group(group, transaction);
  ak_rollback(transaction);
  return rc;
}

static enum ak_turn answer(const struct ak_queued_list *group, int rc) {
  for (struct ak_queued *caller = group->first; caller != NULL; caller = caller->next)
    caller_of(caller)->rc = rc;
  return AK_TURN_DONE;
}

/* If begin times out, every call in the group fails: each has waited as long as it may. Later
 * arrivals stay queued for the next leader. */
static enum ak_turn run_group(struct ak_leader_queue *queue, struct ak_queued_list *group) {
  struct ak_transaction transaction;
  const apikeys_storage *storage = &caller_of(group->first)->op.env->storage;
  int rc = ak_begin(&transaction, storage, APIKEYS_TRANSACTION_WRITE);
  if (rc != APIKEYS_OK)
    return answer(group, rc);
  rc = run_all(queue, group, &transaction);
  if (rc == APIKEYS_OK)
    return AK_TURN_DONE;
  return rc == APIKEYS_ERROR_OUTCOME_UNKNOWN || group->count == 1 ? answer(group, rc)
                                                                  : AK_TURN_ALONE;
}

/* -- A call ------------------------------------------------------------------------------------ */

static enum ak_turn lead(struct ak_leader_queue *queue, struct caller *self) {
  struct ak_queued_list group;
  ak_queued_list_start(&group, &self->queued);
  ak_leader_queue_take_in(queue, &group);
  enum ak_turn turn = run_group(queue, &group);
  ak_leader_queue_hand_over(queue, &group, turn);
  return turn;
}

static int run_alone(apikeys_env *env, const apikeys_actor *actor, ak_group_body body, void *data,
                     apikeys_error *err) {
  struct ak_op op;
  int rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_WRITE, err);
  return rc == APIKEYS_OK ? ak_op_end(&op, body(&op, data)) : rc;
}

static int run_in_group(apikeys_env *env, struct caller *self) {
  enum ak_turn turn = ak_leader_queue_join(&env->write_queue, &self->queued);
  if (turn == AK_TURN_LEADS)
    turn = lead(&env->write_queue, self);
  if (turn != AK_TURN_ALONE)
    return ak_op_finish(&self->op, self->rc);
  const apikeys_actor *actor = self->op.power.actor;
  apikeys_error *err = self->op.err;
  ak_op_release(&self->op);
  return run_alone(env, actor, self->body, self->data, err);
}

int ak_group_op(apikeys_env *env, const apikeys_actor *actor, ak_group_body body, void *data,
                apikeys_error *err) {
  struct caller self = {.body = body, .data = data};
  int tries = 0, rc = ak_op_check(&self.op, env, actor, err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = run_in_group(env, &self);
  while (ak_should_repeat(env, rc, &tries, err))
    rc = run_alone(env, actor, body, data, err);
  return rc;
}
