/* SPDX-License-Identifier: MIT */
/*
 * Which changes of the store can alter a validation that was good, and what names them: the one
 * list that our back-ends tell changes by. A validation depends on no other kind of record.
 */
#ifndef AK_CHANGE_SOURCE_H
#define AK_CHANGE_SOURCE_H

#include "schema.h"

enum { AK_CHANGE_FIELDS_MAX = 4 };

struct ak_change_source {
  int kind;
  int identity;       /* the field that names what changed; -1: all may have changed */
  bool inserts;       /* a new record counts */
  int relevant_count; /* 0: any update counts */
  int relevant[AK_CHANGE_FIELDS_MAX]; /* else one of these fields */
};

/* 0 … AK_CHANGE_SOURCES - 1; and the one of a kind, or NULL. */
enum { AK_CHANGE_SOURCES = 6 };
const struct ak_change_source *ak_change_source_at(int number);
const struct ak_change_source *ak_change_source(int kind);

#endif
