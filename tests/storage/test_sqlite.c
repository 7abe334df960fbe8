/* SPDX-License-Identifier: MIT */
#include "conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10000 };

/* A folder per store, so that whatever SQLite puts beside the file is in it. */
static char folder[64];
static char path[80];
static char path_of_companion[96];

static int open_again(apikeys_storage *out) {
  return apikeys_storage_sqlite(out, path, BUSY_TIMEOUT_MS, NULL);
}

static int open_new(apikeys_storage *out) {
  snprintf(folder, sizeof folder, "apikeys-conformance-XXXXXX");
  if (mkdtemp(folder) == NULL)
    return APIKEYS_ERROR_CANNOT_OPEN;
  snprintf(path, sizeof path, "%s/keys.db", folder);
  return open_again(out);
}

static void remove_files(void) {
  static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
    snprintf(path_of_companion, sizeof path_of_companion, "%s%s", path, endings[i]);
    unlink(path_of_companion);
  }
  rmdir(folder);
}

int main(void) {
  static const struct storage_under_test sqlite = {.name = "sqlite",
                                                   .open = open_new,
                                                   .reopen = open_again,
                                                   .cleanup = remove_files,
                                                   .snapshots = 1};
  return storage_conformance_main(&sqlite);
}
