#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The official clients against the key service, in Node's own test runner.
set -eu

usage() {
  cat >&2 <<'END'
usage: sh tests/interop/run.sh prepare WORK_DIR
       sh tests/interop/run.sh test WORK_DIR APIKEYSD [FILE...]

prepare  copies the tests and the samples to WORK_DIR and installs the packages that they need
         there, unless these packages are there already
test     runs the test files of that name (all, if none is named) against the program APIKEYSD;
         screenshots go to WORK_DIR/screenshots
END
  exit 2
}

[ $# -ge 2 ] || usage
command=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$2"
work=$(cd "$2" && pwd)
shift 2

# The tests run in a copy, so that Node finds the packages in a folder above them and the source
# tree stays as it is.
copy_sources() {
  rm -rf "$work/tests" "$work/examples"
  mkdir -p "$work/tests" "$work/examples"
  cp -R "$root/tests/interop" "$work/tests/"
  for samples in node python; do
    if [ -d "$root/examples/$samples" ]; then
      cp -R "$root/examples/$samples" "$work/examples/"
    fi
  done
}

# Packages' own scripts don't run (.npmrc); what is installed is what the lock file's hashes say.
install_packages() {
  cd "$root/tests/interop"
  lock=$(cat .npmrc package.json package-lock.json | sha256sum)
  if [ "$(cat "$work/node_modules/.lock" 2>/dev/null)" = "$lock" ]; then
    return 0
  fi
  cp .npmrc package.json package-lock.json "$work/"
  cd "$work"
  npm ci --prefer-offline --no-progress
  echo "$lock" >node_modules/.lock
}

# The SDK asks for a newer Node than some distributions have, so one comes with the packages.
find_node() {
  for found in "$work"/node_modules/node-linux-*/bin/node; do
    if [ -x "$found" ]; then
      echo "$found"
      return 0
    fi
  done
  command -v node
}

case $command in
prepare)
  [ $# -eq 0 ] || usage
  copy_sources
  install_packages
  ;;
test)
  [ $# -ge 1 ] || usage
  program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
  shift
  node=$(find_node)
  mkdir -p "$work/screenshots"
  cd "$work/tests/interop"
  [ $# -gt 0 ] || set -- *.test.mjs
  NEXT_TELEMETRY_DISABLED=1 APIKEYSD=$program SCREENSHOTS=$work/screenshots \
    exec "$node" --test --test-concurrency=1 --test-force-exit --test-reporter=spec "$@"
  ;;
*) usage ;;
esac
