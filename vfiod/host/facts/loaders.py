"""The boot loaders: who writes what they show, from which files, and what writes it anew. Pure.

One table for all: leftovers are read by it, options are added and taken out by it, and what only a
person can do is told by it. Sources: grub-mkconfig(8), kernel-install(8), mkinitcpio(8), ukify(1),
grubby(8), kernelstub(1), rpm-ostree(1); https://gitlab.com/Zesko/limine-entry-tool;
https://github.com/limine-bootloader/limine (CONFIG.md); https://www.rodsbooks.com/refind/linux.html;
https://pve.proxmox.com/wiki/Host_Bootloader; https://github.com/openSUSE/sdbootutil;
https://github.com/CachyOS/systemd-boot-manager; https://docs.zfsbootmenu.org;
kernel, Documentation/admin-guide/efi-stub.rst; efibootmgr(8).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

Command = tuple[str, ...]
ESP = ("boot", "efi", "boot/efi")
KERNEL_CMDLINE = "etc/kernel/cmdline"
CMDLINE_D = "etc/cmdline.d"
LIMINE_DEFAULT = "etc/default/limine"
GRUB_DEFAULT = "etc/default/grub"
SDBOOT_MANAGE_CONF = "etc/sdboot-manage.conf"


class Loader(Enum):
    """Who gives the kernel its options, by what they are changed with; the value is for people."""

    GRUB = "GRUB"  # one whose grub-mkconfig reads drop-ins: Debian and its children
    PLAIN_GRUB = "GRUB without drop-ins"
    PROXMOX_GRUB = "GRUB, written by proxmox-boot-tool"
    GRUBBY = "grubby"
    OSTREE = "rpm-ostree"
    KERNELSTUB = "kernelstub"
    SYSTEMD_BOOT = "systemd-boot"
    KERNEL_INSTALL = "systemd-boot, written by kernel-install"
    SDBOOT_MANAGE = "systemd-boot, written by sdboot-manage"
    SDBOOTUTIL = "sdbootutil"
    PROXMOX = "systemd-boot, written by proxmox-boot-tool"
    MKINITCPIO_UKI = "unified kernel images of mkinitcpio"
    MKINITCPIO_CMDLINE = "unified kernel images of mkinitcpio with --cmdline"
    DRACUT_UKI = "unified kernel images of dracut"
    UKIFY = "unified kernel images of kernel-install"
    LIMINE_TOOL = "Limine, written by limine-entry-tool"
    LIMINE = "Limine"
    REFIND = "rEFInd"
    NIXOS = "NixOS"
    ZFSBOOTMENU = "ZFSBootMenu"
    EFI_STUB = "EFI stub, started by the firmware"
    UNKNOWN = "unknown"


class Syntax(Enum):
    """How a file holds kernel options."""

    SHELL = "assignments of the shell"
    WORDS = "nothing but options"
    ENTRY = "lines of options, as in the Boot Loader Specification"
    LIMINE = "lines of cmdline"
    REFIND = "a title and options, each in quotes"
    KERNELSTUB = "JSON of kernelstub"
    NIX = "a list in Nix"


class Way(Enum):
    """How setup adds an option."""

    DROP_IN = "in a file of its own"
    LINE = "by a line at the end of the loader's file"
    WORDS = "on the command line of /etc/kernel"
    TOOL = "by the loader's own program"
    BY_HAND = "not at all"


@dataclass(frozen=True, slots=True)
class Source:
    """Files with options, by patterns below the root in the order they are read.

    ``variables``: of SHELL. ``is_generated``: a program writes them anew, so that a change belongs
    elsewhere. ``is_fallback``: read only if no file before it has an option.
    """

    patterns: tuple[str, ...]
    syntax: Syntax
    variables: tuple[str, ...] = ()
    is_generated: bool = False
    is_fallback: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """``place`` tells a person where an option goes; ``refresh``: the first that is installed.

    Without ``sources`` the options are in no file.
    """

    place: str
    sources: tuple[Source, ...]
    refresh: tuple[Command, ...] = ()
    way: Way = Way.BY_HAND


_GRUB_VARIABLES = ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT")
_GRUB = Source((GRUB_DEFAULT,), Syntax.SHELL, _GRUB_VARIABLES)
_GRUB_WITH_DROP_INS = Source(
    (GRUB_DEFAULT, "etc/default/grub.d/*.cfg"), Syntax.SHELL, _GRUB_VARIABLES
)
_CMDLINE = Source((KERNEL_CMDLINE,), Syntax.WORDS)
_ENTRIES = Source(tuple(f"{place}/loader/entries/*.conf" for place in ESP), Syntax.ENTRY)
_WRITTEN = Source(_ENTRIES.patterns, Syntax.ENTRY, is_generated=True)
_SDBOOT_MANAGE = Source(
    (SDBOOT_MANAGE_CONF, "etc/sdboot-manage.conf.d/*.conf"),
    Syntax.SHELL,
    ("LINUX_OPTIONS", "LINUX_FALLBACK_OPTIONS"),
)
_LIMINE_TOOL = Source(
    ("etc/limine-entry-tool.conf", LIMINE_DEFAULT, "etc/limine-entry-tool.d/*.conf"),
    Syntax.SHELL,
    ("KERNEL_CMDLINE",),
)
_LIMINE_FALLBACK = Source((KERNEL_CMDLINE,), Syntax.WORDS, is_fallback=True)
_LIMINE = Source(
    tuple(
        f"{place}/{folder}limine.{end}"
        for place in ESP
        for folder in ("", "limine/", "EFI/limine/", "EFI/BOOT/", "EFI/arch-limine/")
        for end in ("conf", "cfg")
    ),
    Syntax.LIMINE,
)
_REFIND = Source(
    ("boot/refind_linux.conf", *(f"{place}/EFI/*/refind_linux.conf" for place in ESP)),
    Syntax.REFIND,
)
_REFIND_STANZAS = Source(tuple(f"{place}/EFI/refind/refind.conf" for place in ESP), Syntax.ENTRY)
_KERNELSTUB = Source(("etc/kernelstub/configuration",), Syntax.KERNELSTUB)
_UKI = Source((f"{CMDLINE_D}/*.conf",), Syntax.WORDS)
_DRACUT = Source(("etc/dracut.conf", "etc/dracut.conf.d/*.conf"), Syntax.SHELL, ("kernel_cmdline",))
_NIX = Source(("etc/nixos/*.nix",), Syntax.NIX)

_MKCONFIG = (
    ("update-grub",),
    ("grub-mkconfig", "-o", "/boot/grub/grub.cfg"),
    ("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"),
)
_KERNEL_INSTALL = (("kernel-install", "add-all"),)
_IN_GRUB = "/etc/default/grub, GRUB_CMDLINE_LINUX_DEFAULT"
_IN_CMDLINE = f"/{KERNEL_CMDLINE}"

LOADERS: Mapping[Loader, Row] = {
    Loader.GRUB: Row(_IN_GRUB, (_GRUB_WITH_DROP_INS,), _MKCONFIG, Way.DROP_IN),
    Loader.PLAIN_GRUB: Row(_IN_GRUB, (_GRUB,), _MKCONFIG, Way.LINE),
    Loader.PROXMOX_GRUB: Row(
        _IN_GRUB, (_GRUB_WITH_DROP_INS,), (("proxmox-boot-tool", "refresh"),), Way.DROP_IN
    ),
    Loader.GRUBBY: Row(
        "the entries that grubby(8) changes", (_GRUB, _CMDLINE, _ENTRIES), (), Way.TOOL
    ),
    Loader.OSTREE: Row("the arguments of `rpm-ostree kargs`", (_ENTRIES,), (), Way.TOOL),
    Loader.KERNELSTUB: Row(
        "/etc/kernelstub/configuration", (_KERNELSTUB,), (("kernelstub",),), Way.TOOL
    ),
    Loader.SYSTEMD_BOOT: Row(
        "the line `options` of the entry in loader/entries of the boot partition",
        (_CMDLINE, _ENTRIES),
    ),
    Loader.KERNEL_INSTALL: Row(_IN_CMDLINE, (_CMDLINE, _WRITTEN), _KERNEL_INSTALL, Way.WORDS),
    Loader.SDBOOT_MANAGE: Row(
        f"/{SDBOOT_MANAGE_CONF}, LINUX_OPTIONS",
        (_SDBOOT_MANAGE,),
        (("sdboot-manage", "gen"),),
        Way.LINE,
    ),
    Loader.SDBOOTUTIL: Row(
        _IN_CMDLINE, (_CMDLINE,), (("sdbootutil", "update-all-entries"),), Way.WORDS
    ),
    Loader.PROXMOX: Row(
        _IN_CMDLINE, (_CMDLINE,), (("proxmox-boot-tool", "refresh"),), Way.WORDS
    ),
    Loader.MKINITCPIO_UKI: Row(
        f"{_IN_CMDLINE} or a file in /{CMDLINE_D}",
        (_UKI, _CMDLINE),
        (("mkinitcpio", "-P"),),
        Way.WORDS,
    ),
    Loader.MKINITCPIO_CMDLINE: Row(
        "the file that --cmdline names in /etc/mkinitcpio.d", (), (("mkinitcpio", "-P"),)
    ),
    Loader.DRACUT_UKI: Row(
        "a file in /etc/dracut.conf.d, kernel_cmdline",
        (_DRACUT,),
        (("dracut", "--force", "--regenerate-all"),),
    ),
    Loader.UKIFY: Row(_IN_CMDLINE, (_CMDLINE,), _KERNEL_INSTALL, Way.WORDS),
    Loader.LIMINE_TOOL: Row(
        f"/{LIMINE_DEFAULT}, KERNEL_CMDLINE[default]",
        (_LIMINE_TOOL, _LIMINE_FALLBACK),
        (("limine-update",), ("limine-mkinitcpio",)),
        Way.LINE,
    ),
    Loader.LIMINE: Row(
        "limine.conf on the boot partition, the line `cmdline:` of the entry", (_LIMINE,)
    ),
    Loader.REFIND: Row(
        "/boot/refind_linux.conf, the second text of each line", (_REFIND, _REFIND_STANZAS)
    ),
    Loader.NIXOS: Row(
        "boot.kernelParams in /etc/nixos/configuration.nix",
        (_NIX,),
        (("nixos-rebuild", "boot"),),
    ),
    Loader.ZFSBOOTMENU: Row(
        "a property of the root file system: `zfs get org.zfsbootmenu:commandline` shows it, and "
        "it is set whole, with all of its options: sudo zfs set "
        "org.zfsbootmenu:commandline=\"OPTIONS\" DATASET",
        (),
    ),
    Loader.EFI_STUB: Row(
        "the firmware's boot entry, which `efibootmgr -u` shows: make one anew with all of its "
        "options, by efibootmgr --create with --unicode \"OPTIONS\", and delete the old one",
        (),
    ),
    # Every place that may hold some; a file stands in one source only.
    Loader.UNKNOWN: Row(
        "",
        (_GRUB_WITH_DROP_INS, _CMDLINE, _UKI, _ENTRIES, _KERNELSTUB, _SDBOOT_MANAGE, _LIMINE_TOOL,
         _LIMINE, _REFIND, _NIX),
    ),
}  # fmt: skip
# All of it, to be recorded and to be looked at.
FILES = tuple(dict.fromkeys(p for row in LOADERS.values() for s in row.sources for p in s.patterns))
PROGRAMS = frozenset(command[0] for row in LOADERS.values() for command in row.refresh)
