/* SPDX-License-Identifier: MIT */
/*
 * The other project's own code, which is none of libapikeys' business. Under libapikeys' flags it
 * would not build: it needs the compiler's default language, and it shadows and narrows.
 */
#if defined(__STRICT_ANSI__) || defined(_POSIX_C_SOURCE) || defined(_FORTIFY_SOURCE)
#error "a flag of libapikeys leaked into another target"
#endif
#include <stdio.h>

static int narrowed(long value) {
  int result = value;
  {
    int result = 1;
    (void)result;
  }
  return result;
}

int main(void) {
  return narrowed(0) + puts("bystander") < 0;
}
