#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Shows that nothing branches on a secret or uses one as an address: on the binary, since a
# compiler may undo what the source does, and so for each compiler and optimisation level.
#
# usage: tests/constant_time/run.sh
#   CT_COMPILERS   default: gcc clang, those that are there
#   CT_LEVELS      default: O0 O1 O2 O3 Os
#   CT_CFLAGS      further flags
#
# Exit status: 0, 1 for a leak or a control that was not caught, 77 if it cannot be asked here.
set -eu

skip() {
  echo "skipped: $1"
  exit 77
}

command -v valgrind >/dev/null 2>&1 || skip "valgrind is not installed (Debian: valgrind)"
command -v pkg-config >/dev/null 2>&1 || skip "pkg-config is not installed"

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

sources="crypto/crypto crypto/crc32 crypto/key_text crypto/ids base/text base/misplaced_secret base/json_writer crypto/widget_token_text"
sodium=$(pkg-config --cflags --libs libsodium)
builds=0 failures=0

# -gdwarf-4: the newer form of debug information is more than valgrind 3.19 can read.
build() { # compiler, level
  set -- "$1" "$2" "$here/constant_time.c"
  for source in $sources; do
    set -- "$@" "$root/lib/$source.c"
  done
  compiler=$1 level=$2
  shift 2
  # shellcheck disable=SC2086
  "$compiler" -std=c11 -D_POSIX_C_SOURCE=200809L "-$level" -gdwarf-4 -DAK_CONSTANT_TIME_TEST \
    -I "$root/include" -I "$root/lib" ${CT_CFLAGS:-} "$@" -o "$work/program" $sodium
}

# Prints 0: no report, 99: a report, else: the program itself failed.
reports() { # case
  status=0
  valgrind -q --error-exitcode=99 --suppressions="$here/verdicts.supp" "$work/program" "$1" \
    >"$work/out" 2>&1 || status=$?
  echo "$status"
}

fail() { # what
  failures=$((failures + 1))
  echo "FAILED: $1"
  sed -n 1,30p "$work/out"
}

check() { # compiler, level
  before=$failures controls=0
  status=$(reports library)
  [ "$status" = 0 ] || fail "$1 -$2: library: status $status"
  for control in $("$work/program" list); do
    status=$(reports "$control")
    [ "$status" = 99 ] || fail "$1 -$2: $control was not caught: status $status"
    controls=$((controls + 1))
  done
  [ "$failures" != "$before" ] || echo "$1 -$2: no report; $controls of $controls controls caught"
}

for compiler in ${CT_COMPILERS:-gcc clang}; do
  if ! command -v "$compiler" >/dev/null 2>&1; then
    echo "$compiler: not installed, left out"
    continue
  fi
  for level in ${CT_LEVELS:-O0 O1 O2 O3 Os}; do
    if ! build "$compiler" "$level" 2>"$work/out"; then
      grep -q 'valgrind/memcheck.h' "$work/out" && skip "valgrind/memcheck.h is not installed"
      fail "$compiler -$level: does not build"
      continue
    fi
    builds=$((builds + 1))
    check "$compiler" "$level"
  done
done

[ "$builds" -gt 0 ] || [ "$failures" -gt 0 ] || skip "no compiler"
echo "$builds builds, $failures failures"
[ "$failures" = 0 ]
