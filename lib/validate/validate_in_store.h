/* SPDX-License-Identifier: MIT */
/* Validation in the store: finds the record of a value and checks digest, state and owner. */
#ifndef AK_VALIDATE_VALIDATE_IN_STORE_H
#define AK_VALIDATE_VALIDATE_IN_STORE_H

#include "crypto/key_text.h"
#include "operation/operation.h"

/* The read transaction that several values share. */
struct ak_read_snapshot {
  struct ak_op *op;
  const struct ak_policy *policy;
  uint64_t generation; /* read before the transaction began */
  bool policy_usable;  /* the generation is known: the policy cache may be used */
  bool policy_used;    /* it was used: check the generation again before trusting the result */
};

/* One value. Results: `key`, and `last_used_at` (0 where it was not needed). */
struct ak_store_check {
  struct ak_read_snapshot *snapshot;
  const char *value;
  size_t length;
  struct ak_key_text token;
  int64_t now_ms;
  bool wants_use;     /* the caller wants `last_used_at`; else only an idle policy needs it */
  bool own_time;      /* `now_ms` comes from the caller, not from the environment's clock */
  apikeys_record key; /* of a member's key: permissions cut to what the member holds now */
  int64_t last_used_at;
};

/* 0: the key is good, but its permissions were not checked yet. Else the first reason to refuse. */
int ak_store_check(struct ak_store_check *check);

#endif
