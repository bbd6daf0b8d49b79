#!/usr/bin/env bash
# Starts a server of its own on an empty SQLite database and a free port, and runs a command with BASE_URL EMAIL PASSWORD after its arguments.
#
#   openapi/with-server.sh COMMAND...
#
# The server is built, unless SAMPHAN_PROGRAM names one.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${SAMPHAN_PROGRAM:-}
if [ -z "$program" ]; then
  (cd "$root" && cargo build --quiet -p samphan)
  program=${CARGO_TARGET_DIR:-$root/target}/debug/samphan
fi
home=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$home"' EXIT
port=$(( 20000 + RANDOM % 20000 ))
SAMPHAN_DATABASE_URL="sqlite://$home/samphan.db" SAMPHAN_LISTEN="127.0.0.1:$port" SAMPHAN_ADMIN_EMAIL=admin@example.com \
  SAMPHAN_ADMIN_PASSWORD=clients-round-trip SAMPHAN_LOG=warn "$program" serve >"$home/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  curl -fs "http://127.0.0.1:$port/health/ready" >/dev/null 2>&1 && break
  kill -0 "$server" 2>/dev/null || { cat "$home/log" >&2; exit 1; }
  read -rt 0.1 <> <(:) || true
done
"$@" "http://127.0.0.1:$port" admin@example.com clients-round-trip
