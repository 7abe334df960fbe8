/* SPDX-License-Identifier: MIT */
/*
 * Sums and differences of stored numbers that stop at the ends of int64_t: a row may hold any
 * number, and overflow is undefined behaviour. Pure.
 */
#ifndef AK_BASE_ARITHMETIC_H
#define AK_BASE_ARITHMETIC_H

#include <stdbool.h>
#include <stdint.h>

static inline int64_t ak_sum(int64_t a, int64_t b) {
  int64_t sum;
  if (!__builtin_add_overflow(a, b, &sum))
    return sum;
  return a < 0 ? INT64_MIN : INT64_MAX;
}

static inline int64_t ak_difference(int64_t a, int64_t b) {
  int64_t difference;
  if (!__builtin_sub_overflow(a, b, &difference))
    return difference;
  return a < 0 ? INT64_MIN : INT64_MAX;
}

/* Where a walk in the order of numbers goes on; false behind the largest number: the walk is
 * over. */
static inline bool ak_number_after(int64_t number, int64_t *next) {
  if (number == INT64_MAX)
    return false;
  *next = number + 1;
  return true;
}

#endif
