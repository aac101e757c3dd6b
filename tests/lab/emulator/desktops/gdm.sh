#!/bin/sh
# GDM with GNOME, both on Wayland, as Debian has them.
set -eu
cd "$1"
mkdir -p etc/dconf/db/gdm.d etc/dconf/db/local.d etc/dconf/profile
cat > etc/dconf/db/local.d/lab <<'END'
[org/gnome/desktop/interface]
enable-animations=false
[org/gnome/desktop/session]
idle-delay=uint32 0
END
cp etc/dconf/db/local.d/lab etc/dconf/db/gdm.d/lab
printf 'user-db:user\nsystem-db:local\n' > etc/dconf/profile/user
chroot . dconf update
