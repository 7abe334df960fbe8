/* SPDX-License-Identifier: MIT */
/* Permissions of the environment, for the nouns that refer to them. */
#ifndef AK_DOMAIN_PERMISSIONS_H
#define AK_DOMAIN_PERMISSIONS_H

#include "operation/operation.h"

/* The permission's record; APIKEYS_ERROR_NOT_FOUND. */
int ak_permission_find(struct ak_transaction *transaction, const char *slug, size_t length,
                       apikeys_record *out);

/* 0 if every slug of the set exists, else APIKEYS_ERROR_UNKNOWN_PERMISSION, naming the first. */
int ak_permissions_exist(struct ak_op *op, const char *set, size_t length);

/*
 * 0 if every slug of the set exists and is available to keys of such an owner, else
 * APIKEYS_ERROR_UNKNOWN_PERMISSION or APIKEYS_ERROR_PERMISSION_NOT_AVAILABLE, naming the first.
 */
int ak_permissions_available(struct ak_op *op, int owner_type, const char *set, size_t length);

/* The three that every environment has from the start. */
int ak_permissions_create_system(struct ak_op *op);

#endif
