#!/usr/bin/env bash
# Generates, compiles and runs a client in three languages against a running server.
#
#   openapi/clients/run.sh DOCUMENT BASE_URL EMAIL PASSWORD [LANGUAGE...]
#
# LANGUAGE is typescript, python or java; all three when none is named. Each client makes the same
# round trip: sign in, create, list, update, conflict, batch; `typescript: 6 steps passed` is said
# by the program itself. Exits 1 when any language failed to generate, compile or pass.
# Generators are installed once into target/tools (elsewhere with TOOLS_DIR=...), generated code
# goes to target/clients (CLIENTS_DIR=...). Besides BASE_URL only the npm and pip clients leave the
# machine. Maven is not needed: Jackson comes out of the generator's own jar, and java/support
# holds small stand-ins for the three libraries that are not in it.
set -euo pipefail

fail() { printf 'clients: %s\n' "$1" >&2; exit 2; }
need() { command -v "$1" >/dev/null || fail "$1 is missing; $2"; }

[ $# -ge 4 ] || fail "usage: openapi/clients/run.sh DOCUMENT BASE_URL EMAIL PASSWORD [LANGUAGE...]"
[ -f "$1" ] || fail "no such document: $1"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
document=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
caller=("${2%/}" "$3" "$4")
shift 4
languages=("$@")
[ $# -gt 0 ] || languages=(typescript python java)
tools=${TOOLS_DIR:-$root/target/tools}
clients=${CLIENTS_DIR:-$root/target/clients}
mkdir -p "$tools" "$clients"
tools=$(cd "$tools" && pwd)
clients=$(cd "$clients" && pwd)
venv=$tools/python

# A virtual environment with the Python and the Java generator, made anew when requirements.txt changes.
install_python_tools() {
  need python3 "install Python 3.11 or later with its venv module"
  cmp -s "$here/python/requirements.txt" "$venv/installed.txt" && return
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "python3 is older than 3.11"
  echo "clients: installing the Python and Java generators (once)"
  rm -rf "$venv"
  python3 -m venv "$venv" || fail "python3 has no venv module"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/python/requirements.txt" || fail "pip could not install the generators"
  cp "$here/python/requirements.txt" "$venv/installed.txt"
}

install_typescript_tools() {
  need node "install Node.js 20 or later"
  need npm "it comes with Node.js"
  local cache=$tools/typescript
  mkdir -p "$cache"
  cp "$here"/typescript/{package.json,package-lock.json,.npmrc} "$cache"/
  cmp -s "$cache/package-lock.json" "$cache/installed.json" && return
  echo "clients: installing the TypeScript generator (once)"
  (cd "$cache" && npm ci --loglevel=error) || fail "npm could not install the generator"
  cp "$cache/package-lock.json" "$cache/installed.json"
}

typescript() {
  local out=$clients/typescript
  rm -rf "$out"
  mkdir -p "$out"
  ln -s "$tools/typescript/node_modules" "$out/node_modules"
  cp "$here"/typescript/{package.json,tsconfig.json,round_trip.ts} "$out"/
  cd "$out"
  node_modules/.bin/openapi-typescript "$document" -o schema.ts --default-non-nullable false
  node_modules/.bin/tsc -p tsconfig.json
  node out/round_trip.js "${caller[@]}"
}

python() {
  local out=$clients/python
  rm -rf "$out"
  mkdir -p "$out"
  cp "$here/python/round_trip.py" "$out"/
  cd "$out"
  PATH=$venv/bin:$PATH openapi-python-client generate --path "$document" --config "$here/python/client.yaml" \
    --meta none --output-path samphan_client --fail-on-warning
  "$venv/bin/mypy" --strict --follow-imports silent --cache-dir "$tools/mypy" round_trip.py
  "$venv/bin/python" round_trip.py "${caller[@]}"
}

java() {
  local out=$clients/java jar
  rm -rf "$out"
  mkdir -p "$out"
  cd "$out"
  # `wait` is a method every Java object has, and none may replace it.
  "$venv/bin/openapi-generator-cli" generate -i "$document" -g java --library native -o . --parameter-name-mappings wait=waitFor \
    --global-property apiTests=false,modelTests=false,apiDocs=false,modelDocs=false \
    --additional-properties "$(paste -sd, "$here/java/options.txt")" >generate.log 2>&1 || { cat generate.log; return 1; }
  # Two operations or schemas written to one file: one of them is missing in the client.
  if grep -E 'FILEPATH_COLLISION|^\[.*\] ERROR' generate.log; then return 1; fi
  jar=$("$venv/bin/python" -c 'import importlib.resources as r; print(r.files("openapi_generator_cli") / "openapi-generator.jar")')
  find src/main/java "$here/java" -name '*.java' >sources.txt
  javac -encoding UTF-8 -proc:none -nowarn -XDsuppressNotes -Xmaxerrs 20 -cp "$jar" -d classes @sources.txt
  command java -Dfile.encoding=UTF-8 -cp "classes:$jar" RoundTrip "${caller[@]}"
}

for language in "${languages[@]}"; do
  case $language in
    typescript) install_typescript_tools ;;
    python) install_python_tools ;;
    java) need javac "install a JDK, 17 or later" && install_python_tools ;;
    *) fail "no such language: $language (typescript, python or java)" ;;
  esac
done

failed=()
for language in "${languages[@]}"; do
  # A subshell of its own, outside any condition, so that -e holds inside it.
  set +e
  (set -e; "$language")
  status=$?
  set -e
  [ "$status" -eq 0 ] || { echo "$language: FAILED"; failed+=("$language"); }
done
[ ${#failed[@]} -eq 0 ]
