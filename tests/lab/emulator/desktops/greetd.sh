#!/bin/sh
# greetd with a greeter on Wayland, which is followed by sway.
set -eu
cd "$1"
cat > etc/greetd/config.toml <<'END'
[terminal]
vt = 7
[default_session]
command = "env WLR_RENDERER=pixman cage -s -- gtkgreet --command /usr/local/bin/desktop"
user = "_greetd"
END
cat > usr/local/bin/desktop <<'END'
#!/bin/sh
exec env WLR_RENDERER=pixman sway
END
chmod 755 usr/local/bin/desktop
echo 'exec foot' > etc/sway/config.d/lab.conf
systemctl --root="$PWD" enable greetd.service
