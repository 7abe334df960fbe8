/* SPDX-License-Identifier: MIT */
/*
 * The faults of an object's setters: which field was set to something that it cannot be, and why.
 * The call that uses the object reports them. A later good set of the same field clears its fault;
 * a later good add does not, because what the bad one should have added is still missing.
 */
#ifndef AK_BASE_SETTER_FAULTS_H
#define AK_BASE_SETTER_FAULTS_H

#include <apikeys/error.h>

enum { AK_SETTER_FAULTS_KEPT = 4 };

struct ak_setter_fault {
  int field; /* a number of the object's own */
  int code;
  const char *reason; /* static: "must be 1 to 100" */
};

/* All zero: no fault. */
struct ak_setter_faults {
  struct ak_setter_fault kept[AK_SETTER_FAULTS_KEPT]; /* the oldest first, one a field */
  int count;
  int more; /* the code of one that found no room: only the whole object's reset clears it */
};

/* Keeps a fault and returns its code. A NULL reason says nothing more than that there is one. */
int ak_setter_fault_keep(struct ak_setter_faults *faults, int field, int code, const char *reason);

/* The field was set to something good: returns APIKEYS_OK. */
int ak_setter_fault_clear(struct ak_setter_faults *faults, int field);

/* The oldest fault, or NULL. */
const struct ak_setter_fault *ak_setter_fault_first(const struct ak_setter_faults *faults);

/* Fills `err` with a fault of the field of that name, and returns its code. */
int ak_setter_fault_report(const struct ak_setter_fault *fault, const char *name,
                           apikeys_error *err);

/* What a slug, and a flag, must be. */
#define AK_SLUG_REASON "must be 1 to 48 of a-z 0-9 - _ : . *"
#define AK_FLAG_REASON "must be 0 or 1"

#endif
