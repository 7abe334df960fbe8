/* SPDX-License-Identifier: MIT */
/* The file of the revocation journal: entries as bytes, reading, appending under flock(). */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* flock */
#endif
#include "operation/revocation_journal.h"

#include "base/arithmetic.h"
#include "base/text.h"

#include <apikeys/error.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHECKED_BYTES = 48, PENDING_MAX = 65536, JOURNAL_PATH_ROOM = 4096 };

static const char journal_magic[8] = {'A', 'K', 'J', 'R', 'N', 'L', '1', '\n'};

/* -- Entries as bytes -------------------------------------------------------------------------- */

static void put_le64(uint8_t out[8], int64_t number) {
  for (int i = 0; i < 8; i++)
    out[i] = (uint8_t)((uint64_t)number >> 8 * i);
}

static int64_t get_le64(const uint8_t bytes[8]) {
  uint64_t number = 0;
  for (int i = 0; i < 8; i++)
    number |= (uint64_t)bytes[i] << 8 * i;
  return (int64_t)number;
}

void ak_journal_encode(uint8_t out[AK_JOURNAL_BYTES], const struct ak_journal_entry *entry,
                       const uint8_t key[AK_FINGERPRINT_BYTES]) {
  put_le64(out, entry->event_number);
  put_le64(out + 8, entry->at_ms);
  memcpy(out + 16, entry->event, AK_ULID_BYTES);
  memcpy(out + 32, entry->key, AK_ULID_BYTES);
  ak_fingerprint(out + CHECKED_BYTES, out, CHECKED_BYTES, key);
}

bool ak_journal_decode(struct ak_journal_entry *entry, const uint8_t bytes[AK_JOURNAL_BYTES],
                       const uint8_t key[AK_FINGERPRINT_BYTES]) {
  uint8_t expected[AK_FINGERPRINT_BYTES];
  ak_fingerprint(expected, bytes, CHECKED_BYTES, key);
  entry->event_number = get_le64(bytes);
  entry->at_ms = get_le64(bytes + 8);
  memcpy(entry->event, bytes + 16, AK_ULID_BYTES);
  memcpy(entry->key, bytes + 32, AK_ULID_BYTES);
  return ak_fingerprint_compare(expected, bytes + CHECKED_BYTES) == 0;
}

bool ak_journal_has_key(const struct ak_journal_entry *entry) {
  static const uint8_t none[AK_ULID_BYTES];
  return memcmp(entry->key, none, sizeof none) != 0 && !ak_journal_is_mark(entry);
}

bool ak_journal_is_mark(const struct ak_journal_entry *entry) {
  struct ak_journal_entry mark;
  ak_journal_set_mark(&mark);
  return memcmp(entry->key, mark.key, sizeof mark.key) == 0; /* ids are public */
}

/* No id has these bytes: its time would be in the year 10889. */
void ak_journal_set_mark(struct ak_journal_entry *entry) {
  memset(entry->key, 0xff, sizeof entry->key);
}

static void make_header(uint8_t out[AK_JOURNAL_BYTES], const struct ak_journal *journal) {
  memset(out, 0, AK_JOURNAL_BYTES);
  memcpy(out, journal_magic, sizeof journal_magic);
  memcpy(out + 8, journal->environment, AK_ULID_BYTES);
  memcpy(out + 24, journal->id, AK_JOURNAL_ID_BYTES);
}

/* -- The handle -------------------------------------------------------------------------------- */

void ak_journal_init(struct ak_journal *journal) {
  memset(journal, 0, sizeof *journal);
  pthread_mutex_init(&journal->lock, NULL);
}

void ak_journal_renew(struct ak_journal *journal) {
  pthread_mutex_init(&journal->lock, NULL);
}

void ak_journal_release(struct ak_journal *journal) {
  free(journal->pending);
  free(journal->path);
  ak_wipe(journal->key, sizeof journal->key);
  pthread_mutex_destroy(&journal->lock);
}

/* Waits a bounded time: a process that was stopped while it holds the lock must not hold up the
 * revocations of all others. They count as "behind" then, and the next ones do not wait again. */
static bool lock_journal(int fd, int how, bool wait) {
  static const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
  enum { TRIES = 400 }; /* two seconds */
  for (int i = 0; i < (wait ? TRIES : 1); i++) {
    if (flock(fd, how | LOCK_NB) == 0)
      return true;
    if (errno == EWOULDBLOCK)
      nanosleep(&pause, NULL);
    else if (errno != EINTR)
      return false;
  }
  return false;
}

