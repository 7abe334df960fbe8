#!/bin/sh
# SPDX-License-Identifier: MIT
# The README's first code block is examples/quickstart.c, line for line, and prints what the README
# says it prints.
#
# The code in the headers' comments compiles.
#
#   check.sh <source directory> <quickstart program> <C compiler>
set -eu

source=$1
program=$2
compiler=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# block <fence>: the README's first fenced block of that kind
block() {
  awk -v fence="\`\`\`$1" '$0 == fence && !seen { inside = seen = 1; next }
                           /^```/ { inside = 0 } inside' "$source/README.md"
}

block c >"$scratch/code"
sed 's/^  //' "$source/examples/quickstart.c" >"$scratch/example"
[ -s "$scratch/code" ] || { echo "README.md has no C block"; exit 1; }
grep -Fxf "$scratch/code" "$scratch/example" >"$scratch/found" || true
if ! cmp -s "$scratch/code" "$scratch/found"; then
  echo "README.md's code is not what examples/quickstart.c does:"
  diff "$scratch/code" "$scratch/found" || true
  exit 1
fi

block text >"$scratch/expected"
(cd "$scratch" && "$program") >"$scratch/printed"
if ! cmp -s "$scratch/expected" "$scratch/printed"; then
  echo "README.md's output is not what the program prints:"
  diff "$scratch/expected" "$scratch/printed" || true
  exit 1
fi

# Every file that the README links to is there.
grep -o ']([^):#]*)' "$source/README.md" | sed 's/^](//; s/)$//' >"$scratch/links"
while read -r link; do
  [ -e "$source/$link" ] || { echo "README.md links to $link, which is not there"; exit 1; }
done <"$scratch/links"

# Code in a header's comment: lines of three blanks behind the star, from one that ends in ';'.
{
  echo '#include <apikeys.h>'
  echo 'int respond(int status);'
  echo 'int handle(apikeys_env *env, const char *value, size_t length,'
  echo '           const apikeys_requirement *need, apikeys_key *key);'
  echo 'int handle(apikeys_env *env, const char *value, size_t length,'
  echo '           const apikeys_requirement *need, apikeys_key *key) {'
  sed -n '/^ \*   int rc = apikeys_validate/,/^ \*$/ { s/^ \*   /  /p; }' "$source/include/apikeys/validate.h" |
    grep -v '^ [*]'
  echo '  return respond(200);'
  echo '}'
} >"$scratch/snippet.c"
grep -q 'apikeys_validate(env' "$scratch/snippet.c" || { echo "validate.h has no example"; exit 1; }
"$compiler" -std=c11 -Wall -Wextra -Werror -I "$source/include" -fsyntax-only "$scratch/snippet.c"
echo "the README and the headers' examples are true"
