#!/bin/sh
# SDDM's greeter on X11, as Debian has it, followed by Plasma on Wayland, drawn without a GPU.
set -eu
cd "$1"
mkdir -p etc/sddm.conf.d etc/xdg/plasma-workspace/env
printf '[Last]\nUser=alice\nSession=/usr/share/wayland-sessions/plasma.desktop\n' > var/lib/sddm/state.conf
chroot . chown -R sddm:sddm /var/lib/sddm
cat > etc/xdg/plasma-workspace/env/lab.sh <<'END'
export KWIN_COMPOSE=Q QT_QUICK_BACKEND=software
END
