/* SPDX-License-Identifier: MIT */
#include "support/headers.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

int for_each_header(int (*check)(const char *path)) {
  const char *folder = TEST_DATA_DIR "/../include/apikeys";
  DIR *directory = opendir(folder);
  ck_assert_ptr_nonnull(directory);
  int sum = 0;
  for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
    char path[1024];
    if (strstr(entry->d_name, ".h") == NULL)
      continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    sum += check(path);
  }
  closedir(directory);
  return sum;
}
