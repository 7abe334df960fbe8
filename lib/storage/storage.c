/* SPDX-License-Identifier: MIT */
/* The core's side of the storage contract: calls slots and checks what they answer. */
#include "storage/storage.h"

#include "base/arithmetic.h"
#include "base/error.h"
#include "base/monotonic.h"

#include <string.h>

/* ------------------------------------------------------------------------------ loading ------- */

enum { STRUCT_SIZE_MAX = 4096 }; /* beyond any version of the struct: whatever it is, not one */

#define HEAD_SIZE (offsetof(apikeys_storage, self) + sizeof(void *))

static int check_size(const apikeys_storage *given, apikeys_error *err) {
  if (given->struct_size < HEAD_SIZE || given->struct_size > STRUCT_SIZE_MAX)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "struct_size",
                        "must be sizeof(apikeys_storage)");
  const uint8_t *bytes = (const uint8_t *)given;
  for (size_t i = sizeof(apikeys_storage); i < given->struct_size; i++)
    if (bytes[i] != 0)
      return ak_error_set(err, APIKEYS_ERROR_UNSUPPORTED, "struct_size",
                          "the back-end uses slots that this version of the library lacks");
  return APIKEYS_OK;
}

static void copy_known(apikeys_storage *to, const apikeys_storage *given) {
  size_t size = given->struct_size < sizeof *to ? given->struct_size : sizeof *to;
  memset(to, 0, sizeof *to);
  memcpy(to, given, size);
  to->struct_size = sizeof *to;
}

static const char *absent_slot(const apikeys_storage *storage) {
#define REQUIRE(slot)                                                                              \
  if (storage->slot == NULL)                                                                       \
  return #slot
  REQUIRE(destroy);
  REQUIRE(begin);
  REQUIRE(commit);
  REQUIRE(rollback);
  REQUIRE(get);
  REQUIRE(insert);
  REQUIRE(update);
  REQUIRE(remove);
  REQUIRE(count);
  REQUIRE(scan);
  REQUIRE(raise);
#undef REQUIRE
  return NULL;
}

int ak_storage_load(apikeys_storage *out, const apikeys_storage *given, apikeys_error *err) {
  if (given == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "storage", "is missing");
  int rc = check_size(given, err);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_storage loaded;
  copy_known(&loaded, given);
  const char *absent = absent_slot(&loaded);
  if (absent != NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, absent,
                        "a storage back-end must have this slot");
  *out = loaded;
  return ak_error_clear(err);
}

void ak_storage_destroy(const apikeys_storage *storage) {
  if (storage == NULL || storage->struct_size < HEAD_SIZE || storage->struct_size > STRUCT_SIZE_MAX)
    return;
  apikeys_storage known;
  copy_known(&known, storage);
  if (known.destroy == NULL)
    return;
  ak_callback_enter();
  known.destroy(known.self);
  ak_callback_leave();
}

/* --------------------------------------------------------------------- inside a callback ------ */

static _Thread_local unsigned callback_depth;

bool ak_inside_callback(void) {
  return callback_depth > 0;
}

void ak_callback_enter(void) {
  callback_depth++;
}

void ak_callback_leave(void) {
  callback_depth--;
}

/* -------------------------------------------------------------- what a slot may answer -------- */

/* Codes that mean something from some slots only; from the others they would mislead. */
enum { MAY_NOT_FIND = 1, MAY_EXIST = 2, MAY_BE_UNKNOWN = 4 };

static bool is_known(int code) {
  for (size_t i = 0; i < apikeys_result_count(); i++)
    if (apikeys_result_at(i) == code)
      return true;
  return false;
}

static bool may_answer(int code, int special) {
  switch (code) {
  case APIKEYS_OK:
  case APIKEYS_ERROR_INVALID_ARGUMENT:
    return true;
  case APIKEYS_ERROR_NOT_FOUND:
    return (special & MAY_NOT_FIND) != 0;
  case APIKEYS_ERROR_EXISTS:
    return (special & MAY_EXIST) != 0;
  case APIKEYS_ERROR_OUTCOME_UNKNOWN:
    return (special & MAY_BE_UNKNOWN) != 0;
  default:
    return code < 0 && is_known(code) &&
           apikeys_result_category(code) == APIKEYS_CATEGORY_UNAVAILABLE;
  }
}

static int storage_leave(int code, int special) {
  ak_callback_leave();
  return may_answer(code, special) ? code : APIKEYS_ERROR_STORAGE_CONTRACT;
}

