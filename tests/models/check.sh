#!/bin/sh
# SPDX-License-Identifier: MIT
#
# usage: check.sh MODEL.pml
#
# Checks a model in every order of its steps, then with each of the mistakes that its text names
# (lines "-DMISTAKE"), each of which must be found.
set -eu
model=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# check OUTPUT [DEFINE]: whether the claims hold.
check() {
  output=$1
  shift
  spin -a "$@" "$model" >"$output" 2>&1 || return 2
  ${CC:-cc} -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=2048 -o pan pan.c >>"$output" 2>&1 || return 2
  ./pan -m100000 >"$output" 2>&1 || return 2
  grep -q 'errors: 0' "$output" || return 1
  # Cut short is not checked.
  ! grep -q -e 'search depth too small' -e 'Search not completed' "$output" || return 2
}

if ! check right.txt; then
  cat right.txt
  echo "$1: the claims do not hold"
  exit 1
fi
grep -e 'states, stored' right.txt

mistakes=$(grep -o -e '^ \*  *-D[A-Z_]*' "$model" | sed 's/.*-D//')
[ -n "$mistakes" ] || { echo "$1: names no mistakes"; exit 1; }
for mistake in $mistakes; do
  result=0
  check mistake.txt "-D$mistake" || result=$?
  if [ "$result" -ne 1 ]; then
    cat mistake.txt
    echo "$1: $mistake was not found"
    exit 1
  fi
  echo "found: $mistake"
done
