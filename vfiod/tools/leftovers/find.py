"""What remains of a static passthrough set-up, found in the files that make it.

Such a set-up gives a card to vfio-pci at boot and for ever; vfiod gives it away when a guest
starts. Where both meet, the host never gets its display back. The lines are read here; what they
do to this machine is classified in vfiod.tools.leftovers.classify.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vfiod import paths
from vfiod.host.facts import boot, drivers, loaders
from vfiod.host.facts.drivers import plain
from vfiod.host.facts.kernel import read_kernel
from vfiod.host.facts.textfiles import Line, read_lines
from vfiod.model import PciFunction
from vfiod.tools.leftovers import initramfs, scripts
from vfiod.tools.leftovers.alternatives import favoured
from vfiod.tools.leftovers.classify import (
    Classifier,
    Effect,
    Verdict,
    blocked_by_modprobe,
    blocked_by_option,
)
from vfiod.tools.leftovers.machine import Machine

# In the order of modprobe.d(5): a file hides those of its name in later directories.
MODPROBE = tuple(
    f"{place}/modprobe.d/*.conf" for place in ("etc", "run", "usr/local/lib", "usr/lib", "lib")
)
MODULE_LISTS = ("etc/modules", "etc/modules-load.d/*.conf", "etc/initramfs-tools/modules")
# driverctl(8) writes one file per device, named BUS-DEVICE, with the driver in it.
DRIVERCTL = "etc/driverctl.d/pci-*"
# Everything that ``read`` looks at, beside /proc.
FILES = (
    *loaders.FILES,
    *MODPROBE,
    *MODULE_LISTS,
    *initramfs.FILES,
    *scripts.FILES,
    DRIVERCTL,
)


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
    ``spares``: it sets a device aside for guests that the host can do without.
    """

    file: str
    line: int
    text: str
    why: str
    effect: Effect
    kind: Kind
    keep: str = ""
    span: int = 1
    spares: bool = False

    @property
    def place(self) -> str:
        """File and line, as compilers write them."""
        return self.file if self.kind is Kind.FILE else f"{self.file}:{self.line}"


def read(root: Path, functions: Collection[PciFunction]) -> tuple[Leftover, ...]:
    """All leftovers under ``root``, each judged by the machine's PCI ``functions``.

    Without any functions (a tree that does not show them) everything is suspected.
    """
    booted = boot.read(root)
    running = [Line("/proc/cmdline", 1, text) for text in booted.running]
    options = [Line(o.file, o.line, o.text) for o in booted.configured]
    read = {(option.file, option.number) for option in options}
    modprobe = list(_modprobe(root))
    classifier = Classifier(_machine(root, functions, [*running, *options], modprobe))
    found = [
        *((line, Kind.RUNNING, classifier.option(line.text)) for line in running),
        *((line, Kind.OPTION, classifier.option(line.text)) for line in options),
        *((line, Kind.LINE, _configured(root, line, classifier)) for line in modprobe),
        *(
            (line, Kind.LINE, classifier.loaded(line.text))
            for line in read_lines(root, *MODULE_LISTS)
            if line.file != str(paths.MODULES)  # setup's own
        ),
        *(
            (line, Kind.OTHER, verdict)
            for line, verdict in initramfs.read(root, classifier)
            if (line.file, line.number) not in read
        ),
        *((line, Kind.OTHER, verdict) for line, verdict in scripts.read(root, classifier)),
        *((line, Kind.FILE, _override(line, classifier)) for line in read_lines(root, DRIVERCTL)),
    ]
    return tuple(_leftover(line, kind, verdict) for line, kind, verdict in found if verdict)


def in_the_way(leftovers: Collection[Leftover]) -> tuple[Leftover, ...]:
    """What defeats the return, and what only helps it; helpers alone are left where they are.

    So are they beside something that sets another card aside for guests: they may be of that.
    """
    defeats = [item for item in leftovers if item.effect is Effect.DEFEATS]
    if not defeats or any(item.spares for item in leftovers):
        return tuple(defeats)
    return tuple(x for x in leftovers if x.effect in (Effect.DEFEATS, Effect.ASSISTS))


def _machine(
    root: Path,
    functions: Collection[PciFunction],
    options: Collection[Line],
    modprobe: Collection[Line],
) -> Machine:
    blocked = [*(blocked_by_option(line.text) for line in options),
               *(blocked_by_modprobe(line.text) for line in modprobe)]  # fmt: skip
    return Machine(
        tuple(functions),
        drivers.read(root, functions),
        frozenset[str]().union(*blocked),
        drivers.modaliases(root, functions),
        favoured(read_kernel(root).version, [line.text for line in (*options, *modprobe)]),
    )


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
        spares=verdict.spares,
    )


def _modprobe(root: Path) -> Iterator[Line]:
    owner: dict[str, str] = {}
    for line in read_lines(root, *MODPROBE):
        name = line.file.rpartition("/")[2]
        if owner.setdefault(name, line.file) == line.file:
            yield line


def _configured(root: Path, line: Line, classifier: Classifier) -> Verdict | None:
    """A line of modprobe.d, with what it runs."""
    return scripts.behind(root, line, classifier) or classifier.modprobe(line.text)


def _override(line: Line, classifier: Classifier) -> Verdict | None:
    if plain(line.text) != "vfio_pci":
        return None
    address = line.file.rpartition("/pci-")[2]
    return classifier.given(classifier.machine.by_addresses([address]))
