/* SPDX-License-Identifier: MIT */
/* Whether something is mounted at a path itself, as containers do with single files (statx(2)). */
#define _GNU_SOURCE
#include "storage/mount_point.h"

#include <fcntl.h>
#include <sys/stat.h>

bool ak_is_mount_point(const char *path) {
#ifdef STATX_ATTR_MOUNT_ROOT /* Linux 5.8 */
  struct statx status;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status) == 0)
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#else
  (void)path;
#endif
  return false;
}
