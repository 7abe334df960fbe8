/* SPDX-License-Identifier: MIT */
/* Sealing and opening the secrets of documents. */
#include "domain/document_secret.h"

#include <string.h>

enum { SEALED_MAX = AK_DOCUMENT_SECRET_MAX + AK_SEALED_OVERHEAD };

static bool has_secret(const apikeys_record *document) {
  return apikeys_record_type(document, AK_DOCUMENT_SECRET) != APIKEYS_TYPE_NULL;
}

/* The place, and the root version: an older row copied over a newer one does not open. */
static void associate_document_secret(uint8_t out[AK_DIGEST_BYTES], const apikeys_record *document,
                                      int64_t root_version) {
  uint8_t version[8];
  for (int i = 0; i < 8; i++)
    version[i] = (uint8_t)((uint64_t)root_version >> (8 * i));
  struct ak_piece pieces[3] = {[2] = {version, sizeof version}};
  pieces[0].bytes = apikeys_record_text(document, AK_DOCUMENT_COLLECTION, &pieces[0].length);
  pieces[1].bytes = apikeys_record_text(document, AK_DOCUMENT_ID, &pieces[1].length);
  ak_digest_pieces(out, pieces, 3);
}

static int seal_document_secret(struct ak_op *op, apikeys_record *document,
                                const struct ak_secrets *secrets) {
  uint8_t associated[AK_DIGEST_BYTES], sealed[SEALED_MAX];
  size_t length;
  struct ak_random random = ak_random_source(&op->env->options);
  const uint8_t *plain = apikeys_record_blob(document, AK_DOCUMENT_SECRET, &length);
  if (length > AK_DOCUMENT_SECRET_MAX)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  associate_document_secret(associated, document, secrets->version);
  int rc =
      ak_seal(sealed, plain, length, associated, sizeof associated, secrets->document, &random);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_set_blob(document, AK_DOCUMENT_SECRET, sealed, length + AK_SEALED_OVERHEAD);
  return rc == APIKEYS_OK
             ? apikeys_record_set_integer(document, AK_DOCUMENT_ROOT_VERSION, secrets->version)
             : rc;
}

static int open_sealed(apikeys_record *document, const struct ak_secrets *secrets) {
  uint8_t associated[AK_DIGEST_BYTES], plain[AK_DOCUMENT_SECRET_MAX];
  size_t length;
  const uint8_t *sealed = apikeys_record_blob(document, AK_DOCUMENT_SECRET, &length);
  if (length <= AK_SEALED_OVERHEAD || length > SEALED_MAX)
    return APIKEYS_ERROR_CORRUPT;
  associate_document_secret(associated, document,
                            apikeys_record_integer(document, AK_DOCUMENT_ROOT_VERSION));
  if (ak_open(plain, sealed, length, associated, sizeof associated, secrets->document) != 0)
    return APIKEYS_ERROR_CORRUPT;
  int rc =
      apikeys_record_set_blob(document, AK_DOCUMENT_SECRET, plain, length - AK_SEALED_OVERHEAD);
  ak_wipe(plain, sizeof plain);
  return rc;
}

/* The version comes from the store: another process may have rotated the root key. */
static int current_secrets(struct ak_op *op, struct ak_secrets *secrets) {
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_op_environment(op, &environment);
  if (rc == APIKEYS_OK)
    rc = ak_env_secrets(op->env, apikeys_record_integer(&environment, AK_ENVIRONMENT_ROOT_VERSION),
                        secrets);
  ak_record_release(&environment);
  return rc;
}

int ak_document_secret_seal(struct ak_op *op, apikeys_record *document) {
  if (!has_secret(document))
    return apikeys_record_set_null(document, AK_DOCUMENT_ROOT_VERSION);
  struct ak_secrets secrets;
  int rc = current_secrets(op, &secrets);
  if (rc != APIKEYS_OK)
    return rc;
  rc = seal_document_secret(op, document, &secrets);
  ak_wipe(&secrets, sizeof secrets);
  return rc;
}

int ak_document_secret_open(struct ak_op *op, apikeys_record *document) {
  if (!has_secret(document))
    return APIKEYS_OK;
  struct ak_secrets secrets;
  int rc =
      ak_env_secrets(op->env, apikeys_record_integer(document, AK_DOCUMENT_ROOT_VERSION), &secrets);
  if (rc != APIKEYS_OK)
    return rc;
  rc = open_sealed(document, &secrets);
  ak_wipe(&secrets, sizeof secrets);
  return rc;
}

int ak_document_secret_reseal(struct ak_op *op, apikeys_record *document,
                              const struct ak_secrets *from, const struct ak_secrets *to) {
  int rc = open_sealed(document, from);
  return rc == APIKEYS_OK ? seal_document_secret(op, document, to) : rc;
}
