#!/usr/bin/env bash
# Runs a command with SAMPHAN_TEST_POSTGRES naming a throw-away PostgreSQL cluster of its own (cluster.sh), and TMPDIR a folder that
# goes with it.
#   postgres.sh [--disk] COMMAND …
# Both are in memory where that has room: each test has a database of its own, which is a thousand small files, and a disk takes
# twenty times as long to copy them. With --disk they are on the disk, and commits wait for it: for what is large, or measured.
set -euo pipefail

cluster=$(cd "$(dirname "$0")" && pwd)/cluster.sh
where=/tmp
# Nothing in it outlives the tests, so nothing waits for the disk.
fsync=off
room=$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)
if [ "$1" = --disk ]; then
  shift
  fsync=on
elif [ -w /dev/shm ] && [ "${room:-0}" -gt $((4 * 1024 * 1024)) ]; then
  where=/dev/shm
fi
home=$(mktemp -d "$where/samphan-tests.XXXXXX")
trap '"$cluster" stop "$home/postgres"; rm -rf "$home"' EXIT
chmod 711 "$home"
mkdir "$home/postgres" "$home/tmp"
SAMPHAN_TEST_POSTGRES=$("$cluster" start "$home/postgres" fsync=$fsync max_connections=300)
export SAMPHAN_TEST_POSTGRES TMPDIR="$home/tmp"
"$@"
