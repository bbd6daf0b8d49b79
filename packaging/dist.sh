#!/usr/bin/env bash
# Makes a release of this machine's system in target/dist: the program without symbols, its SBOM (CycloneDX 1.5), the unit, the licence, the
# documentation and the document, as an archive with its SHA-256; and target/dist/image for packaging/Containerfile.
#
#   packaging/dist.sh
#
# The program is built, unless SAMPHAN_PROGRAM names one. The archive is the same for the same program: files are sorted and have the time of the commit, or SOURCE_DATE_EPOCH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v strip >/dev/null && command -v python3 >/dev/null || { echo "strip (binutils) and python3 are needed"; exit 1; }
built=${SAMPHAN_PROGRAM:-}
if [ -z "$built" ]; then
  cargo build --release --locked -p samphan
  built=${CARGO_TARGET_DIR:-target}/release/samphan
fi
version=$("$built" --version | cut -d ' ' -f 2)
host=$(rustc -vV | sed -n 's/^host: //p')
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
name=samphan-$version-$host
out=target/dist
rm -rf "$out"
mkdir -p "$out/$name"

strip -o "$out/$name/samphan" "$built"
packaging/rootfs.sh "$built" "$out/image"
python3 packaging/sbom.py "$version" "$epoch" > "$out/$name/sbom.cdx.json"
cp -r LICENSE README.md CHANGELOG.md SECURITY.md docs packaging/samphan.service "$out/$name/"
cp openapi/openapi.json openapi/openapi-3.0.json "$out/$name/"
tar --create --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --directory="$out" "$name" | gzip -n9 > "$out/$name.tar.gz"
cp "$out/$name/sbom.cdx.json" "$out/$name.cdx.json"
(cd "$out" && sha256sum "$name.tar.gz" "$name.cdx.json" > SHA256SUMS && cat SHA256SUMS)
