/* SPDX-License-Identifier: MIT */
/*
 * The revocation journal: a file beside the database, never in a backup of it, that names every
 * revoked key. When an old backup of the database is restored, the journal knows what it lacks.
 *
 * A header of 64 bytes, then entries of 64 bytes, all integers little-endian:
 *
 *   header   "AKJRNL1\n"  environment's ULID (16)  journal's id (16)  zeros (24)
 *   entry    event's number (8)  Unix ms (8)  event's ULID (16)  key's ULID or zeros (16)  checksum (16)
 *
 * The checksum is SipHash-2-4-128 of the 48 bytes before it, under a key of the journal's own, which
 * the environment's record keeps sealed under the root key. Entries are appended under flock(); a
 * torn last entry is cut off by the next append, and does not count.
 *
 * An entry with a key is on disk before the revocation is acknowledged. One without a key only notes
 * the newest event, at most once a second, is not synced, and is overwritten by the next entry. One
 * whose key's ULID is all ones is a mark: every revocation up to its event is in the journal. Between
 * marks entries may be out of order, because processes append after their commits.
 */
#ifndef AK_OPERATION_REVOCATION_JOURNAL_H
#define AK_OPERATION_REVOCATION_JOURNAL_H

#include "crypto/crypto.h"
#include "crypto/ids.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
  AK_JOURNAL_BYTES = 64, /* of a header, and of an entry */
  AK_JOURNAL_ID_BYTES = 16,
  AK_JOURNAL_RECENT = 64
};

struct ak_journal_entry {
  int64_t event_number;
  int64_t at_ms;
  uint8_t event[AK_ULID_BYTES];
  uint8_t key[AK_ULID_BYTES]; /* zeros: a note of the newest event */
};

struct ak_journal {
  pthread_mutex_t lock; /* guards the rest */
  char *path;           /* NULL: this environment has no journal */
  bool started;         /* id and key are known, and the file was there */
  uint8_t environment[AK_ULID_BYTES];
  uint8_t id[AK_JOURNAL_ID_BYTES];
  uint8_t key[AK_FINGERPRINT_BYTES];
  struct ak_journal_entry *pending; /* to be appended */
  size_t pending_count, pending_capacity;
  uint8_t recent[AK_JOURNAL_RECENT][AK_ULID_BYTES]; /* keys that this process appended last */
  size_t recent_next;
  int64_t noted_ms; /* when the newest event was noted last */
  bool unsynced;    /* entries were appended, and not synced yet */
  bool lost;        /* an entry was dropped for want of memory: behind for good */
  _Atomic bool behind;
};

/* Pure: an entry as bytes and back. False: the checksum is wrong. */
void ak_journal_encode(uint8_t out[AK_JOURNAL_BYTES], const struct ak_journal_entry *entry,
                       const uint8_t key[AK_FINGERPRINT_BYTES]);
bool ak_journal_decode(struct ak_journal_entry *entry, const uint8_t bytes[AK_JOURNAL_BYTES],
                       const uint8_t key[AK_FINGERPRINT_BYTES]);
bool ak_journal_has_key(const struct ak_journal_entry *entry);
bool ak_journal_is_mark(const struct ak_journal_entry *entry);
void ak_journal_set_mark(struct ak_journal_entry *entry);

void ak_journal_init(struct ak_journal *journal);
void ak_journal_release(struct ak_journal *journal);
/* In a forked child. */
void ak_journal_renew(struct ak_journal *journal);

/* The file as it is. `bytes` (to be freed) are whole entries. */
enum ak_journal_state {
  AK_JOURNAL_ABSENT,
  AK_JOURNAL_GOOD,      /* a header; the entries are not checked yet */
  AK_JOURNAL_UNREADABLE /* something else, or it cannot be read */
};
struct ak_journal_file {
  enum ak_journal_state state;
  uint8_t environment[AK_ULID_BYTES];
  uint8_t id[AK_JOURNAL_ID_BYTES];
  uint8_t *bytes;
  size_t count;
};
/* APIKEYS_OK, or APIKEYS_ERROR_NO_MEMORY. */
int ak_journal_load(const char *path, struct ak_journal_file *file);
void ak_journal_file_release(struct ak_journal_file *file);

/* Makes a new file with this journal's header. False: errno says why. */
bool ak_journal_create(const struct ak_journal *journal);
/* Moves a file that is another journal's out of the way, to `<path>.old.<8 hex digits>`. */
bool ak_journal_set_aside(const struct ak_journal *journal, const uint8_t id[AK_JOURNAL_ID_BYTES]);

/* Queues entries. `repeated`: leave out a key that this process appended a moment ago. */
void ak_journal_queue(struct ak_journal *journal, const struct ak_journal_entry *entries,
                      size_t count, bool repeated);
/* Queues a note of the newest event; false: there was one within the last second. */
bool ak_journal_note(struct ak_journal *journal, const struct ak_journal_entry *entry);
/*
 * Appends what is queued, and syncs it if asked. False: the file cannot be written; what is queued
 * stays so, and `behind` is set until it is appended.
 */
bool ak_journal_append(struct ak_journal *journal, bool sync);

/*
 * Puts a shorter file in place, without the entries of before this time, if that is at least half of
 * them. The last mark and the newest entry stay. False: the file is as it was.
 */
bool ak_journal_compact(struct ak_journal *journal, int64_t before_ms);

#endif
