/* SPDX-License-Identifier: MIT */
/* Keys, for what changes them beside their own calls. */
#ifndef AK_DOMAIN_KEYS_H
#define AK_DOMAIN_KEYS_H

#include "operation/operation.h"
#include "storage/key_state.h"

/* Why keys are revoked by something else than a call that says so. */
#define AK_REASON_ORGANIZATION_DELETED "organization deleted"
#define AK_REASON_MEMBER_DELETED "membership deleted"
#define AK_REASON_IDLE "idle"

/* The event type for a key, by who owns it: `action` is "created", "updated" or "revoked". */
const char *ak_key_event_type(const apikeys_record *key, const char *action);

/* When a key was last used: what is stored, or remembered and not written yet. */
int ak_key_last_used(struct ak_op *op, const apikeys_record *key, int64_t *at_ms);

/* Whose keys: of this type, of the organization, of the user, each unless "". */
struct ak_key_owner {
  int type;
  const char *organization_id;
  const char *user_id;
};

/* The keys of an owner that are in this state. */
void ak_key_owner_query(apikeys_query *query, const struct ak_key_owner *owner, int state);

/* Revoke an active key: the record, its state and its event. */
int ak_key_revoke_record(struct ak_op *op, apikeys_record *key, const char *reason,
                         size_t reason_length);

/* Revoke active keys of an organization (its members' too), or of one member of it, as many as the
 * budget allows. */
int ak_keys_revoke_of_organization(struct ak_op *op, const char *organization_id,
                                   struct ak_budget *budget);
int ak_keys_revoke_of_member(struct ak_op *op, const char *organization_id, const char *user_id,
                             struct ak_budget *budget);

/* Revoke what was idle for longer than this. Candidates are found by reading; transactions of its
 * own. */
int ak_keys_revoke_idle(apikeys_env *env, int64_t idle_lifetime_ms);

/* The keys that were revoked before a time; removing one with what is recorded of its use. */
void ak_keys_pruned_query(apikeys_query *query, int64_t before_ms);
int ak_key_prune(struct ak_op *op, apikeys_record *key, int64_t before_ms);

#endif
