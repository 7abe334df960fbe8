#!/bin/sh
# SPDX-License-Identifier: MIT
# The library as two files, as a program uses them that copies them beside its own sources: one
# compiler call, the output that the README shows, and no symbol of ours but the API where the
# program asks for hidden visibility.
#
#   check-one-file.sh <folder with apikeys.c and apikeys.h> <examples folder> <C compiler> <nm>
set -eu

files=$1 examples=$2 compiler=$3 nm=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cp "$files/apikeys.c" "$files/apikeys.h" "$examples/quickstart.c" "$scratch/"
cd "$scratch"
# shellcheck disable=SC2046  # options
"$compiler" -std=c11 -O1 -Wall -Wextra -Werror -I. -o quickstart quickstart.c apikeys.c \
  $(pkg-config --cflags --libs libsodium sqlite3) -pthread
./quickstart >printed
printf '200 OK\n401 REVOKED\n' | cmp - printed

"$compiler" -std=c11 -O1 -DAPIKEYS_WITHOUT_SQLITE -Wall -Wextra -Werror -c -o without.o apikeys.c
if "$nm" --undefined-only without.o | grep sqlite3; then
  echo "the build without SQLite uses SQLite"
  exit 1
fi

# shellcheck disable=SC2046
"$compiler" -std=c11 -O0 -fPIC -fvisibility=hidden -shared -o libone.so apikeys.c \
  $(pkg-config --cflags --libs libsodium sqlite3) -pthread
"$nm" -D --defined-only libone.so | awk '{ print $3 }' >exported
grep -qx apikeys_validate exported || { echo "apikeys_validate is not exported"; exit 1; }
if grep -v '^apikeys_' exported; then
  echo "these are exported, and are not the API"
  exit 1
fi
echo "one program, $(wc -l <exported) exported functions"
