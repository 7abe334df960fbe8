#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The one test command. See --help.
set -eu

usage() {
  cat <<'END'
usage: sh tests/run.sh [--quick] [--soak] [--fuzz SECONDS] [--help]

Installs the Debian packages that are missing (as root or through sudo), builds libapikeys in
.build/ (or $APIKEYS_BUILD_DIR) with warnings as errors, and runs its tests:

  gcc       everything: unit, storage, faults, processes, fuzz corpus, examples, headers, exports,
            packaging, other languages, scripts
  clang     the library's tests of behaviour again, built with clang
  asan      the same under AddressSanitizer and UndefinedBehaviorSanitizer
  tsan      the same under ThreadSanitizer, but for failing allocations and slots
  valgrind  unit and storage tests under memcheck, without the hardening that would hide what it
            looks for; not those that live of processes or of many threads, which take minutes there

  --quick          stage gcc only
  --soak           more rounds: sets APIKEYS_SOAK=1, which long-running tests read (the history of
                   validations takes an hour in stages gcc and clang), then repeats the tests of
                   processes and storage fifty times, as long as ever; takes about four hours
  --fuzz SECONDS   then fuzz each target that long with libFuzzer, starting from its corpus
  --help           this

The last line reads "N passed, N failed"; the exit status is 0 if none failed.
END
}

quick=no soak=no fuzz=0
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=yes ;;
  --soak) soak=yes ;;
  --fuzz)
    fuzz=${2:-}
    case $fuzz in
    "" | *[!0-9]*)
      usage >&2
      exit 2
      ;;
    esac
    shift
    ;;
  --help | -h)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
  esac
  shift
done

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
# shellcheck source=.ci/install.sh
. "$root/.ci/install.sh"
ensure need_test_packages

build_root=${APIKEYS_BUILD_DIR:-$root/.build}
mkdir -p "$build_root"
build_root=$(cd "$build_root" && pwd)
jobs=$(nproc 2>/dev/null || echo 2)
unset CFLAGS CPPFLAGS LDFLAGS DESTDIR
if [ "$soak" = yes ]; then
  export APIKEYS_SOAK=1
else
  unset APIKEYS_SOAK
fi

passed=0 failed=0 summary=""

# Adds a stage's numbers to the totals.
record() { # stage, passed, failed, skipped, start
  passed=$((passed + $2))
  failed=$((failed + $3))
  line=$(printf '  %-10s %4d passed %4d failed %4d skipped %5d s' "$1" "$2" "$3" "$4" \
    $(($(date +%s) - $5)))
  summary="$summary$line
"
}

header() {
  printf '\n==== %s\n' "$1"
}

build() { # stage, options of cmake...
  dir=$build_root/$1
  shift
  # CMake keeps an option that is no longer given; a fresh cache has no past.
  rm -f "$dir/CMakeCache.txt"
  cmake -S "$root" -B "$dir" -DAPIKEYS_WERROR=ON -DAPIKEYS_BUILD_SERVER=ON "$@" >"$dir.log" 2>&1 &&
    cmake --build "$dir" --parallel "$jobs" >>"$dir.log" 2>&1
}

# A number that ctest wrote about the run into its report.
reported() { # report, attribute
  sed -n "s/^.*[[:space:]]$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1
}

# What the tests that were skipped have said themselves: ctest shows that of failed ones alone.
say_why_skipped() { # report
  awk -F '"' '
    /<testcase/ { name = $2; skipped = 0 }
    /<skipped/ { skipped = 1 }
    skipped && /<system-out>/ { sub(/^.*<system-out>/, ""); print name ": " $0 }' "$1"
}

run_tests() { # stage, start, options of ctest...
  stage=$1 start=$2
  shift 2
  report=$build_root/$stage.xml
  rm -f "$report"
  status=0
  ctest --test-dir "$build_root/$stage" --output-on-failure --no-tests=error --parallel "$jobs" \
    --output-junit "$report" "$@" </dev/null || status=$?
  all=0 bad=0 skipped=0
  if [ -f "$report" ]; then
    # The counts are attributes of the suite, one a line, before the first test case.
    head=$build_root/$stage.head
    sed '/<testcase/,$d' "$report" >"$head"
    all=$(reported "$head" tests)
    bad=$(reported "$head" failures)
    skipped=$(($(reported "$head" skipped) + $(reported "$head" disabled)))
    rm -f "$head"
    [ "$skipped" -eq 0 ] || say_why_skipped "$report"
  fi
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
    bad=1
    all=$((all + 1))
  fi
  record "$stage" $((all - bad - skipped)) "$bad" "$skipped" "$start"
}

