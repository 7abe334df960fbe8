/* SPDX-License-Identifier: MIT */
/* Paths of databases, and which files this process and its ancestors have open. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "storage/sqlite/private.h"

#include "base/error.h"
#include "base/fork_guard.h"
#include "storage/mount_point.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Messages hold 511 bytes; a path may be longer. */
#define QUOTED "'%.300s'"

/* ------------------------------------------------------------------------------- the list ----- */

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t list_once = PTHREAD_ONCE_INIT;
static struct ak_sqlite_file *sqlite_file_list;

static void lock_list(void) {
  pthread_mutex_lock(&list_lock);
}

static void unlock_list(void) {
  pthread_mutex_unlock(&list_lock);
}

/* A fork waits for the lock, which is never held for long: the child finds the list whole. */
static void guard_list(void) {
  pthread_atfork(lock_list, unlock_list, unlock_list);
}

void ak_sqlite_files_lock(void) {
  pthread_once(&list_once, guard_list);
  lock_list();
}

void ak_sqlite_files_unlock(void) {
  unlock_list();
}

static int sqlite_file_claim(struct ak_sqlite_file *file) {
  uint64_t mine = ak_process_stamp();
  for (const struct ak_sqlite_file *other = sqlite_file_list; other != NULL; other = other->next)
    if (other->device == file->device && other->inode == file->inode && other->stamp != 0 &&
        other->stamp != mine)
      return APIKEYS_ERROR_FORKED;
  file->stamp = mine;
  return APIKEYS_OK;
}

int ak_sqlite_file_resume(struct ak_sqlite_file *file) {
  ak_sqlite_files_lock();
  int rc = sqlite_file_claim(file);
  ak_sqlite_files_unlock();
  return rc;
}

void ak_sqlite_file_rest(struct ak_sqlite_file *file) {
  ak_sqlite_files_lock();
  file->stamp = 0;
  ak_sqlite_files_unlock();
}

void ak_sqlite_file_abandon(struct ak_sqlite_file *file, void *holder) {
  ak_sqlite_files_lock();
  file->abandoned = holder;
  ak_sqlite_files_unlock();
}

static void free_file(struct ak_sqlite_file *file) {
  if (file == NULL)
    return;
  free(file->path);
  free(file);
}

void ak_sqlite_file_close(struct ak_sqlite_file *file) {
  if (file == NULL)
    return;
  ak_sqlite_files_lock();
  struct ak_sqlite_file **at = &sqlite_file_list;
  while (*at != NULL && *at != file)
    at = &(*at)->next;
  if (*at != NULL)
    *at = file->next;
  ak_sqlite_files_unlock();
  free_file(file);
}

/* ------------------------------------------------------------------------------- the path ----- */

/* strerror() is not safe among threads, and says less. */
static const char *reason(int code) {
  switch (code) {
  case EACCES:
  case EPERM:
    return "permission denied";
  case ENOENT:
    return "no such directory";
  case ENOTDIR:
    return "a part of the path is not a directory";
  case ELOOP:
    return "too many symbolic links";
  case EROFS:
    return "a read-only file system";
  case ENOSPC:
  case EDQUOT:
    return "no space left";
  case EMFILE:
  case ENFILE:
    return "too many open files";
  default:
    return "a failure of the system";
  }
}

static int code_for(int code) {
  switch (code) {
  case ENOMEM:
    return APIKEYS_ERROR_NO_MEMORY;
  case EROFS:
    return APIKEYS_ERROR_READ_ONLY;
  case ENOSPC:
  case EDQUOT:
    return APIKEYS_ERROR_STORAGE_FULL;
  default:
    return APIKEYS_ERROR_CANNOT_OPEN;
  }
}

static int fail_with(apikeys_error *err, const char *what, const char *path, int code) {
  return ak_error_set(err, code_for(code), "", "%s " QUOTED ": %s (%d)", what, path, reason(code),
                      code);
}

static int check_text(const char *path, apikeys_error *err) {
  const int code = APIKEYS_ERROR_INVALID_ARGUMENT;
  if (path == NULL || path[0] == '\0')
    return ak_error_set(err, code, "path", "must not be empty");
  if (strnlen(path, PATH_MAX) >= PATH_MAX)
    return ak_error_set(err, code, "path", "must be shorter than %d bytes", PATH_MAX);
  if (strcmp(path, ":memory:") == 0)
    return ak_error_set(err, code, "path", "\":memory:\" is not a file; there is a memory store");
  if (strncmp(path, "file:", 5) == 0)
    return ak_error_set(err, code, "path", "must be a file's name, not a URI");
  return APIKEYS_OK;
}

