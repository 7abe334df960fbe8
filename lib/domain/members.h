/* SPDX-License-Identifier: MIT */
#ifndef AK_DOMAIN_MEMBERS_H
#define AK_DOMAIN_MEMBERS_H

#include "operation/operation.h"

/* Delete all members of an organization that is being deleted. Their keys are revoked elsewhere. */
int ak_members_delete_of(struct ak_op *op, const char *organization_id, struct ak_budget *budget);

#endif
