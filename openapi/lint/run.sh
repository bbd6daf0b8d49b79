#!/usr/bin/env bash
# Lints an OpenAPI document with Redocly, Spectral and Spectral's OWASP rules.
#
#   openapi/lint/run.sh DOCUMENT
#
# One line per linter, their findings above it; exits 1 when one of them found anything.
# The linters are installed once into target/tools/lint (elsewhere with TOOLS_DIR=...), pinned
# by package-lock.json beside this file. Nothing but the npm client leaves the machine.
set -euo pipefail

fail() { printf 'lint: %s\n' "$1" >&2; exit 2; }

[ $# -eq 1 ] || fail "usage: openapi/lint/run.sh DOCUMENT"
[ -f "$1" ] || fail "no such document: $1"
command -v node >/dev/null || fail "node is missing; install Node.js 20 or later"
command -v npm >/dev/null || fail "npm is missing; it comes with Node.js"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
document=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cache=${TOOLS_DIR:-$here/../../target/tools}/lint
mkdir -p "$cache"
cp "$here"/{package.json,package-lock.json,.npmrc,redocly.yaml,oas.spectral.yaml,owasp.spectral.yaml} "$cache"/
cd "$cache"
if ! cmp -s package-lock.json installed.json; then
  echo "lint: installing the linters (once)"
  npm ci --loglevel=error || fail "npm could not install the linters"
  cp package-lock.json installed.json
fi

export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true NO_UPDATE_NOTIFIER=1
failed=0

# check NAME COMMAND... runs one linter and prints what it says only when it finds something.
check() {
  local name=$1 status=0
  shift
  "node_modules/.bin/$1" "${@:2}" >"$name.log" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    printf '%-16s ok\n' "$name"
  else
    sed '/╔═/,/═╝/d' "$name.log" # without Redocly's box about the age of Node.js
    printf '%-16s FAILED\n' "$name"
    failed=1
  fi
}

check redocly redocly lint "$document" --config redocly.yaml --format stylish --max-problems 200
check spectral spectral lint "$document" -r oas.spectral.yaml --fail-severity warn
check spectral-owasp spectral lint "$document" -r owasp.spectral.yaml --fail-severity warn
exit "$failed"
