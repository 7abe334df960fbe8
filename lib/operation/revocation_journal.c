/* SPDX-License-Identifier: MIT */
/* The revocation journal's format and file. Builds on flock(2) and the keyed hash of crypto.h. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* flock */
#endif
#include "operation/revocation_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- ULIDs as 16 bytes ------------------------------------------------------------------------- */

enum { JOURNAL_ULID_BYTES = 16 };
enum {
  JOURNAL_AT_TYPE = 3,
  JOURNAL_AT_NUMBER = 8,
  JOURNAL_AT_EVENT = 16,
  JOURNAL_AT_KEY = 32,
  JOURNAL_AT_TAG = 48
};

static const char journal_alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char journal_event_kind[] = "event_";
static const char journal_key_kind[] = "api_key_";

static int journal_ulid_to_bytes(uint8_t out[JOURNAL_ULID_BYTES], const char *id,
                                 const char *kind) {
  size_t prefix = strlen(kind);
  if (strncmp(id, kind, prefix) != 0 || ak_ulid_check(id + prefix, strlen(id + prefix)) != 0)
    return -1;
  uint64_t high = 0, low = 0;
  for (int i = 0; i < AK_ULID_LENGTH; i++) {
    const char *found = strchr(journal_alphabet, id[prefix + (size_t)i]);
    high = high << 5 | low >> 59;
    low = low << 5 | (uint64_t)(found - journal_alphabet);
  }
  for (int i = 0; i < 8; i++) {
    out[i] = (uint8_t)(high >> (56 - 8 * i));
    out[8 + i] = (uint8_t)(low >> (56 - 8 * i));
  }
  return 0;
}

static void journal_ulid_from_bytes(char out[AK_ID_MAX], const uint8_t bytes[JOURNAL_ULID_BYTES],
                                    const char *kind) {
  uint64_t high = 0, low = 0;
  for (int i = 0; i < 8; i++) {
    high = high << 8 | bytes[i];
    low = low << 8 | bytes[8 + i];
  }
  size_t prefix = strlen(kind);
  memcpy(out, kind, prefix);
  for (size_t i = AK_ULID_LENGTH; i > 0; i--) {
    out[prefix + i - 1] = journal_alphabet[low & 31];
    low = low >> 5 | high << 59;
    high >>= 5;
  }
  out[prefix + AK_ULID_LENGTH] = '\0';
}

/* -- Records ----------------------------------------------------------------------------------- */

