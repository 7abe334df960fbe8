/* SPDX-License-Identifier: MIT */
/* Reads, makes and writes the root key, and derives all other keys from it. */
#include "operation/root_key.h"

#include "base/error.h"
#include "base/text.h"
#include "operation/root_key_mount.h"
#include "storage/storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* crypto_kdf contexts and subkey numbers: part of the format, never changed. */
static const char kdf_context[8] = {'a', 'p', 'i', 'k', 'e', 'y', 's', '1'};
enum { SUBKEY_CHECK = 1, SUBKEY_SEAL = 2, SUBKEY_WIDGET_TOKEN = 3, SUBKEY_DOCUMENT = 4 };

void ak_secrets_derive(struct ak_secrets *secrets) {
  ak_derive_key(secrets->check, secrets->root, SUBKEY_CHECK, kdf_context);
  ak_derive_key(secrets->seal, secrets->root, SUBKEY_SEAL, kdf_context);
  ak_derive_key(secrets->token, secrets->root, SUBKEY_WIDGET_TOKEN, kdf_context);
  ak_derive_key(secrets->document, secrets->root, SUBKEY_DOCUMENT, kdf_context);
}

int ak_secrets_check(const struct ak_secrets *secrets, const void *check, size_t length) {
  if (length != sizeof secrets->check || ak_secret_compare(secrets->check, check, length) != 0)
    return APIKEYS_ERROR_ROOT_KEY_WRONG;
  return APIKEYS_OK;
}

static int open_failed(const char *path, apikeys_error *err) {
  if (errno == ENOENT || errno == ENOTDIR)
    return ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_MISSING, "root_key",
                        "expected in the file %s, which is not there", path);
  return ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_MISSING, "root_key", "%s cannot be read: %s",
                      path, strerror(errno));
}

/* Reads up to `size` bytes; fewer only at the end of the file. -1 with errno on failure. */
static ssize_t read_all(int descriptor, uint8_t *bytes, size_t size) {
  size_t used = 0;
  while (used < size) {
    ssize_t got = read(descriptor, bytes + used, size - used);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -1;
    if (got == 0)
      break;
    used += (size_t)got;
  }
  return (ssize_t)used;
}

static int read_descriptor(struct ak_secrets *secrets, int descriptor, const char *path,
                           apikeys_error *err) {
  struct stat status;
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_MALFORMED, "root_key",
                        "%s is not a regular file", path);
  if (!ak_root_key_may_have_mode(&status))
    return ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_EXPOSED, "root_key",
                        "%s is accessible to other users (mode %03o); make it 600", path,
                        (unsigned)(status.st_mode & 0777));
  if (status.st_size != AK_KEY_BYTES ||
      read_all(descriptor, secrets->root, AK_KEY_BYTES) != AK_KEY_BYTES)
    return ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_MALFORMED, "root_key",
                        "%s holds %lld bytes instead of 32", path, (long long)status.st_size);
  return APIKEYS_OK;
}

/* A mounted secret is swapped by its links: the directory that one led to may be gone by now. */
static int open_file(const char *path) {
  enum { TRIES = 3 };
  int descriptor = -1;
  for (int i = 0; i < TRIES && descriptor < 0; i++) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 && errno != ENOENT)
      break;
  }
  return descriptor;
}

static int read_file(struct ak_secrets *secrets, const char *path, apikeys_error *err) {
  int descriptor = open_file(path);
  if (descriptor < 0)
    return open_failed(path, err);
  int rc = read_descriptor(secrets, descriptor, path, err);
  close(descriptor);
  return rc;
}

int ak_root_key_read(struct ak_secrets *secrets, const apikeys_options *options,
                     const uint8_t *check, apikeys_error *err) {
  switch (options->root_source) {
  case AK_ROOT_BYTES:
    memcpy(secrets->root, options->root_key, AK_KEY_BYTES);
    return APIKEYS_OK;
  case AK_ROOT_CALLBACK: {
    ak_callback_enter();
    int failed = options->root_callback(secrets->root, check, options->root_data->user_data);
    ak_callback_leave();
    if (failed == 0)
      return APIKEYS_OK;
    return ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_MISSING, "root_key", "the callback gave none");
  }
  case AK_ROOT_FILE:
    return read_file(secrets, options->root_path, err);
  default:
    return ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_MISSING, "root_key",
                        "the options name no root key");
  }
}

static int write_all(int descriptor, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t put = write(descriptor, bytes, length);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return -1;
    bytes += put;
    length -= (size_t)put;
  }
  return 0;
}

enum { PATH_ROOM = 4096 };

