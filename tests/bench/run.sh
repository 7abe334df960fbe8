#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The one benchmark command. See --help.
set -eu

usage() {
  cat <<'END'
usage: sh tests/bench/run.sh [--quick] [--keys N,N,...] [--rounds N] [--results DIRECTORY] [--help]

Installs what is compared with (Debian packages, as root or through sudo), builds a release, fills
stores, and measures everybody side by side in one run: the machine's floor, the hand-written
baseline, SQLite tuned, libmacaroons, libjwt, Redis and PostgreSQL over Unix sockets, and
libapikeys; then threads, changes by another process, memory, disk, creating, listing, HTTP,
calls from other languages. Prints the table, and writes it as
results.txt, results.json (with every round) and results.svg.

  --quick             10,000 keys only, few and short rounds: about a minute
  --keys N,N,...      how many keys; 10000,1000000,10000000 if not set. Ten million take about 10 GB
                      of disk and of memory, and half an hour
  --rounds N          how many rounds each figure is the median of; 15
  --results DIRECTORY where to write; .build/bench/results
  --keep              use the stores of the run before, if they are there

A shared machine is noisy. Figures are the CPU time of a call, in this process and in the server
that it asks; ratios to the same run's floor and baseline are what to look at. Nothing here fails
because something was slow.
END
}

keys=10000,1000000,10000000 rounds=15 milliseconds=30 quick=no keep=no results=""
while [ $# -gt 0 ]; do
  case $1 in
  --quick)
    quick=yes keys=10000 rounds=5 milliseconds=10
    ;;
  --keep) keep=yes ;;
  --keys | --rounds | --results)
    [ $# -ge 2 ] || {
      usage >&2
      exit 2
    }
    case $1 in
    --keys) keys=$2 ;;
    --rounds) rounds=$2 ;;
    --results) results=$2 ;;
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

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/bench
cd "$root"
# shellcheck source=.ci/install.sh
. "$root/.ci/install.sh"
ensure need_bench_packages

build=${APIKEYS_BUILD_DIR:-$root/.build}/bench
results=${results:-$build/results}
stores=$build/stores
mkdir -p "$build" "$results" "$stores"
results=$(cd "$results" && pwd)
raw=$build/raw.jsonl
unset CFLAGS CPPFLAGS LDFLAGS DESTDIR
rm -f "$build/CMakeCache.txt" "$raw"

say() {
  printf '%s  %s\n' "$(date +%H:%M:%S)" "$*" >&2
}

say "building"
if ! { cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DAPIKEYS_BUILD_EXAMPLES=OFF \
  -DAPIKEYS_BUILD_SERVER=ON &&
  cmake --build "$build" --parallel --target bench --target bench_constant_server \
    --target apikeysd; } >"$build.log" 2>&1; then
  tail -n 40 "$build.log" >&2
  exit 1
fi
bench=$build/tests/bench/bench

# -- Servers to compare with: ours alone, in a scratch folder, and gone with it -----------------

scratch=$(mktemp -d "${TMPDIR:-/tmp}/apikeys-bench.XXXXXX")
chmod 755 "$scratch"
redis_pid="" postgres_data="" postgres_bin="" as_postgres=""

stop_servers() {
  [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || true
  [ -z "$postgres_data" ] ||
    $as_postgres "$postgres_bin/pg_ctl" -D "$postgres_data" -m immediate stop >/dev/null 2>&1 ||
    true
  redis_pid="" postgres_data=""
}

clean_up() {
  stop_servers
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

start_redis() {
  redis-server --port 0 --unixsocket "$scratch/redis.sock" --save "" --appendonly no \
    --dir "$scratch" >"$scratch/redis.log" 2>&1 &
  redis_pid=$!
  tries=0
  until redis-cli -s "$scratch/redis.sock" ping >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || {
      cat "$scratch/redis.log" >&2
      exit 1
    }
    sleep 0.1
  done
}

# PostgreSQL refuses to run as root.
start_postgres() {
  postgres_bin=$(find_postgres)
  [ "$(id -u)" -ne 0 ] || as_postgres="runuser -u postgres --"
  mkdir "$scratch/postgres"
  [ -z "$as_postgres" ] || chown postgres "$scratch/postgres"
  postgres_data=$scratch/postgres/data
  server="-c listen_addresses='' -c unix_socket_directories=$scratch/postgres"
  if ! (
    cd "$scratch/postgres"
    $as_postgres "$postgres_bin/initdb" -D data -A trust -U bench -E UTF8 --no-sync &&
      $as_postgres "$postgres_bin/pg_ctl" -D data -w -l server.log \
        -o "$server -c shared_buffers=1GB -c fsync=off" start
  ) >"$scratch/postgres.log" 2>&1; then
    cat "$scratch/postgres.log" "$scratch/postgres/server.log" >&2
    exit 1
  fi
}

# -- Measuring ----------------------------------------------------------------------------------

measure() { # scenario, keys, options...
  scenario=$1 count=$2
  shift 2
  say "$scenario, $count keys"
  "$bench" "$scenario" --directory "$stores/$count" --keys "$count" --rounds "$rounds" \
    --ms "$milliseconds" "$@" >>"$raw"
}

# The pair that libjwt signs with.
make_key_pair() { # directory
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1/es256.pem" 2>/dev/null
  openssl pkey -in "$1/es256.pem" -pubout -out "$1/es256.pub.pem"
}

[ "$keep" = yes ] || rm -rf "$stores"
for count in $(echo "$keys" | tr , ' '); do
  store=$stores/$count
  mkdir -p "$store"
  measure fill "$count"
  measure size "$count"
  make_key_pair "$store"
  if [ "$count" -le 1000000 ]; then
    start_redis
    start_postgres
    measure validate "$count" --redis "$scratch/redis.sock" \
      --postgres "host=$scratch/postgres user=bench dbname=postgres"
    stop_servers
    rm -rf "$scratch/postgres"
  else
    measure validate "$count"
  fi
  [ "$count" -gt 1000000 ] || measure memory-store "$count"
  measure threads "$count"
  if [ "$quick" = yes ]; then
    measure changes "$count" --ms 100
  else
    measure changes "$count" --ms 500
  fi
  # Of few keys the cache takes less than the process grows and shrinks by itself.
  [ "$count" -lt 1000000 ] || measure memory "$count"
  measure pages "$count"
  [ "$count" -gt 1000000 ] || measure maintain "$count"
done
mkdir -p "$stores/1"
measure create 1
measure creators 1 --ms 200

# The number of keys makes no difference to the rest.
few=${keys%%,*}
if [ "$quick" = yes ]; then
  http_rounds=3 http_seconds=1 calls=20000
else
  http_rounds=7 http_seconds=3 calls=100000
fi
say "http, $few keys"
python3 "$here/http/run.py" "$build/examples/apikeysd/apikeysd" \
  "$build/tests/bench/bench_constant_server" "$stores/$few" "$few" "$http_rounds" \
  "$http_seconds" >>"$raw"
say "other languages"
sh "$here/foreign/run.sh" "$build/libapikeys.so" "$root/include" "$stores/$few" "$build/foreign" \
  "$rounds" "$calls" >>"$raw"

say "the table"
python3 "$here/report.py" "$raw" "$results"
cat "$results/results.txt"
