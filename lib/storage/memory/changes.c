/* SPDX-License-Identifier: MIT */
/* The memory back-end's log of changes: a ring of the last ones. */
#include "storage/memory/changes.h"

#include "storage/invalidation_rules.h"

#include <apikeys/error.h>

#include <string.h>

void ak_memory_changes_note_unknown(struct ak_memory_changes *changes) {
  changes->lost = ++changes->last;
}

static void note_one(struct ak_memory_changes *changes, const struct ak_invalidation_rule *source,
                     const apikeys_record *record) {
  size_t length = 0;
  const char *identity =
      source->identity >= 0 ? apikeys_record_text(record, source->identity, &length) : "";
  if (length > AK_ID_MAX) {
    ak_memory_changes_note_unknown(changes);
    return;
  }
  struct ak_memory_change *change = &changes->kept[++changes->last % AK_MEMORY_CHANGES_KEPT];
  change->kind = source->kind;
  change->length = (uint8_t)length;
  memcpy(change->identity, identity, length);
}

static bool differ(const apikeys_record *a, const apikeys_record *b, int field) {
  struct ak_field_value a_value = ak_record_value(a, field);
  struct ak_field_value b_value = ak_record_value(b, field);
  return ak_field_value_compare(&a_value, &b_value) != 0;
}

static bool is_relevant(const struct ak_invalidation_rule *source, const apikeys_record *old,
                        const apikeys_record *new) {
  if (source->relevant_count == 0)
    return true;
  for (int i = 0; i < source->relevant_count; i++)
    if (differ(old, new, source->relevant[i]))
      return true;
  return false;
}

/* By its old name, and where that has changed by its new one. */
void ak_memory_changes_note(struct ak_memory_changes *changes, const apikeys_record *old,
                            const apikeys_record *new) {
  const struct ak_invalidation_rule *source = ak_invalidation_rule((old != NULL ? old : new)->kind);
  if (source == NULL)
    return;
  if (old == NULL) {
    if (source->inserts)
      note_one(changes, source, new);
    return;
  }
  if (new != NULL && !is_relevant(source, old, new))
    return;
  note_one(changes, source, old);
  if (new != NULL && source->identity >= 0 && differ(old, new, source->identity))
    note_one(changes, source, new);
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
