/* SPDX-License-Identifier: MIT */
/*
 * A storage back-end on LMDB (https://www.symas.com/mdb), on the public headers of libapikeys
 * alone: proof that the contract in <apikeys/storage.h> is enough, and a start for one of your own.
 */
#ifndef LMDB_STORAGE_H
#define LMDB_STORAGE_H

#include <apikeys/storage.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fills `out` with a store in the file at `path`, which is made, mode 0600, if there is none;
 * beside it lie "<path>-lock" (LMDB's) and "<path>-writer" (ours). The file grows to at most
 * `map_bytes` (0: 1 GiB); then changes give APIKEYS_ERROR_STORAGE_FULL. A writer waits for others
 * at most `wait_ms`.
 *
 * Several processes of one host may have the file open, on a local file system. Codes are those of
 * apikeys_open_sqlite(): …_CANNOT_OPEN, …_FOREIGN_STORE, …_SCHEMA_NEWER, …_FORKED, …_READ_ONLY, …
 */
int lmdb_storage_open(apikeys_storage *out, const char *path, size_t map_bytes, int wait_ms);

#ifdef __cplusplus
}
#endif
#endif
