#!/bin/sh
# Installs a package into a disk that nothing runs from: install-deb.sh DISK DEB COMMAND...
# In a mount namespace of its own, so that no mount is left; status 75 if nothing can be mounted.
set -eu
disk=$1 deb=$2
shift 2

root=$(mktemp -d)
trap 'umount --recursive "$root" 2>/dev/null || :; rmdir "$root"' EXIT
mount -o loop "$disk" "$root" || exit 75
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
cp "$deb" "$root/tmp/vfiod.deb"
DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
