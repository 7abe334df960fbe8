#!/bin/sh
# SPDX-License-Identifier: MIT
# Go, through cgo. One file and no modules, so nothing is fetched.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v go >/dev/null; then
  echo "skipped: there is no go"
  exit 77
fi
GO111MODULE=off GOFLAGS='' CGO_ENABLED=1 GOCACHE=$APIKEYS_SCRATCH_DIR/cache
CGO_CFLAGS="-I$APIKEYS_INCLUDE_DIR"
CGO_LDFLAGS="-L$APIKEYS_LIBRARY_DIR -lapikeys"
export GO111MODULE GOFLAGS CGO_ENABLED GOCACHE CGO_CFLAGS CGO_LDFLAGS
go build -o "$APIKEYS_SCRATCH_DIR/main" "$here/main.go"
LD_LIBRARY_PATH=$APIKEYS_LIBRARY_DIR exec "$APIKEYS_SCRATCH_DIR/main"
