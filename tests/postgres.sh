#!/usr/bin/env bash
# Runs a command with SAMPHAN_TEST_POSTGRES naming a throw-away PostgreSQL cluster of its own, on a free socket.
# Finds the server programs on PATH or under /usr/lib/postgresql, installs Debian's package where it can, and otherwise says so.
set -euo pipefail

find_programs() {
  local folder
  for folder in $(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/x)") $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
    if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then echo "$folder"; return 0; fi
  done
  return 1
}

if ! programs=$(find_programs); then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q postgresql) >/dev/null
  fi
  programs=$(find_programs) || { echo "The tests need the PostgreSQL server programs (initdb, postgres); on Debian: apt-get install postgresql" >&2; exit 1; }
fi

home=$(mktemp -d /tmp/samphan-pg.XXXXXX)
as_owner=()
if [ "$(id -u)" = 0 ]; then
  # PostgreSQL refuses to run as root.
  owner=postgres; id "$owner" >/dev/null 2>&1 || owner=nobody
  chown "$owner" "$home"
  as_owner=(setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups env HOME="$home")
fi
stop() {
  "${as_owner[@]}" "$programs/pg_ctl" -D "$home/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$home"
}
trap stop EXIT
cd "$home"
"${as_owner[@]}" "$programs/initdb" -D "$home/data" -U samphan -A trust -E UTF8 --locale=C >"$home/log" 2>&1 || { cat "$home/log" >&2; exit 1; }
port=$(( 20000 + RANDOM % 20000 ))
"${as_owner[@]}" "$programs/pg_ctl" -D "$home/data" -w -l "$home/server.log" -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$home -c fsync=off -c max_connections=300" start >/dev/null \
  || { cat "$home/server.log" >&2; exit 1; }
cd - >/dev/null
export SAMPHAN_TEST_POSTGRES="postgres://samphan@127.0.0.1:$port"
"$@"
