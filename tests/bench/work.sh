#!/usr/bin/env bash
# How long the work on Samphan itself takes: a clean debug build, the builds after a change, the tests, and how large the program is.
#   work.sh [--no-tests]
# Builds in a folder of its own under target/, which is removed at the end; what is downloaded is there before the clock starts.
set -euo pipefail
cd "$(dirname "$0")/../.."
CARGO_TARGET_DIR=$(mktemp -d "$PWD/target/work.XXXXXX")
export CARGO_TARGET_DIR
changed=
trap 'rm -rf "$CARGO_TARGET_DIR"; [ -z "$changed" ] || mv "$changed.before" "$changed"' EXIT

took() { # took WHAT COMMAND … prints the seconds a command takes, and its output where it fails
  local what=$1 begun=$EPOCHREALTIME
  shift
  "$@" >"$CARGO_TARGET_DIR/log" 2>&1 || { cat "$CARGO_TARGET_DIR/log" >&2; exit 1; }
  awk -v what="$what" -v from="$begun" -v to="$EPOCHREALTIME" 'BEGIN { printf "| %s | %.0f s |\n", what, to - from }'
}
build() { cargo build --workspace --all-targets; }
after_change() { # after_change FILE: a function more in it, which nobody calls
  changed=$1
  cp -p "$1" "$1.before"
  printf '\n/// Nothing.\npub const fn changed() {}\n' >>"$1"
  took "debug build after a change in ${1%%/src/*}" build
  mv "$1.before" "$1"
  touch "$1"
  changed=
}

cargo fetch --quiet --locked
printf '| the work itself, on %s cores | |\n|---|--:|\n' "$(nproc)"
took "clean debug build, tests included" build
after_change crates/resource/src/error.rs
after_change crates/rest/src/pipeline.rs
after_change crates/api/src/sales/order.rs
after_change crates/server/src/server.rs
after_change tests/support/request.rs
build >/dev/null 2>&1
[ "${1:-}" = --no-tests ] || took "\`make test\`, built" make test
program=target/release/samphan
[ ! -f "$program" ] || printf '| release program | %s MB (%s MB without symbols) |\n' "$(($(stat -c %s "$program") / 1000000))" \
  "$(strip -o "$CARGO_TARGET_DIR/stripped" "$program" && echo "$(($(stat -c %s "$CARGO_TARGET_DIR/stripped") / 1000000))")"
