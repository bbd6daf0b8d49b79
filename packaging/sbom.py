#!/usr/bin/env python3
"""Prints the software bill of materials of the program (CycloneDX 1.5, JSON): every crate that is compiled into it or runs in its build.

    sbom.py VERSION EPOCH

Made of `cargo metadata` and the checksums of Cargo.lock, with Python's standard library only: the generators that exist are programs to install
and keep, and this is all that a crate's bill is. Development dependencies are left out. SQLite and mimalloc are C sources inside their crates.
"""
import datetime
import json
import subprocess
import sys
import tomllib
import uuid

version, epoch = sys.argv[1], int(sys.argv[2])
host = next(line[6:] for line in subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout.splitlines() if line.startswith("host: "))
command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host]
metadata = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
with open("Cargo.lock", "rb") as lock:
    checksums = {(p["name"], p["version"]): p["checksum"] for p in tomllib.load(lock)["package"] if "checksum" in p}

packages = {p["id"]: p for p in metadata["packages"]}
nodes = {n["id"]: n for n in metadata["resolve"]["nodes"]}
root = next(p["id"] for p in metadata["packages"] if p["name"] == "samphan" and p["source"] is None)


def needed(node):
    """What a crate is built with, without what only its tests need."""
    return sorted(d["pkg"] for d in node["deps"] if any(kind["kind"] != "dev" for kind in d["dep_kinds"]))


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


found, queue = {root}, [root]
while queue:
    for one in needed(nodes[queue.pop()]):
        if one not in found:
            found.add(one)
            queue.append(one)


def component(package):
    made = {"type": "library", "bom-ref": reference(package), "name": package["name"], "version": package["version"], "purl": reference(package)}
    if package["license"]:
        # Old crates write "MIT/Apache-2.0" for "MIT OR Apache-2.0".
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def in_order(ids):
    return sorted((packages[i] for i in ids), key=lambda p: (p["name"], p["version"]))


bill = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    # The same bill has the same number.
    "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, f"samphan {version} {host} " + " ".join(reference(p) for p in in_order(found)))),
    "version": 1,
    "metadata": {
        "timestamp": datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).isoformat(),
        "component": component(packages[root]) | {"type": "application"},
        "properties": [{"name": "target", "value": host}],
    },
    "components": [component(p) for p in in_order(found - {root})],
    "dependencies": [{"ref": reference(p), "dependsOn": [reference(packages[d]) for d in needed(nodes[p["id"]])]} for p in in_order(found)],
}
json.dump(bill, sys.stdout, indent=1, ensure_ascii=False)
print()