/* -- Reading ----------------------------------------------------------------------------------- */

static bool read_journal(int fd, uint8_t *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    ssize_t got = read(fd, bytes + at, size - at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    at += (size_t)got;
  }
  return true;
}

/* `bytes` is the whole file: keeps the entries, without a torn last one. */
static void take_file(struct ak_journal_file *file, uint8_t *bytes, size_t size) {
  if (size < AK_JOURNAL_BYTES || memcmp(bytes, journal_magic, sizeof journal_magic) != 0) {
    free(bytes);
    return;
  }
  memcpy(file->environment, bytes + 8, AK_ULID_BYTES);
  memcpy(file->id, bytes + 24, AK_JOURNAL_ID_BYTES);
  file->count = size / AK_JOURNAL_BYTES - 1;
  memmove(bytes, bytes + AK_JOURNAL_BYTES, file->count * AK_JOURNAL_BYTES);
  file->bytes = bytes;
  file->state = AK_JOURNAL_GOOD;
}

int ak_journal_load(const char *path, struct ak_journal_file *file) {
  memset(file, 0, sizeof *file);
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    file->state = errno == ENOENT ? AK_JOURNAL_ABSENT : AK_JOURNAL_UNREADABLE;
    return APIKEYS_OK;
  }
  struct stat status;
  file->state = AK_JOURNAL_UNREADABLE;
  int rc = APIKEYS_OK;
  if (lock_journal(fd, LOCK_SH, true) && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL)
      rc = APIKEYS_ERROR_NO_MEMORY;
    else if (read_journal(fd, bytes, size))
      take_file(file, bytes, size);
    else
      free(bytes);
  }
  close(fd);
  return rc;
}

void ak_journal_file_release(struct ak_journal_file *file) {
  free(file->bytes);
  file->bytes = NULL;
}

/* -- Making ------------------------------------------------------------------------------------ */

static bool write_journal(int fd, const uint8_t *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    ssize_t put = write(fd, bytes + at, size - at);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    at += (size_t)put;
  }
  return true;
}

static bool sync_folder(const char *path) {
  char folder[JOURNAL_PATH_ROOM];
  const char *slash = strrchr(path, '/');
  int length = slash == NULL ? 0 : slash == path ? 1 : (int)(slash - path);
  if (length >= JOURNAL_PATH_ROOM)
    return false;
  snprintf(folder, sizeof folder, "%.*s", length > 0 ? length : 1, length > 0 ? path : ".");
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return false;
  bool good = fsync(fd) == 0 || errno == EINVAL;
  close(fd);
  return good;
}

