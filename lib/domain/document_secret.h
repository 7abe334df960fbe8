/* SPDX-License-Identifier: MIT */
/*
 * A document's secret: sealed in the store, under a key of its own kind and bound to the document's
 * place, so that a sealed secret copied to another document does not open; plain in an object.
 */
#ifndef AK_DOMAIN_DOCUMENT_SECRET_H
#define AK_DOMAIN_DOCUMENT_SECRET_H

#include "operation/operation.h"

enum { AK_DOCUMENT_SECRET_MAX = 4096 };

/* The record's secret, if it has one: plain to sealed, under the environment's root key. */
int ak_document_secret_seal(struct ak_op *op, apikeys_record *document);

/* And back. APIKEYS_ERROR_CORRUPT: it is not what was sealed here. */
int ak_document_secret_open(struct ak_op *op, apikeys_record *document);

/* From sealed under one root key to sealed under the other. */
int ak_document_secret_reseal(struct ak_op *op, apikeys_record *document,
                              const struct ak_secrets *from, const struct ak_secrets *to);

#endif
