/* SPDX-License-Identifier: MIT */
/* A value against the store, step by step: whose it is, and whether that key is good. */
#ifndef AK_FULL_PATH_H
#define AK_FULL_PATH_H

#include "call.h"
#include "token.h"

/* One value on its way; what it finds out is `key` and `last_used_at`. */
struct ak_full_path {
  struct ak_call *call;
  const char *value;
  size_t length;
  struct ak_token token;
  const apikeys_record *environment;
  int64_t now_ms;
  bool own_time;      /* `now_ms` is the caller's, not the environment's clock's */
  apikeys_record key; /* a member's: with the permissions that the member holds too */
  int64_t last_used_at;
};

/* 0: the key is good; what it may do is still to be asked. Else the first reason that refuses. */
int ak_full_path(struct ak_full_path *path);

#endif
