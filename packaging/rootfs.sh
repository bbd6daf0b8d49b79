#!/usr/bin/env bash
# Makes the file system of the container image: the program, the C library that it needs, the authorities that sign certificates (of webhook
# receivers and database servers), its user and its folders. Nothing else is in it, no shell either.
#
#   packaging/rootfs.sh PROGRAM FOLDER
set -euo pipefail
program=$1 root=$2
rm -rf "$root"
mkdir -p "$root"/{usr/bin,etc,tmp,var/lib/samphan}
strip -o "$root/usr/bin/samphan" "$program"
# The libraries by their real names, at the paths where the loader looks.
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
  install -D "$(readlink -f "$library")" "$root$library"
done
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
  [ ! -f "$bundle" ] || { install -D -m 644 "$(readlink -f "$bundle")" "$root/etc/ssl/certs/ca-certificates.crt"; break; }
done
[ -f "$root/etc/ssl/certs/ca-certificates.crt" ] || { echo "no certificates of authorities (Debian: apt-get install ca-certificates)"; exit 1; }
printf 'root:x:0:0:root:/:/none\nsamphan:x:65532:65532:samphan:/var/lib/samphan:/none\n' > "$root/etc/passwd"
printf 'root:x:0:\nsamphan:x:65532:\n' > "$root/etc/group"
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
