/* SPDX-License-Identifier: MIT */
/* Documents, for what happens to all of them together. */
#ifndef AK_DOCUMENTS_H
#define AK_DOCUMENTS_H

#include "call.h"

/* Remove those that have expired. */
int ak_documents_drop_expired(struct ak_call *call, struct ak_budget *budget);

/* Seal every secret again, under the next root key. */
int ak_documents_reseal(struct ak_call *call, const struct ak_secrets *from,
                        const struct ak_secrets *to);

#endif
