/* SPDX-License-Identifier: MIT */
/* A back-end around another, that counts and lets a test look in from its slots. */
#ifndef WRAPPED_STORAGE_H
#define WRAPPED_STORAGE_H

#include <apikeys.h>

enum wrapped_slot {
  SLOT_DESTROY,
  SLOT_BEGIN_READ,
  SLOT_BEGIN_WRITE,
  SLOT_COMMIT,
  SLOT_ROLLBACK,
  SLOT_GET,
  SLOT_INSERT,
  SLOT_UPDATE,
  SLOT_REMOVE,
  SLOT_COUNT,
  SLOT_SCAN,
  SLOT_RAISE,
  SLOT_GENERATION,
  SLOT_CHANGES,
  SLOT_PREPARE_FORK,
  SLOT_COMMITTED, /* not a slot: a commit that has returned */
  SLOT_END
};

struct wrapped_storage {
  apikeys_storage inner;
  _Atomic int calls[SLOT_END];                         /* also from threads of the library */
  void (*intrude)(enum wrapped_slot slot, void *data); /* called in every slot, may be NULL */
  void *intrude_data;
};

/* `wrapped` must outlive the environment that opens `out`, which takes `inner` over. */
void wrap_storage(struct wrapped_storage *wrapped, const apikeys_storage *inner,
                  apikeys_storage *out);
/* The same around a memory back-end of its own. */
void wrap_memory_storage(struct wrapped_storage *wrapped, apikeys_storage *out);

#endif
