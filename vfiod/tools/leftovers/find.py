"""What remains of a static passthrough set-up, found in the files that make it.

Such a set-up gives a card to vfio-pci at boot and for ever; vfiod gives it away when a guest
starts. Where both meet, the host never gets its display back. The lines are read here; what they
do to this machine is classified in vfiod.tools.leftovers.classify.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vfiod.host.facts import boot, drivers
from vfiod.host.facts.drivers import plain
from vfiod.host.facts.textfiles import Line, read_lines
from vfiod.model import PciFunction
from vfiod.tools.leftovers.classify import (
    Classifier,
    Effect,
    Verdict,
    blocked_by_modprobe,
    blocked_by_option,
)

# In the order of modprobe.d(5): a file hides those of its name in later directories.
MODPROBE = tuple(
    f"{place}/modprobe.d/*.conf" for place in ("etc", "run", "usr/local/lib", "usr/lib", "lib")
)
MODULE_LISTS = ("etc/modules", "etc/modules-load.d/*.conf", "etc/initramfs-tools/modules")
INITRAMFS = (
    "etc/dracut.conf",
    "etc/dracut.conf.d/*.conf",
    "etc/mkinitcpio.conf",
    "etc/mkinitcpio.conf.d/*.conf",
)
SCRIPTS = (
    "etc/initramfs-tools/scripts/*/*",
    "etc/initcpio/hooks/*",
    "etc/systemd/system/*.service",
    "etc/udev/rules.d/*.rules",
    "etc/rc.local",
)
# driverctl(8) writes one file per device, named BUS-DEVICE, with the driver in it.
DRIVERCTL = "etc/driverctl.d/pci-*"
# Everything that ``read`` looks at, beside /proc.
FILES = (
    *boot.GRUB_FILES,
    boot.KERNEL_CMDLINE,
    *boot.ENTRIES,
    *MODPROBE,
    *MODULE_LISTS,
    *INITRAMFS,
    *SCRIPTS,
    DRIVERCTL,
)
_ADDRESS = re.compile(r"\b(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]\b", re.IGNORECASE)
_BINDS = re.compile(r"driver_override|new_id|drivers/vfio[-_]pci/bind")


class Kind(Enum):
    """What a leftover is, and so how it can be taken out."""

    RUNNING = "option of the running kernel"
    OPTION = "option for the next boot"
    LINE = "line"
    FILE = "file"
    OTHER = "part of a program or list that only a person can change"


@dataclass(frozen=True, slots=True)
class Leftover:
    """One remain: where it is, what it says, what it does.

    ``why`` goes on after "it …". ``keep`` is what should remain of ``text`` when the rest is
    taken out, as a blacklist may name other modules as well. ``span``: lines it goes over.
    """

    file: str
    line: int
    text: str
    why: str
    effect: Effect
    kind: Kind
    keep: str = ""
    span: int = 1

    @property
    def place(self) -> str:
        """File and line, as compilers write them."""
        return self.file if self.kind is Kind.FILE else f"{self.file}:{self.line}"


def read(root: Path, functions: Collection[PciFunction]) -> tuple[Leftover, ...]:
    """All leftovers under ``root``, each judged by the machine's PCI ``functions``.

    Without any functions (a tree that does not show them) everything is suspected.
    """
    running = [Line("/proc/cmdline", 1, text) for text in boot.read(root).running]
    options = [Line(o.file, o.line, o.text) for o in boot.read_configured(root)]
    modprobe = list(_modprobe(root))
    blocked = [*(blocked_by_option(line.text) for line in (*running, *options)),
               *(blocked_by_modprobe(line.text) for line in modprobe)]  # fmt: skip
    classifier = Classifier(
        tuple(functions), drivers.read(root, functions), frozenset[str]().union(*blocked)
    )
    found = [
        *((line, Kind.RUNNING, classifier.option(line.text)) for line in running),
        *((line, Kind.OPTION, classifier.option(line.text)) for line in options),
        *((line, Kind.LINE, classifier.modprobe(line.text)) for line in modprobe),
        *(
            (line, Kind.LINE, classifier.loaded(line.text))
            for line in read_lines(root, *MODULE_LISTS)
        ),
        *(
            (line, Kind.OTHER, _initramfs(line, classifier))
            for line in read_lines(root, *INITRAMFS)
        ),
        *((line, Kind.OTHER, verdict) for line, verdict in _scripts(root, classifier)),
        *((line, Kind.FILE, _override(line, classifier)) for line in read_lines(root, DRIVERCTL)),
    ]
    return tuple(_leftover(line, kind, verdict) for line, kind, verdict in found if verdict)


def _leftover(line: Line, kind: Kind, verdict: Verdict) -> Leftover:
    return Leftover(
        file=line.file,
        line=line.number,
        text=line.text,
        why=verdict.why,
        effect=verdict.effect,
        kind=kind,
        keep=verdict.keep,
        span=line.span,
    )


def _modprobe(root: Path) -> Iterator[Line]:
    owner: dict[str, str] = {}
    for line in read_lines(root, *MODPROBE):
        name = line.file.rpartition("/")[2]
        if owner.setdefault(name, line.file) == line.file:
            yield line


def _initramfs(line: Line, classifier: Classifier) -> Verdict | None:
    """dracut.conf(5) and mkinitcpio.conf(5) are shell: an array or a list of words."""
    name, _, value = line.text.partition("=")
    words = value.strip(" ()'\"").split()
    if name.rstrip("+") == "kernel_cmdline":
        verdicts = filter(None, map(classifier.option, words))
        return next((v for v in verdicts if v.effect is not Effect.HARMLESS), None)
    if "vfio_pci" in map(plain, words):
        return Verdict(Effect.ASSISTS, "puts vfio-pci into the initramfs and loads it early")
    return None


def _scripts(root: Path, classifier: Classifier) -> Iterator[tuple[Line, Verdict]]:
    """Lines that bind to vfio-pci, in files that name the card, or no device by its address."""
    lines = list(read_lines(root, *SCRIPTS))
    for file in dict.fromkeys(line.file for line in lines if "vfio" in line.text):
        mine = [line for line in lines if line.file == file]
        addresses = [address for line in mine for address in _ADDRESS.findall(line.text)]
        verdicts = [classifier.override(address) for address in addresses]
        if not verdicts or any(verdict.effect is Effect.DEFEATS for verdict in verdicts):
            verdict = Verdict(Effect.DEFEATS, "binds devices to vfio-pci at boot")
            yield from ((line, verdict) for line in mine if _BINDS.search(line.text))


def _override(line: Line, classifier: Classifier) -> Verdict | None:
    if plain(line.text) != "vfio_pci":
        return None
    return classifier.override(line.file.rpartition("/pci-")[2])