static char *directory_of(const char *path, const char *slash) {
  if (slash == NULL)
    return strdup(".");
  return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static char *sqlite_file_join(const char *directory, const char *name) {
  size_t room = strlen(directory) + strlen(name) + 2;
  char *whole = malloc(room);
  if (whole != NULL)
    snprintf(whole, room, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name);
  return whole;
}

/*
 * The directory's real name and the file's own: so that a later chdir() changes nothing, and that
 * SQLite, which is told to follow no symbolic link, minds only the last part of the path.
 */
static int sqlite_file_resolve(char **resolved, const char *path, apikeys_error *err) {
  int rc = check_text(path, err);
  if (rc != APIKEYS_OK)
    return rc;
  const char *slash = strrchr(path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return ak_error_set(err, APIKEYS_ERROR_CANNOT_OPEN, "", QUOTED " is a directory", path);
  char *directory = directory_of(path, slash);
  if (directory == NULL)
    return ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  char *real = realpath(directory, NULL);
  int failure = errno;
  char *whole = real != NULL ? sqlite_file_join(real, name) : NULL;
  if (real == NULL)
    rc = fail_with(err, "cannot reach the directory", directory, failure);
  else if (whole == NULL)
    rc = ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  free(real);
  free(directory);
  if (whole == NULL)
    return rc;
  /* SQLite's bound, with room for the "-journal" that it appends. */
  int most = sqlite3_vfs_find(NULL)->mxPathname - 8;
  if (strlen(whole) > (size_t)most) {
    free(whole);
    return ak_error_set(err, APIKEYS_ERROR_CANNOT_OPEN, "path",
                        "is longer in full than the %d bytes that SQLite takes", most);
  }
  *resolved = whole;
  return APIKEYS_OK;
}

/* ------------------------------------------------------------------------------- the file ----- */

/*
 * With SQLite's own O_CREAT the mode would depend on the umask. Closing a database file by
 * ourselves drops this process's locks on it, but nobody has locks on a file that is new; and no
 * other thread of ours gets between, because the list is locked.
 */
static int sqlite_file_create(const char *path, apikeys_error *err) {
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST)
    return ak_error_set(err, APIKEYS_ERROR_EXISTS, "", QUOTED " already exists", path);
  if (fd < 0 && (errno == EACCES || errno == EPERM)) /* of the directory: it could be reached */
    return ak_error_set(err, APIKEYS_ERROR_READ_ONLY, "",
                        "cannot create " QUOTED ": its directory cannot be written", path);
  if (fd < 0)
    return fail_with(err, "cannot create", path, errno);
  int rc = fchmod(fd, 0600) == 0 ? APIKEYS_OK : fail_with(err, "cannot protect", path, errno);
  if (rc != APIKEYS_OK)
    unlink(path);
  close(fd);
  return rc;
}

static int sqlite_file_check_kind(const struct stat *status, const char *path, apikeys_error *err) {
  const char *kind = S_ISREG(status->st_mode)   ? NULL
                     : S_ISDIR(status->st_mode) ? "a directory"
                     : S_ISLNK(status->st_mode) ? "a symbolic link"
                                                : "not a regular file";
  if (kind == NULL)
    return APIKEYS_OK;
  return ak_error_set(err, APIKEYS_ERROR_CANNOT_OPEN, "", QUOTED " is %s", path, kind);
}

static int check_access(const char *path, apikeys_error *err) {
  if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
    return fail_with(err, "cannot read", path, errno);
  if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
    return ak_error_set(err, APIKEYS_ERROR_READ_ONLY, "", QUOTED " cannot be written: %s", path,
                        reason(errno));
  char directory[PATH_MAX];
  snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(path, '/') - path) + 1, path);
  if (faccessat(AT_FDCWD, directory, W_OK, AT_EACCESS) != 0)
    return ak_error_set(err, APIKEYS_ERROR_READ_ONLY, "",
                        "the directory " QUOTED " cannot be written, and SQLite needs files beside "
                        "the database: %s",
                        directory, reason(errno));
  return APIKEYS_OK;
}

/*
 * SQLite's "-wal" and "-shm" belong to the path by which a database was opened. By a second path
 * (another hard link, the file itself mounted elsewhere) it would have two of each, and a key that
 * was revoked through one would stay good through the other.
 */
static int check_one_path(const struct stat *status, const char *path, apikeys_error *err) {
  const char *why = status->st_nlink > 1      ? "has a second hard link"
                    : ak_is_mount_point(path) ? "is itself a mount point"
                                              : NULL;
  if (why == NULL)
    return APIKEYS_OK;
  return ak_error_set(err, APIKEYS_ERROR_CANNOT_OPEN, "",
                      QUOTED " %s: SQLite needs one path to a database and room beside it; "
                             "link or mount the directory, never the file",
                      path, why);
}

/*
 * The mode of a file that is there is its owner's affair: some share a database within a group, and
 * what must stay secret is sealed. A file made here stays if the open fails later: by then it may
 * be another process's database.
 */
