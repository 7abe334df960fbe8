/* SPDX-License-Identifier: MIT */
/*
 * The vtable as version 1.0 published it, frozen: a back-end that was compiled against it must load
 * for ever. Never edit this file; when the struct grows, the new part is tested beside it.
 */
#ifndef STORAGE_V1_H
#define STORAGE_V1_H

#include <apikeys/storage.h>

typedef struct storage_v1 {
  uint32_t struct_size;
  uint32_t capabilities;
  void *self;
  void (*destroy)(void *self);
  int (*begin)(void *self, int mode, apikeys_transaction **transaction);
  int (*commit)(void *self, apikeys_transaction *transaction);
  void (*rollback)(void *self, apikeys_transaction *transaction);
  int (*get)(void *self, apikeys_transaction *transaction, const apikeys_query *query,
             apikeys_record *out);
  int (*insert)(void *self, apikeys_transaction *transaction, apikeys_record *record);
  int (*update)(void *self, apikeys_transaction *transaction, const apikeys_record *record);
  int (*remove)(void *self, apikeys_transaction *transaction, int kind, int64_t number);
  int (*count)(void *self, apikeys_transaction *transaction, const apikeys_query *query,
               uint64_t *count);
  int (*scan)(void *self, apikeys_transaction *transaction, const apikeys_query *query,
              apikeys_visitor visit, void *visit_data);
  int (*raise)(void *self, apikeys_transaction *transaction, const apikeys_record *record,
               int field);
  int (*backup)(void *self, const char *path);
  int (*prepare_fork)(void *self);
} storage_v1;

#endif
