#!/usr/bin/env bash
# Runs a command with SAMPHAN_TEST_POSTGRES naming a throw-away PostgreSQL cluster of its own (cluster.sh).
set -euo pipefail

cluster=$(cd "$(dirname "$0")" && pwd)/cluster.sh
home=$(mktemp -d /tmp/samphan-pg.XXXXXX)
trap '"$cluster" stop "$home"; rm -rf "$home"' EXIT
# Nothing in it outlives the tests, so nothing waits for the disk.
SAMPHAN_TEST_POSTGRES=$("$cluster" start "$home" fsync=off max_connections=300)
export SAMPHAN_TEST_POSTGRES
"$@"
