/* SPDX-License-Identifier: MIT */
#include "conformance.h"

static int open_memory(apikeys_storage *out) {
  return apikeys_storage_memory(out, NULL);
}

int main(void) {
  static const struct storage_under_test memory = {.name = "memory", .open = open_memory};
  return storage_conformance_main(&memory);
}
