#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds libapikeys and shows its main job on a real SQLite file; or serves it over HTTP. Installs
# the Debian packages that are missing (as root or through sudo) first.
set -eu

usage() {
  cat <<'END'
usage: sh examples/run.sh [serve]

Builds in .build/examples (or $APIKEYS_BUILD_DIR/examples), runs the tour, and exits.

  serve   starts apikeysd, the key service, as a demo on http://127.0.0.1:8787 (a busy port: the
          next free one) instead, and leaves it running until Ctrl-C. With $APIKEYSD it takes that
          program, and builds nothing
END
}

serve=no
case "$#${1:-}" in
0) ;;
1serve) serve=yes ;;
1--help | 1-h)
  usage
  exit 0
  ;;
*)
  usage >&2
  exit 2
  ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

build() {
  # shellcheck source=.ci/install.sh
  . "$root/.ci/install.sh"
  server=OFF
  if [ "$serve" = yes ]; then
    ensure need_server_packages
    server=ON
  else
    ensure need_build_packages
  fi
  build_root=${APIKEYS_BUILD_DIR:-$root/.build}
  mkdir -p "$build_root"
  build=$(cd "$build_root" && pwd)/examples
  echo "Building in $build"
  if ! {
    cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DAPIKEYS_BUILD_TESTS=OFF \
      -DAPIKEYS_BUILD_SERVER=$server &&
      cmake --build "$build" --parallel "$(nproc 2>/dev/null || echo 2)"
  } >"$build.log" 2>&1; then
    tail -n 40 "$build.log" >&2
    echo "The build failed; all of it is in $build.log" >&2
    exit 1
  fi
}

if [ "$serve" = yes ]; then
  program=${APIKEYSD:-}
  if [ -z "$program" ]; then
    build
    program=$build/examples/apikeysd/apikeysd
  fi
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/apikeysd-demo.XXXXXX")
  # Its log is lines of JSON: in a file, so that what a person is to read stays on the screen.
  "$program" --demo --next-port --database "$scratch/keys.db" --ready-file "$scratch/ready.json" \
    >"$scratch/log" 2>&1 &
  service=$!
  # The service ends in good order; then so does this.
  trap 'kill "$service" 2>/dev/null || true; wait "$service" || true; exit 0' INT TERM
  while [ ! -f "$scratch/ready.json" ]; do
    kill -0 "$service" 2>/dev/null || {
      cat "$scratch/log" >&2
      exit 1
    }
    sleep 0.1
  done
  about() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$scratch/ready.json"; }
  # The key is shown on a terminal alone; elsewhere the shell that it is pasted to reads its file.
  key="\$(cat $scratch/keys.db.management-key)"
  [ ! -t 1 ] || key=$(about management_key)
  cat <<END

Open      $(about url)/              where to begin
          $(about url)/demo          a customer's admin: create, see and revoke keys
          $(about url)/dashboard/    the operator: sign in with the management key
          $(about url)/openapi.json  the REST API, for programs and people
Paste     curl $(about url)/organizations/$(about organization_id)/api_keys \\
            -H "Authorization: Bearer $key" \\
            -d '{"name":"CI deploys","permissions":["posts:read"]}'
          and, with the "value" that it answers,
          curl $(about url)/api_keys/validations \\
            -H "Authorization: Bearer $key" \\
            -d '{"value":"sk_..."}'

The management key is in $scratch/keys.db.management-key,
beside the store. The log is $scratch/log. Ctrl-C ends the service.
END
  wait "$service" || true
  tail -n 5 "$scratch/log" >&2
  exit 1 # it ended by itself
fi

build

scratch=$(mktemp -d "${TMPDIR:-/tmp}/apikeys-tour.XXXXXX")
echo
(cd "$scratch" && "$build/examples/tour")
cat <<END

Where things are:
  the store that the tour left   $scratch
  the library                    $build/libapikeys.so
  the example programs           $build/examples
  their sources                  $root/examples
  the manual                     $root/include/apikeys.h
END
