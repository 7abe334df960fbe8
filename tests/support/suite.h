/* SPDX-License-Identifier: MIT */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>

/* Runs the suite as Check's variables in the environment say; what main() returns. */
int run_suite(Suite *suite);

/* How often a test does what shows more the more often it is done: `usual`; a quarter of it under a
 * sanitizer or valgrind (APIKEYS_TEST_SLOW, set by tests/CMakeLists.txt), 20 times with
 * APIKEYS_SOAK. */
int rounds_of(int usual);

#endif
