#!/bin/sh
# LightDM, and Cockpit for alice, who may administer.
set -eu
sh "$(dirname "$0")/lightdm.sh" "$1"
cd "$1"
chroot . usermod --append --groups sudo alice
echo 'alice ALL=(ALL) NOPASSWD: ALL' > etc/sudoers.d/alice
systemctl --root="$PWD" enable cockpit.socket
