/* SPDX-License-Identifier: MIT */
/*
 * The revocation journal: an append-only file beside the database, never in a backup of it, which
 * names the keys that were revoked. This is the file alone: its format, its lock, reading and
 * appending. What it is compared with is store_history.h.
 *
 * Records of 64 bytes, little-endian:
 *    0  "AKJ" and a type
 *    4  zero
 *    8  the number of an event; of a key record, 8 bytes of the root key's check
 *   16  the event's ULID; of a key record, the wrapped journal key
 *   32  the revoked key's ULID, or zeros; of a key record, a nonce
 *   48  SipHash-2-4-128 of the bytes before, under the journal key
 *
 * The journal key is drawn with the file and stays the same for its life. A key record wraps it
 * under a subkey of one root key; a rotation appends another, so that the file is readable with the
 * new root key and, for a restored backup, with the old one.
 */
#ifndef AK_OPERATION_REVOCATION_JOURNAL_H
#define AK_OPERATION_REVOCATION_JOURNAL_H

#include "crypto/ids.h"

#include <stdbool.h>

enum { AK_JOURNAL_RECORD = 64, AK_JOURNAL_KEY_BYTES = AK_FINGERPRINT_BYTES };

enum ak_journal_type {
  AK_JOURNAL_KEY = 'K',
  AK_JOURNAL_REVOKED = 'R',
  AK_JOURNAL_SEEN = 'S' /* the newest event at some time; overwritten by the next record */
};

struct ak_journal_record {
  enum ak_journal_type type;
  int64_t event_number;
  char event_id[AK_ID_MAX];
  char key_id[AK_ID_MAX]; /* "": none */
};

/* -- The format: no files ---------------------------------------------------------------------- */

/* -1: an id is none of ours. */
int ak_journal_encode(uint8_t out[AK_JOURNAL_RECORD], const struct ak_journal_record *record,
                      const uint8_t key[AK_JOURNAL_KEY_BYTES]);

/* -1: not a record under this journal key. */
int ak_journal_decode(struct ak_journal_record *record, const uint8_t bytes[AK_JOURNAL_RECORD],
                      const uint8_t key[AK_JOURNAL_KEY_BYTES]);

/* A key record. `wrap`: the root key's subkey for journals; `check`: the root key's. */
void ak_journal_wrap(uint8_t out[AK_JOURNAL_RECORD], const uint8_t key[AK_JOURNAL_KEY_BYTES],
                     const uint8_t nonce[16], const uint8_t wrap[AK_KEY_BYTES],
                     const uint8_t check[AK_KEY_BYTES]);

/* The journal key out of the first key record of this root key; -1: there is none. */
int ak_journal_unwrap(uint8_t key[AK_JOURNAL_KEY_BYTES], const uint8_t *bytes, size_t length,
                      const uint8_t wrap[AK_KEY_BYTES], const uint8_t check[AK_KEY_BYTES]);

/*
 * Calls `visit` for each record that is no key record, as long as that gives 0. Bad records at the
 * end are torn ones and ignored; returns -1 if a good one follows a bad one. `good` gets the
 * length up to the end of the last good record.
 */
typedef int (*ak_journal_visitor)(const struct ak_journal_record *record, void *data);
int ak_journal_scan(const uint8_t *bytes, size_t length, const uint8_t key[AK_JOURNAL_KEY_BYTES],
                    ak_journal_visitor visit, void *data, size_t *good);

/* -- The file ---------------------------------------------------------------------------------- */

struct ak_journal_file {
  int descriptor;
  bool writable;
  int64_t size; /* when it was opened */
};

/* 0, or an errno. Locked against other writers if `write`; made, mode 0600, if `create` too. */
int ak_journal_open(struct ak_journal_file *file, const char *path, bool write, bool create);
void ak_journal_close(struct ak_journal_file *file);

/* All of it, allocated. 0, or an errno. */
int ak_journal_read(const struct ak_journal_file *file, uint8_t **bytes, size_t *length);

/*
 * The last good record that is no key record (`found` is false where there is none), and in `end`
 * where the next one belongs: behind the last good record, or over it if it only says what was
 * seen. 0, or an errno.
 */
int ak_journal_last(const struct ak_journal_file *file, const uint8_t key[AK_JOURNAL_KEY_BYTES],
                    struct ak_journal_record *last, bool *found, int64_t *end);

/* Writes whole records at `end` and cuts off what is torn behind them. 0, or an errno. */
int ak_journal_append(const struct ak_journal_file *file, int64_t end, const uint8_t *bytes,
                      size_t length);
int ak_journal_sync(const struct ak_journal_file *file, const char *path, bool is_new);

#endif
