/* SPDX-License-Identifier: MIT */
/*
 * What the tests of several nouns ask: did the call fail as documented, did it leave its event, and
 * which texts no object takes.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include "support/world.h"

/* The call failed with this code, the error object says so, and names this field. */
#define expect_failure(world, rc, code, field)                                                     \
  do {                                                                                             \
    ck_assert_int_eq((rc), (code));                                                                \
    ck_assert_int_eq(apikeys_error_code((world)->err), (code));                                    \
    ck_assert_str_eq(apikeys_error_field((world)->err), (field));                                  \
  } while (0)

/* The newest event is of this type, and its data has each of these in it (NULL: nothing asked). */
void expect_event(struct world *world, const char *type, const char *data, const char *more);

/* Text that is no valid text of any length: not UTF-8, or control characters. */
struct bad_text {
  const char *text;
  size_t length;
};
extern const struct bad_text bad_texts[];
extern const size_t bad_text_count;

/* `length` times the letter x; lives until the next call. */
const char *long_text(size_t length);

/* Runs each test on each back-end; what main() returns. */
int run_on_each_backend(const char *suite_name, const TTest *const *tests, size_t count);
#define RUN_ON_EACH_BACKEND(name, tests)                                                           \
  run_on_each_backend(name, tests, sizeof(tests) / sizeof(tests)[0])

#endif
