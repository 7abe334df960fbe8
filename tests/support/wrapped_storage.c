/* SPDX-License-Identifier: MIT */
#include "wrapped_storage.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

/* Counts the call; 0, or what it answers in place of the inner one. */
static int enter(void *self, enum wrapped_slot slot) {
  struct wrapped_storage *wrapped = self;
  int number = ++wrapped->calls[slot];
  if (wrapped->intrude != NULL)
    wrapped->intrude(slot, wrapped->intrude_data);
  const struct wrapped_failure *failure = &wrapped->failure;
  bool fails = failure->slot == slot && number >= failure->from && number <= failure->to;
  return fails ? failure->code : 0;
}

static const apikeys_storage *pass(void *self, enum wrapped_slot slot) {
  struct wrapped_storage *wrapped = self;
  enter(self, slot);
  return &wrapped->inner;
}

static void on_destroy(void *self) {
  const apikeys_storage *inner = pass(self, SLOT_DESTROY);
  inner->destroy(inner->self);
}

static int on_begin(void *self, int mode, apikeys_transaction **transaction) {
  const struct wrapped_storage *wrapped = self;
  const apikeys_storage *inner = &wrapped->inner;
  int rc = enter(self, mode == APIKEYS_TRANSACTION_WRITE ? SLOT_BEGIN_WRITE : SLOT_BEGIN_READ);
  return rc != 0 ? rc : inner->begin(inner->self, mode, transaction);
}

static int on_commit(void *self, apikeys_transaction *transaction) {
  const struct wrapped_storage *wrapped = self;
  const apikeys_storage *inner = &wrapped->inner;
  int failure = enter(self, SLOT_COMMIT);
  int rc = failure;
  if (failure == 0 || wrapped->failure.happens)
    rc = inner->commit(inner->self, transaction);
  else
    inner->rollback(inner->self, transaction);
  enter(self, SLOT_COMMITTED);
  return failure != 0 ? failure : rc;
}

static void on_rollback(void *self, apikeys_transaction *transaction) {
  const apikeys_storage *inner = pass(self, SLOT_ROLLBACK);
  inner->rollback(inner->self, transaction);
}

static int on_get(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                  apikeys_record *out) {
  const apikeys_storage *inner = pass(self, SLOT_GET);
  return inner->get(inner->self, transaction, query, out);
}

static int on_insert(void *self, apikeys_transaction *transaction, apikeys_record *record) {
  const struct wrapped_storage *wrapped = self;
  const apikeys_storage *inner = &wrapped->inner;
  int rc = enter(self, SLOT_INSERT);
  return rc != 0 ? rc : inner->insert(inner->self, transaction, record);
}

static int on_update(void *self, apikeys_transaction *transaction, const apikeys_record *record) {
  const apikeys_storage *inner = pass(self, SLOT_UPDATE);
  return inner->update(inner->self, transaction, record);
}

static int on_remove(void *self, apikeys_transaction *transaction, int kind, int64_t number) {
  const apikeys_storage *inner = pass(self, SLOT_REMOVE);
  return inner->remove(inner->self, transaction, kind, number);
}

static int on_count(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                    uint64_t *count) {
  const apikeys_storage *inner = pass(self, SLOT_COUNT);
  return inner->count(inner->self, transaction, query, count);
}

static int on_scan(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                   apikeys_visitor visit, void *visit_data) {
  const apikeys_storage *inner = pass(self, SLOT_SCAN);
  return inner->scan(inner->self, transaction, query, visit, visit_data);
}

static int on_raise(void *self, apikeys_transaction *transaction, const apikeys_record *record,
                    int field) {
  const apikeys_storage *inner = pass(self, SLOT_RAISE);
  return inner->raise(inner->self, transaction, record, field);
}

static int on_generation(void *self, uint64_t *generation) {
  const apikeys_storage *inner = pass(self, SLOT_GENERATION);
  return inner->generation(inner->self, generation);
}

static int on_changes(void *self, apikeys_transaction *transaction, uint64_t since,
                      apikeys_change_visitor visit, void *visit_data) {
  const apikeys_storage *inner = pass(self, SLOT_CHANGES);
  return inner->changes != NULL ? inner->changes(inner->self, transaction, since, visit, visit_data)
                                : APIKEYS_ERROR_UNSUPPORTED;
}

static int on_prepare_fork(void *self) {
  const apikeys_storage *inner = pass(self, SLOT_PREPARE_FORK);
  return inner->prepare_fork(inner->self);
}

void wrap_storage(struct wrapped_storage *wrapped, const apikeys_storage *inner,
                  apikeys_storage *out) {
  memset(wrapped, 0, sizeof *wrapped);
  wrapped->inner = *inner;
  *out = (apikeys_storage){.struct_size = sizeof *out,
                           .capabilities = wrapped->inner.capabilities,
                           .self = wrapped,
                           .destroy = on_destroy,
                           .begin = on_begin,
                           .commit = on_commit,
                           .rollback = on_rollback,
                           .get = on_get,
                           .insert = on_insert,
                           .update = on_update,
                           .remove = on_remove,
                           .count = on_count,
                           .scan = on_scan,
                           .raise = on_raise,
                           .generation = on_generation,
                           .changes = on_changes,
                           .prepare_fork = on_prepare_fork};
}

void wrapped_fail(struct wrapped_storage *wrapped, enum wrapped_slot slot, int count, int code) {
  int before = wrapped->calls[slot];
  wrapped->failure = (struct wrapped_failure){
      .slot = slot, .from = before + 1, .to = before + count, .code = code};
}

void wrap_memory_storage(struct wrapped_storage *wrapped, apikeys_storage *out) {
  apikeys_storage memory;
  ck_assert_int_eq(apikeys_storage_memory(&memory, NULL), APIKEYS_OK);
  wrap_storage(wrapped, &memory, out);
}
