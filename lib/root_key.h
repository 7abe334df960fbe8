/* SPDX-License-Identifier: MIT */
/*
 * The root key: where it comes from, and what is derived from it. The file is read and written
 * here and nowhere else.
 */
#ifndef AK_ROOT_KEY_H
#define AK_ROOT_KEY_H

#include "options.h"

/* All that is secret in an open environment; in ak_secret_alloc memory. */
struct ak_secrets {
  int64_t version; /* of the root key: 1, and one more with each rotation */
  uint8_t root[AK_KEY_BYTES];
  uint8_t seal[AK_KEY_BYTES];  /* seals keys' digests */
  uint8_t token[AK_KEY_BYTES]; /* signs widget tokens */
  uint8_t document[AK_KEY_BYTES]; /* seals documents' secrets */
  uint8_t check[AK_KEY_BYTES]; /* public: stored, tells the right root key from a wrong one */
};

/* Derive the rest from `root`. */
void ak_secrets_derive(struct ak_secrets *secrets);

/* 0 if the stored check is this root key's, else APIKEYS_ERROR_ROOT_KEY_WRONG. */
int ak_secrets_check(const struct ak_secrets *secrets, const void *check, size_t length);

/*
 * Read the root key into secrets->root from where the options say: bytes, callback, or file; not
 * from the store.
 * APIKEYS_ERROR_ROOT_KEY_MISSING, …_MALFORMED, …_EXPOSED.
 */
int ak_root_key_read(struct ak_secrets *secrets, const apikeys_options *options,
                     apikeys_error *err);

/* Write a new file for it, mode 0600, on disk when this returns. APIKEYS_ERROR_EXISTS if it is
 * there. */
int ak_root_key_write(const struct ak_secrets *secrets, const char *path, apikeys_error *err);

/*
 * Rotation in two steps around the store's commit: the next root key waits in `<path>.next`, and
 * takes the file's place once the store is sealed under it. An open that finds the store
 * sealed under the next one takes the second step.
 */
/*
 * First: see that the file itself holds this root key. One that an earlier rotation left in
 * `<path>.next`, perhaps the only copy there is, is put in its place.
 * APIKEYS_ERROR_ROOT_KEY_WRONG: neither file has it.
 */
int ak_root_key_settle(const struct ak_secrets *secrets, const char *path, apikeys_error *err);
int ak_root_key_write_next(const struct ak_secrets *secrets, const char *path, apikeys_error *err);
int ak_root_key_read_next(struct ak_secrets *secrets, const char *path);
int ak_root_key_promote_next(const char *path, apikeys_error *err);
void ak_root_key_drop_next(const char *path);

#endif
