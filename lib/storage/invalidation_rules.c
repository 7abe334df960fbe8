/* SPDX-License-Identifier: MIT */
/* The table of records and fields on which a validation depends. */
#include "storage/invalidation_rules.h"

#include <stddef.h>

/* What is cached was good: a new key was not, nor one whose owner is new. A new role may be the one
 * that a member was given before, and then hides another of the same slug. */
static const struct ak_invalidation_rule sources[AK_INVALIDATION_RULES] = {
    {AK_ENVIRONMENT,
     -1,
     true,
     4,
     {AK_ID, AK_ENVIRONMENT_ACCEPTED_PREFIXES, AK_ENVIRONMENT_ROOT_VERSION,
      AK_ENVIRONMENT_IDLE_LIFETIME_MS}},
    {AK_PERMISSION, -1, false, 0, {0}},
    {AK_ROLE, AK_ROLE_ORGANIZATION_ID, true, 0, {0}},
    {AK_ORGANIZATION, AK_ID, false, 0, {0}},
    {AK_MEMBER, AK_MEMBER_ORGANIZATION_ID, false, 0, {0}},
    {AK_API_KEY, AK_API_KEY_LOOKUP_ID, false, 0, {0}},
};

const struct ak_invalidation_rule *ak_invalidation_rule_at(int number) {
  return &sources[number];
}

const struct ak_invalidation_rule *ak_invalidation_rule(int kind) {
  for (int i = 0; i < AK_INVALIDATION_RULES; i++)
    if (sources[i].kind == kind)
      return &sources[i];
  return NULL;
}