bool ak_journal_create(const struct ak_journal *journal) {
  uint8_t header[AK_JOURNAL_BYTES];
  make_header(header, journal);
  int fd = open(journal->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return false;
  bool good = write_journal(fd, header, sizeof header) && fsync(fd) == 0;
  close(fd);
  if (good && sync_folder(journal->path))
    return true;
  unlink(journal->path);
  return false;
}

bool ak_journal_set_aside(const struct ak_journal *journal, const uint8_t id[AK_JOURNAL_ID_BYTES]) {
  char hex[9], aside[JOURNAL_PATH_ROOM];
  ak_hex_text(hex, id, 4);
  int written = snprintf(aside, sizeof aside, "%s.old.%s", journal->path, hex);
  return written > 0 && written < JOURNAL_PATH_ROOM && rename(journal->path, aside) == 0;
}

/* -- Appending --------------------------------------------------------------------------------- */

static bool was_recent(const struct ak_journal *journal, const uint8_t key[AK_ULID_BYTES]) {
  for (size_t i = 0; i < AK_JOURNAL_RECENT; i++)
    if (memcmp(journal->recent[i], key, AK_ULID_BYTES) == 0)
      return true;
  return false;
}

static bool make_pending_room(struct ak_journal *journal) {
  if (journal->pending_count < journal->pending_capacity)
    return true;
  size_t capacity = journal->pending_capacity > 0 ? journal->pending_capacity * 2 : 16;
  struct ak_journal_entry *larger =
      capacity <= PENDING_MAX ? realloc(journal->pending, capacity * sizeof *larger) : NULL;
  if (larger == NULL)
    return false;
  journal->pending = larger;
  journal->pending_capacity = capacity;
  return true;
}

static void queue_one(struct ak_journal *journal, const struct ak_journal_entry *entry) {
  if (!make_pending_room(journal)) {
    journal->lost = true;
    atomic_store(&journal->behind, true);
    return;
  }
  journal->pending[journal->pending_count++] = *entry;
  if (!ak_journal_has_key(entry))
    return;
  memcpy(journal->recent[journal->recent_next], entry->key, AK_ULID_BYTES);
  journal->recent_next = (journal->recent_next + 1) % AK_JOURNAL_RECENT;
}

void ak_journal_queue(struct ak_journal *journal, const struct ak_journal_entry *entries,
                      size_t count, bool repeated) {
  pthread_mutex_lock(&journal->lock);
  for (size_t i = 0; journal->started && i < count; i++)
    if (!repeated || !was_recent(journal, entries[i].key))
      queue_one(journal, &entries[i]);
  pthread_mutex_unlock(&journal->lock);
}

bool ak_journal_note(struct ak_journal *journal, const struct ak_journal_entry *entry) {
  enum { NOTE_EVERY_MS = 1000 };
  pthread_mutex_lock(&journal->lock);
  int64_t age = ak_difference(entry->at_ms, journal->noted_ms);
  bool due = journal->started && (age >= NOTE_EVERY_MS || age < 0);
  if (due) {
    journal->noted_ms = entry->at_ms;
    queue_one(journal, entry);
  }
  pthread_mutex_unlock(&journal->lock);
  return due;
}

/* Is the open file still the one at the path? */
static bool is_at_journal_path(const struct ak_journal *journal, int fd) {
  struct stat status, at_path;
  return fstat(fd, &status) == 0 && lstat(journal->path, &at_path) == 0 &&
         status.st_ino == at_path.st_ino && status.st_dev == at_path.st_dev;
}

static bool has_this_header(const struct ak_journal *journal, int fd) {
  uint8_t header[AK_JOURNAL_BYTES], expected[AK_JOURNAL_BYTES];
  make_header(expected, journal);
  return pread(fd, header, sizeof header, 0) == (ssize_t)sizeof header &&
         memcmp(header, expected, sizeof header) == 0;
}

/* Locked, or -1. Another process may have put a shorter file in place while we waited. */
static int open_to_append(const struct ak_journal *journal) {
  enum { TRIES = 10 };
  for (int i = 0; i < TRIES; i++) {
    int fd = open(journal->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
      return -1;
    bool locked = lock_journal(fd, LOCK_EX, !atomic_load(&journal->behind));
    bool at_path = locked && is_at_journal_path(journal, fd);
    if (at_path && has_this_header(journal, fd))
      return fd;
    close(fd);
    if (!locked || at_path)
      return -1;
  }
  return -1;
}

/* Where the next entry belongs: behind the last good one, or over it where it is but a note. A power
 * cut may leave several torn entries. -1: the file cannot be read. */
static off_t end_of_entries(const struct ak_journal *journal, int fd) {
  struct stat status;
  struct ak_journal_entry last;
  uint8_t bytes[AK_JOURNAL_BYTES];
  if (fstat(fd, &status) != 0)
    return -1;
  off_t end = status.st_size - status.st_size % AK_JOURNAL_BYTES;
  for (; end > AK_JOURNAL_BYTES; end -= AK_JOURNAL_BYTES) {
    off_t at = end - AK_JOURNAL_BYTES;
    if (pread(fd, bytes, sizeof bytes, at) != (ssize_t)sizeof bytes)
      return -1;
    if (ak_journal_decode(&last, bytes, journal->key))
      return ak_journal_has_key(&last) || ak_journal_is_mark(&last) ? end : at;
  }
  return end;
}

static bool append_at_end(const struct ak_journal *journal, int fd) {
  off_t end = end_of_entries(journal, fd);
  size_t bytes = journal->pending_count * AK_JOURNAL_BYTES;
  uint8_t *text = end >= 0 ? malloc(bytes) : NULL;
  if (text == NULL)
    return false;
  for (size_t i = 0; i < journal->pending_count; i++)
    ak_journal_encode(text + i * AK_JOURNAL_BYTES, &journal->pending[i], journal->key);
  bool good =
      ftruncate(fd, end) == 0 && lseek(fd, end, SEEK_SET) == end && write_journal(fd, text, bytes);
  if (!good && ftruncate(fd, end) != 0) { /* what was written of it is torn, and does not count */
  }
  free(text);
  return good;
}

bool ak_journal_append(struct ak_journal *journal, bool sync) {
  bool good = true;
  pthread_mutex_lock(&journal->lock);
  sync = sync || atomic_load(&journal->behind); /* what could not be written may be revocations */
  /* Another thread may have appended our entry beside a note of its own, without a sync. */
  if (journal->started && (journal->pending_count > 0 || (sync && journal->unsynced))) {
    int fd = open_to_append(journal);
    good = fd >= 0 && (journal->pending_count == 0 || append_at_end(journal, fd));
    if (good && journal->pending_count > 0) {
      journal->pending_count = 0;
      journal->unsynced = true;
    }
    if (good && sync) {
      good = fdatasync(fd) == 0;
      journal->unsynced = !good;
    }
    if (fd >= 0)
      close(fd); /* gives the lock back */
    atomic_store(&journal->behind, !good || journal->lost);
  }
  pthread_mutex_unlock(&journal->lock);
  return good;
}

/* -- Compaction -------------------------------------------------------------------------------- */

/* The whole file; `size` without a torn end. NULL: it cannot be read. */
static uint8_t *read_whole_journal(int fd, size_t *size) {
  struct stat status;
  if (fstat(fd, &status) != 0 || lseek(fd, 0, SEEK_SET) != 0)
    return NULL;
  *size = (size_t)status.st_size / AK_JOURNAL_BYTES * AK_JOURNAL_BYTES;
  uint8_t *bytes = malloc(*size + 1);
  if (bytes != NULL && read_journal(fd, bytes, *size))
    return bytes;
  free(bytes);
  return NULL;
}

/* Moves what stays to the front; returns its size. A damaged entry stays: it is an alarm. */
static size_t keep_young(const struct ak_journal *journal, uint8_t *bytes, size_t size,
                         int64_t before_ms) {
  size_t kept = AK_JOURNAL_BYTES, mark = 0, newest = 0;
  int64_t number = INT64_MIN;
  struct ak_journal_entry entry;
  for (size_t at = AK_JOURNAL_BYTES; at < size; at += AK_JOURNAL_BYTES) {
    if (!ak_journal_decode(&entry, bytes + at, journal->key))
      continue;
    mark = ak_journal_is_mark(&entry) ? at : mark;
    newest = entry.event_number >= number ? at : newest;
    number = entry.event_number >= number ? entry.event_number : number;
  }
  for (size_t at = AK_JOURNAL_BYTES; at < size; at += AK_JOURNAL_BYTES) {
    bool good = ak_journal_decode(&entry, bytes + at, journal->key);
    if (good && entry.at_ms < before_ms && at != mark && at != newest)
      continue;
    memmove(bytes + kept, bytes + at, AK_JOURNAL_BYTES);
    kept += AK_JOURNAL_BYTES;
  }
  return kept;
}

static bool put_in_journals_place(const struct ak_journal *journal, const uint8_t *bytes,
                                  size_t size) {
  char beside[JOURNAL_PATH_ROOM];
  int length = snprintf(beside, sizeof beside, "%s.new", journal->path);
  if (length < 0 || length >= JOURNAL_PATH_ROOM)
    return false;
  int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return false;
  bool good = write_journal(fd, bytes, size) && fsync(fd) == 0;
  close(fd);
  if (good && rename(beside, journal->path) == 0)
    return sync_folder(journal->path);
  unlink(beside);
  return false;
}

/* Who waits for the lock meanwhile sees that the path has another file, and opens that. */
bool ak_journal_compact(struct ak_journal *journal, int64_t before_ms) {
  enum { WORTH_BYTES = 64 * AK_JOURNAL_BYTES };
  bool done = false;
  pthread_mutex_lock(&journal->lock);
  int fd = journal->started ? open_to_append(journal) : -1;
  size_t size = 0;
  uint8_t *bytes = fd >= 0 ? read_whole_journal(fd, &size) : NULL;
  if (bytes != NULL && size > WORTH_BYTES) {
    size_t kept = keep_young(journal, bytes, size, before_ms);
    done = size - kept >= kept && put_in_journals_place(journal, bytes, kept);
  }
  free(bytes);
  if (fd >= 0)
    close(fd);
  pthread_mutex_unlock(&journal->lock);
  return done;
}