/* The name of a new file is on disk only when its directory is. */
static int sync_directory(const char *path) {
  char directory[PATH_ROOM]; /* not allocated: a rotation that has committed must not fail here */
  int length = snprintf(directory, sizeof directory, "%s", path);
  if (length < 0 || (size_t)length >= sizeof directory)
    return -1;
  char *slash = strrchr(directory, '/');
  if (slash == NULL)
    memcpy(directory, ".", 2);
  else
    slash[slash == directory ? 1 : 0] = '\0';
  int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return -1;
  int rc = fsync(descriptor);
  close(descriptor);
  return rc;
}

static int write_failed(const char *path, apikeys_error *err) {
  int code = APIKEYS_ERROR_STORAGE;
  if (errno == EEXIST)
    code = APIKEYS_ERROR_EXISTS;
  else if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
    code = APIKEYS_ERROR_STORAGE_FULL;
  else if (errno == EACCES || errno == EPERM || errno == EROFS)
    code = APIKEYS_ERROR_READ_ONLY;
  else if (errno == ENOMEM)
    code = APIKEYS_ERROR_NO_MEMORY;
  return ak_error_set(err, code, "root_key", "%s cannot be written: %s", path, strerror(errno));
}

int ak_root_key_write(const struct ak_secrets *secrets, const char *path, apikeys_error *err) {
  int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return write_failed(path, err);
  int failed = write_all(descriptor, secrets->root, AK_KEY_BYTES) != 0 || fsync(descriptor) != 0;
  int rc = failed ? write_failed(path, err) : APIKEYS_OK;
  close(descriptor);
  if (!failed && sync_directory(path) != 0) {
    failed = 1;
    rc = write_failed(path, err);
  }
  if (failed)
    unlink(path);
  return rc;
}

/* -- The files of a rotation ------------------------------------------------------------------- */

/* Of an older version of the library, whose rotation died: `<path>.next`. */
static int read_old_next(struct ak_secrets *secrets, const char *path, char next[PATH_ROOM]) {
  int written = snprintf(next, PATH_ROOM, "%s.next", path);
  return written > 0 && written < PATH_ROOM ? read_file(secrets, next, NULL)
                                            : APIKEYS_ERROR_ROOT_KEY_MISSING;
}

static int root_key_name_of(char out[PATH_ROOM], const char *path,
                            const uint8_t check[AK_KEY_BYTES]) {
  char hex[2 * AK_ROOT_NAME_BYTES + 1];
  ak_hex_text(hex, check, AK_ROOT_NAME_BYTES);
  int written = snprintf(out, PATH_ROOM, "%s.%s", path, hex);
  return written > 0 && written < PATH_ROOM ? 0 : -1;
}

int ak_root_key_write_named(const struct ak_secrets *secrets, const char *path,
                            apikeys_error *err) {
  char named[PATH_ROOM];
  if (root_key_name_of(named, path, secrets->check) != 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "root_key", "its path is too long");
  return ak_root_key_write(secrets, named, err);
}

void ak_root_key_drop_named(const struct ak_secrets *secrets, const char *path) {
  char named[PATH_ROOM];
  if (root_key_name_of(named, path, secrets->check) == 0)
    unlink(named);
}

static bool root_key_fits(int rc, struct ak_secrets *read, const uint8_t check[AK_KEY_BYTES]) {
  if (rc != APIKEYS_OK)
    return false;
  ak_secrets_derive(read);
  return ak_secrets_check(read, check, AK_KEY_BYTES) == APIKEYS_OK;
}

static bool file_holds(const char *path, const uint8_t check[AK_KEY_BYTES]) {
  struct ak_secrets *read = ak_secret_alloc(sizeof *read);
  bool holds = read != NULL && root_key_fits(read_file(read, path, NULL), read, check);
  ak_secret_free(read);
  return holds;
}

int ak_root_key_expect_named(const struct ak_secrets *secrets, const char *path,
                             apikeys_error *err) {
  char named[PATH_ROOM];
  if (root_key_name_of(named, path, secrets->check) != 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "root_key", "its path is too long");
  return file_holds(named, secrets->check)
             ? APIKEYS_OK
             : ak_error_set(err, APIKEYS_ERROR_ROOT_KEY_MISSING, "root_key",
                            "expected in the file %s: add the new root key to the mounted secret "
                            "under this name first",
                            named);
}

bool ak_root_key_is_named(const struct ak_secrets *secrets, const char *path) {
  char named[PATH_ROOM];
  return root_key_name_of(named, path, secrets->check) == 0 && access(named, F_OK) == 0;
}

/* `<path>.old.` and the check: what the file held before a rotation, for backups of that time. */
static int name_of_old(char out[PATH_ROOM], const char *path, const uint8_t check[AK_KEY_BYTES]) {
  char old[PATH_ROOM];
  int written = snprintf(old, sizeof old, "%s.old", path);
  return written > 0 && written < PATH_ROOM ? root_key_name_of(out, old, check) : -1;
}

static bool is_old(const char *path, const uint8_t check[AK_KEY_BYTES]) {
  char old[PATH_ROOM];
  return name_of_old(old, path, check) == 0 && file_holds(old, check);
}

