#!/usr/bin/env bash
# Generates, compiles and runs one client: run.sh does this for each, in $out of its own with a log beside it.
#
#   one.sh CLIENT DOCUMENT BASE_URL EMAIL PASSWORD      with TOOLS_DIR and CLIENTS_DIR set
#
# CLIENT is a folder here. Its client.sh, read after tools.sh, sets $language, $generator and $version and has four functions, run in $out:
# prepare (installs what is needed, or says not_run), generate, compile, and round_trip BASE_URL EMAIL PASSWORD, which prints the lines.
# Leaves a row of the table in $out/row: language, generator, version, generated, compiled, steps passed; exits 1
# when something failed, and 3 with the reason in the fourth column when it was not run.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
client=$1 document=$2
shift 2
tools=$TOOLS_DIR out=$CLIENTS_DIR/$client log=$CLIENTS_DIR/$client.log
rm -rf "$out" "$log"
mkdir -p "$out" "$tools"
. "$here/tools.sh"
. "$here/$client/client.sh"

row() { local IFS=$'\t'; set -- "$language" "$generator" "$version" "$@"; echo "$*" >"$out/row"; }

# One function of client.sh, in a subshell outside any condition, so that -e holds inside it; its status in $status.
phase() { # FUNCTION [ARGUMENT...]
  set +e
  (set -e; cd "$out"; "$@") >>"$log" 2>&1
  status=$?
  set -e
}

# What failed, with the end of its log.
failed() { # WHAT COLUMN...
  local what=$1
  shift
  row "$@"
  echo "$client: $what failed; all of it is in $log" >&2
  tail -n 25 "$log" | sed "s/^/$client: /" >&2
  exit 1
}

# Ends here when the phase said not_run.
skipped() {
  if [ "$status" = 3 ]; then row "$(cat "$out/not-run")"; exit 3; fi
}

phase prepare
skipped
[ "$status" = 0 ] || failed prepare no no 0
phase generate
skipped
[ "$status" = 0 ] || failed generate no no 0
phase compile
[ "$status" = 0 ] || failed compile yes no 0

promised() { grep -v -e '^#' -e '^$' "$here/round-trip.txt"; }
all=$(promised | wc -l)
set +e
(set -e; cd "$out"; round_trip "$@") >"$out/said" 2>>"$log"
status=$?
set -e
passed=$(comm -12 <(promised | sort) <(sort "$out/said") | wc -l)
if [ "$status" != 0 ] || ! diff <(promised) "$out/said" >>"$log"; then failed "round trip" yes yes "$passed of $all"; fi
row yes yes "$all of $all"
