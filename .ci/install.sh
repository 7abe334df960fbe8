# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Sourced by tests/run.sh and examples/run.sh: installs the Debian packages that they lack.
#
# What is there is found out by using it, not by asking dpkg, so that tools which came another way
# count too.

missing=""

# need PACKAGE COMMAND...: the package is missing if the command fails.
need() {
  package=$1
  shift
  "$@" </dev/null >/dev/null 2>&1 || missing="$missing $package"
}

have_c_compiler() {
  command -v make &&
    echo '#include <stdio.h>' | gcc -E - &&
    echo '#include <new>' | g++ -x c++ -E -
}

have_clang_runtime() {
  for runtime in asan fuzzer; do
    found=$(clang -print-file-name="libclang_rt.$runtime-$(uname -m).a") || return 1
    [ -f "$found" ] || [ -f "$(clang -print-runtime-dir)/libclang_rt.$runtime.a" ] || return 1
  done
}

need_build_packages() {
  need build-essential have_c_compiler
  need cmake cmake --version
  need pkg-config pkg-config --version
  need libsodium-dev pkg-config --exists libsodium
  need libsqlite3-dev pkg-config --exists sqlite3
}

need_server_packages() {
  need_build_packages
  need libmicrohttpd-dev pkg-config --exists libmicrohttpd
  need libjansson-dev pkg-config --exists jansson
  need libcurl4-gnutls-dev pkg-config --exists libcurl
  need libgnutls28-dev pkg-config --exists gnutls
}

need_test_packages() {
  need_server_packages
  need zlib1g-dev pkg-config --exists zlib # SQLite's archive wants it
  need check pkg-config --exists check
  need clang clang --version
  need libclang-rt-dev have_clang_runtime
  need liblmdb-dev pkg-config --exists lmdb
  need valgrind valgrind --version
  need python3 python3 --version
  need ruby ruby -rfiddle -e ""
  need golang-go go version
  need shellcheck shellcheck --version
  need sqlite3 sqlite3 --version
  need openssl openssl version
  need spin spin -V
  need_interop_packages
}

have_fonts() {
  fc-list | grep -q .
}

# What tests/interop/run.sh runs.
need_interop_packages() {
  need nodejs node --version
  need npm npm --version
  need chromium chromium --version
  need fonts-dejavu-core have_fonts
  need python3-flask python3 -c "import flask"
  need python3-jsonschema python3 -c "import jsonschema"
}

# Debian keeps PostgreSQL's server programs out of the PATH, in a folder for each version.
find_postgres() {
  for folder in /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/initdb" ]; then
      echo "$folder"
      return 0
    fi
  done
  initdb=$(command -v initdb) && dirname "$initdb"
}

# What tests/bench/run.sh compares with, and draws with.
need_bench_packages() {
  need_server_packages
  need check pkg-config --exists check
  need python3 python3 --version
  need ruby ruby -rfiddle -e ""
  need golang-go go version
  need openssl openssl version
  need gnuplot-nox gnuplot --version
  need wrk command -v wrk
  need redis-server redis-server --version
  need redis-tools redis-cli --version
  need libhiredis-dev pkg-config --exists hiredis
  need postgresql find_postgres
  need libpq-dev pkg-config --exists libpq
  need libmacaroons-dev pkg-config --exists libmacaroons
  need libjwt-dev pkg-config --exists libjwt
}

# ensure NEED_FUNCTION: installs what that function finds missing, as root or through sudo. With
# neither, or where it does not work, it says what to install and ends the script.
ensure() {
  missing=""
  "$1"
  [ -n "$missing" ] || return 0
  install="apt-get install -y --no-install-recommends$missing"
  as_root=""
  if ! command -v apt-get >/dev/null; then
    echo "Please install what Debian calls:$missing" >&2
    exit 1
  elif [ "$(id -u)" -ne 0 ]; then
    # Without a terminal nobody can type a password.
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 2 ]; }; then
      as_root=sudo
    else
      echo "Some packages are missing. Please run as root: $install" >&2
      exit 1
    fi
  fi
  echo "Installing:$missing"
  apt_get="apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300"
  # An update may fail for one of several sources; whether it mattered shows in the installation.
  # shellcheck disable=SC2086  # lists of options and of packages
  $as_root env DEBIAN_FRONTEND=noninteractive $apt_get update </dev/null || true
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive $apt_get install -y --no-install-recommends \
    $missing </dev/null || true
  missing=""
  "$1"
  if [ -n "$missing" ]; then
    echo "Still missing after the installation:$missing" >&2
    exit 1
  fi
}
