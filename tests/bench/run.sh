#!/usr/bin/env bash
# `make bench`: builds for release, starts a throw-away PostgreSQL, measures both databases. Arguments go to run.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
for program in wrk pgbench psql python3; do
  command -v "$program" >/dev/null || { [ "$(id -u)" = 0 ] && apt-get install -y -q wrk postgresql python3 >/dev/null; } || { echo "the bench needs $program" >&2; exit 1; }
done
build=(--release)
case " $* " in *" --debug "*) build=() ;; esac
cargo build --quiet "${build[@]}" -p samphan
cargo build --quiet "${build[@]}" -p samphan-persistence --example floor
tests/postgres.sh --disk python3 tests/bench/run.py "$@"
