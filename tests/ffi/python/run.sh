#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The library from Python, with nothing but ctypes and the shared library.
set -eu

if ! command -v python3 >/dev/null 2>&1; then
  echo "skipped: there is no python3"
  exit 77
fi
if ! python3 -c 'import ctypes' 2>/dev/null; then
  echo "skipped: this python3 has no ctypes"
  exit 77
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 "$(dirname "$0")/main.py"
