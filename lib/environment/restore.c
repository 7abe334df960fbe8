/* SPDX-License-Identifier: MIT */
/* Accepting a restored backup, step by step. */
#include "environment/restore.h"

#include "base/arithmetic.h"
#include "domain/idempotency.h"
#include "domain/keys.h"
#include "operation/events.h"
#include "storage/sqlite/sqlite.h"

#include <apikeys/event.h>

#include <string.h>

enum { REVOKE_AT_ONCE = 50 };

static const char restored_reason[] = "revoked before a restore";

static int64_t highest_number(const struct ak_journal_entry *entries, size_t count) {
  int64_t highest = 0;
  for (size_t i = 0; i < count; i++)
    if (entries[i].event_number > highest)
      highest = entries[i].event_number;
  return highest;
}

/* Readers of events who saw those that were lost must not see their numbers again. */
static int raise_numbers(apikeys_env *env, int64_t highest, apikeys_error *err) {
  int rc = ak_storage_sqlite_raise_number(&env->storage, AK_EVENT, highest);
  return rc == APIKEYS_OK ? rc : ak_error_code(err, rc);
}

static int drop_idempotency_keys(apikeys_env *env, apikeys_error *err) {
  struct ak_budget budget = {0};
  int rc = APIKEYS_OK;
  while (rc == APIKEYS_OK && budget.left == 0) {
    struct ak_op op;
    budget.left = AK_BUDGET;
    rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_WRITE, err);
    if (rc == APIKEYS_OK)
      rc = ak_op_end(&op, ak_idempotency_drop_all(&op, &budget));
  }
  return rc;
}

static int revoke_named(struct ak_op *op, const uint8_t key_ulid[AK_ULID_BYTES]) {
  char id[AK_ID_MAX];
  apikeys_record key;
  apikeys_query query;
  ak_ulid_unpack(id, "api_key", key_ulid);
  ak_record_init(&key, AK_API_KEY);
  ak_query_any(&query, AK_API_KEY, 0);
  ak_query_equal_text(&query, id, strlen(id));
  int rc = ak_get(&op->transaction, &query, &key);
  if (rc == APIKEYS_OK && apikeys_record_integer(&key, AK_API_KEY_STATE) == AK_KEY_ACTIVE)
    rc = ak_key_revoke_record(op, &key, restored_reason, sizeof restored_reason - 1);
  ak_record_release(&key);
  return rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

/* Until the end nothing of this goes into the journal: its last event must stay one that the store
 * lacks, so that a crash leaves a store that is not opened by accident. */
static int revoke_all(apikeys_env *env, const struct ak_journal_entry *entries, size_t count,
                      apikeys_error *err) {
  int rc = APIKEYS_OK;
  for (size_t at = 0; rc == APIKEYS_OK && at < count;) {
    struct ak_op op;
    rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_WRITE, err);
    if (rc != APIKEYS_OK)
      return rc;
    op.unjournaled = true;
    for (int i = 0; rc == APIKEYS_OK && i < REVOKE_AT_ONCE && at < count; i++, at++)
      if (ak_journal_has_key(&entries[at]))
        rc = revoke_named(&op, entries[at].key);
    rc = ak_op_end(&op, rc);
  }
  return rc;
}

/* The event, and with it the journal's new last entry, synced. */
static int announce(apikeys_env *env, apikeys_error *err) {
  struct ak_op op;
  apikeys_record environment;
  int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_WRITE, err);
  if (rc != APIKEYS_OK)
    return rc;
  ak_record_init(&environment, AK_ENVIRONMENT);
  rc = ak_op_environment(&op, &environment);
  if (rc == APIKEYS_OK)
    rc = ak_event_append(&op, "environment.restored", "", &environment, NULL, NULL);
  ak_record_release(&environment);
  struct ak_journal_entry newest = op.newest;
  ak_journal_set_mark(&newest);
  op.unjournaled = true;
  rc = ak_op_end(&op, rc);
  if (rc != APIKEYS_OK)
    return rc;
  ak_journal_queue(&env->journal, &newest, 1, false);
  ak_op_append_journal(env, true);
  return APIKEYS_OK;
}

int ak_restore_accept(apikeys_env *env, const struct ak_journal_entry *entries, size_t count,
                      apikeys_error *err) {
  int64_t highest = highest_number(entries, count);
  int rc = raise_numbers(env, highest, err);
  if (rc == APIKEYS_OK)
    rc = drop_idempotency_keys(env, err);
  if (rc == APIKEYS_OK)
    rc = revoke_all(env, entries, count, err);
  if (rc == APIKEYS_OK)
    rc = announce(env, err);
  if (rc == APIKEYS_OK)
    ak_log(&env->options, APIKEYS_LOG_WARNING,
           "a restored backup was accepted: keys that were revoked since are revoked again; other "
           "changes up to event %lld are lost",
           (long long)highest);
  return rc;
}