static int find_or_create(struct ak_sqlite_file *file, apikeys_error *err) {
  struct stat status;
  if (lstat(file->path, &status) != 0) {
    if (errno != ENOENT)
      return fail_with(err, "cannot reach", file->path, errno);
    int rc = sqlite_file_create(file->path, err);
    if (rc != APIKEYS_OK && rc != APIKEYS_ERROR_EXISTS) /* another process was faster: fine */
      return rc;
    if (lstat(file->path, &status) != 0)
      return fail_with(err, "cannot reach", file->path, errno);
  }
  file->device = status.st_dev;
  file->inode = status.st_ino;
  int rc = sqlite_file_check_kind(&status, file->path, err);
  if (rc == APIKEYS_OK)
    rc = check_one_path(&status, file->path, err);
  return rc == APIKEYS_OK ? check_access(file->path, err) : rc;
}

static int create_anew(struct ak_sqlite_file *file, apikeys_error *err) {
  struct stat status;
  int rc = sqlite_file_create(file->path, err);
  if (rc != APIKEYS_OK)
    return rc;
  if (lstat(file->path, &status) != 0)
    return fail_with(err, "cannot reach", file->path, errno);
  file->device = status.st_dev;
  file->inode = status.st_ino;
  return APIKEYS_OK;
}

static int sqlite_file_enter(struct ak_sqlite_file **out, const char *path,
                             int (*obtain)(struct ak_sqlite_file *, apikeys_error *),
                             apikeys_error *err) {
  struct ak_sqlite_file *file = calloc(1, sizeof *file);
  if (file == NULL)
    return ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  int rc = sqlite_file_resolve(&file->path, path, err);
  if (file->path != NULL) {
    ak_sqlite_files_lock();
    rc = obtain(file, err);
    if (rc == APIKEYS_OK && (rc = sqlite_file_claim(file)) != APIKEYS_OK)
      ak_error_set(err, rc, "", QUOTED " was open in the parent process at the fork", file->path);
    if (rc == APIKEYS_OK) {
      file->next = sqlite_file_list;
      sqlite_file_list = file;
    }
    ak_sqlite_files_unlock();
  }
  if (rc == APIKEYS_OK)
    *out = file;
  else
    free_file(file);
  return rc;
}

int ak_sqlite_file_open(struct ak_sqlite_file **file, const char *path, apikeys_error *err) {
  return sqlite_file_enter(file, path, find_or_create, err);
}

int ak_sqlite_file_create(struct ak_sqlite_file **file, const char *path) {
  return sqlite_file_enter(file, path, create_anew, NULL);
}

int ak_sqlite_file_compare(const struct ak_sqlite_file *file, struct stat *status) {
  if (lstat(file->path, status) != 0)
    return errno == ENOENT || errno == ENOTDIR ? APIKEYS_ERROR_STORE_REPLACED
                                               : APIKEYS_ERROR_STORAGE;
  return status->st_dev == file->device && status->st_ino == file->inode
             ? APIKEYS_OK
             : APIKEYS_ERROR_STORE_REPLACED;
}

int ak_sqlite_file_check(const struct ak_sqlite_file *file) {
  struct stat status;
  return ak_sqlite_file_compare(file, &status);
}

/* -------------------------------------------------------------------- the files beside it ----- */

static int look_beside(const struct ak_sqlite_file *file, const char *ending, struct stat *status) {
  char beside[PATH_MAX + 8];
  snprintf(beside, sizeof beside, "%s%s", file->path, ending);
  if (lstat(beside, status) != 0)
    return errno == ENOENT ? APIKEYS_ERROR_STORE_REPLACED : APIKEYS_ERROR_STORAGE;
  return APIKEYS_OK;
}

int ak_sqlite_companions_find(const struct ak_sqlite_file *file,
                              struct ak_sqlite_companions *companions) {
  struct stat log, index;
  int rc = look_beside(file, "-wal", &log);
  if (rc == APIKEYS_OK)
    rc = look_beside(file, "-shm", &index);
  if (rc == APIKEYS_OK)
    *companions = (struct ak_sqlite_companions){log.st_dev, index.st_dev, log.st_ino, index.st_ino,
                                                (int64_t)log.st_size};
  return rc;
}

int ak_sqlite_companions_compare(struct ak_sqlite_companions *before,
                                 const struct ak_sqlite_companions *now) {
  before->log_bytes = now->log_bytes;
  return now->log_device == before->log_device && now->log_inode == before->log_inode &&
                 now->index_device == before->index_device &&
                 now->index_inode == before->index_inode
             ? APIKEYS_OK
             : APIKEYS_ERROR_STORE_REPLACED;
}

