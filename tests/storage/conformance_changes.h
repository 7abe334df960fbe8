/* SPDX-License-Identifier: MIT */
/* The part of the suite that is about the slots generation and changes. */
#ifndef STORAGE_CONFORMANCE_CHANGES_H
#define STORAGE_CONFORMANCE_CHANGES_H

#include "conformance.h"

#include <check.h>

void storage_conformance_changes(Suite *suite, const struct storage_under_test *under_test);

#endif
