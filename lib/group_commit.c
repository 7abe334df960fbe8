/* SPDX-License-Identifier: MIT */
#include "group_commit.h"

#include "call.h"

#include <semaphore.h>

enum { FULL_AT = 64 }; /* then a group takes in nobody more: other writers want to write, too */

enum turn { LEADS, DONE, ALONE };

/* On its caller's stack, which stands until it is woken. */
struct ak_caller {
  struct ak_call call;
  ak_group_body body;
  void *data;
  int rc;
  enum turn turn; /* what it is woken to */
  sem_t wake;
  struct ak_caller *next;
};

/* -- The queue --------------------------------------------------------------------------------- */

static void init(struct ak_callers *callers) {
  *callers = (struct ak_callers){.end = &callers->first};
}

static void append(struct ak_callers *callers, struct ak_caller *caller) {
  caller->next = NULL;
  *callers->end = caller;
  callers->end = &caller->next;
  callers->count++;
}

static struct ak_caller *take_first(struct ak_callers *callers) {
  struct ak_caller *first = callers->first;
  if (first == NULL)
    return NULL;
  callers->first = first->next;
  if (--callers->count == 0)
    init(callers);
  return first;
}

static void move_all(struct ak_callers *to, struct ak_callers *from) {
  if (from->count == 0)
    return;
  *to->end = from->first;
  to->end = from->end;
  to->count += from->count;
  init(from);
}

void ak_group_commit_init(struct ak_group_commit *commit) {
  pthread_mutex_init(&commit->lock, NULL);
  init(&commit->queue);
  commit->led = false;
}

void ak_group_commit_release(struct ak_group_commit *commit) {
  pthread_mutex_destroy(&commit->lock);
}

/* -- The group, by its leader ------------------------------------------------------------------ */

static void take_in(struct ak_group_commit *commit, struct ak_callers *group) {
  pthread_mutex_lock(&commit->lock);
  move_all(group, &commit->queue);
  pthread_mutex_unlock(&commit->lock);
}

static struct ak_caller *next_of(struct ak_group_commit *commit, struct ak_callers *group,
                                 const struct ak_caller *caller) {
  if (caller->next == NULL && group->count < FULL_AT)
    take_in(commit, group);
  return caller->next;
}

/* 0 also for a refusal that left the transaction as it was: the others need not know. */
static int run(struct ak_caller *caller, struct ak_transaction *transaction) {
  struct ak_call *call = &caller->call;
  size_t changes = transaction->changes;
  call->transaction = *transaction;
  int rc = ak_call_resolve(call);
  if (rc == APIKEYS_OK)
    rc = caller->body(call, caller->data);
  *transaction = call->transaction;
  caller->rc = rc;
  bool refused = apikeys_result_category(rc) != APIKEYS_CATEGORY_UNAVAILABLE &&
                 transaction->changes == changes;
  return refused ? APIKEYS_OK : rc;
}

static int run_all(struct ak_group_commit *commit, struct ak_callers *group,
                   struct ak_transaction *transaction) {
  int rc = APIKEYS_OK;
  struct ak_caller *caller = group->first;
  while (caller != NULL && (rc = run(caller, transaction)) == APIKEYS_OK)
    caller = next_of(commit, group, caller);
  if (rc == APIKEYS_OK && transaction->changes > 0)
    return ak_commit(transaction);
  ak_rollback(transaction);
  return rc;
}

static enum turn answer(const struct ak_callers *group, int rc) {
  for (struct ak_caller *caller = group->first; caller != NULL; caller = caller->next)
    caller->rc = rc;
  return DONE;
}

/*
 * Who was there when the wait for other writers began has waited as long as it may when that fails;
 * who came meanwhile is still in the queue.
 */
static enum turn run_group(struct ak_group_commit *commit, struct ak_callers *group) {
  struct ak_transaction transaction;
  const apikeys_storage *storage = &group->first->call.env->storage;
  int rc = ak_begin(&transaction, storage, APIKEYS_TRANSACTION_WRITE);
  if (rc != APIKEYS_OK)
    return answer(group, rc);
  rc = run_all(commit, group, &transaction);
  if (rc == APIKEYS_OK)
    return DONE;
  return rc == APIKEYS_ERROR_OUTCOME_UNKNOWN || group->count == 1 ? answer(group, rc) : ALONE;
}

/* -- A call ------------------------------------------------------------------------------------ */

/* Whether it leads; else it is queued, and will be woken once. */
static bool begin_to_lead(struct ak_group_commit *commit, struct ak_caller *self) {
  pthread_mutex_lock(&commit->lock);
  bool leads = !commit->led;
  commit->led = true;
  if (!leads)
    append(&commit->queue, self);
  pthread_mutex_unlock(&commit->lock);
  return leads;
}

static void wake_next_leader(struct ak_group_commit *commit) {
  pthread_mutex_lock(&commit->lock);
  struct ak_caller *next = take_first(&commit->queue);
  commit->led = next != NULL;
  pthread_mutex_unlock(&commit->lock);
  if (next != NULL)
    sem_post(&next->wake);
}

/* The next leader is woken last: by then the others may be back with more, and go along. */
static void lead(struct ak_group_commit *commit, struct ak_caller *self) {
  struct ak_callers group;
  init(&group);
  append(&group, self);
  take_in(commit, &group);
  enum turn turn = run_group(commit, &group);
  self->turn = turn;
  struct ak_caller *next;
  for (struct ak_caller *caller = self->next; caller != NULL; caller = next) {
    next = caller->next; /* it is gone once it is woken */
    caller->turn = turn;
    sem_post(&caller->wake);
  }
  wake_next_leader(commit);
}

static void take_turn(struct ak_group_commit *commit, struct ak_caller *self) {
  sem_init(&self->wake, 0, 0);
  if (!begin_to_lead(commit, self))
    while (sem_wait(&self->wake) != 0) /* interrupted by a signal */
      ;
  if (self->turn == LEADS)
    lead(commit, self);
  sem_destroy(&self->wake);
}

static int run_alone(struct ak_caller *self) {
  apikeys_env *env = self->call.env;
  const apikeys_actor *actor = self->call.power.actor;
  apikeys_error *err = self->call.err;
  ak_call_release(&self->call);
  int rc = ak_call_begin(&self->call, env, actor, APIKEYS_TRANSACTION_WRITE, err);
  return rc == APIKEYS_OK ? ak_call_end(&self->call, self->body(&self->call, self->data)) : rc;
}

int ak_group_call(apikeys_env *env, const apikeys_actor *actor, ak_group_body body, void *data,
                  apikeys_error *err) {
  struct ak_caller self = {.body = body, .data = data};
  int rc = ak_call_check(&self.call, env, actor, err);
  if (rc != APIKEYS_OK)
    return rc;
  take_turn(&env->group_commit, &self);
  return self.turn == ALONE ? run_alone(&self) : ak_call_finish(&self.call, self.rc);
}
