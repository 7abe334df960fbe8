/* SPDX-License-Identifier: MIT */
/*
 * For code that handles characters of a secret: comparisons that give masks instead of branches,
 * and the one way to make a verdict public. Pure.
 *
 * Compilers see through mask idioms and turn them back into branches, each version in its own way.
 * Every mask passes through ak_opaque(), behind which the compiler knows nothing of it, and
 * tests/constant_time checks the result on the binary.
 */
#ifndef AK_CRYPTO_CONSTANT_TIME_H
#define AK_CRYPTO_CONSTANT_TIME_H

#include <stdint.h>

#ifdef AK_CONSTANT_TIME_TEST
#include <valgrind/memcheck.h>
#endif

static inline uint32_t ak_opaque(uint32_t x) {
#if defined(__GNUC__) || defined(__clang__)
  __asm__("" : "+r"(x));
  return x;
#else
  volatile uint32_t hidden = x;
  return hidden;
#endif
}

/* All ones if a < b, else 0; both below 2^31. */
static inline uint32_t ak_mask_below(uint32_t a, uint32_t b) {
  return 0u - ak_opaque((a - b) >> 31);
}

/* All ones if a == b, else 0; both below 2^31. */
static inline uint32_t ak_mask_equal(uint32_t a, uint32_t b) {
  return ak_mask_below(a ^ b, 1);
}

/* All ones if first <= c <= last, else 0. */
static inline uint32_t ak_mask_between(uint32_t c, uint32_t first, uint32_t last) {
  return ak_mask_below(first, c + 1) & ak_mask_below(c, last + 1);
}

/*
 * From here on the value is public, although it was computed from a secret; whoever calls this
 * says why. In the test build this tells valgrind so; otherwise it is nothing.
 */
static inline uint32_t ak_declassify(uint32_t verdict) {
#ifdef AK_CONSTANT_TIME_TEST
  VALGRIND_MAKE_MEM_DEFINED(&verdict, sizeof verdict);
#endif
  return verdict;
}

#endif
