/* SPDX-License-Identifier: MIT */
/* A back-end around another, that counts, lets a test look in from its slots, and fails if told. */
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

/*
 * Which calls of a slot (SLOT_BEGIN_WRITE, _INSERT or _COMMIT), counted as in `calls`, answer
 * `code` instead of being passed on. Of a commit nothing is there afterwards, unless it happens.
 */
struct wrapped_failure {
  enum wrapped_slot slot;
  int from, to;
  int code;
  int happens;
};

struct wrapped_storage {
  apikeys_storage inner;
  struct wrapped_failure failure;                      /* set while no slot is being called */
  _Atomic int calls[SLOT_END];                         /* also from threads of the library */
  void (*intrude)(enum wrapped_slot slot, void *data); /* called in every slot, may be NULL */
  void *intrude_data;
};

/* `wrapped` must outlive the environment that opens `out`, which takes `inner` over. */
void wrap_storage(struct wrapped_storage *wrapped, const apikeys_storage *inner,
                  apikeys_storage *out);
/* From now on the next `count` calls of this slot fail. */
void wrapped_fail(struct wrapped_storage *wrapped, enum wrapped_slot slot, int count, int code);
/* The same around a memory back-end of its own. */
void wrap_memory_storage(struct wrapped_storage *wrapped, apikeys_storage *out);

#endif
