/* SPDX-License-Identifier: MIT */
/* The memory back-end's log of changes: a ring of the last ones. */
#include "storage/memory/changes.h"

#include <apikeys/error.h>

#include <string.h>

void ak_memory_changes_note_unknown(struct ak_memory_changes *changes) {
  changes->lost = ++changes->last;
}

static int note_one(int kind, const char *identity, size_t length, void *visit_data) {
  struct ak_memory_changes *changes = visit_data;
  if (length > AK_ID_MAX) {
    ak_memory_changes_note_unknown(changes);
    return APIKEYS_OK;
  }
  struct ak_memory_change *change = &changes->kept[++changes->last % AK_MEMORY_CHANGES_KEPT];
  change->kind = kind;
  change->length = (uint8_t)length;
  memcpy(change->identity, identity, length);
  return APIKEYS_OK;
}

void ak_memory_changes_note(struct ak_memory_changes *changes, const apikeys_record *old,
                            const apikeys_record *new) {
  if (apikeys_record_identities(old, new, note_one, changes) != APIKEYS_OK)
    ak_memory_changes_note_unknown(changes);
}

void ak_memory_changes_publish(struct ak_memory_changes *changes) {
  atomic_store_explicit(&changes->generation, changes->last, memory_order_release);
}

uint64_t ak_memory_changes_generation(const struct ak_memory_changes *changes) {
  return atomic_load_explicit(&changes->generation, memory_order_acquire);
}

int ak_memory_changes_since(const struct ak_memory_changes *changes, uint64_t since,
                            apikeys_change_visitor visit, void *visit_data) {
  uint64_t last = ak_memory_changes_generation(changes);
  if (since > last || last - since > AK_MEMORY_CHANGES_KEPT || since < changes->lost)
    return APIKEYS_ERROR_UNSUPPORTED;
  int rc = APIKEYS_OK;
  for (uint64_t i = since + 1; rc == APIKEYS_OK && i <= last; i++) {
    const struct ak_memory_change *change = &changes->kept[i % AK_MEMORY_CHANGES_KEPT];
    rc = visit(change->kind, change->identity, change->length, visit_data);
  }
  return rc;
}
