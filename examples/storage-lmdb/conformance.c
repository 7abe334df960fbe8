/* SPDX-License-Identifier: MIT */
/* The LMDB back-end under the suite that every back-end has to pass (tests/storage/). */
#include "lmdb_storage.h"

#include "conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];
static char path[96];
static int made;

static int open_new(apikeys_storage *out) {
  if (folder[0] == '\0') {
    snprintf(folder, sizeof folder, "/tmp/apikeys-lmdb-XXXXXX");
    if (mkdtemp(folder) == NULL)
      return APIKEYS_ERROR_CANNOT_OPEN;
  }
  snprintf(path, sizeof path, "%s/%d.lmdb", folder, ++made);
  return lmdb_storage_open(out, path, 0, 2000);
}

static int open_again(apikeys_storage *out) {
  return lmdb_storage_open(out, path, 0, 2000);
}

static void cleanup(void) {
  static const char *const endings[] = {"", "-lock", "-writer"};
  for (int i = 1; i <= made; i++)
    for (int j = 0; j < 3; j++) {
      char name[128];
      snprintf(name, sizeof name, "%s/%d.lmdb%s", folder, i, endings[j]);
      unlink(name);
    }
  rmdir(folder);
  folder[0] = '\0';
  made = 0;
}

int main(void) {
  static const struct storage_under_test lmdb = {
      .name = "lmdb", .open = open_new, .reopen = open_again, .cleanup = cleanup, .snapshots = 1};
  return storage_conformance_main(&lmdb);
}
