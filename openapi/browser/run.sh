#!/usr/bin/env bash
# Tries the docs page and the event stream in a real browser, against a server of its own.
#
#   openapi/browser/run.sh
#
# Needs Node.js 20 and Chromium; Debian's package is installed where there is apt and the right to use it, unless BROWSER_INSTALL=no. Ends with
# 2 where something that it needs is not there. The driver is installed once into
# target/tools/browser, pinned by package-lock.json. The server is built, unless SAMPHAN_PROGRAM names one.
set -euo pipefail

fail() { printf 'browser: %s\n' "$1" >&2; exit 2; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v node >/dev/null && command -v npm >/dev/null || fail "Node.js 20 or later is needed"
if ! command -v chromium >/dev/null; then
  [ "${BROWSER_INSTALL:-yes}" = yes ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "no chromium (Debian: apt-get install chromium)"
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium </dev/null
fi
cache=${TOOLS_DIR:-$here/../../target/tools}/browser
mkdir -p "$cache"
if ! cmp -s "$here/package-lock.json" "$cache/installed.json"; then
  cp "$here"/{package.json,package-lock.json,.npmrc} "$cache"/
  (cd "$cache" && npm ci --loglevel=error) || fail "npm could not install the driver"
  cp "$cache/package-lock.json" "$cache/installed.json"
fi
cp "$here/docs.mjs" "$cache"/
exec "$here/../with-server.sh" node "$cache/docs.mjs"
