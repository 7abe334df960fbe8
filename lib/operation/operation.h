/* SPDX-License-Identifier: MIT */
/*
 * The unit of work of one public call: its transaction, its time, its actor with the power resolved
 * inside that transaction, and the events it records. Every noun works through it.
 *
 *   struct ak_op op;
 *   int rc = ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_WRITE, err);
 *   if (rc == APIKEYS_OK)
 *     rc = ak_op_end(&op, create(&op, …));
 *   return rc;
 */
#ifndef AK_OPERATION_OPERATION_H
#define AK_OPERATION_OPERATION_H

#include "access/authority.h"
#include "base/error.h"
#include "objects/object.h"
#include "operation/env_handle.h"

struct ak_op {
  apikeys_env *env;
  struct ak_transaction transaction;
  int64_t now_ms;
  apikeys_error *err;
  struct ak_power power;
  apikeys_event **events; /* to deliver after the commit */
  size_t event_count;
  size_t event_capacity;
  struct ak_journal_entry newest;   /* the last event appended; number 0: none */
  struct ak_journal_entry *revoked; /* for the revocation journal */
  size_t revoked_count;
  size_t revoked_capacity;
  bool unjournaled; /* what this changes is not for the journal: a restore in progress */
};

/* Checks, begins, and resolves the actor. On failure there is nothing to end. */
int ak_op_begin(struct ak_op *op, apikeys_env *env, const apikeys_actor *actor, int mode,
                apikeys_error *err);

/* The same without an actor: for validations and maintenance. */
int ak_op_begin_internal(struct ak_op *op, apikeys_env *env, int mode, apikeys_error *err);

/*
 * Commits if `rc` is 0, else rolls back; then delivers the events. Returns rc, or what the commit
 * said; the error object says the same.
 */
int ak_op_end(struct ak_op *op, int rc);

/*
 * The steps of begin and end, for group commit: check (before the transaction), resolve time and
 * actor (inside), finish: report and deliver events (after), release.
 */
int ak_op_check(struct ak_op *op, apikeys_env *env, const apikeys_actor *actor, apikeys_error *err);
int ak_op_resolve(struct ak_op *op);
int ak_op_finish(struct ak_op *op, int rc);
void ak_op_release(struct ak_op *op);

/* Whether a key is good now: APIKEYS_OK, APIKEYS_REVOKED or APIKEYS_EXPIRED (passed_times.h). */
int ak_op_key_state(struct ak_op *op, const apikeys_record *key);

/* Notes that the key was revoked, after the event that says so was appended. */
int ak_op_note_revoked(struct ak_op *op, const apikeys_record *key);

/*
 * After a commit: queues what the call leaves in the revocation journal. True if that must be on
 * disk before the call returns. ak_op_end() does both; group commit does the second once for all.
 */
bool ak_op_queue_journal(struct ak_op *op);
void ak_op_append_journal(apikeys_env *env, bool sync);

/* The environment's record. */
int ak_op_environment(struct ak_op *op, apikeys_record *out);

#endif
