#!/usr/bin/env bash
# Tries the packages that `make dist` made: the archive's checksums, the unit, and the image. The image is built and run where docker or podman
# works; elsewhere its file system is run as the image would be (its own root, read-only, an unprivileged user). Says what was not run.
#
#   packaging/check.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf 'packages: %s\n' "$1"; }
image=$PWD/target/dist/image
[ -x "$image/usr/bin/samphan" ] || { say "nothing to check: make dist"; exit 1; }

(cd target/dist && sha256sum --quiet --check SHA256SUMS)
say "the checksums hold"
for bill in target/dist/*.cdx.json; do
  python3 -c 'import json, sys; b = json.load(open(sys.argv[1])); print("packages: the bill of materials names", len(b["components"]), "components")' "$bill"
done

if command -v systemd-analyze >/dev/null; then
  # Without its path, which is not there where it is not installed.
  unit=$(mktemp -d)
  sed "s#/usr/bin/samphan#$image/usr/bin/samphan#" packaging/samphan.service > "$unit/samphan.service"
  systemd-analyze verify "$unit/samphan.service"
  say "the unit is valid"
  systemd-analyze security --offline=true --threshold=20 "$unit/samphan.service" >/dev/null && say "the unit's exposure is at most 2.0 of 10"
  rm -rf "$unit"
else
  say "NOT RUN: the unit (no systemd-analyze)"
fi

say "the image's files take $(du -sm "$image" | cut -f 1) MB"
engine=
for one in docker podman; do
  if command -v "$one" >/dev/null && "$one" info >/dev/null 2>&1; then engine=$one; break; fi
done
if [ -n "$engine" ]; then
  "$engine" build --quiet -f packaging/Containerfile --build-arg FILES=made -t samphan:check . >/dev/null
  container=$("$engine" run --detach --read-only --cap-drop=ALL --security-opt=no-new-privileges --env SAMPHAN_ADMIN_PASSWORD=packages-are-checked samphan:check)
  trap '"$engine" rm --force "$container" >/dev/null' EXIT
  for _ in $(seq 120); do
    if "$engine" exec "$container" /usr/bin/samphan health 2>/dev/null; then say "the image runs under $engine, read-only and unprivileged, and is healthy"; exit 0; fi
    read -rt 0.5 <> <(:) || true
  done
  "$engine" logs "$container"
  say "the image did not become healthy"
  exit 1
fi
say "NOT RUN: the image under docker or podman (neither works here)"

if [ "$(id -u)" != 0 ] || ! command -v unshare >/dev/null || ! command -v setpriv >/dev/null; then
  say "NOT RUN: the image's files in a root of their own (needs root, unshare and setpriv)"
  exit 0
fi
# Its own mounts, so that nothing is left of them afterwards; what is run last is the server and, beside it, its health check.
unshare --mount --propagation private bash -euo pipefail -c '
  root=$(mktemp -d) data=$(mktemp -d)
  chown 65532:65532 "$data"
  mount --bind "$1" "$root" && mount -o remount,bind,ro "$root"
  mount --bind "$data" "$root/var/lib/samphan"
  within=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin SAMPHAN_LISTEN=127.0.0.1:18099 SAMPHAN_DATABASE_URL=sqlite:///var/lib/samphan/samphan.db
    SAMPHAN_ADMIN_PASSWORD=packages-are-checked SAMPHAN_LOG=warn setpriv --no-new-privs chroot --groups= --userspec=65532:65532 "$root" /usr/bin/samphan)
  "${within[@]}" serve > "$data.log" 2>&1 &
  server=$!
  for _ in $(seq 120); do
    if "${within[@]}" health 2>/dev/null; then
      kill "$server"; wait "$server" || true
      [ -s "$data/samphan.db" ]
      umount "$root/var/lib/samphan" "$root"; rm -rf "$data" "$data.log" "$root"
      exit 0
    fi
    kill -0 "$server" || break
    read -rt 0.5 <> <(:) || true
  done
  cat "$data.log"; kill "$server" 2>/dev/null || true; rm -rf "$data" "$data.log"
  exit 1' sh "$image"
say "the image's files run in a root of their own, read-only and unprivileged, and are healthy"
