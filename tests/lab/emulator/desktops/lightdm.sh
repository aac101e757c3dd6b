#!/bin/sh
# LightDM on X11, with a background that nothing else on the lab's screen has: see pixels.py.
set -eu
cd "$1"
mkdir -p etc/lightdm/lightdm-gtk-greeter.conf.d
cat > etc/lightdm/lightdm-gtk-greeter.conf.d/lab.conf <<'END'
[greeter]
background=#204a87
user-background=false
END
