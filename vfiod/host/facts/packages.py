"""What this distribution calls a package, and its command to install one. Pure.

Sources of the names: https://packages.debian.org, https://packages.fedoraproject.org,
https://archlinux.org/packages and https://software.opensuse.org; of rpm-ostree's way:
https://coreos.github.io/rpm-ostree/administrator-handbook.
"""

from collections.abc import Iterator
from enum import Enum

from vfiod.host.facts.boot import Distribution


class Manager(Enum):
    """What installs packages; the value is the command that does."""

    APT = "sudo apt install"
    DNF = "sudo dnf install"
    OSTREE = "rpm-ostree install"
    PACMAN = "sudo pacman -S --needed"
    ZYPPER = "sudo zypper install"
    TRANSACTIONAL = "sudo transactional-update pkg install"


class Need(Enum):
    """What vfiod asks for; the value is its usual name, where the distribution is unknown."""

    LIBVIRT = "libvirt with its daemon for QEMU"
    VIRT_INSTALL = "virt-install"
    QEMU_IMG = "qemu-img"
    SWTPM = "swtpm"
    OVMF = "edk2-ovmf"


_DEBIAN = {
    Need.LIBVIRT: "libvirt-daemon-system libvirt-clients",
    Need.VIRT_INSTALL: "virtinst",
    Need.QEMU_IMG: "qemu-utils",
    Need.SWTPM: "swtpm swtpm-tools",
    Need.OVMF: "ovmf",
}
_FEDORA = {
    Need.LIBVIRT: "libvirt-daemon-kvm libvirt-client",
    Need.SWTPM: "swtpm swtpm-tools",
}
_SUSE = {
    Need.LIBVIRT: "libvirt-daemon-qemu libvirt-client qemu-kvm",
    Need.OVMF: "qemu-ovmf-x86_64",
}
_NAMES = {
    Manager.APT: _DEBIAN,
    Manager.DNF: _FEDORA,
    Manager.OSTREE: _FEDORA,
    Manager.PACMAN: {Need.LIBVIRT: "libvirt qemu-desktop dnsmasq"},
    Manager.ZYPPER: _SUSE,
    Manager.TRANSACTIONAL: _SUSE,
}
# Its options, not packages (https://search.nixos.org/options?query=virtualisation.libvirtd); QEMU
# brings the firmware, and virt-manager has virt-install.
_NIXOS = {
    Need.LIBVIRT: "set virtualisation.libvirtd.enable = true;",
    Need.VIRT_INSTALL: "add pkgs.virt-manager to environment.systemPackages",
    Need.QEMU_IMG: "add pkgs.qemu to environment.systemPackages",
    Need.SWTPM: "set virtualisation.libvirtd.qemu.swtpm.enable = true;",
    Need.OVMF: "set virtualisation.libvirtd.enable = true;",
}
_FAMILIES = {
    "debian": Manager.APT,
    "ubuntu": Manager.APT,
    "fedora": Manager.DNF,
    "rhel": Manager.DNF,
    "centos": Manager.DNF,
    "arch": Manager.PACMAN,
    "opensuse-microos": Manager.TRANSACTIONAL,
    "opensuse-aeon": Manager.TRANSACTIONAL,
    "opensuse-kalpa": Manager.TRANSACTIONAL,
    "opensuse-leap-micro": Manager.TRANSACTIONAL,
    "aeon": Manager.TRANSACTIONAL,
    "kalpa": Manager.TRANSACTIONAL,
    "sl-micro": Manager.TRANSACTIONAL,
    "sle-micro": Manager.TRANSACTIONAL,
    "suse": Manager.ZYPPER,
    "opensuse": Manager.ZYPPER,
}
_REMOVAL = {
    Manager.APT: "sudo apt remove vfiod",
    Manager.DNF: "sudo dnf remove vfiod",
    Manager.OSTREE: "rpm-ostree uninstall vfiod",
    Manager.PACMAN: "sudo pacman -R vfiod",
    Manager.ZYPPER: "sudo zypper remove vfiod",
    Manager.TRANSACTIONAL: "sudo transactional-update pkg remove vfiod",
}
# What a layered package needs before it is there.
_REBOOT = {Manager.OSTREE, Manager.TRANSACTIONAL}


def read_manager(distribution: Distribution) -> Manager | None:
    """By os-release(5); None where nothing is known, or packages are not installed (NixOS)."""
    words = (distribution.ident, *distribution.like)
    found = next((_FAMILIES[word] for word in words if word in _FAMILIES), None)
    return Manager.OSTREE if found is Manager.DNF and distribution.is_image else found


def command(distribution: Distribution, *needs: Need) -> str:
    """The command line that installs these, or nothing if it is not known."""
    manager = read_manager(distribution)
    if manager is None:
        return ""
    return " ".join((manager.value, *_packages(manager, needs)))


def remedy(distribution: Distribution, *needs: Need) -> str:
    """What to do, in words: the command if it is known."""
    manager = read_manager(distribution)
    if manager is None and distribution.is_nixos:
        wanted = " and ".join(dict.fromkeys(_NIXOS[need] for need in needs))
        return f"in /etc/nixos/configuration.nix: {wanted} and then run: sudo nixos-rebuild switch"
    if manager is None:
        return f"install {' and '.join(need.value for need in needs)}"
    after = ", then restart the host" if manager in _REBOOT else ""
    return f"use: {command(distribution, *needs)}{after}"


def removal(distribution: Distribution) -> str:
    """What takes vfiod's own package away."""
    manager = read_manager(distribution)
    if manager is not None:
        return _REMOVAL[manager]
    if distribution.is_nixos:
        return "take services.vfiod out of the configuration, then: sudo nixos-rebuild switch"
    return "remove the vfiod package"


def purge(distribution: Distribution, path: str) -> str:
    """What takes away what a package leaves to its user; only Debian's packages can be told to."""
    is_debian = read_manager(distribution) is Manager.APT
    return "sudo apt purge vfiod" if is_debian else f"sudo rm -r {path}"


def _packages(manager: Manager, needs: tuple[Need, ...]) -> Iterator[str]:
    for need in needs:
        yield _NAMES[manager].get(need, need.value)
