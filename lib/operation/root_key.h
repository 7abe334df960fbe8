/* SPDX-License-Identifier: MIT */
/*
 * The root key: where it comes from, and what is derived from it. The file is read and written
 * here and nowhere else.
 */
#ifndef AK_OPERATION_ROOT_KEY_H
#define AK_OPERATION_ROOT_KEY_H

#include "operation/options.h"

#include <stdbool.h>

/* All that is secret in an open environment; in ak_secret_alloc memory. */
struct ak_secrets {
  int64_t version; /* of the root key: 1, and one more with each rotation */
  uint8_t root[AK_KEY_BYTES];
  uint8_t seal[AK_KEY_BYTES];     /* seals keys' digests */
  uint8_t token[AK_KEY_BYTES];    /* signs widget tokens */
  uint8_t document[AK_KEY_BYTES]; /* seals documents' secrets */
  uint8_t check[AK_KEY_BYTES];    /* public: stored, tells the right root key from a wrong one */
};

/* Derive the rest from `root`. */
void ak_secrets_derive(struct ak_secrets *secrets);

/* 0 if the stored check is this root key's, else APIKEYS_ERROR_ROOT_KEY_WRONG. */
int ak_secrets_check(const struct ak_secrets *secrets, const void *check, size_t length);

/*
 * Read the root key into secrets->root from where the options say: bytes, callback, or file; not
 * from the store. A callback is told the check of the root key that is wanted (NULL: of a new one).
 * APIKEYS_ERROR_ROOT_KEY_MISSING, …_MALFORMED, …_EXPOSED.
 */
int ak_root_key_read(struct ak_secrets *secrets, const apikeys_options *options,
                     const uint8_t *check, apikeys_error *err);

/* Write a new file for it, mode 0600, on disk when this returns. APIKEYS_ERROR_EXISTS if it is
 * there. */
int ak_root_key_write(const struct ak_secrets *secrets, const char *path, apikeys_error *err);

/*
 * Rotation in two steps around the store's commit: the next root key waits in a file that is named
 * by its own check, `<path>.` and 16 hex digits, and becomes `<path>` by a rename once the store is
 * sealed under it. So two rotations never share a file, and none removes another's.
 */
enum { AK_ROOT_NAME_BYTES = 8 };

/* Before the commit: never over a file that is there; on disk when this returns. */
int ak_root_key_write_named(const struct ak_secrets *secrets, const char *path, apikeys_error *err);
/* When the rotation failed: the file that this call wrote. */
void ak_root_key_drop_named(const struct ak_secrets *secrets, const char *path);
/* For a mounted secret, which others write: 0 if the named file is there and holds this root key.
 * APIKEYS_ERROR_ROOT_KEY_MISSING: the message names the file. */
int ak_root_key_expect_named(const struct ak_secrets *secrets, const char *path,
                             apikeys_error *err);
/* Still waits for its place: else someone has put it there, and perhaps a later one since. */
bool ak_root_key_is_named(const struct ak_secrets *secrets, const char *path);

/*
 * Before a rotation, inside its transaction: a copy of the file, `<path>.old.` and 16 hex digits of
 * its check. A backup of that time opens with it. Nothing in the library deletes such a file.
 */
int ak_root_key_keep_old(const char *path, apikeys_error *err);

/*
 * In the same transaction, when the file is in place: named files of other checks are of rotations
 * that died before their commit. A whole one is kept as an old file, in case a copy of the store is
 * sealed under it; one that was cut short is removed.
 */
void ak_root_key_sweep_named(const char *path, const uint8_t check[AK_KEY_BYTES]);

/* The root key with this check: in the named file, the file itself, or an old one; nothing is
 * renamed. */
int ak_root_key_find(struct ak_secrets *secrets, const char *path,
                     const uint8_t check[AK_KEY_BYTES]);

/*
 * After the commit, and in an open that finds the rename undone: 0 if the file holds that key by
 * then. A mounted secret is left alone: 0.
 */
int ak_root_key_put_in_place(const char *path, const uint8_t check[AK_KEY_BYTES],
                             apikeys_error *err);

#endif
