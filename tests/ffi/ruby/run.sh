#!/bin/sh
# SPDX-License-Identifier: MIT
# Ruby, through fiddle.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v ruby >/dev/null; then
  echo "skipped: there is no ruby"
  exit 77
fi
if ! ruby -rfiddle -e '' 2>/dev/null; then
  echo "skipped: this ruby has no fiddle"
  exit 77
fi
exec ruby "$here/main.rb"
