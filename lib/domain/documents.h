/* SPDX-License-Identifier: MIT */
/* Documents, for what happens to all of them together. */
#ifndef AK_DOMAIN_DOCUMENTS_H
#define AK_DOMAIN_DOCUMENTS_H

#include "operation/operation.h"

/* Remove those that have expired. */
int ak_documents_drop_expired(struct ak_op *op, struct ak_budget *budget);

/* Seal every secret again, under the next root key. */
int ak_documents_reseal(struct ak_op *op, const struct ak_secrets *from,
                        const struct ak_secrets *to);

#endif
