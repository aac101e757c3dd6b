#!/bin/sh
# A desktop that never touches the card, which a viewer alone shows on it: docs/design/keep.md.
set -eu
cd "$1"

# Nothing that alice's manager starts can open the card. It stays when she logs out; her logins on
# the console are no part of it and can.
install -d etc/systemd/system/user@1000.service.d var/lib/systemd/linger
touch var/lib/systemd/linger/alice
cat > etc/systemd/system/user@1000.service.d/keep.conf <<'END'
[Service]
DevicePolicy=closed
END

cat > etc/systemd/user/keep.service <<'END'
[Unit]
Description=Desktop that needs no card
[Service]
Type=notify
NotifyAccess=all
Environment=WLR_BACKENDS=headless WLR_RENDERER=pixman WLR_LIBINPUT_NO_DEVICES=1
ExecStart=/usr/bin/labwc
TimeoutStartSec=infinity
[Install]
WantedBy=default.target
END
install -d etc/xdg/labwc
cat > etc/xdg/labwc/autostart <<'END'
systemctl --user import-environment WAYLAND_DISPLAY DISPLAY
systemd-notify --ready
swaybg -c '#3a6ea5' &
foot &
END

cat > etc/systemd/user/keep-vnc.socket <<'END'
[Unit]
Description=Where the kept desktop is seen
[Socket]
ListenStream=%t/keep
SocketMode=0600
[Install]
WantedBy=sockets.target
END
cat > etc/systemd/user/keep-vnc.service <<'END'
[Unit]
Description=What shows the kept desktop
Requires=keep.service
After=keep.service
[Service]
ExecStart=/usr/bin/wayvnc --external-listener-fd --max-fps=60 3
Restart=always
END
systemctl --root="$PWD" --global enable keep.service keep-vnc.socket

install -d etc/systemd/system/getty@tty1.service.d
cat > etc/systemd/system/getty@tty1.service.d/autologin.conf <<'END'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin alice --noclear - $TERM
END
cat > home/alice/.bash_profile <<'END'
[ "$(tty)" != /dev/tty1 ] || WLR_RENDERER=pixman exec cage -- /usr/local/bin/viewer
END
cat > usr/local/bin/viewer <<'END'
#!/bin/sh
exec xtigervncviewer -FullScreen -RemoteResize -Shared -AutoSelect=0 -PreferredEncoding=raw \
    -SecurityTypes=None -MenuKey= -AlertOnFatalError=0 -ReconnectOnError=0 "$XDG_RUNTIME_DIR/keep"
END
chmod 755 usr/local/bin/viewer
systemctl --root="$PWD" set-default multi-user.target
