#!/bin/sh
# Plasma on Wayland behind LightDM, drawn without a GPU.
set -eu
sh "$(dirname "$0")/lightdm.sh" "$1"
cd "$1"
mkdir -p etc/lightdm/lightdm.conf.d
printf '[Seat:*]\nuser-session=plasma\n' > etc/lightdm/lightdm.conf.d/lab.conf
mkdir -p etc/xdg/plasma-workspace/env
cat > etc/xdg/plasma-workspace/env/lab.sh <<'END'
case $XDG_SESSION_TYPE in
    wayland) compose=Q ;; # KWin has no other without OpenGL,
    *) compose=N ;;       # and on X11 none at all
esac
export KWIN_COMPOSE=$compose QT_QUICK_BACKEND=software
END
# Five seconds are too few for it, and it is tried again without end.
mkdir -p etc/systemd/user/plasma-kglobalaccel.service.d
printf '[Service]\nTimeoutStartSec=5min\n' > etc/systemd/user/plasma-kglobalaccel.service.d/lab.conf
# No splash, no effects, no animation.
printf '[KSplash]\nEngine=none\nTheme=None\n' > etc/xdg/ksplashrc
printf '[KDE]\nAnimationDurationFactor=0\n' > etc/xdg/kdeglobals
# Five minutes go by before a desktop is drawn.
printf '[Daemon]\nAutolock=false\n' > etc/xdg/kscreenlockerrc
