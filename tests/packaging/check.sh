#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds and runs a program of another project against the library, in one of the ways that there
# are. `install` comes first: it fills WORK/prefix, which the other ways use.
#
#   check.sh WAY BUILD_DIR WORK_DIR
set -eu

way=$1 build=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
: "${CC:=cc}" "${CMAKE:=cmake}" "${PKG_CONFIG:=pkg-config}"
prefix=$work/prefix
scratch=$work/$way
rm -rf "$scratch"
mkdir -p "$scratch"
unset DESTDIR CFLAGS LDFLAGS CPPFLAGS PKG_CONFIG_PATH CMAKE_PREFIX_PATH

fail() {
  echo "$way: $1" >&2
  exit 1
}

# The folder of a prefix that holds apikeys.pc; libraries lie one level above.
pkgconfig_dir() {
  dirname "$(find "$1" -name apikeys.pc)"
}

needed() {
  readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# A copy of the prefix without the shared library: -lapikeys is then the archive.
copy_without_shared() {
  cp -R "$prefix" "$1"
  find "$1" -name 'libapikeys.so*' -exec rm {} +
  find "$1" -name 'apikeys-shared*.cmake' -exec rm {} +
}

build_with_pkg_config() { # program, prefix, options of pkg-config...
  program=$1
  PKG_CONFIG_PATH=$(pkgconfig_dir "$2")
  export PKG_CONFIG_PATH
  shift 2
  # shellcheck disable=SC2046  # pkg-config's answer is a list of words
  "$CC" -Wall -Wextra -Werror -o "$program" "$here/consumer/main.c" \
    $("$PKG_CONFIG" "$@" --cflags --libs 'apikeys >= 1.0')
}

build_with_cmake() { # options of cmake...
  if ! "$CMAKE" -S "$here/consumer" -B "$scratch/build" -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "$@" >"$scratch/log" 2>&1 ||
    ! "$CMAKE" --build "$scratch/build" >>"$scratch/log" 2>&1; then
    cat "$scratch/log" >&2
    fail "does not build"
  fi
}

case $way in
install)
  rm -rf "$prefix"
  "$CMAKE" --install "$build" --prefix "$prefix" >/dev/null
  (cd "$prefix" && find . ! -type d | sort)
  [ -f "$prefix/include/apikeys/base.h" ] || fail "no headers"
  ! grep -rl -e "$root" -e "$build" "$prefix/include" "$(pkgconfig_dir "$prefix")" \
    "$prefix"/lib*/cmake "$prefix"/lib*/*/cmake 2>/dev/null ||
    fail "an installed file names the build machine's folders"
  ;;

pkg_config_shared)
  build_with_pkg_config "$scratch/consumer" "$prefix"
  LD_LIBRARY_PATH=$(dirname "$(pkgconfig_dir "$prefix")") "$scratch/consumer"
  needed "$scratch/consumer" | grep -qx 'libapikeys\.so\.1' ||
    fail "is not linked with the library"
  ! "$PKG_CONFIG" --libs apikeys | grep -Eq 'sodium|sqlite' || fail "private libraries leak"
  ;;

pkg_config_static)
  copy_without_shared "$scratch/prefix"
  build_with_pkg_config "$scratch/consumer" "$scratch/prefix" --static
  "$scratch/consumer"
  ! needed "$scratch/consumer" | grep -q apikeys || fail "is linked with the shared library"
  ;;

find_package)
  # Without libsodium and SQLite to be found, as on a machine that has the shared library only.
  mkdir "$scratch/empty"
  PKG_CONFIG_LIBDIR=$scratch/empty build_with_cmake -DCMAKE_PREFIX_PATH="$prefix" \
    -DAPIKEYS_ABSENT=apikeys::apikeys_static
  "$scratch/build/consumer"
  needed "$scratch/build/consumer" | grep -qx 'libapikeys\.so\.1' ||
    fail "is not linked with the library"
  ! needed "$scratch/build/consumer" | grep -Eq 'sodium|sqlite' || fail "private libraries leak"
  ;;

find_package_static)
  build_with_cmake -DCMAKE_PREFIX_PATH="$prefix" -DAPIKEYS_TARGET=apikeys::apikeys_static \
    -DAPIKEYS_COMPONENTS=static
  "$scratch/build/consumer"
  ! needed "$scratch/build/consumer" | grep -q apikeys || fail "is linked with the shared library"
  # And where only the archive is installed, it is what apikeys::apikeys means.
  rm -rf "$scratch/build"
  copy_without_shared "$scratch/prefix"
  build_with_cmake -DCMAKE_PREFIX_PATH="$scratch/prefix"
  "$scratch/build/consumer"
  ;;

relocated)
  cp -R "$prefix" "$scratch/elsewhere"
  build_with_pkg_config "$scratch/consumer" "$scratch/elsewhere"
  ! "$PKG_CONFIG" --cflags --libs apikeys | grep -q "$prefix/" ||
    fail "apikeys.pc names the old place"
  build_with_cmake -DCMAKE_PREFIX_PATH="$scratch/elsewhere"
  "$scratch/build/consumer"
  readelf -d "$scratch/build/consumer" | grep -q "$scratch/elsewhere" || fail "found another one"
  ;;

without_sqlite)
  # The same exported functions; the memory back-end works, the SQLite one says what is missing.
  "$CMAKE" -S "$root" -B "$scratch/build" -DCMAKE_C_COMPILER="$CC" -DAPIKEYS_SQLITE=OFF \
    -DAPIKEYS_BUILD_TESTS=OFF -DAPIKEYS_BUILD_EXAMPLES=OFF -DCMAKE_BUILD_TYPE=Debug >/dev/null
  "$CMAKE" --build "$scratch/build" --parallel 2 >/dev/null
  "$CMAKE" --install "$scratch/build" --prefix "$scratch/prefix" >/dev/null
  library=$(find "$scratch/prefix" -name libapikeys.so)
  ! needed "$library" | grep -q sqlite || fail "is linked with SQLite"
  exported() { nm -D --defined-only "$1" | awk '{ print $3 }' | sort; }
  exported "$library" >"$scratch/without"
  exported "$(find "$prefix" -name libapikeys.so)" >"$scratch/with"
  cmp "$scratch/with" "$scratch/without" || fail "exports other functions"
  # shellcheck disable=SC2046
  "$CC" -o "$scratch/program" "$here/without_sqlite.c" \
    $(PKG_CONFIG_PATH=$(pkgconfig_dir "$scratch/prefix") "$PKG_CONFIG" --cflags --libs apikeys)
  LD_LIBRARY_PATH=$(dirname "$library") "$scratch/program"
  ! grep -q sqlite "$(pkgconfig_dir "$scratch/prefix")/apikeys.pc" || fail "apikeys.pc wants SQLite"
  ;;

add_subdirectory)
  build_with_cmake -DAPIKEYS_FOLDER="$root"
  "$scratch/build/consumer"
  "$scratch/build/bystander" >/dev/null
  # The parent's commands are what they would be without us: the compiler's defaults, and for the
  # program that links us the include folder.
  ! grep -E '"command".*(bystander|consumer/main)\.c"' "$scratch/build/compile_commands.json" |
    grep -E -- ' -(W|f|std|O|g|D)' || fail "flags leak into the parent's targets"
  ! grep '"command".*bystander\.c"' "$scratch/build/compile_commands.json" |
    grep -E -- ' -I' || fail "include folders leak into the parent's targets"
  ! grep -Ex 'CMAKE_(BUILD_TYPE|C_FLAGS):[A-Z]*=.+' "$scratch/build/CMakeCache.txt" ||
    fail "the parent's settings were changed"
  [ ! -e "$scratch/build/libapikeys/tests" ] || fail "the parent builds our tests"
  [ ! -e "$scratch/build/libapikeys/examples" ] || fail "the parent builds our examples"
  "$CMAKE" --install "$scratch/build" --prefix "$scratch/prefix" >/dev/null
  [ ! -e "$scratch/prefix/include" ] || fail "the parent installs our headers"
  ;;

programs)
  # As installed, and moved: no LD_LIBRARY_PATH, no ldconfig.
  [ -x "$prefix/bin/apikeysd" ] || exit 77
  cp -R "$prefix" "$scratch/elsewhere"
  for program in "$prefix/bin/apikeysd" "$scratch/elsewhere/bin/apikeysd"; do
    env -u LD_LIBRARY_PATH "$program" --version || fail "$program does not run"
  done
  ;;

cdef)
  # The declarations alone, as a foreign-function tool reads them: C without a preprocessor.
  cdef=$prefix/share/apikeys/apikeys.cdef
  ! grep -n -e '^ *#' -e '__attribute__' -e '^ *extern' "$cdef" || fail "holds more than declarations"
  { printf '#include <stddef.h>\n#include <stdint.h>\n' && cat "$cdef"; } >"$scratch/cdef.c"
  "$CC" -std=c99 -Wall -Wextra -Werror -fsyntax-only "$scratch/cdef.c"
  sed -n 's/^ *\(apikeys_[a-z0-9_]*\);$/\1/p' "$root/lib/apikeys.map" >"$scratch/exported"
  [ -s "$scratch/exported" ] || fail "nothing is exported"
  while read -r name; do
    grep -qE "(^|[ *])$name\\(" "$cdef" || fail "lacks $name"
  done <"$scratch/exported"
  ;;

uninstall)
  # A manifest of its own, as the build folder's is the installation's that the other ways use.
  mkdir "$scratch/build"
  "$CMAKE" --install "$build" --prefix "$scratch/prefix" >/dev/null
  mkdir -p "$scratch/prefix/lib/of-others"
  echo kept >"$scratch/prefix/include/other.h"
  sed "s|^.*/prefix/|$scratch/prefix/|" "$build/install_manifest.txt" \
    >"$scratch/build/install_manifest.txt"
  (cd "$scratch/build" && "$CMAKE" -P "$root/lib/uninstall.cmake") >/dev/null
  left=$(find "$scratch/prefix" -type f)
  [ "$left" = "$scratch/prefix/include/other.h" ] || fail "left: $left"
  [ -d "$scratch/prefix/lib/of-others" ] || fail "removed a folder of another package"
  [ ! -e "$scratch/prefix/include/apikeys" ] || fail "left an empty folder of its own"
  ;;

*)
  fail "no such way"
  ;;
esac
