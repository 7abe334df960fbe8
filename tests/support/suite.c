/* SPDX-License-Identifier: MIT */
#include "support/suite.h"

#include <stdlib.h>

int run_suite(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int rounds_of(int usual) {
  if (getenv("APIKEYS_SOAK") != NULL)
    return 20 * usual;
  return getenv("APIKEYS_TEST_SLOW") != NULL ? (usual + 3) / 4 : usual;
}
