#!/bin/sh
# No display manager: a console that logs alice in and becomes her desktop.
set -eu
cd "$1"
mkdir -p etc/systemd/system/getty@tty1.service.d
cat > etc/systemd/system/getty@tty1.service.d/autologin.conf <<'END'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin alice --noclear - $TERM
END
cat > home/alice/.bash_profile <<'END'
[ "$(tty)" != /dev/tty1 ] || exec env WLR_RENDERER=pixman sway
END
echo 'exec foot' > etc/sway/config.d/lab.conf
systemctl --root="$PWD" set-default multi-user.target