static int storage_enter(const struct ak_transaction *transaction) {
  if (ak_inside_callback())
    return APIKEYS_ERROR_REENTERED;
  if (transaction->handle == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  ak_callback_enter();
  return APIKEYS_OK;
}

/* ------------------------------------------------------------------------- transactions ------- */

int ak_begin(struct ak_transaction *transaction, const apikeys_storage *storage, int mode) {
  *transaction = (struct ak_transaction){.storage = storage};
  if (ak_inside_callback())
    return APIKEYS_ERROR_REENTERED;
  apikeys_transaction *handle = NULL;
  ak_callback_enter();
  int rc = storage_leave(storage->begin(storage->self, mode, &handle), 0);
  if (rc != APIKEYS_OK)
    return rc;
  if (handle == NULL)
    return APIKEYS_ERROR_STORAGE_CONTRACT;
  transaction->handle = handle;
  return APIKEYS_OK;
}

int ak_commit(struct ak_transaction *transaction) {
  int rc = storage_enter(transaction);
  if (rc != APIKEYS_OK)
    return rc;
  const apikeys_storage *storage = transaction->storage;
  apikeys_transaction *handle = transaction->handle;
  transaction->handle = NULL;
  return storage_leave(storage->commit(storage->self, handle), MAY_BE_UNKNOWN);
}

void ak_rollback(struct ak_transaction *transaction) {
  if (storage_enter(transaction) != APIKEYS_OK)
    return;
  const apikeys_storage *storage = transaction->storage;
  apikeys_transaction *handle = transaction->handle;
  transaction->handle = NULL;
  storage->rollback(storage->self, handle);
  ak_callback_leave();
}

/* ------------------------------------------------------------------------------ reading ------- */

/* What a back-end answers is held against the question: scopes do not depend on its care. */
static int check_answer(const apikeys_query *query, const apikeys_record *record) {
  if (record == NULL || record->kind != query->kind)
    return APIKEYS_ERROR_STORAGE_CONTRACT;
  if (record->failed)
    return APIKEYS_ERROR_NO_MEMORY;
  if (ak_record_problem(record) != NULL)
    return APIKEYS_ERROR_CORRUPT;
  return apikeys_query_matches(query, record) ? APIKEYS_OK : APIKEYS_ERROR_STORAGE_CONTRACT;
}

int ak_get(struct ak_transaction *transaction, const apikeys_query *query, apikeys_record *out) {
  if (!ak_query_valid(query) || out->kind != query->kind)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  int rc = storage_enter(transaction);
  if (rc != APIKEYS_OK)
    return rc;
  const apikeys_storage *storage = transaction->storage;
  rc = storage_leave(storage->get(storage->self, transaction->handle, query, out), MAY_NOT_FIND);
  return rc == APIKEYS_OK ? check_answer(query, out) : rc;
}

int ak_count(struct ak_transaction *transaction, const apikeys_query *query, uint64_t *count) {
  if (!ak_query_valid(query))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  int rc = storage_enter(transaction);
  if (rc != APIKEYS_OK)
    return rc;
  const apikeys_storage *storage = transaction->storage;
  uint64_t counted = 0;
  rc = storage_leave(storage->count(storage->self, transaction->handle, query, &counted), 0);
  if (rc == APIKEYS_OK)
    *count = counted;
  return rc;
}

struct visit {
  const apikeys_query *query;
  apikeys_visitor visit;
  void *visit_data;
  size_t seen;
  int result;
};

static int visit_one(const apikeys_record *record, void *visit_data) {
  struct visit *state = visit_data;
  if (state->result != 0) /* it was told to stop, and goes on */
    return state->result;
  bool too_many = state->query->limit > 0 && state->seen == state->query->limit;
  state->result = too_many ? APIKEYS_ERROR_STORAGE_CONTRACT : check_answer(state->query, record);
  if (state->result == 0) {
    state->seen++;
    state->result = state->visit(record, state->visit_data);
  }
  return state->result;
}

int ak_scan(struct ak_transaction *transaction, const apikeys_query *query, apikeys_visitor visit,
            void *visit_data) {
  if (!ak_query_valid(query))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  int rc = storage_enter(transaction);
  if (rc != APIKEYS_OK)
    return rc;
  const apikeys_storage *storage = transaction->storage;
  struct visit state = {.query = query, .visit = visit, .visit_data = visit_data};
  int answer = storage->scan(storage->self, transaction->handle, query, visit_one, &state);
  rc = storage_leave(answer, 0);
  if (state.result == 0)
    return rc;
  if (answer == state.result)
    return answer;
  return rc != APIKEYS_OK ? rc : APIKEYS_ERROR_STORAGE_CONTRACT; /* a stop must be passed on */
}

/* ------------------------------------------------------------------------------ writing ------- */

static int check_record(const apikeys_record *record, const char *problem) {
  if (record->failed)
    return APIKEYS_ERROR_NO_MEMORY;
  if (problem != NULL || ak_record_key_problem(record) != NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return APIKEYS_OK;
}

int ak_insert(struct ak_transaction *transaction, apikeys_record *record) {
  int rc = check_record(record, ak_record_new_problem(record));
  if (rc == APIKEYS_OK)
    rc = storage_enter(transaction);
  if (rc != APIKEYS_OK)
    return rc;
  const apikeys_storage *storage = transaction->storage;
  transaction->changes++;
  rc = storage_leave(storage->insert(storage->self, transaction->handle, record), MAY_EXIST);
  if (rc == APIKEYS_OK && apikeys_record_integer(record, AK_NUMBER) <= 0)
    return APIKEYS_ERROR_STORAGE_CONTRACT;
  return rc;
}

int ak_update(struct ak_transaction *transaction, const apikeys_record *record) {
  int rc = check_record(record, ak_record_problem(record));
  if (rc == APIKEYS_OK)
    rc = storage_enter(transaction);
  if (rc != APIKEYS_OK)
    return rc;
  const apikeys_storage *storage = transaction->storage;
  transaction->changes++;
  return storage_leave(storage->update(storage->self, transaction->handle, record),
                       MAY_NOT_FIND | MAY_EXIST);
}

int ak_remove(struct ak_transaction *transaction, int kind, int64_t number) {
  int rc = storage_enter(transaction);
  if (rc != APIKEYS_OK)
    return rc;
  const apikeys_storage *storage = transaction->storage;
  transaction->changes++;
  return storage_leave(storage->remove(storage->self, transaction->handle, kind, number),
                       MAY_NOT_FIND);
}

int ak_store_max(struct ak_transaction *transaction, const apikeys_record *record, int field) {
  int rc = check_record(record, ak_record_new_problem(record));
  if (field <= AK_NUMBER || apikeys_record_type(record, field) != APIKEYS_TYPE_INTEGER)
    rc = APIKEYS_ERROR_INVALID_ARGUMENT;
  if (rc == APIKEYS_OK)
    rc = storage_enter(transaction);
  if (rc != APIKEYS_OK)
    return rc;
  const apikeys_storage *storage = transaction->storage;
  transaction->changes++;
  return storage_leave(storage->raise(storage->self, transaction->handle, record, field),
                       MAY_EXIST);
}

/* ----------------------------------------------------------------------------- optional ------- */

/* Numbers first, removals afterwards: a visitor makes no calls to the store. */
struct numbers {
  int64_t list[256];
  size_t count;
};

static int note_number(const apikeys_record *record, void *visit_data) {
  struct numbers *numbers = visit_data;
  numbers->list[numbers->count++] = apikeys_record_integer(record, AK_NUMBER);
  return APIKEYS_OK;
}

bool ak_budget_is_over(struct ak_budget *budget) {
  int64_t now = ak_monotonic_ms();
  if (budget->until_ms == 0)
    budget->until_ms = ak_sum(now, AK_BUDGET_MS);
  return now >= budget->until_ms;
}

void ak_budget_pause(void) {
  enum { PAUSE_NS = 5 * 1000 * 1000 };
  nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
}

int ak_remove_some(struct ak_transaction *transaction, const apikeys_query *query,
                   struct ak_budget *budget) {
  struct numbers numbers = {.count = 0};
  apikeys_query batch = *query;
  batch.limit = sizeof numbers.list / sizeof numbers.list[0];
  if (batch.limit > budget->left)
    batch.limit = budget->left;
  if (batch.limit == 0)
    return APIKEYS_OK;
  int rc = ak_scan(transaction, &batch, note_number, &numbers);
  for (size_t i = 0; rc == APIKEYS_OK && i < numbers.count; i++)
    rc = ak_remove(transaction, query->kind, numbers.list[i]);
  budget->left -= numbers.count;
  return rc;
}

int ak_generation(const apikeys_storage *storage, uint64_t *generation) {
  if (storage->generation == NULL)
    return APIKEYS_ERROR_UNSUPPORTED;
  ak_callback_enter();
  return storage_leave(storage->generation(storage->self, generation), 0);
}

int ak_changes(struct ak_transaction *transaction, uint64_t since, apikeys_change_visitor visit,
               void *visit_data) {
  const apikeys_storage *storage = transaction->storage;
  if (storage->changes == NULL)
    return APIKEYS_ERROR_UNSUPPORTED;
  int rc = storage_enter(transaction);
  if (rc != APIKEYS_OK)
    return rc;
  return storage_leave(
      storage->changes(storage->self, transaction->handle, since, visit, visit_data), 0);
}

int ak_storage_backup(const apikeys_storage *storage, const char *path) {
  if (storage->backup == NULL)
    return APIKEYS_ERROR_UNSUPPORTED;
  if (ak_inside_callback())
    return APIKEYS_ERROR_REENTERED;
  ak_callback_enter();
  return storage_leave(storage->backup(storage->self, path), MAY_EXIST);
}

int ak_storage_prepare_fork(const apikeys_storage *storage) {
  if (ak_inside_callback())
    return APIKEYS_ERROR_REENTERED;
  if (storage->prepare_fork == NULL)
    return APIKEYS_OK;
  ak_callback_enter();
  return storage_leave(storage->prepare_fork(storage->self), 0);
}
