/* SPDX-License-Identifier: MIT */
/* The back-end that examples/custom_storage.c shows must be one. */
#define main custom_storage_main
int custom_storage_main(void);
#include "../../examples/custom_storage.c"
#undef main

#include "conformance.h"

int main(void) {
  /* It looks at every record for every question: a tenth of the usual number will do. */
  static const struct storage_under_test custom = {
      .name = "custom", .open = array_store_open, .many_records = 1000};
  return storage_conformance_main(&custom);
}
