#!/usr/bin/env bash
# collect.sh PROGRAM FOLDER: makes FOLDER the root of an image that has what PROGRAM needs to run, and no more.
set -euo pipefail
program=$1
root=$2
[ ! -e "$root" ] || { echo "collect: $root is there already; name a folder that is not" >&2; exit 1; }

install -D -m 755 "$program" "$root/usr/bin/joiner"
strip "$root/usr/bin/joiner"
# As Debian's own layout has them, so that the loader finds them without a cache.
for link in bin sbin lib lib64; do ln -s "usr/$link" "$root/$link"; done
ldd "$program" | awk '$2 == "=>" {print $3} $1 ~ /^\// {print $1}' | sort -u | while read -r library; do
    install -D -m 755 "$(realpath "$library")" "$root/usr${library#/usr}"
done
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$root/usr/share" "$root/tmp" "$root/home/nonroot"
cp -r /usr/share/zoneinfo "$root/usr/share/zoneinfo"
chmod 1777 "$root/tmp"
chown 65532:65532 "$root/home/nonroot"
echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$root/etc/passwd"
echo 'nonroot:x:65532:' >"$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
