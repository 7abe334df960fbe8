#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds libapikeys and shows its main job on a real SQLite file. Installs the Debian packages that
# are missing (as root or through sudo) first.
set -eu

if [ $# -gt 0 ]; then
  echo "usage: sh examples/run.sh"
  echo "Builds in .build/examples (or \$APIKEYS_BUILD_DIR/examples), runs the tour, and exits."
  [ "$1" = --help ] || [ "$1" = -h ] || exit 2
  exit 0
fi

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
# shellcheck source=.ci/install.sh
. "$root/.ci/install.sh"
ensure need_build_packages

build_root=${APIKEYS_BUILD_DIR:-$root/.build}
mkdir -p "$build_root"
build=$(cd "$build_root" && pwd)/examples
echo "Building in $build"
if ! {
  cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DAPIKEYS_BUILD_TESTS=OFF &&
    cmake --build "$build" --parallel "$(nproc 2>/dev/null || echo 2)"
} >"$build.log" 2>&1; then
  tail -n 40 "$build.log" >&2
  echo "The build failed; all of it is in $build.log" >&2
  exit 1
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/apikeys-tour.XXXXXX")
echo
(cd "$scratch" && "$build/examples/tour")
cat <<END

Where things are:
  the store that the tour left   $scratch
  the library                    $build/libapikeys.so
  the example programs           $build/examples
  their sources                  $root/examples
  the manual                     $root/include/apikeys.h
END
