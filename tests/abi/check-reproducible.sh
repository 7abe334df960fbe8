#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the library again from a copy of its sources in another folder, and shows that the two
# shared libraries are the same, byte for byte.
#
#   check-reproducible.sh LIBRARY SCRATCH_DIR OPTIONS_OF_CMAKE...
set -eu

library=$1 scratch=$2
shift 2
root=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf "$scratch"
mkdir -p "$scratch/a/deeper/folder"
for part in CMakeLists.txt LICENSE apikeys.pc.in include lib; do
  cp -R "$root/$part" "$scratch/a/deeper/folder"
done
if ! {
  "${CMAKE:-cmake}" -S "$scratch/a/deeper/folder" -B "$scratch/build" -DAPIKEYS_BUILD_TESTS=OFF \
    -DAPIKEYS_BUILD_EXAMPLES=OFF -DAPIKEYS_BUILD_STATIC=OFF "$@" &&
    "${CMAKE:-cmake}" --build "$scratch/build"
} >"$scratch/log" 2>&1; then
  cat "$scratch/log"
  exit 1
fi
cmp "$library" "$scratch/build/$(basename "$library")"
sha256sum "$library" "$scratch/build/$(basename "$library")"
