"""Programs in text form that bind devices to vfio-pci at boot: which devices, as far as it shows.

A script is never run and never changed. What names devices by address, by id or as "all but the
one the firmware showed its picture on" is judged by these devices; anything else is not understood.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from vfiod.host.facts.textfiles import Line, read_bytes, read_lines
from vfiod.tools.leftovers.classify import Classifier, Effect, Verdict

FILES = (
    "etc/initramfs-tools/scripts/*/*",
    "etc/initcpio/hooks/*",
    "etc/initcpio/install/*",
    "usr/lib/dracut/modules.d/*vfio*/*",
    "etc/systemd/system/*.service",
    "etc/udev/rules.d/*.rules",
    "etc/rc.local",
)
_BINDS = re.compile(
    r"driver_override|new_id|drivers/vfio[-_]pci/bind|set-override|nodedev-dett?ach", re.IGNORECASE
)
# As sysfs writes it, and as libvirt names it: pci_0000_01_00_0.
_ADDRESS = re.compile(
    r"(?<![0-9a-f])(?:([0-9a-f]{4})[:_])?([0-9a-f]{2})[:_]([01][0-9a-f])[._]([0-7])(?![0-9a-f])",
    re.IGNORECASE,
)
_NEW_ID = re.compile(r"""["'\s]([0-9a-f]{4})[\s:]([0-9a-f]{4})["'\s].*new_id""", re.IGNORECASE)
_UDEV = re.compile(r'ATTRS?\{vendor\}=="0x(\w+)".*ATTRS?\{device\}=="0x(\w+)"')
# boot_vga is 1 for the display that the firmware used: "equal to 0" and "not equal to 1".
_BUT_BOOT_VGA = re.compile(r"""(-eq|==?)\s*["']?0\b|(-ne|!=)\s*["']?1\b""")
_PATH = re.compile(r"""(?:^|[\s=@+!:"'-])(/[^\s"';&|]+)""")
_RUNS = re.compile(r"^(Exec\w+=|install\s)")


def read(root: Path, classifier: Classifier) -> Iterator[tuple[Line, Verdict]]:
    """Lines that bind to vfio-pci, or that run what does."""
    for _, group in groupby(read_lines(root, *FILES), key=lambda line: line.file):
        lines = list(group)
        text = "\n".join(line.text for line in lines)
        if binds(text):
            verdict = judge(text, classifier)
            found = [(line, verdict) for line in lines if _BINDS.search(line.text)]
        else:
            found = [(line, behind(root, line, classifier)) for line in lines]
        for line, verdict in found:
            if verdict and verdict.effect is not Effect.HARMLESS:
                yield line, verdict


def behind(root: Path, line: Line, classifier: Classifier) -> Verdict | None:
    """What the programs do that a unit's Exec… or an ``install`` of modprobe.d starts.

    None if they bind nothing, as far as can be read: one step is followed, and no binary.
    """
    if not _RUNS.match(line.text):
        return None
    text = "\n".join([line.text, *(_script(root, path) for path in _PATH.findall(line.text))])
    return judge(text, classifier) if binds(text) else None


def binds(text: str) -> bool:
    """True if ``text`` is a program that gives devices to vfio-pci."""
    return "vfio" in text and bool(_BINDS.search(text))


def judge(text: str, classifier: Classifier) -> Verdict | None:
    """What a program does that binds; None if it does no harm and none can be seen."""
    machine = classifier.machine
    addresses = [_address(match.groups()) for match in _ADDRESS.finditer(text)]
    ids = [":".join(pair) for pattern in (_NEW_ID, _UDEV) for pair in pattern.findall(text)]
    if addresses or ids:
        return classifier.given([*machine.by_addresses(addresses), *machine.by_ids(ids)])
    if "boot_vga" in text and _BUT_BOOT_VGA.search(text) and machine.functions:
        return classifier.given(machine.but_the_boot_display())
    return classifier.unsure("binds devices to vfio-pci at boot, which ones vfiod cannot tell")


def _address(parts: Sequence[str | None]) -> str:
    domain, bus, slot, function = parts
    return f"{domain or '0000'}:{bus}:{slot}.{function}"


def _script(root: Path, path: str) -> str:
    """The text of a script without its comments; empty for anything else."""
    data = read_bytes(root / path.lstrip("/")) or b""
    if not data.startswith(b"#!"):
        return ""
    lines = data.decode("utf-8", "replace").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))
