#!/usr/bin/env bash
# Fuzzes servers of its own with schemathesis, on SQLite and on PostgreSQL, each with the demo company in it.
#
#   tests/postgres.sh openapi/fuzz/run.sh [DATABASE...]
#
# DATABASE is sqlite or postgres; both, at once, when none is named. Exits 1 on any finding. What is asked can be set by
#   FUZZ_EXAMPLES  generated requests of each operation: 6; a nightly run may take 100
#   FUZZ_STORIES   runs of stories along the document's links, each with a seed of its own: 8
#   FUZZ_SEED      which ones: 1
#   FUZZ_PATHS     only of operations whose path fits this regular expression
#   FUZZ_PROGRAM   the program to run, when it is built already
# schemathesis is installed once into target/tools (elsewhere with TOOLS_DIR=...), pinned by requirements.txt beside this file.
# Findings and server logs go to target/fuzz. Nothing but the pip client leaves the machine: webhooks go to no private address.
set -euo pipefail

fail() { printf 'fuzz: %s\n' "$1" >&2; exit 2; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=${TOOLS_DIR:-$root/target/tools}
venv=$tools/fuzz
out=$root/target/fuzz
databases=("$@")
[ $# -gt 0 ] || databases=(sqlite postgres)
program=${FUZZ_PROGRAM:-${CARGO_TARGET_DIR:-$root/target}/debug/samphan}
mkdir -p "$tools" "$out"

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  command -v python3 >/dev/null || fail "python3 is missing; install Python 3.11 or later with its venv module"
  echo "fuzz: installing schemathesis (once)"
  rm -rf "$venv"
  python3 -m venv "$venv" || fail "python3 has no venv module"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" || fail "pip could not install schemathesis"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi
[ -n "${FUZZ_PROGRAM:-}" ] || (cd "$root" && cargo build --quiet -p samphan)

# The value of a field of JSON that comes in.
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p" | head -n 1; }

# fuzz DATABASE URL starts a server on it and fuzzes that.
fuzz() {
  local name=$1 home url key status=0 server=
  home=$out/$name
  rm -rf "$home"
  mkdir -p "$home"
  SAMPHAN_DATABASE_URL=${2:-sqlite://$home/samphan.db} SAMPHAN_LISTEN=127.0.0.1:0 SAMPHAN_ADMIN_EMAIL=admin@example.com \
    SAMPHAN_ADMIN_PASSWORD=fuzzing-with-seeds SAMPHAN_RATE_LIMIT=off SAMPHAN_DEMO=true SAMPHAN_LOG=warn \
    "$program" serve >"$home/printed" 2>"$home/log" &
  server=$!
  trap "kill $server 2>/dev/null || true" EXIT
  until grep -q '^Samphan listens on' "$home/printed"; do
    kill -0 "$server" 2>/dev/null || { cat "$home/log" >&2; return 2; }
    read -rt 0.1 <> <(:) || true
  done
  url=$(sed -n 's/^Samphan listens on //p' "$home/printed")
  ask() { curl -fsS -H "authorization: Bearer $1" -H 'content-type: application/json' "${@:2}"; }
  local token me role
  token=$(ask - "$url/v1/auth/sign-in" -d '{"email":"admin@example.com","password":"fuzzing-with-seeds"}' | field access_token)
  me=$(ask "$token" "$url/v1/me" | field id)
  role=$(ask "$token" "$url/v1/roles?name=Administrator&fields=id" | field id)
  key=$(ask "$token" "$url/v1/api-keys" -d "{\"name\":\"Fuzzer\",\"role_ids\":[\"$role\"]}")
  FUZZ_TOKEN=$(field token <<<"$key")
  # Who deletes what he stands on learns nothing more.
  FUZZ_OWN="$me $role $(field client_id <<<"$key")"
  # Others of both, to be changed and deleted.
  for n in 1 2 3; do
    ask "$token" "$url/v1/api-keys" -d "{\"name\":\"Another $n\",\"role_ids\":[\"$role\"]}" >/dev/null
    ask "$token" "$url/v1/roles" -d "{\"name\":\"Another $n\",\"permissions\":[]}" >/dev/null
  done
  export FUZZ_TOKEN FUZZ_OWN
  local only=()
  [ -z "${FUZZ_PATHS:-}" ] || only=(--include-path-regex "$FUZZ_PATHS")
  run() { # run SEED WORD… appends to the findings, from a folder that may be littered
    (cd "$home" && PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$venv/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$root/openapi/openapi.json" \
      --url "$url" --no-color --seed "$@" "${only[@]}") >>"$home/findings.txt" 2>&1 || status=1
  }
  run "${FUZZ_SEED:-1}" --phases examples,coverage,fuzzing --max-examples "${FUZZ_EXAMPLES:-6}"
  # A story ends where its data leads nowhere, so there are many.
  local story
  for ((story = 1; story <= ${FUZZ_STORIES:-8}; story++)); do run $((${FUZZ_SEED:-1} * 1000 + story)) --phases stateful; done
  sed -n '/= SUMMARY =/,/^=.*=$/p; /API Links:/p' "$home/findings.txt"
  ask "$FUZZ_TOKEN" "$url/v1/me" >/dev/null || { echo "$name: the fuzzer's own key was lost on the way: the rest was nothing but 401"; status=1; }
  # The HTTP library says so when a request is none.
  if grep -E 'ERROR|panicked' "$home/log" | grep -v 'actix_http::h1::dispatcher'; then status=1; fi
  kill "$server"
  wait "$server" || { echo "$name: the server did not end well"; status=1; }
  [ "$status" -eq 0 ] && echo "$name: nothing found" || echo "$name: FAILED, see ${home#"$root"/}/findings.txt"
  return "$status"
}

running=()
for database in "${databases[@]}"; do
  case $database in
    sqlite) (fuzz sqlite "") & ;;
    postgres) (fuzz postgres "${SAMPHAN_TEST_POSTGRES:?is set by tests/postgres.sh}/postgres") & ;;
    *) fail "no such database: $database (sqlite or postgres)" ;;
  esac
  running+=($!)
done
found=0
for one in "${running[@]}"; do wait "$one" || found=1; done
exit "$found"
