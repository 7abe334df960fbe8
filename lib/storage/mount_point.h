/* SPDX-License-Identifier: MIT */
/* Mount points, as far as files are concerned. */
#ifndef AK_STORAGE_MOUNT_POINT_H
#define AK_STORAGE_MOUNT_POINT_H

#include <stdbool.h>

/* True if something is mounted at this path itself. False also where the kernel does not say. */
bool ak_is_mount_point(const char *path);

#endif
