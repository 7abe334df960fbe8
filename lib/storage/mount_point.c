/* SPDX-License-Identifier: MIT */
/* Whether something is mounted at a path itself: by statx(2), else by /proc/self/mountinfo. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* statx, getline */
#endif
#include "storage/mount_point.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool mount_octal(const char *at) {
  return at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' &&
         at[3] >= '0' && at[3] <= '7';
}

/* In place: blanks, tabs, line ends and backslashes stand there as three octal digits. */
static void mount_unescape(char *text) {
  char *out = text;
  for (; *text != '\0'; text++) {
    if (mount_octal(text)) {
      *out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
      text += 3;
    } else {
      *out++ = *text;
    }
  }
  *out = '\0';
}

/* The fifth field of a line, cut out of it; NULL: there is none. */
static char *mount_point_of(char *line) {
  enum { BEFORE = 4 };
  for (int i = 0; i < BEFORE; i++) {
    line = strchr(line, ' ');
    if (line == NULL)
      return NULL;
    line++;
  }
  line[strcspn(line, " \n")] = '\0';
  mount_unescape(line);
  return line;
}

bool ak_mountinfo_lists(const char *mountinfo, const char *path) {
  char *real = realpath(path, NULL), *line = NULL;
  size_t room = 0;
  bool found = false;
  FILE *mounts = real != NULL ? fopen(mountinfo, "re") : NULL;
  while (mounts != NULL && !found && getline(&line, &room, mounts) > 0) {
    const char *point = mount_point_of(line);
    found = point != NULL && strcmp(point, real) == 0;
  }
  if (mounts != NULL)
    fclose(mounts);
  free(line);
  free(real);
  return found;
}

bool ak_is_mount_point(const char *path) {
#ifdef STATX_ATTR_MOUNT_ROOT /* Linux 5.8 */
  struct statx status;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status) ==
          0 &&
      (status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0)
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#endif
  return ak_mountinfo_lists("/proc/self/mountinfo", path);
}
