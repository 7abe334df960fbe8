#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Shows that three lists of names are one: the functions that the public headers declare with
# APIKEYS_API, the names in lib/apikeys.map, and what the shared library exports (all of them
# under the version node). Prints what differs, in which direction, and fails.
#
#   check-exports.sh LIBRARY    check headers = map = LIBRARY's dynamic symbols
#   check-exports.sh --write    write lib/apikeys.map anew from the headers
set -eu
export LC_ALL=C

root=$(cd "$(dirname "$0")/../.." && pwd)
map=$root/lib/apikeys.map
node=APIKEYS_1.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Every public header, preprocessed at once: the declarations as a compiler sees them, one a line,
# bodies in braces left out. APIKEYS_API has become the attribute that is looked for below.
declarations() {
  (cd "$root/include" && find . -name '*.h' | sed 's|^\./\(.*\)|#include <\1>|' | sort) |
    "${CC:-cc}" -std=c11 -E -P -I"$root/include" -x c - |
    awk '
      { text = text " " $0 }
      END {
        while (gsub(/\{[^{}]*\}/, " ", text)) { }
        count = split(text, statement, ";")
        for (i = 1; i <= count; i++) print statement[i]
      }'
}

declarations >"$work/declarations"

# The name is the first identifier that a parenthesis follows.
sed -n 's/__attribute__((visibility("default")))/@/p' "$work/declarations" |
  sed 's/__attribute__ *(([^()]*\(([^()]*)\)*[^()]*))//g' >"$work/exported"
sed -n 's/^[^(]*[^A-Za-z0-9_(]\([A-Za-z_][A-Za-z0-9_]*\) *(.*/\1/p' "$work/exported" |
  sort >"$work/headers"

bad=0
report() { # title, file of names
  if [ -s "$2" ]; then
    echo "$1:"
    sed 's/^/  /' "$2"
    bad=1
  fi
}

if [ ! -s "$work/headers" ] ||
  [ "$(wc -l <"$work/exported")" -ne "$(wc -l <"$work/headers")" ]; then
  echo "an APIKEYS_API declaration in the headers is not a function"
  bad=1
fi
grep -v '^apikeys_' "$work/headers" >"$work/misnamed" || true
report "exported, but not named apikeys_…" "$work/misnamed"
grep -v 'visibility("default")' "$work/declarations" |
  grep -v '^ *typedef ' |
  sed -n 's/^[^(]*[^A-Za-z0-9_(]\(apikeys_[A-Za-z0-9_]*\) *(.*/\1/p' >"$work/unmarked"
report "declared in a header without APIKEYS_API" "$work/unmarked"
uniq -d "$work/headers" >"$work/twice"
report "declared twice" "$work/twice"
[ "$bad" -eq 0 ] || exit 1

if [ "${1:-}" = --write ]; then
  {
    echo "/* The exported names; written by tests/abi/check-exports.sh --write from the headers. */"
    echo "$node {"
    echo "  global:"
    sed 's/.*/    &;/' "$work/headers"
    echo "  local:"
    echo "    *;"
    echo "};"
  } >"$work/map"
  cat "$work/map" >"$map"
  echo "$map: $(wc -l <"$work/headers") names"
  exit 0
fi

library=${1:?usage: check-exports.sh LIBRARY | --write}
sed -n 's/^ *\(apikeys_[A-Za-z0-9_]*\);$/\1/p' "$map" | sort >"$work/map"
# The node itself is an absolute symbol; everything else must be a function under it.
nm -D --defined-only "$library" |
  awk -v node="$node" '!($2 == "A" && $3 == node) { print $2, $3 }' |
  sort -k 2 >"$work/symbols"
sed -n "s/^T \(.*\)@@$node\$/\1/p" "$work/symbols" | sort >"$work/library"
grep -v "^T .*@@$node\$" "$work/symbols" >"$work/foreign" || true

comm -23 "$work/headers" "$work/map" >"$work/a"
report "in the headers, but not in lib/apikeys.map (run check-exports.sh --write)" "$work/a"
comm -13 "$work/headers" "$work/map" >"$work/b"
report "in lib/apikeys.map, but not in the headers (run check-exports.sh --write)" "$work/b"
comm -23 "$work/headers" "$work/library" >"$work/c"
report "declared, but not exported by the library" "$work/c"
comm -13 "$work/headers" "$work/library" >"$work/d"
report "exported by the library, but not declared" "$work/d"
report "exported otherwise than as a function of $node" "$work/foreign"
[ "$bad" -eq 0 ] || exit 1
echo "$(wc -l <"$work/headers") functions: headers = lib/apikeys.map = $(basename "$library")"
