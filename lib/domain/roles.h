/* SPDX-License-Identifier: MIT */
#ifndef AK_DOMAIN_ROLES_H
#define AK_DOMAIN_ROLES_H

#include "operation/operation.h"

#define AK_ROLE_ADMIN "admin"
#define AK_ROLE_DEFAULT "member"

/* "admin" and "member", which every environment has from the start. */
int ak_roles_create_system(struct ak_op *op);

/* Delete all roles of an organization that is being deleted. */
int ak_roles_delete_of(struct ak_op *op, const char *organization_id, struct ak_budget *budget);

#endif
