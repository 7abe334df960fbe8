/* SPDX-License-Identifier: MIT */
/* A value against the store, step by step: whose it is, and whether that key is good. */
#ifndef AK_VALIDATE_VALIDATE_IN_STORE_H
#define AK_VALIDATE_VALIDATE_IN_STORE_H

#include "crypto/key_text.h"
#include "operation/operation.h"

/* What the values of one transaction have in common. */
struct ak_read_snapshot {
  struct ak_op *op;
  const struct ak_policy *policy;
  uint64_t generation; /* the store's, before the transaction began */
  bool policy_usable;  /* it is known, so env->policy_cache may be used and added to */
  bool policy_used;    /* and was used: the generation must not have moved by the end */
};

/* One value on its way; what it finds out is `key` and `last_used_at`, 0 where nobody needs it. */
struct ak_store_check {
  struct ak_read_snapshot *snapshot;
  const char *value;
  size_t length;
  struct ak_key_text token;
  int64_t now_ms;
  bool wants_use;     /* `last_used_at` is asked for; else only policy may need it */
  bool own_time;      /* `now_ms` is the caller's, not the environment's clock's */
  apikeys_record key; /* a member's: with the permissions that the member holds too */
  int64_t last_used_at;
};

/* 0: the key is good; what it may do is still to be asked. Else the first reason that refuses. */
int ak_store_check(struct ak_store_check *check);

#endif
