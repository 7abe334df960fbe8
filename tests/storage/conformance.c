/* SPDX-License-Identifier: MIT */
#include "conformance.h"

#include "conformance_fixture.h"

#include <stdlib.h>

static Suite *make_suite(void) {
  Suite *suite = suite_create(cf_given->name);
  conformance_records(suite);
  conformance_queries(suite);
  conformance_isolation(suite);
  conformance_reopened(suite);
  conformance_changes(suite);
  return suite;
}

int storage_conformance_main(const struct storage_under_test *under_test) {
  cf_given = under_test;
  SRunner *runner = srunner_create(make_suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
