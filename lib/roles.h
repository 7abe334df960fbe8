/* SPDX-License-Identifier: MIT */
#ifndef AK_ROLES_H
#define AK_ROLES_H

#include "call.h"

#define AK_ROLE_ADMIN "admin"
#define AK_ROLE_DEFAULT "member"

/* "admin" and "member", which every environment has from the start. */
int ak_roles_create_system(struct ak_call *call);

/* Delete all roles of an organization that is being deleted. */
int ak_roles_delete_of(struct ak_call *call, const char *organization_id, struct ak_budget *budget);

#endif
