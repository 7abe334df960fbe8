/* SPDX-License-Identifier: MIT */
/* Reads a secret's file after a check of its mode. */
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool fits(struct log *log, const char *setting, const char *path, int fd, size_t max,
                 enum secret_readers readers) {
  struct stat about;
  if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
    log_line(log, LOG_ERROR, "%s: %s: not a regular file", setting, path);
  else if ((about.st_mode & (mode_t)readers) != 0)
    log_line(log, LOG_ERROR, "%s: %s: other users can read or change it (mode %04o): chmod %s",
             setting, path, (unsigned)about.st_mode & 07777,
             readers == SECRET_OF_GROUP ? "o-rwx" : "600");
  else if ((size_t)about.st_size > max)
    log_line(log, LOG_ERROR, "%s: %s: larger than %zu bytes", setting, path, max);
  else
    return true;
  return false;
}

static bool read_all(int fd, char *bytes, size_t max, size_t *length) {
  ssize_t got = 1;
  for (*length = 0; got > 0 && *length<max; *length += got> 0 ? (size_t)got : 0)
    got = read(fd, bytes + *length, max - *length);
  return got >= 0;
}

char *secret_file_read(struct log *log, const char *setting, const char *path, size_t max,
                       enum secret_readers readers, size_t *length) {
  char *bytes = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  bool good = fd >= 0;
  *length = 0;
  if (!good)
    log_line(log, LOG_ERROR, "%s: %s: %s", setting, path, strerror(errno));
  if (good && (good = fits(log, setting, path, fd, max, readers))) {
    bytes = calloc(1, max + 1);
    good = bytes != NULL && read_all(fd, bytes, max, length);
    if (!good)
      log_line(log, LOG_ERROR, "%s: %s: %s", setting, path, strerror(errno));
  }
  if (fd >= 0)
    close(fd);
  if (good)
    return bytes;
  secret_file_free(bytes, *length);
  return NULL;
}

void secret_file_free(char *bytes, size_t length) {
  if (bytes != NULL)
    sodium_memzero(bytes, length);
  free(bytes);
}
