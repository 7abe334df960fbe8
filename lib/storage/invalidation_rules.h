/* SPDX-License-Identifier: MIT */
/*
 * Which changes of the store can alter a validation that was good, and what names them: the one
 * list that our back-ends tell changes by. A validation depends on no other kind of record.
 */
#ifndef AK_STORAGE_INVALIDATION_RULES_H
#define AK_STORAGE_INVALIDATION_RULES_H

#include "storage/schema.h"

enum { AK_INVALIDATION_FIELDS_MAX = 4 };

struct ak_invalidation_rule {
  int kind;
  int identity;       /* the field that names what changed; -1: all may have changed */
  bool inserts;       /* a new record counts */
  int relevant_count; /* 0: any update counts */
  int relevant[AK_INVALIDATION_FIELDS_MAX]; /* else one of these fields */
};

/* 0 … AK_INVALIDATION_RULES - 1; and the one of a kind, or NULL. */
enum { AK_INVALIDATION_RULES = 6 };
const struct ak_invalidation_rule *ak_invalidation_rule_at(int number);
const struct ak_invalidation_rule *ak_invalidation_rule(int kind);

#endif
