"""Which boot loader this machine starts through, and who writes what it reads.

A loader that follows https://systemd.io/BOOT_LOADER_INTERFACE says its name in an EFI variable,
which decides where there is one. GRUB before 2.12 does not, but leaves BOOT_IMAGE= on the kernel's
command line, as all of them do: without it, it was not GRUB. Files alone may be those of a loader
that is no longer used. ZFSBootMenu is a Linux that another loader starts, and starts the host's.
"""

import os
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from vfiod.host.facts import loaders
from vfiod.host.facts.kernel_install import read_layout
from vfiod.host.facts.loaders import ESP, LOADERS, Loader
from vfiod.host.facts.textfiles import read_bytes
from vfiod.util import sysfs

# Four bytes of attributes, then UTF-16.
LOADER_INFO = "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
_MKCONFIG = tuple(f"usr/{p}/{n}-mkconfig" for p in ("sbin", "bin") for n in ("grub", "grub2"))
_ZFSBOOTMENU = ("etc/zfsbootmenu", *(f"{place}/EFI/[zZ][bB][mM]" for place in ESP))
_UKI_PRESET = re.compile(r"^(\w+)_uki=", re.MULTILINE)
_ENTRIES = tuple(f"{place}/loader/entries/*.conf" for place in ESP)
# openSUSE's /etc/sysconfig/bootloader, LOADER_TYPE.
_MAKERS = (
    ("mkinitcpio", Loader.MKINITCPIO_UKI),
    ("dracut", Loader.DRACUT_UKI),
    ("kernel-install", Loader.UKIFY),
)
_OF_SDBOOTUTIL = ("systemd-boot", "grub2-bls")


def read_loader(root: Path, distribution: Collection[str]) -> Loader:
    """``distribution``: the words of ID and ID_LIKE of os-release(5)."""
    if is_image(root):
        return Loader.OSTREE
    if "nixos" in distribution:
        return Loader.NIXOS
    return _OF[_named(root) or _guessed(root)](root, distribution)


def is_image(root: Path) -> bool:
    """True if rpm-ostree keeps the system."""
    return (root / "run/ostree-booted").exists() and has_program(root, "rpm-ostree")


def has_program(root: Path, name: str) -> bool:
    """True if the distribution has it where programs are."""
    return any((root / f"usr/{place}/{name}").exists() for place in ("sbin", "bin"))


def own_cmdline(root: Path) -> str:
    """The file that an image's preset names instead of /etc/kernel/cmdline; empty if none does.

    mkinitcpio(8), --cmdline. The fallback image may have one of its own: nobody starts it daily.
    """
    for text in _presets(root):
        for name in set(_UKI_PRESET.findall(text)) - {"fallback"}:
            own = re.search(
                rf"""^{name}_options=.*--cmdline[ =]["']?([^\s"')]+)""", text, re.MULTILINE
            )
            if own:
                return own[1]
    return ""


def _presets(root: Path) -> list[str]:
    return [sysfs.read(path) or "" for path in sorted(root.glob("etc/mkinitcpio.d/*.preset"))]


def _named(root: Path) -> str:
    data = read_bytes(root / LOADER_INFO) or b""
    name = data[4:].decode("utf-16-le", "replace").partition(" ")[0].rstrip("\0").lower()
    if name == "refind" and _is_grub_s(root):
        return "grub"  # which rEFInd started, and which did not say its name
    return name if name in _OF else ""


def _guessed(root: Path) -> str:
    if os.path.exists(root / loaders.GRUB_DEFAULT) and _is_grub_s(root):
        return "grub"
    if _is_zfsbootmenu_s(root):
        return "zfsbootmenu"
    if _has_any(root, "limine-update", "limine-mkinitcpio") or _is_there(root, Loader.LIMINE):
        return "limine"
    if _is_there(root, Loader.REFIND):
        return "refind"
    if _writes_systemd_boot(root, ()) is not Loader.SYSTEMD_BOOT or _has_entries(root):
        return "systemd-boot"
    return _by_its_options(root)


def _by_its_options(root: Path) -> str:
    """Nothing else is left to go by. One that cannot be read may have been GRUB's."""
    options = sysfs.read(root / "proc/cmdline")
    if not options or _is_grub_s(root):
        return "grub"
    if any(option.startswith("root=zfs:") for option in options.split()):
        return "zfsbootmenu"
    from_firmware = os.path.exists(root / "sys/firmware/efi") and "initrd=" in options
    return "efi-stub" if from_firmware else "unknown"


def _is_grub_s(root: Path) -> bool:
    return (sysfs.read(root / "proc/cmdline") or "").startswith("BOOT_IMAGE=")


def _is_zfsbootmenu_s(root: Path) -> bool:
    """A kernel with its root on ZFS that GRUB did not start, where ZFSBootMenu is installed."""
    options = (sysfs.read(root / "proc/cmdline") or "").split()
    on_zfs = any(option.lower().startswith(("root=zfs", "zfs=")) for option in options)
    installed = any(any(root.glob(pattern)) for pattern in _ZFSBOOTMENU)
    return on_zfs and installed and not _is_grub_s(root)


