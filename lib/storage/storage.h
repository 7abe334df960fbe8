/* SPDX-License-Identifier: MIT */
/*
 * The store as the core sees it: a loaded vtable, and transactions that turn whatever a back-end
 * answers into the contract's codes. Nothing above this file calls a slot.
 *
 * What a back-end gets wrong is noticed here: a code that the slot may not return, a record of
 * another kind or scope, or one that the query does not mean, is APIKEYS_ERROR_STORAGE_CONTRACT;
 * a record that lacks what it must have is APIKEYS_ERROR_CORRUPT. A call that could do harm if it
 * were made (a record with a field missing, a query without scope) is
 * APIKEYS_ERROR_INVALID_ARGUMENT, and the back-end is not asked.
 */
#ifndef AK_STORAGE_STORAGE_H
#define AK_STORAGE_STORAGE_H

#include "storage/query.h"

#include <apikeys/storage.h>

/*
 * Copy a caller's vtable into `out`, checking its size and required slots. Destroys nothing: who
 * took the vtable over ends it with ak_storage_destroy(), also where loading failed.
 * APIKEYS_ERROR_INVALID_ARGUMENT, APIKEYS_ERROR_UNSUPPORTED (a used part that we do not know).
 */
int ak_storage_load(apikeys_storage *out, const apikeys_storage *given, apikeys_error *err);

/* Calls the destroy slot, if there is one: of a loaded vtable, or of one as it was given. */
void ak_storage_destroy(const apikeys_storage *storage);

struct ak_transaction {
  const apikeys_storage *storage;
  apikeys_transaction *handle; /* NULL once it has ended */
  size_t changes;              /* how often a slot was asked to change something */
};

/*
 * Start; then exactly one of commit and rollback. Nothing of this may be called from inside a slot
 * (APIKEYS_ERROR_REENTERED). Rolling back what has ended, or what failed to begin, does nothing.
 */
int ak_begin(struct ak_transaction *transaction, const apikeys_storage *storage, int mode);
int ak_commit(struct ak_transaction *transaction);
void ak_rollback(struct ak_transaction *transaction);

/* Non-zero while this thread is inside a slot, or any other callback the application must not
 * call back from. */
bool ak_inside_callback(void);
void ak_callback_enter(void);
void ak_callback_leave(void);

int ak_get(struct ak_transaction *transaction, const apikeys_query *query, apikeys_record *out);
int ak_insert(struct ak_transaction *transaction, apikeys_record *record);
int ak_update(struct ak_transaction *transaction, const apikeys_record *record);
int ak_remove(struct ak_transaction *transaction, int kind, int64_t number);
int ak_count(struct ak_transaction *transaction, const apikeys_query *query, uint64_t *count);

/*
 * 0: every record that the query means was visited, up to its limit. The visitor's own number, if
 * that was not 0: a positive result is always the visitor's, a back-end's is never passed on; so
 * visitors say "enough" with a positive number and report failures with codes of error.h. Other
 * negative numbers: the store failed, perhaps after some records were visited.
 */
int ak_scan(struct ak_transaction *transaction, const apikeys_query *query, apikeys_visitor visit,
            void *visit_data);
int ak_store_max(struct ak_transaction *transaction, const apikeys_record *record, int field);
/*
 * How many more records a write transaction may change. Work that has no end of its own (pruning,
 * sweeping) is cut into transactions of AK_BUDGET records, so that other writers get their turn. On
 * a slow disk, or with large indexes, so many take long: then AK_BUDGET_MS ends the transaction.
 */
enum { AK_BUDGET = 100, AK_BUDGET_MS = 20 };
struct ak_budget {
  size_t left;
  int64_t until_ms; /* monotonic; 0: not asked yet */
};

/* Asked after each record: true if the time is over, counted from the first time it was asked. */
bool ak_budget_is_over(struct ak_budget *budget);

/*
 * Between two such transactions, outside of both. A waiting writer naps for up to 3 ms between two
 * looks at the lock; without a pause it would miss the moment.
 */
void ak_budget_pause(void);

/* Remove records that match, as many as the budget allows (and at most 256). */
int ak_remove_some(struct ak_transaction *transaction, const apikeys_query *query,
                   struct ak_budget *budget);

/* APIKEYS_ERROR_UNSUPPORTED where the slots are absent, or cannot tell. */
int ak_generation(const apikeys_storage *storage, uint64_t *generation);
int ak_changes(struct ak_transaction *transaction, uint64_t since, apikeys_change_visitor visit,
               void *visit_data);

int ak_storage_backup(const apikeys_storage *storage, const char *path);
int ak_storage_prepare_fork(const apikeys_storage *storage); /* 0 where the slot is absent */

#endif