stage() { # stage, what it is, options of ctest, options of cmake...
  name=$1 selection=$3
  header "$name: $2"
  shift 3
  begun=$(date +%s)
  if ! build "$name" "$@"; then
    tail -n 60 "$build_root/$name.log"
    echo "$name: the build failed; all of it is in $build_root/$name.log"
    record "$name" 0 1 0 "$begun"
    return 0
  fi
  # shellcheck disable=SC2086  # a list of options
  run_tests "$name" "$begun" $selection
}

stage gcc "RelWithDebInfo, everything" "" \
  -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=RelWithDebInfo

if [ "$quick" = no ]; then
  # The service is linked against the same library: gcc's and the sanitizers' runs of it are enough.
  stage clang "Release" "-LE once|server" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Release

  export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
  export UBSAN_OPTIONS=print_stacktrace=1
  stage asan "AddressSanitizer and UndefinedBehaviorSanitizer, clang" "-LE once" \
    -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-g -O1" \
    -DAPIKEYS_SANITIZE=address,undefined

  export TSAN_OPTIONS=halt_on_error=1:die_after_fork=0:second_deadlock_stack=1
  # Failing allocations and slots are made on one thread: the stage before has looked at them.
  stage tsan "ThreadSanitizer, gcc" "-LE once|faults" \
    -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-g -O1" \
    -DAPIKEYS_SANITIZE=thread

  # Fair: spinning readers would starve a writer for minutes.
  memcheck="valgrind;--quiet;--fair-sched=yes;--error-exitcode=99;--leak-check=full"
  memcheck="$memcheck;--errors-for-leak-kinds=definite"
  stage valgrind "memcheck, gcc" "-L ^(unit|storage)\$ -LE once -E sqlite_processes|group_commit" \
    -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-g -O1" \
    -DAPIKEYS_HARDENING=OFF -DAPIKEYS_BUILD_EXAMPLES=OFF \
    "-DAPIKEYS_TEST_LAUNCHER=$memcheck"
fi

if [ "$soak" = yes ]; then
  unset APIKEYS_SOAK # fifty times as long as ever, not fifty times an hour
  stage soak "Release, repeated" "-L ^(processes|storage)\$ --repeat until-fail:50" \
    -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Release
fi

if [ "$fuzz" -gt 0 ]; then
  header "fuzz: libFuzzer, $fuzz s a target"
  begun=$(date +%s) good=0 bad=0
  if build fuzz -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_C_FLAGS_DEBUG="-g -O1" -DAPIKEYS_SANITIZE=address,undefined -DAPIKEYS_FUZZ=ON \
    -DAPIKEYS_BUILD_EXAMPLES=OFF; then
    for source in tests/fuzz/fuzz_*.c; do
      [ -f "$source" ] || continue
      target=$(basename "$source" .c)
      seeds=$root/tests/fuzz/corpus/${target#fuzz_}
      found=$build_root/fuzz/found/$target
      mkdir -p "$found" "$seeds"
      echo "-- $target"
      # New inputs go to the first folder; the tree's corpus is only read.
      if "$build_root/fuzz/tests/$target" -max_total_time="$fuzz" -print_final_stats=1 \
        -artifact_prefix="$build_root/fuzz/" "$found" "$seeds" >"$found.log" 2>&1 </dev/null; then
        grep -E '^stat::(number_of_executed_units|average_exec_per_sec)' "$found.log" || true
        good=$((good + 1))
      else
        tail -n 60 "$found.log"
        bad=$((bad + 1))
      fi
    done
  else
    tail -n 60 "$build_root/fuzz.log"
    bad=1
  fi
  record fuzz "$good" "$bad" 0 "$begun"
fi

header "summary"
printf '%s\n' "$summary"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
