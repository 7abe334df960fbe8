#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Compiles every public header alone, as the first and only thing that a program includes.
#
#   check.sh COMPILER LANGUAGE STANDARD INCLUDE_DIR
set -eu

compiler=$1 language=$2 standard=$3 include=$4
bad=0 count=0
cd "$include"
for header in $(find . -name '*.h' | sed 's|^\./||' | sort); do
  count=$((count + 1))
  if ! echo "#include <$header>" |
    "$compiler" -x "$language" -std="$standard" -Wall -Wextra -pedantic -Werror -fsyntax-only \
      -I. -; then
    echo "<$header> does not compile alone as $standard with $compiler"
    bad=1
  fi
done
echo "$count headers as $standard with $compiler"
[ "$count" -gt 0 ] && [ "$bad" -eq 0 ]