def _limine(root: Path, _: Collection[str]) -> Loader:
    tool = _has_any(root, "limine-update", "limine-mkinitcpio", "limine-entry-tool")
    return Loader.LIMINE_TOOL if tool else Loader.LIMINE


def _refind(root: Path, distribution: Collection[str]) -> Loader:
    """rEFInd also starts unified kernel images, which do not ask it for options.

    And ZFSBootMenu, whose own options are in a refind_linux.conf beside it.
    """
    if _is_zfsbootmenu_s(root):
        return Loader.ZFSBOOTMENU
    if _is_there(root, Loader.REFIND):
        return Loader.REFIND
    return _unified(root) or Loader.REFIND


def _grub(root: Path, distribution: Collection[str]) -> Loader:
    if has_program(root, "grubby") and not has_program(root, "update-grub"):
        return Loader.GRUBBY
    if not os.path.exists(root / loaders.GRUB_DEFAULT):
        return Loader.UNKNOWN
    if _is_proxmox(root):
        return Loader.PROXMOX_GRUB
    if _is_of_sdbootutil(root):
        return Loader.SDBOOTUTIL
    return Loader.GRUB if _reads_drop_ins(root, distribution) else Loader.PLAIN_GRUB


def _writes_systemd_boot(root: Path, _: Collection[str]) -> Loader:
    if has_program(root, "kernelstub"):
        return Loader.KERNELSTUB
    if _is_proxmox(root):
        return Loader.PROXMOX
    if _is_of_sdbootutil(root):
        return Loader.SDBOOTUTIL
    if has_program(root, "sdboot-manage"):
        return Loader.SDBOOT_MANAGE
    if has_program(root, "grubby") and not has_program(root, "update-grub"):
        return Loader.GRUBBY
    unified = _unified(root)
    if unified:
        return unified
    return Loader.KERNEL_INSTALL if _entries_are_managed(root) else Loader.SYSTEMD_BOOT


def _unified(root: Path) -> Loader | None:
    """Who makes unified kernel images, if that is what is booted."""
    if read_layout(root) == "uki":
        return Loader.UKIFY
    if any(map(_UKI_PRESET.search, _presets(root))):
        return Loader.MKINITCPIO_CMDLINE if own_cmdline(root) else Loader.MKINITCPIO_UKI
    configurations = [root / "etc/dracut.conf", *root.glob("etc/dracut.conf.d/*.conf")]
    if any(re.search(r"^\s*uefi=\W?yes", sysfs.read(p) or "", re.M) for p in configurations):
        return Loader.DRACUT_UKI
    if _has_entries(root) or not any(any(root.glob(f"{p}/EFI/Linux/*.efi")) for p in ESP):
        return None
    return next((loader for name, loader in _MAKERS if has_program(root, name)), None)


def _is_proxmox(root: Path) -> bool:
    uuids = root / "etc/kernel/proxmox-boot-uuids"
    return os.path.exists(uuids) and has_program(root, "proxmox-boot-tool")


def _is_of_sdbootutil(root: Path) -> bool:
    if not has_program(root, "sdbootutil"):
        return False
    kind = re.search(
        r'^LOADER_TYPE="?([\w-]+)', sysfs.read(root / "etc/sysconfig/bootloader") or "", re.M
    )
    return kind[1] in _OF_SDBOOTUTIL if kind else _has_entries(root)


def _entries_are_managed(root: Path) -> bool:
    """kernel-install(8) names its entries after the token or the machine; people name theirs."""
    tokens = [sysfs.read(root / name) for name in ("etc/kernel/entry-token", "etc/machine-id")]
    entries = [path.name for pattern in _ENTRIES for path in root.glob(pattern)]
    return any(token and entry.startswith(f"{token}-") for token in tokens for entry in entries)


def _has_entries(root: Path) -> bool:
    return any(any(root.glob(pattern)) for pattern in _ENTRIES)


def _is_there(root: Path, loader: Loader) -> bool:
    patterns = (pattern for source in LOADERS[loader].sources for pattern in source.patterns)
    return any(any(root.glob(pattern)) for pattern in patterns)


def _has_any(root: Path, *programs: str) -> bool:
    return any(has_program(root, program) for program in programs)


def _reads_drop_ins(root: Path, distribution: Collection[str]) -> bool:
    """Debian's patch of grub-mkconfig, which upstream does not have; its text says whether.

    Where that cannot be read, update-grub is Debian's too, but other distributions have one.
    """
    scripts = [data for name in _MKCONFIG if (data := read_bytes(root / name))]
    if scripts:
        return any(b"/default/grub.d/" in data for data in scripts)
    others = set(distribution) - {"debian", "ubuntu", "linux"}
    is_debian = {"debian", "ubuntu"} & set(distribution) or not others
    return has_program(root, "update-grub") and bool(is_debian)


_OF: Mapping[str, Callable[[Path, Collection[str]], Loader]] = {
    "grub": _grub,
    "limine": _limine,
    "refind": _refind,
    "systemd-boot": _writes_systemd_boot,
    "zfsbootmenu": lambda *_: Loader.ZFSBOOTMENU,
    "efi-stub": lambda *_: Loader.EFI_STUB,
    "unknown": lambda *_: Loader.UNKNOWN,
}