int ak_sqlite_file_sync_directory(const struct ak_sqlite_file *file) {
  char directory[PATH_MAX];
  snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(file->path, '/') - file->path) + 1,
           file->path);
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return APIKEYS_ERROR_STORAGE;
  /* Some file systems cannot sync a directory, and say EINVAL. */
  int rc = fsync(fd) == 0 || errno == EINVAL ? APIKEYS_OK : APIKEYS_ERROR_STORAGE;
  close(fd);
  return rc;
}

/* ---------------------------------------------------------------------------- the content ----- */

/* Offsets are those of SQLite's file format: the header, and behind it the first page's own. */
enum { HEADER_SIZE = 108, USER_VERSION = 60, ENCODING = 56, APPLICATION_ID = 68, PAGE = 100 };

static uint32_t read_u32(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/*
 * Through SQLite's own file layer, which knows not to drop locks that this process has on the file
 * by another connection, the host's perhaps. It takes no lock and makes no file beside it.
 */
static int sqlite_file_read_header(const char *path, unsigned char header[HEADER_SIZE],
                                   sqlite3_int64 *size) {
  sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
  sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
  /* A file layer may look for URI parameters: behind the name, and before it for its start. */
  char *framed = calloc(1, 4 + strlen(path) + 4);
  int rc = file != NULL && framed != NULL ? SQLITE_OK : SQLITE_NOMEM;
  if (rc == SQLITE_OK) {
    char *name = memcpy(framed + 4, path, strlen(path));
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_NOFOLLOW;
    rc = vfs->xOpen(vfs, name, file, flags, &flags);
    if (rc == SQLITE_OK)
      rc = file->pMethods->xFileSize(file, size);
    if (rc == SQLITE_OK) {
      rc = file->pMethods->xRead(file, header, HEADER_SIZE, 0); /* fills up with zeros */
      if (rc == SQLITE_IOERR_SHORT_READ)
        rc = SQLITE_OK;
    }
    if (file->pMethods != NULL)
      file->pMethods->xClose(file);
  }
  free(framed);
  free(file);
  return rc;
}

/* A power cut may leave zeros for the first page, and a journal that undoes them. */
static bool is_half_made(const char *path, const unsigned char header[HEADER_SIZE]) {
  static const unsigned char zeros[HEADER_SIZE];
  char journal[PATH_MAX + 8];
  struct stat status;
  snprintf(journal, sizeof journal, "%s-journal", path);
  return memcmp(header, zeros, sizeof zeros) == 0 && lstat(journal, &status) == 0 &&
         status.st_size > 0;
}

static int sqlite_file_judge(const char *path, const unsigned char header[HEADER_SIZE],
                             enum ak_sqlite_content *content, apikeys_error *err) {
  const int foreign = APIKEYS_ERROR_FOREIGN_STORE;
  *content = AK_SQLITE_VACANT;
  if (memcmp(header, "SQLite format 3", 16) != 0)
    return is_half_made(path, header)
               ? APIKEYS_OK
               : ak_error_set(err, foreign, "", QUOTED " is not an SQLite database", path);
  uint32_t id = read_u32(header + APPLICATION_ID);
  uint32_t version = read_u32(header + USER_VERSION);
  if (id == AK_SQLITE_APPLICATION_ID) {
    *content = AK_SQLITE_OURS;
    if (version <= INT32_MAX && version > AK_SCHEMA_VERSION)
      return ak_error_set(err, APIKEYS_ERROR_SCHEMA_NEWER, "",
                          QUOTED " has schema version %u, this library knows %d", path,
                          (unsigned)version, AK_SCHEMA_VERSION);
    return APIKEYS_OK;
  }
  if (id != 0)
    return ak_error_set(err, foreign, "", QUOTED " is a database of another program (id 0x%08x)",
                        path, (unsigned)id);
  /* Without an id: somebody's tables, or an empty database, a leaf page without cells. */
  bool empty = header[PAGE] == 0x0d && header[PAGE + 3] == 0 && header[PAGE + 4] == 0;
  if (!empty || read_u32(header + ENCODING) > 1)
    return ak_error_set(err, foreign, "", QUOTED " is a database of another program", path);
  return APIKEYS_OK;
}

int ak_sqlite_file_content(const struct ak_sqlite_file *file, enum ak_sqlite_content *content,
                           apikeys_error *err) {
  unsigned char header[HEADER_SIZE] = {0};
  sqlite3_int64 size = 0;
  int rc = sqlite_file_read_header(file->path, header, &size);
  if (rc != SQLITE_OK)
    return ak_sqlite_report(err, NULL, rc, "cannot read the database");
  if (size == 0 && header[0] == 0) { /* SQLite calls a file of one byte empty too */
    *content = AK_SQLITE_VACANT;
    return APIKEYS_OK;
  }
  return sqlite_file_judge(file->path, header, content, err);
}
