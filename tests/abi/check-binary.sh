#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Shows what a linker and a loader see of the shared library: its SONAME, that it needs nothing
# beyond its known dependencies, and that it was linked the hardened way.
#
#   check-binary.sh LIBRARY MAJOR
set -eu
export LC_ALL=C

library=${1:?usage: check-binary.sh LIBRARY MAJOR}
major=${2:?usage: check-binary.sh LIBRARY MAJOR}
bad=0
fail() {
  echo "$1"
  bad=1
}

dynamic=$(readelf -dW "$library")
segments=$(readelf -lW "$library")

echo "$dynamic" | grep -q "SONAME.*\[libapikeys\.so\.$major\]" ||
  fail "SONAME is not libapikeys.so.$major"
for needed in $(echo "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
  case $needed in
  libsodium.so.* | libsqlite3.so.* | libc.so.* | libpthread.so.* | ld-linux*.so.*) ;;
  *) fail "needs a library that nobody asked for: $needed" ;;
  esac
done
! echo "$dynamic" | grep -Eq '\((RPATH|RUNPATH|TEXTREL)\)' ||
  fail "has an RPATH or text relocations"
echo "$dynamic" | grep -Eq '(BIND_NOW|FLAGS_1.*NOW)' || fail "symbols are bound lazily (-z now)"
echo "$segments" | grep -q GNU_RELRO || fail "no read-only relocations (-z relro)"
! echo "$segments" | grep GNU_STACK | grep -q 'RWE' || fail "the stack is executable"
nm -D "$library" | grep -q ' U __stack_chk_fail' || fail "no stack protector"
! nm -D "$library" |
  grep -Eq ' U (abort|exit|_exit|printf|puts|perror|__assert_fail|stderr|stdout)(@|$)' ||
  fail "the library can print or end its process"
[ "$bad" -eq 0 ] || exit 1
echo "SONAME, dependencies and hardening of $(basename "$library") are as they should be"
