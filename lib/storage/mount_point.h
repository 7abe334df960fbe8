/* SPDX-License-Identifier: MIT */
/* Whether something is mounted at a path itself, as containers do with single files. */
#ifndef AK_STORAGE_MOUNT_POINT_H
#define AK_STORAGE_MOUNT_POINT_H

#include <stdbool.h>

/* False where the system cannot tell. */
bool ak_is_mount_point(const char *path);

/* By a list of mounts in the form of /proc/self/mountinfo (proc(5)), for kernels before 5.8. */
bool ak_mountinfo_lists(const char *mountinfo, const char *path);

#endif
