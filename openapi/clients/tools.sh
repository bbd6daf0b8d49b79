# What the clients' client.sh have in common; sourced by one.sh, which sets $here, $document, $tools and $out.

# Ends this client as not run, for that reason.
not_run() { printf '%s\n' "$*" >"$out/not-run"; exit 3; }

# Whether there is such a program; otherwise Debian's packages are installed, where there is apt and the right to use it.
need() { # PROGRAM PACKAGE...
  local program=$1
  shift
  command -v "$program" >/dev/null || debian "$@" || true
  command -v "$program" >/dev/null || not_run "no $program (Debian: apt-get install $*)"
}

debian() { # PACKAGE...
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return 1; fi
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null
}

venv=$tools/python
# A virtual environment there with the Python generator, the type checker and openapi-generator, made anew when requirements.txt changes.
python_tools() {
  command -v python3 >/dev/null || not_run "no python3"
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || not_run "python3 is older than 3.11, or has no venv module"
  cmp -s "$here/python/requirements.txt" "$venv/installed.txt" && return
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/python/requirements.txt" || not_run "pip could not install the generators"
  cp "$here/python/requirements.txt" "$venv/installed.txt"
}

# The version requirements.txt pins.
pip_pin() { sed -n "s/^$1==//p" "$here/python/requirements.txt"; } # PACKAGE

# The npm packages of this client, as its lock file has them, in $out/node_modules; the round trip is its own, or another client's.
npm_tools() { # [CLIENT]
  command -v node >/dev/null && command -v npm >/dev/null || not_run "no node and npm, 20 or later"
  local cache=$tools/$client
  mkdir -p "$cache"
  if ! cmp -s "$here/$client/package-lock.json" "$cache/installed.json"; then
    cp "$here/$client"/{package.json,package-lock.json,.npmrc} "$cache"/
    (cd "$cache" && npm ci --loglevel=error) || not_run "npm could not install the generator"
    cp "$cache/package-lock.json" "$cache/installed.json"
  fi
  ln -s "$cache/node_modules" node_modules
  cp "$here/$client"/{package.json,tsconfig.json} "$here/${1:-$client}/round_trip.ts" .
}

# The version package.json pins.
npm_pin() { sed -n "s|^ *\"$1\": \"\(.*\)\",\{0,1\}\$|\1|p" "$here/$client/package.json"; } # PACKAGE

# openapi-generator with the options of options.txt beside the client.sh; fails where it drops something.
openapi_generator() { # GENERATOR FOLDER [ARGUMENT...]
  local generator=$1 folder=$2
  shift 2
  command -v java >/dev/null || not_run "no java, 11 or later, for the generator"
  "$venv/bin/openapi-generator-cli" generate -i "$document" -g "$generator" -o "$folder" "$@" \
    --global-property apiTests=false,modelTests=false,apiDocs=false,modelDocs=false \
    --additional-properties "$(paste -sd, "$here/$client/options.txt")" | tee generate.log
  # Two operations or schemas written to one file: one of them is missing in the client.
  if grep -E 'FILEPATH_COLLISION|^\[.*\] ERROR' generate.log; then return 1; fi
}
