#!/bin/sh
# LightDM and Xfce on X11, as Debian has it, without shadows and the like.
set -eu
sh "$(dirname "$0")/lightdm.sh" "$1"
cd "$1"
settings=etc/xdg/xfce4/xfconf/xfce-perchannel-xml
mkdir -p "$settings"
cat > "$settings/xfwm4.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfwm4" version="1.0">
  <property name="general" type="empty">
    <property name="use_compositing" type="bool" value="false"/>
  </property>
</channel>
XML
# GTK 4 draws by OpenGL, and llvmpipe crashes in the emulator.
echo GSK_RENDERER=cairo >> etc/environment
