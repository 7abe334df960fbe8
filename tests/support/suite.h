/* SPDX-License-Identifier: MIT */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>

/* Runs the suite as Check's variables in the environment say; what main() returns. */
int run_suite(Suite *suite);

#endif
