"""Takes out of a text what would tell whose machine it is; `read_redactor` alone looks at it.

Equal things get equal stand-ins, so that a reader still sees which line belongs to which.
"""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from vfiod.util import sysfs

# Names that say nothing about anybody and would spoil other texts: what installers propose for a
# host, and words of paths, of which an account's name may be one.
COMMON = frozenset({
    "localhost", "root", "user", "host", "nobody", "home", "default", "admin", "desktop", "test",
    "debian", "ubuntu", "kubuntu", "xubuntu", "fedora", "arch", "archlinux", "linux", "nixos",
    "cachyos", "manjaro", "bazzite", "bluefin", "pop-os", "endeavour", "endeavouros",
    "garuda", "gentoo", "mint", "linuxmint", "nobara", "opensuse", "proxmox", "pve",
    "silverblue", "kinoite", "tumbleweed", "void", "zorin",
    "bin", "boot", "dev", "etc", "lib", "media", "mnt", "opt", "proc", "run", "srv", "sys", "tmp",
    "usr", "var", "bus", "class", "devices", "dri", "drm", "kernel", "module", "modules", "net",
    "pci", "snd", "usb", "input",
    "amd", "amdgpu", "intel", "nvidia", "kvm", "libvirt", "qemu", "systemd", "vfio", "vfiod",
    "virsh",
})  # fmt: skip
# login.defs(5), UID_MIN and UID_MAX, and the users of systemd-homed (systemd.io/UIDS-GIDS).
PEOPLE = range(1000, 60514)
# EFI's own names of variables (UEFI specification; systemd.io/BOOT_LOADER_INTERFACE) tell nothing.
UUID = r"\b(?!8be4df61-93ca|4a67b082-0a4c)[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
# With two colons at least: a device's ids have one.
IPV6 = r"\b(?:fe80|fd[0-9a-f]{2}|[23][0-9a-f]{3}):(?=:|[0-9a-f]{1,4}:[0-9a-f:])[0-9a-f:]{2,}"
# In an element and in quotes it may have blanks in it.
SERIAL = (
    r"(?i)(?P<keep>serial(?:[ _](?:number|short))?(?:(?P<tag>>)| *[=:] *(?P<quote>[\"'])?))"
    r"(?(tag)[^<\n]+|(?(quote)[^\"'\n]+|[^\s,\"'<>}]+))"
)
# What is found after ``keep`` is replaced, by the stand-in with a number.
PATTERNS = {
    "serial-{}": SERIAL,
    "disk-{}": r"(?P<keep>/by-id/|\beui\.|\bwwn-0x)[^\s\"'<>]+",
    "home{}": r"(?P<keep>/home/)(?!user[0-9]|lost\+found)[^/\s\"'<>:,]+",
    "00:00:00:00:00:{:02x}": r"\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b",
    "{:012x}": r"\b(?P<keep>enx|wlx)[0-9a-f]{12}\b",
    "00000000-0000-0000-0000-{:012x}": UUID,
    "{:032x}": r"\b(?!0{32})[0-9a-f]{32}\b",
    "192.0.2.{}": r"\b(?!0\.0\.0\.0|127\.|255\.)(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b",
    "2001:db8::{:x}": IPV6,
    "label-{}": r"(?P<keep>LABEL=)[^\s\"']+",
    "volume-{}": r"(?P<keep>\bUUID=)(?![0-9a-fA-F]{8}-)[^\s\"']+",
    "secret-{}": r"(?i)(?P<keep>(?:password|passwd|secret|token) *[=:] *).+",
}


class Redactor:
    """Replaces addresses, serials, identities of disks, and the given names of people and hosts."""

    def __init__(self, *, hosts: Iterable[str] = (), users: Iterable[str] = ()) -> None:
        self._stand_ins: dict[tuple[str, str], str] = {}
        self._patterns = {
            "host{}": _words(hosts),
            "user{}": _words(users),
            **{stand_in: re.compile(pattern) for stand_in, pattern in PATTERNS.items()},
        }

    def text(self, text: str) -> str:
        """The text with stand-ins."""
        for stand_in, pattern in self._patterns.items():
            if pattern is not None:
                text = pattern.sub(partial(self._replace, stand_in), text)
        return text

    def _replace(self, stand_in: str, match: re.Match[str]) -> str:
        keep = match.groupdict().get("keep") or ""
        found = match[0].removeprefix(keep)
        key = found.lower().replace("-", ":") if ":" in stand_in else found.lower()
        count = sum(kind == stand_in for kind, _ in self._stand_ins) + 1
        return keep + self._stand_ins.setdefault((stand_in, key), stand_in.format(count))


def _words(names: Iterable[str]) -> re.Pattern[str] | None:
    """Whole words only, the longest first; short and common ones are left alone."""
    telling = {name for name in names if len(name) > 2 and name.lower() not in COMMON}
    alternatives = "|".join(map(re.escape, sorted(telling, key=len, reverse=True)))
    whole = rf"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])"
    return re.compile(whole, re.IGNORECASE) if telling else None


def read_redactor(root: Path = Path("/")) -> Redactor:
    """One that knows this machine's host name and the people who have an account on it."""
    host = sysfs.read(root / "proc/sys/kernel/hostname") or ""
    accounts = [line.split(":") for line in sysfs.lines(root / "etc/passwd")]
    people = [a for a in accounts if len(a) > 4 and a[2].isdigit() and int(a[2]) in PEOPLE]
    names = {name for a in people for name in (a[0], a[4].partition(",")[0])}
    homes = sysfs.names(root / "home")
    return Redactor(hosts={host, host.partition(".")[0]}, users={*names, *homes})
