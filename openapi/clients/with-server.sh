#!/usr/bin/env bash
# Runs the generated clients against a server of its own (../with-server.sh).
#
#   openapi/clients/with-server.sh DOCUMENT [CLIENT...]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
document=$1
shift
run() { # CLIENT... BASE_URL EMAIL PASSWORD
  local clients=("${@:1:$#-3}")
  "$here/run.sh" "$document" "${@: -3}" "${clients[@]}"
}
export -f run
export here document
"$here/../with-server.sh" bash -c 'run "$@"' run "$@"
