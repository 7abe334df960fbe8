#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every scenario of the benchmark, tiny: it runs, its answers are right, its table is written.
#
#   smoke.sh <bench program> <scratch directory>
set -eu

bench=$1
scratch=$2
here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$scratch"
mkdir -p "$scratch"
for scenario in fill size validate memory-store threads changes memory pages create creators maintain; do
  "$bench" "$scenario" --directory "$scratch/store" --keys 300 --rounds 2 --ms 2 \
    >>"$scratch/raw.jsonl" || {
    echo "bench $scenario failed"
    exit 1
  }
done
python3 "$here/report.py" "$scratch/raw.jsonl" "$scratch/results"
for row in floor baseline cold unknown malformed "create"; do
  grep -q "^ *$row " "$scratch/results/results.txt" || {
    echo "the table has no row '$row'"
    cat "$scratch/results/results.txt"
    exit 1
  }
done
python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$scratch/results/results.json"
rm -rf "$scratch"
echo "the benchmark works"
