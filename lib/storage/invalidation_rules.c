/* SPDX-License-Identifier: MIT */
/* The table of records and fields on which a validation depends. */
#include "storage/invalidation_rules.h"

#include "storage/record.h"

#include <apikeys/error.h>

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

int apikeys_schema_kind_validates(int kind) {
  return ak_invalidation_rule(kind) != NULL;
}

static bool differ(const apikeys_record *a, const apikeys_record *b, int field) {
  struct ak_field_value a_value = ak_record_value(a, field);
  struct ak_field_value b_value = ak_record_value(b, field);
  return ak_field_value_compare(&a_value, &b_value) != 0;
}

static bool is_relevant(const struct ak_invalidation_rule *rule, const apikeys_record *before,
                        const apikeys_record *after) {
  if (before == NULL)
    return rule->inserts;
  if (after == NULL || rule->relevant_count == 0)
    return true;
  for (int i = 0; i < rule->relevant_count; i++)
    if (differ(before, after, rule->relevant[i]))
      return true;
  return false;
}

static int visit_identity(const struct ak_invalidation_rule *rule, const apikeys_record *record,
                          apikeys_change_visitor visit, void *visit_data) {
  size_t length = 0;
  const char *identity =
      rule->identity >= 0 ? apikeys_record_text(record, rule->identity, &length) : "";
  return visit(rule->kind, identity, length, visit_data);
}

int apikeys_record_identities(const apikeys_record *before, const apikeys_record *after,
                              apikeys_change_visitor visit, void *visit_data) {
  if ((before == NULL && after == NULL) || visit == NULL ||
      (before != NULL && after != NULL && before->kind != after->kind))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  const struct ak_invalidation_rule *rule =
      ak_invalidation_rule((before != NULL ? before : after)->kind);
  if (rule == NULL || !is_relevant(rule, before, after))
    return APIKEYS_OK;
  int rc = visit_identity(rule, before != NULL ? before : after, visit, visit_data);
  bool renamed = before != NULL && after != NULL && rule->identity >= 0 &&
                 differ(before, after, rule->identity);
  return rc == APIKEYS_OK && renamed ? visit_identity(rule, after, visit, visit_data) : rc;
}