int ak_root_key_keep_old(const char *path, apikeys_error *err) {
  char old[PATH_ROOM];
  struct ak_secrets *read = ak_secret_alloc(sizeof *read);
  int rc = read == NULL ? ak_error_code(err, APIKEYS_ERROR_NO_MEMORY) : read_file(read, path, err);
  if (rc == APIKEYS_OK) {
    ak_secrets_derive(read);
    if (name_of_old(old, path, read->check) != 0)
      rc = ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "root_key", "its path is too long");
    else if (!file_holds(old, read->check)) {
      unlink(old); /* cut short by a crash: the key itself is still in the file */
      rc = ak_root_key_write(read, old, err);
    }
  }
  ak_secret_free(read);
  return rc;
}

/* A file named as the next root key's by its own check, or one too short to hold any. */
static void sweep_one(const char *path, const char *named, struct ak_secrets *read) {
  char by_check[PATH_ROOM], old[PATH_ROOM];
  struct stat status;
  if (lstat(named, &status) != 0 || !S_ISREG(status.st_mode))
    return;
  if (status.st_size < AK_KEY_BYTES) {
    unlink(named);
    return;
  }
  if (read_file(read, named, NULL) != APIKEYS_OK)
    return;
  ak_secrets_derive(read);
  if (root_key_name_of(by_check, path, read->check) != 0 || strcmp(by_check, named) != 0 ||
      name_of_old(old, path, read->check) != 0)
    return;
  if (link(named, old) == 0 || errno == EEXIST)
    unlink(named);
}

void ak_root_key_sweep_named(const char *path, const uint8_t check[AK_KEY_BYTES]) {
  enum { DIGITS = 2 * AK_ROOT_NAME_BYTES };
  char directory[PATH_ROOM], current[PATH_ROOM], named[PATH_ROOM];
  const char *slash = strrchr(path, '/');
  const char *file = slash != NULL ? slash + 1 : path;
  size_t length = strlen(file), before = (size_t)(file - path);
  if (root_key_name_of(current, path, check) != 0 || before >= sizeof directory)
    return;
  memcpy(directory, path, before);
  directory[before] = '\0';
  struct ak_secrets *read = ak_secret_alloc(sizeof *read);
  DIR *entries = read != NULL ? opendir(before > 0 ? directory : ".") : NULL;
  for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
    const char *name = entry->d_name;
    if (strncmp(name, file, length) != 0 || name[length] != '.' ||
        strspn(name + length + 1, "0123456789abcdef") != DIGITS ||
        name[length + 1 + DIGITS] != '\0')
      continue;
    int written = snprintf(named, sizeof named, "%s%s", directory, name);
    if (written > 0 && written < PATH_ROOM && strcmp(named, current) != 0)
      sweep_one(path, named, read);
  }
  if (entries != NULL)
    closedir(entries);
  ak_secret_free(read);
}

/* The named file may become the file between two looks: so that one comes first and last. */
int ak_root_key_find(struct ak_secrets *secrets, const char *path,
                     const uint8_t check[AK_KEY_BYTES]) {
  char named[PATH_ROOM];
  bool has_name = root_key_name_of(named, path, check) == 0;
  for (int i = 0; i < 2; i++) {
    if (has_name && root_key_fits(read_file(secrets, named, NULL), secrets, check))
      return APIKEYS_OK;
    if (root_key_fits(read_file(secrets, path, NULL), secrets, check))
      return APIKEYS_OK;
  }
  if (root_key_fits(read_old_next(secrets, path, named), secrets, check))
    return APIKEYS_OK;
  has_name = name_of_old(named, path, check) == 0;
  return has_name && root_key_fits(read_file(secrets, named, NULL), secrets, check)
             ? APIKEYS_OK
             : APIKEYS_ERROR_ROOT_KEY_WRONG;
}

int ak_root_key_put_in_place(const char *path, const uint8_t check[AK_KEY_BYTES],
                             apikeys_error *err) {
  char named[PATH_ROOM];
  if (file_holds(path, check))
    return APIKEYS_OK; /* another process, or an open, was faster */
  if (ak_root_key_is_mounted(path))
    return APIKEYS_OK; /* not ours to write: the named file is a part of the mounted secret */
  struct ak_secrets *next = ak_secret_alloc(sizeof *next);
  bool is_next = next != NULL && root_key_fits(read_old_next(next, path, named), next, check);
  ak_secret_free(next);
  if (!is_next && root_key_name_of(named, path, check) != 0)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "root_key", "its path is too long");
  if (rename(named, path) != 0 && !file_holds(path, check)) {
    int rc = write_failed(path, err);
    return is_old(path, check) ? APIKEYS_OK
                               : rc; /* a restored backup's: the file stays a later one */
  }
  return sync_directory(path) == 0 ? APIKEYS_OK : write_failed(path, err);
}
