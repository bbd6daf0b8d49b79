#!/usr/bin/env bash
# Generates, compiles and runs a client of each language against a running server, and says in a table what came of each.
#
#   openapi/clients/run.sh DOCUMENT BASE_URL EMAIL PASSWORD [CLIENT...]
#
# CLIENT is a folder here with a client.sh; all of them when none is named. Each makes the round trip of round-trip.txt and is held to it line
# by line. One whose toolchain is not there, and is not to be had from Debian, npm, PyPI or crates.io, is reported as not run. Exits 1 when any that
# ran failed to generate, compile or pass, or when none ran. Generators are installed once into target/tools (elsewhere with TOOLS_DIR=...), generated
# code and logs go to target/clients (CLIENTS_DIR=...). A client that takes longer than CLIENT_SECONDS (600) is ended and has failed.
set -euo pipefail

fail() { printf 'clients: %s\n' "$1" >&2; exit 2; }

[ $# -ge 4 ] || fail "usage: openapi/clients/run.sh DOCUMENT BASE_URL EMAIL PASSWORD [CLIENT...]"
[ -f "$1" ] || fail "no such document: $1"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
document=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
caller=("${2%/}" "$3" "$4")
shift 4
[ $# -gt 0 ] || set -- typescript typescript-hey-api zod orval python java csharp go php ruby rust-reqwest
for client in "$@"; do
  [ -f "$here/$client/client.sh" ] || fail "no such client: $client"
done
mkdir -p "${TOOLS_DIR:=$root/target/tools}" "${CLIENTS_DIR:=$root/target/clients}"
TOOLS_DIR=$(cd "$TOOLS_DIR" && pwd)
CLIENTS_DIR=$(cd "$CLIENTS_DIR" && pwd)
export TOOLS_DIR CLIENTS_DIR

line() { printf '%-18s %-10s %-27s %-8s %-9s %-8s %-12s %7s\n' "$@"; }
table=$(line client language generator version generated compiled "steps passed" seconds)
passed=0 failed=0 skipped=0
for client in "$@"; do
  echo "clients: $client"
  start=$SECONDS status=0
  timeout -k 5 "${CLIENT_SECONDS:-600}" "$here/one.sh" "$client" "$document" "${caller[@]}" || status=$?
  # What was ended before it could say anything left no row.
  row=(ended - - no no -)
  [ ! -f "$CLIENTS_DIR/$client/row" ] || IFS=$'\t' read -ra row <"$CLIENTS_DIR/$client/row"
  if [ "$status" = 3 ]; then
    skipped=$((skipped + 1))
    table+=$'\n'$(line "$client" "${row[@]:0:3}" "not run: ${row[3]}")
    continue
  elif [ "$status" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
  table+=$'\n'$(line "$client" "${row[@]}" $((SECONDS - start)))
done
printf '\n%s\n\n' "$table"
echo "clients: $passed passed, $failed failed, $skipped not run"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
