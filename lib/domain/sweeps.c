/* SPDX-License-Identifier: MIT */
/* Sweeping up after deleted organizations, in bounded transactions that can be resumed. */
#include "domain/sweeps.h"

#include "base/arithmetic.h"
#include "domain/keys.h"
#include "domain/members.h"
#include "domain/roles.h"

#include <string.h>

int ak_sweep_record(struct ak_op *op, const char *organization_id) {
  apikeys_record sweep;
  ak_record_init(&sweep, AK_SWEEP);
  ak_record_set_string(&sweep, AK_ID, organization_id);
  apikeys_record_set_integer(&sweep, AK_SWEEP_CREATED_AT, op->now_ms);
  int rc = ak_record_status(&sweep);
  if (rc == APIKEYS_OK)
    rc = ak_insert(&op->transaction, &sweep);
  ak_record_release(&sweep);
  return rc;
}

static int find_sweep(struct ak_op *op, const char *organization_id, apikeys_record *sweep) {
  apikeys_query query;
  ak_query_environment(&query, AK_SWEEP, 0);
  ak_query_equal_text(&query, organization_id, strlen(organization_id));
  return ak_get(&op->transaction, &query, sweep);
}

/* With budget to spare, nothing is left: the record of it goes too. */
static int sweep_some(struct ak_op *op, const char *organization_id, bool *done) {
  struct ak_budget budget = {.left = AK_BUDGET};
  apikeys_record sweep;
  ak_record_init(&sweep, AK_SWEEP);
  int rc = find_sweep(op, organization_id, &sweep);
  *done = rc == APIKEYS_ERROR_NOT_FOUND; /* another process was faster */
  if (rc == APIKEYS_OK)
    rc = ak_keys_revoke_of_organization(op, organization_id, &budget);
  if (rc == APIKEYS_OK)
    rc = ak_members_delete_of(op, organization_id, &budget);
  if (rc == APIKEYS_OK)
    rc = ak_roles_delete_of(op, organization_id, &budget);
  if (rc == APIKEYS_OK && budget.left > 0) {
    rc = ak_remove(&op->transaction, AK_SWEEP, apikeys_record_integer(&sweep, AK_NUMBER));
    *done = true;
  }
  ak_record_release(&sweep);
  return *done && rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc;
}

int ak_sweep_run(apikeys_env *env, const apikeys_actor *actor, const char *organization_id) {
  bool done = false;
  int rc = APIKEYS_OK;
  while (rc == APIKEYS_OK && !done) {
    struct ak_op op;
    rc = actor != NULL ? ak_op_begin(&op, env, actor, APIKEYS_TRANSACTION_WRITE, NULL)
                       : ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_WRITE, NULL);
    if (rc == APIKEYS_OK)
      rc = ak_op_end(&op, sweep_some(&op, organization_id, &done));
    if (!done)
      ak_budget_pause();
  }
  return rc;
}

/* The oldest one that is recorded behind `from`; "" where there is none. */
static int next_sweep(apikeys_env *env, int64_t from, char organization_id[AK_ID_MAX],
                      int64_t *number) {
  struct ak_op op;
  apikeys_record sweep;
  apikeys_query query;
  organization_id[0] = '\0';
  int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_READ, NULL);
  if (rc != APIKEYS_OK)
    return rc;
  ak_record_init(&sweep, AK_SWEEP);
  ak_query_any(&query, AK_SWEEP, AK_SWEEP_BY_NUMBER);
  ak_query_from(&query, from);
  rc = ak_get(&op.transaction, &query, &sweep);
  size_t length;
  const char *id = apikeys_record_text(&sweep, AK_ID, &length);
  if (rc == APIKEYS_OK && length < AK_ID_MAX) {
    memcpy(organization_id, id, length + 1);
    *number = apikeys_record_integer(&sweep, AK_NUMBER);
  }
  ak_record_release(&sweep);
  return ak_op_end(&op, rc == APIKEYS_ERROR_NOT_FOUND ? APIKEYS_OK : rc);
}

int ak_sweeps_resume(apikeys_env *env) {
  char organization_id[AK_ID_MAX];
  int64_t from = 0, number = 0;
  int rc = next_sweep(env, from, organization_id, &number);
  while (rc == APIKEYS_OK && organization_id[0] != '\0') {
    rc = ak_sweep_run(env, NULL, organization_id);
    if (rc != APIKEYS_OK || !ak_number_after(number, &from))
      break;
    rc = next_sweep(env, from, organization_id, &number);
  }
  return rc;
}
