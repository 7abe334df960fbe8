/* SPDX-License-Identifier: MIT */
/* A requirement: what a route requires of a key. */
#ifndef AK_VALIDATE_REQUIREMENT_H
#define AK_VALIDATE_REQUIREMENT_H

#include "access/actor.h"
#include "base/error.h"
#include "base/setter_faults.h"
#include "cache/cache_sets.h"

#include <apikeys/validate.h>

#include <stdatomic.h>

/* State filled in at first use: the frozen flag, and which permission sets satisfied it. */
struct ak_requirement_notes {
  _Atomic int frozen;
  struct ak_set_memo satisfied_by; /* sets that hold all its permissions */
};

struct apikeys_requirement {
  struct ak_slugs permissions;
  int accept_management_keys;
  struct ak_setter_faults faults;
  struct ak_requirement_notes *notes; /* its owner's alone to free */
};

/* The first use: threads share a requirement, which is written here once and only read after. */
void ak_requirement_freeze(const apikeys_requirement *requirement);

/* Hold a key, by its owner's type and its permissions, against a requirement, which may be NULL;
 * and the two apart. */
int ak_require_owner(int owner_type, const apikeys_requirement *requirement);
int ak_require_permissions(const char *permissions, size_t length,
                           const apikeys_requirement *requirement, apikeys_error *err);
int ak_require(int owner_type, const char *permissions, size_t length,
               const apikeys_requirement *requirement, apikeys_error *err);

#endif
