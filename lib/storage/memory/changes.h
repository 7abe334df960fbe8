/* SPDX-License-Identifier: MIT */
/*
 * What changed last in the memory back-end, as far as it can alter a validation: the last so many
 * changes, numbered; the number of the last one is the store's generation.
 */
#ifndef AK_STORAGE_MEMORY_CHANGES_H
#define AK_STORAGE_MEMORY_CHANGES_H

#include "crypto/ids.h"
#include "storage/record.h"

#include <stdatomic.h>

enum { AK_MEMORY_CHANGES_KEPT = 1024 };

struct ak_memory_change {
  int kind;
  uint8_t length;
  char identity[AK_ID_MAX];
};

struct ak_memory_changes {
  _Atomic uint64_t generation; /* what was committed */
  uint64_t last;               /* with what is about to be */
  uint64_t lost;               /* up to this one they are not known any more */
  struct ak_memory_change kept[AK_MEMORY_CHANGES_KEPT];
};

/*
 * By the one who writes, when he commits: a record went, came (NULL: none did), or was replaced.
 * Then all that was noted is published, at once.
 */
void ak_memory_changes_note(struct ak_memory_changes *changes, const apikeys_record *old,
                            const apikeys_record *new);
void ak_memory_changes_note_unknown(struct ak_memory_changes *changes);
void ak_memory_changes_publish(struct ak_memory_changes *changes);

uint64_t ak_memory_changes_generation(const struct ak_memory_changes *changes);

/* While nobody writes: the changes slot. */
int ak_memory_changes_since(const struct ak_memory_changes *changes, uint64_t since,
                            apikeys_change_visitor visit, void *visit_data);

#endif