static bool journal_all_zero(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

static void journal_begin(uint8_t out[AK_JOURNAL_RECORD], enum ak_journal_type type) {
  memset(out, 0, AK_JOURNAL_RECORD);
  memcpy(out, "AKJ", 3);
  out[JOURNAL_AT_TYPE] = (uint8_t)type;
}

static void journal_seal(uint8_t out[AK_JOURNAL_RECORD], const uint8_t key[AK_JOURNAL_KEY_BYTES]) {
  ak_fingerprint(out + JOURNAL_AT_TAG, out, JOURNAL_AT_TAG, key);
}

static bool journal_is_sealed(const uint8_t bytes[AK_JOURNAL_RECORD],
                              const uint8_t key[AK_JOURNAL_KEY_BYTES]) {
  uint8_t tag[AK_FINGERPRINT_BYTES];
  if (memcmp(bytes, "AKJ", 3) != 0)
    return false;
  ak_fingerprint(tag, bytes, JOURNAL_AT_TAG, key);
  return ak_secret_compare(tag, bytes + JOURNAL_AT_TAG, sizeof tag) == 0;
}

int ak_journal_encode(uint8_t out[AK_JOURNAL_RECORD], const struct ak_journal_record *record,
                      const uint8_t key[AK_JOURNAL_KEY_BYTES]) {
  journal_begin(out, record->type);
  for (int i = 0; i < 8; i++)
    out[JOURNAL_AT_NUMBER + i] = (uint8_t)((uint64_t)record->event_number >> (8 * i));
  if (journal_ulid_to_bytes(out + JOURNAL_AT_EVENT, record->event_id, journal_event_kind) != 0)
    return -1;
  if (record->key_id[0] != '\0' &&
      journal_ulid_to_bytes(out + JOURNAL_AT_KEY, record->key_id, journal_key_kind) != 0)
    return -1;
  journal_seal(out, key);
  return 0;
}

int ak_journal_decode(struct ak_journal_record *record, const uint8_t bytes[AK_JOURNAL_RECORD],
                      const uint8_t key[AK_JOURNAL_KEY_BYTES]) {
  uint64_t number = 0;
  if (!journal_is_sealed(bytes, key))
    return -1;
  for (int i = 7; i >= 0; i--)
    number = number << 8 | bytes[JOURNAL_AT_NUMBER + i];
  memset(record, 0, sizeof *record);
  record->type = bytes[JOURNAL_AT_TYPE];
  record->event_number = (int64_t)number;
  if (record->type == AK_JOURNAL_KEY)
    return 0;
  journal_ulid_from_bytes(record->event_id, bytes + JOURNAL_AT_EVENT, journal_event_kind);
  if (!journal_all_zero(bytes + JOURNAL_AT_KEY, JOURNAL_ULID_BYTES))
    journal_ulid_from_bytes(record->key_id, bytes + JOURNAL_AT_KEY, journal_key_kind);
  return 0;
}

/* -- The journal key --------------------------------------------------------------------------- */

/* Encrypts and decrypts: the keyed hash of a nonce is the key stream. */
static void journal_mask(uint8_t key[AK_JOURNAL_KEY_BYTES], const uint8_t *nonce,
                         const uint8_t wrap[AK_KEY_BYTES]) {
  uint8_t stream[AK_FINGERPRINT_BYTES];
  ak_fingerprint(stream, nonce, JOURNAL_ULID_BYTES, wrap);
  for (size_t i = 0; i < sizeof stream; i++)
    key[i] ^= stream[i];
  ak_wipe(stream, sizeof stream);
}

void ak_journal_wrap(uint8_t out[AK_JOURNAL_RECORD], const uint8_t key[AK_JOURNAL_KEY_BYTES],
                     const uint8_t nonce[16], const uint8_t wrap[AK_KEY_BYTES],
                     const uint8_t check[AK_KEY_BYTES]) {
  journal_begin(out, AK_JOURNAL_KEY);
  memcpy(out + JOURNAL_AT_NUMBER, check, 8);
  memcpy(out + JOURNAL_AT_EVENT, key, AK_JOURNAL_KEY_BYTES);
  memcpy(out + JOURNAL_AT_KEY, nonce, JOURNAL_ULID_BYTES);
  journal_mask(out + JOURNAL_AT_EVENT, nonce, wrap);
  journal_seal(out, key);
}

int ak_journal_unwrap(uint8_t key[AK_JOURNAL_KEY_BYTES], const uint8_t *bytes, size_t length,
                      const uint8_t wrap[AK_KEY_BYTES], const uint8_t check[AK_KEY_BYTES]) {
  for (size_t at = 0; at + AK_JOURNAL_RECORD <= length; at += AK_JOURNAL_RECORD) {
    const uint8_t *record = bytes + at;
    if (memcmp(record, "AKJK", 4) != 0 || memcmp(record + JOURNAL_AT_NUMBER, check, 8) != 0)
      continue;
    memcpy(key, record + JOURNAL_AT_EVENT, AK_JOURNAL_KEY_BYTES);
    journal_mask(key, record + JOURNAL_AT_KEY, wrap);
    if (journal_is_sealed(record, key))
      return 0;
  }
  ak_wipe(key, AK_JOURNAL_KEY_BYTES);
  return -1;
}

int ak_journal_scan(const uint8_t *bytes, size_t length, const uint8_t key[AK_JOURNAL_KEY_BYTES],
                    ak_journal_visitor visit, void *data, size_t *good) {
  bool bad = false;
  int answer = 0;
  *good = 0;
  for (size_t at = 0; at + AK_JOURNAL_RECORD <= length; at += AK_JOURNAL_RECORD) {
    struct ak_journal_record record;
    if (ak_journal_decode(&record, bytes + at, key) != 0) {
      bad = true;
      continue;
    }
    if (bad)
      return -1;
    *good = at + AK_JOURNAL_RECORD;
    if (record.type != AK_JOURNAL_KEY && answer == 0)
      answer = visit(&record, data);
  }
  return answer;
}

/* -- The file ---------------------------------------------------------------------------------- */

static int journal_open_once(struct ak_journal_file *file, const char *path, bool create) {
  int flags = (file->writable ? O_RDWR : O_RDONLY) | (create ? O_CREAT : 0);
  struct stat status;
  file->descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (file->descriptor < 0)
    return errno;
  int problem = 0;
  while (file->writable && (problem = flock(file->descriptor, LOCK_EX)) != 0 && errno == EINTR)
    ;
  if (problem == 0)
    problem = fstat(file->descriptor, &status);
  problem = problem != 0 ? errno : S_ISREG(status.st_mode) ? 0 : EINVAL;
  if (problem != 0)
    ak_journal_close(file);
  else
    file->size = status.st_size;
  return problem;
}

/* The file may have been renamed or removed while we waited for the lock. */
static bool journal_is_at_path(const struct ak_journal_file *file, const char *path) {
  struct stat opened, there;
  return fstat(file->descriptor, &opened) == 0 && lstat(path, &there) == 0 &&
         opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

int ak_journal_open(struct ak_journal_file *file, const char *path, bool write, bool create) {
  enum { TRIES = 10 };
  int problem = EAGAIN;
  file->writable = write;
  for (int i = 0; i < TRIES; i++) {
    problem = journal_open_once(file, path, create);
    if (problem != 0 || !write || journal_is_at_path(file, path))
      return problem;
    ak_journal_close(file);
    problem = EAGAIN;
  }
  return problem;
}

void ak_journal_close(struct ak_journal_file *file) {
  if (file->descriptor >= 0)
    close(file->descriptor);
  file->descriptor = -1;
}

static int journal_read_at(const struct ak_journal_file *file, int64_t at, uint8_t *bytes,
                           size_t length) {
  while (length > 0) {
    ssize_t got = pread(file->descriptor, bytes, length, at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return got < 0 ? errno : EIO;
    bytes += got;
    at += got;
    length -= (size_t)got;
  }
  return 0;
}

int ak_journal_read(const struct ak_journal_file *file, uint8_t **bytes, size_t *length) {
  size_t size = (size_t)file->size / AK_JOURNAL_RECORD * AK_JOURNAL_RECORD;
  uint8_t *read = malloc(size > 0 ? size : 1);
  if (read == NULL)
    return ENOMEM;
  int problem = journal_read_at(file, 0, read, size);
  if (problem != 0) {
    free(read);
    return problem;
  }
  *bytes = read;
  *length = size;
  return 0;
}

int ak_journal_last(const struct ak_journal_file *file, const uint8_t key[AK_JOURNAL_KEY_BYTES],
                    struct ak_journal_record *last, bool *found, int64_t *end) {
  uint8_t bytes[AK_JOURNAL_RECORD];
  int64_t at = file->size / AK_JOURNAL_RECORD * AK_JOURNAL_RECORD;
  *found = false;
  *end = -1;
  while (at > 0 && !*found) {
    at -= AK_JOURNAL_RECORD;
    int problem = journal_read_at(file, at, bytes, sizeof bytes);
    if (problem != 0)
      return problem;
    if (ak_journal_decode(last, bytes, key) != 0)
      continue; /* torn */
    *found = last->type != AK_JOURNAL_KEY;
    if (*end < 0)
      *end = last->type == AK_JOURNAL_SEEN ? at : at + AK_JOURNAL_RECORD;
  }
  return *end < 0 ? EIO : 0; /* not even a key record: not this journal */
}

int ak_journal_append(const struct ak_journal_file *file, int64_t end, const uint8_t *bytes,
                      size_t length) {
  int64_t at = end;
  for (size_t left = length; left > 0;) {
    ssize_t put = pwrite(file->descriptor, bytes, left, at);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return put < 0 ? errno : EIO;
    bytes += put;
    at += put;
    left -= (size_t)put;
  }
  return file->size > at && ftruncate(file->descriptor, at) != 0 ? errno : 0;
}

static int journal_sync_directory(const char *path) {
  const char *slash = strrchr(path, '/');
  char *folder = slash == NULL   ? strdup(".")
                 : slash == path ? strdup("/")
                                 : strndup(path, (size_t)(slash - path));
  if (folder == NULL)
    return ENOMEM;
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int problem = descriptor < 0 || fsync(descriptor) != 0 ? errno : 0;
  if (descriptor >= 0)
    close(descriptor);
  free(folder);
  return problem;
}

int ak_journal_sync(const struct ak_journal_file *file, const char *path, bool is_new) {
  if (fdatasync(file->descriptor) != 0)
    return errno;
  return is_new ? journal_sync_directory(path) : 0;
}
