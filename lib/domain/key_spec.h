/* SPDX-License-Identifier: MIT */
/* The specification of a key that is to be created. */
#ifndef AK_DOMAIN_KEY_SPEC_H
#define AK_DOMAIN_KEY_SPEC_H

#include "operation/operation.h"

#include <apikeys/key.h>

enum { AK_KEY_NAME_MAX = 255 };

struct apikeys_key_spec {
  struct ak_object object; /* of kind AK_API_KEY: owner, name, permissions, expiry */
  char idempotency_key[AK_CONTEXT_MAX + 1]; /* "": none */
  const char *idempotency_key_fault;        /* why the last one was refused, or NULL */
};

/*
 * The rules that hold for a key's name, permissions and expiry, whoever sets them: at creation for
 * all of them, later for those that change. `key` is the record as it shall become.
 */
int ak_key_spec_check(struct ak_op *op, const struct ak_object *given, const apikeys_record *key,
                      const apikeys_record *environment);

#endif
