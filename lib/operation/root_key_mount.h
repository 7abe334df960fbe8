/* SPDX-License-Identifier: MIT */
/* Root key files that are mounted secrets: read, and never written nor renamed. */
#ifndef AK_OPERATION_ROOT_KEY_MOUNT_H
#define AK_OPERATION_ROOT_KEY_MOUNT_H

#include <stdbool.h>
#include <sys/stat.h>

/* True for a file of its owner alone, and for mode 0440 of root and of a group that we are in. */
bool ak_root_key_may_have_mode(const struct stat *status);

/* True for a symbolic link, a mount point and a file of root's with mode 0440. */
bool ak_root_key_is_mounted(const char *path);

#endif
