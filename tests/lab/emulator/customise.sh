#!/bin/sh
# Turns a fresh Debian tree into the lab's. Called by image.py: customise.sh ROOT PUBLIC_KEY DISKS DESKTOP
set -eu
root=$1 public_key=$2 disks=$3 desktop=$4
here=$(dirname "$0")

cp -r "$here/rootfs/." "$root/"
echo lab > "$root/etc/hostname"
echo '127.0.0.1 localhost lab' > "$root/etc/hosts"
echo '/dev/vda / ext4 defaults 0 0' > "$root/etc/fstab"
echo 7661666f6465786c6162000000000001 > "$root/etc/machine-id"   # fixed: no first-boot work
mkdir -p "$root/var/log/journal"

chroot "$root" useradd --create-home --shell /bin/bash alice
echo alice:alice | chroot "$root" chpasswd
for home in root home/alice; do
    install -d -m 700 "$root/$home/.ssh"
    install -m 600 "$public_key" "$root/$home/.ssh/authorized_keys"
done
chroot "$root" chown -R alice:alice /home/alice

install -d -m 711 "$root/var/lib/libvirt/images"
install -m 644 "$disks"/*.img "$root/var/lib/libvirt/images/"
rm -f "$root/etc/libvirt/qemu/networks/autostart/default.xml"

# Profiles compile in half the time, which every start of a guest pays four times over.
sed -i 's/^#Optimize=no-expr-simplify/Optimize=no-expr-simplify/' "$root/etc/apparmor/parser.conf"

# The driver that misbehaves on request, and the stand-ins for NVIDIA's and AMD's, which nothing
# loads by itself; the compiler stays out of the image.
kernel=$(basename "$root"/lib/modules/*)
cp -r "$here/driver" "$root/tmp/driver"
chroot "$root" make -s -C "/lib/modules/$kernel/build" M=/tmp/driver modules
install -D -m 644 -t "$root/lib/modules/$kernel/updates" "$root"/tmp/driver/*.ko
rm -rf "$root/tmp/driver"
# shellcheck disable=SC2086 # a list of packages
chroot "$root" apt-get -qq -y purge --auto-remove $COMPILER >/dev/null
chroot "$root" depmod "$kernel"

sh -eu "$desktop" "$root"

# Nothing that makes a boot slower or uneven.
systemctl --root="$root" enable systemd-networkd.service ssh.service
systemctl --root="$root" mask systemd-networkd-wait-online.service apt-daily.timer \
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer keyboard-setup.service console-setup.service lvm2-monitor.service
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
touch "$root/etc/.updated" "$root/var/.updated"   # no hwdb, catalog or ldconfig run at boot
