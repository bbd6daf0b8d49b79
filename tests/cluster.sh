#!/usr/bin/env bash
# A PostgreSQL cluster in a folder of its own, on a port of its own.
#   cluster.sh start FOLDER [SETTING=VALUE ...]   makes it where there is none, starts it, and prints its address
#   cluster.sh stop FOLDER                        ends it at once, as a crash would; what it acknowledged is there when it starts again
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

what=$1 home=$2
shift 2
as_owner=()
if [ "$(id -u)" = 0 ]; then
  # PostgreSQL refuses to run as root.
  owner=postgres; id "$owner" >/dev/null 2>&1 || owner=nobody
  as_owner=(setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups env HOME="$home")
fi
cd "$home"
case $what in
  start)
    if [ ! -d data ]; then
      [ "$(id -u)" != 0 ] || chown "$owner" "$home"
      "${as_owner[@]}" "$programs/initdb" -D "$home/data" -U samphan -A trust -E UTF8 --locale=C >log 2>&1 || { cat log >&2; exit 1; }
      echo $(( 20000 + RANDOM % 20000 )) >port
    fi
    port=$(cat port)
    options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$home"
    for setting in "$@"; do options+=" -c $setting"; done
    "${as_owner[@]}" "$programs/pg_ctl" -D "$home/data" -w -l "$home/server.log" -o "$options" start >/dev/null || { cat server.log >&2; exit 1; }
    echo "postgres://samphan@127.0.0.1:$port"
    ;;
  stop)
    "${as_owner[@]}" "$programs/pg_ctl" -D "$home/data" -m immediate stop >/dev/null 2>&1 || true
    ;;
esac
