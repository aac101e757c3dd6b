"""What is inside the lab's root image: packages and kernel options, nothing that acts."""

from __future__ import annotations

SUITES = ("bookworm", "trixie", "sid")

_SYSTEM = (
    "systemd-sysv udev dbus dbus-user-session libpam-systemd linux-image-amd64 kmod iproute2 "
    "openssh-server apparmor polkitd pkexec psmisc pciutils procps hyperfine less"
)
_SOUND = "fonts-dejavu-core pipewire wireplumber pipewire-alsa alsa-utils"
# What people log in with; desktops/NAME.sh sets it up.
_LIGHTDM = (
    "lightdm lightdm-gtk-greeter xserver-xorg-core xserver-xorg-input-libinput "
    "openbox xterm x11-xserver-utils"
)
_GNOME = "gnome-session gnome-console libgl1-mesa-dri"
_PLASMA = "plasma-workspace plasma-desktop kwin-wayland konsole libgl1-mesa-dri"
_XFCE = (
    "xfce4-session xfwm4 xfdesktop4 xfce4-panel xfce4-settings xfce4-appfinder xfce4-notifyd "
    "mousepad thunar xfce4-terminal zenity wmctrl dbus-x11 libglib2.0-bin adwaita-icon-theme "
    "librsvg2-common"
)
DESKTOPS: dict[str, str] = {
    "lightdm": _LIGHTDM,
    "greetd": "greetd gtkgreet cage sway foot libgl1-mesa-dri",
    "keep": "labwc swaybg wayvnc foot cage xwayland tigervnc-viewer libgl1-mesa-dri",
    "getty": "sway foot libgl1-mesa-dri podman crun busybox-static",
    "gdm": f"gdm3 {_GNOME}",
    "gnome": f"{_LIGHTDM} {_GNOME} gnome-text-editor gnome-calculator dconf-cli",
    "xfce": f"{_LIGHTDM} {_XFCE}",
    "sddm": f"sddm xserver-xorg-core xserver-xorg-input-libinput {_PLASMA}",
    "plasma": f"{_LIGHTDM} {_PLASMA} kwin-x11 kde-cli-tools kwrite kcalc wmctrl",
    "cockpit": f"{_LIGHTDM} cockpit-ws cockpit-bridge cockpit-system sudo",
}
_VIRTUALISATION = "libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils ovmf seabios"
# What the vfiod package needs at run time: the lab has no network to fetch it from later.
_VFIOD = (
    "python3 python3-libvirt python3-pydbus python3-gi gir1.2-glib-2.0 python3-systemd "
    "python3-yaml python3-psutil python3-evdev python3-lxml python3-rich "
    "pci.ids virtinst swtpm swtpm-tools"
)
# Only while the image is built: for the drivers of tests/lab/emulator/driver.
COMPILER: tuple[str, ...] = ("linux-headers-amd64", "gcc", "make")


def packages(desktop: str) -> tuple[str, ...]:
    """All that the image with this desktop has."""
    return tuple(" ".join((_SYSTEM, _SOUND, DESKTOPS[desktop], _VIRTUALISATION, _VFIOD)).split())


# AppArmor stays as Debian boots it: nothing here names a security module.
KERNEL_OPTIONS: tuple[str, ...] = (
    "root=/dev/vda",
    "rw",
    "console=ttyS0",
    "intel_iommu=on",
    "iommu=pt",
    "tsc=reliable",
    # On a busy machine the emulated timer ticks too late for the kernel's test of it: a panic.
    "no_timer_check",
)

# Documentation and translations: a third of the files, none of them used.
LEFT_OUT: tuple[str, ...] = (
    "/usr/share/man/*",
    "/usr/share/doc/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
)
