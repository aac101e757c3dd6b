#!/bin/sh
# GNOME on Wayland behind LightDM: GDM gives a session up that takes as long as it does here.
set -eu
sh "$(dirname "$0")/lightdm.sh" "$1"
sh "$(dirname "$0")/gdm.sh" "$1"
cd "$1"
mkdir -p etc/lightdm/lightdm.conf.d
printf '[Seat:*]\nuser-session=gnome\n' > etc/lightdm/lightdm.conf.d/lab.conf
cat > etc/dconf/db/local.d/paper <<'END'
[org/gnome/desktop/background]
picture-options='none'
primary-color='#5c3566'
END
chroot . dconf update
# Two minutes are too few for the shell to come up.
for unit in org.gnome.Shell@wayland gnome-session-manager@gnome; do
    mkdir -p "etc/systemd/user/$unit.service.d"
    printf '[Service]\nTimeoutStartSec=15min\n' > "etc/systemd/user/$unit.service.d/lab.conf"
done
# llvmpipe crashes in the emulator when the shell draws a desktop.
printf 'GALLIUM_DRIVER=softpipe\nGSK_RENDERER=cairo\n' >> etc/environment
# It reads all of a home just when the desktop is to be drawn.
systemctl --root="$PWD" --global mask localsearch-3.service
