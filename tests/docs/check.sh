#!/bin/sh
# SPDX-License-Identifier: MIT
# The README's first code block is in examples/protect_a_route.c, line for line, and that program does
# what the README says. Its figure is that of the committed benchmark. The code in the headers'
# comments compiles.
#
#   check.sh <source directory> <protect_a_route program> <C compiler>
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

# The C block is in examples/protect_a_route.c, line for line, in two runs of lines.
block c | sed 's/^ *//' | grep -v '^$' >"$scratch/code"
sed 's/^ *//' "$source/examples/protect_a_route.c" >"$scratch/example"
[ -s "$scratch/code" ] || { echo "README.md has no C block"; exit 1; }
while IFS= read -r line; do
  grep -Fxq -e "$line" "$scratch/example" || {
    echo "README.md's code is not in examples/protect_a_route.c: $line"
    exit 1
  }
done <"$scratch/code"

printf 'with the key: 200\nwithout one:  401\nonce revoked: 401\n' >"$scratch/expected"
(cd "$scratch" && "$program") >"$scratch/printed"
if ! cmp -s "$scratch/expected" "$scratch/printed"; then
  echo "the README's example does not do what it says:"
  diff "$scratch/expected" "$scratch/printed" || true
  exit 1
fi

# The figure of the first screen is the committed run's: the first row "warm" of the SQLite table.
figure=$(sed -n 's/^.*: \([0-9]* ns\) at 10,000 keys.*$/\1/p' "$source/README.md")
measured=$(awk '$1 == "warm" && $3 == "ns" { print $2 " ns"; exit }' \
  "$source/tests/bench/results/results.txt")
if [ -z "$figure" ] || [ "$figure" != "$measured" ]; then
  echo "README.md says '$figure', the committed run '$measured'"
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
