/* SPDX-License-Identifier: MIT */
/*
 * Root key files that are mounted secrets (Kubernetes, podman): how they are told from files of our
 * own, and which modes are accepted. Reading them is in root_key.c.
 */
#include "operation/root_key_mount.h"

#include "storage/mount_point.h"

#include <stdlib.h>
#include <unistd.h>

static bool is_group_of_ours(gid_t group) {
  if (group == getegid())
    return true;
  int count = getgroups(0, NULL);
  gid_t *groups = count > 0 ? malloc((size_t)count * sizeof *groups) : NULL;
  bool found = false;
  if (groups != NULL)
    count = getgroups(count, groups);
  for (int i = 0; groups != NULL && i < count && !found; i++)
    found = groups[i] == group;
  free(groups);
  return found;
}

/* With `fsGroup` kubelet gives a mounted secret to root and to that group, readable by both. */
static bool is_mode_of_a_mounted_secret(const struct stat *status) {
  return (status->st_mode & 0777) == (S_IRUSR | S_IRGRP) && status->st_uid == 0;
}

bool ak_root_key_may_have_mode(const struct stat *status) {
  if ((status->st_mode & (S_IRWXG | S_IRWXO)) == 0)
    return true;
  return is_mode_of_a_mounted_secret(status) && is_group_of_ours(status->st_gid);
}

bool ak_root_key_is_mounted(const char *path) {
  struct stat status;
  if (lstat(path, &status) != 0)
    return false;
  return S_ISLNK(status.st_mode) || is_mode_of_a_mounted_secret(&status) || ak_is_mount_point(path);
}
