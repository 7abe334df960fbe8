#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a validation costs from other languages, beside an empty call of the same kind.
#
#   run.sh LIBRARY INCLUDE_DIRECTORY STORE SCRATCH ROUNDS CALLS
set -eu

library=$1 include=$2 store=$3 scratch=$4 rounds=$5 calls=$6
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)
PYTHONDONTWRITEBYTECODE=1 python3 "$here/python.py" "$library" "$store" "$rounds" "$calls"
ruby "$here/ruby.rb" "$library" "$store" "$rounds" "$calls"
folder=$(dirname "$library")
GO111MODULE=off GOFLAGS='' CGO_ENABLED=1 GOCACHE=$scratch/cache
CGO_CFLAGS="-I$include" CGO_LDFLAGS="-L$folder -lapikeys"
export GO111MODULE GOFLAGS CGO_ENABLED GOCACHE CGO_CFLAGS CGO_LDFLAGS
go build -o "$scratch/main" "$here/main.go"
LD_LIBRARY_PATH=$folder "$scratch/main" "$library" "$store" "$rounds" "$calls"
