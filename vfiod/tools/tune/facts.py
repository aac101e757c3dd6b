"""What tuning depends on: the guest's definition and the host, as frozen values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vfiod.config.performance import Performance
from vfiod.errors import DomainError
from vfiod.guest import domain, tree
from vfiod.guest.commandline import Commandline
from vfiod.guest.features import is_windows
from vfiod.guest.sizes import read_pieces
from vfiod.host.facts.cpu import Topology
from vfiod.host.facts.performance import Settings
from vfiod.model import PciAddress
from vfiod.tools.tune.leave import left_alone
from vfiod.util import cpulist

_KIB = 1024
_PC = ("x86_64", "i686")


@dataclass(frozen=True, slots=True)
class PassedThrough:
    """A device of the host that the guest takes, with its memory node (None = unknown).

    ``window`` is its largest memory region in bytes; ``resizable`` says that it could be larger.
    """

    address: PciAddress
    vendor: int
    is_display: bool
    node: int | None = None
    window: int = 0
    resizable: bool = False


@dataclass(frozen=True, slots=True)
class Host:
    """The machine. ``libvirt`` and ``qemu`` are versions as libvirt counts them (9.0.0 is
    9000000). ``asked`` is what vfiod.yaml sets while the guest runs, None if it is not in there.
    ``hyperv`` are the Hyper-V features that libvirt offers, None if it does not tell.
    """

    topology: Topology
    settings: Settings
    libvirt: int
    qemu: int
    devices: tuple[PassedThrough, ...] = ()
    asked: Performance | None = None
    hyperv: frozenset[str] | None = None

    def offers(self, feature: str) -> bool:
        """True unless libvirt says that KVM here has no such Hyper-V feature."""
        return self.hyperv is None or feature in self.hyperv

    @property
    def card_node(self) -> int | None:
        """The memory node of the graphics card."""
        return next((d.node for d in self.devices if d.is_display), None)


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest's definition. ``plugged`` of its vCPUs are there at its start; ``threads`` is how
    many it sees of each core, as the definition has it now. ``pins`` gives the host CPUs of each
    pinned vCPU; ``iothreads`` the numbers of its I/O threads; ``emulated`` means without KVM;
    ``memory_nodes`` are the host's nodes that its memory is to come from, None if it says nothing
    of them; ``pieces`` are the KiB of its memory that QEMU allocates one by one, each in whole
    pages. ``left`` are the kinds of change (vfiod.tools.tune.names) that it is not to get, each
    with why.
    """

    name: str
    emulated: bool
    windows: bool
    vcpus: int
    plugged: int
    threads: int
    memory_kib: int
    pieces: tuple[int, ...]
    hugepages: bool
    hostdevs: tuple[PciAddress, ...]
    pins: Mapping[int, tuple[int, ...]]
    emulator: tuple[int, ...]
    iothreads: tuple[int, ...]
    iothread_pins: Mapping[int, tuple[int, ...]]
    memory_nodes: tuple[int, ...] | None
    left: Mapping[str, str] = field(default_factory=dict)


def read_guest(root: Any) -> Guest:
    """The facts in a domain's tree. Raises DomainError if one is malformed, or it is no PC's."""
    kind = root.find("os/type")
    if kind is not None and kind.get("arch", "x86_64") not in _PC:
        raise DomainError(f"vfiod tunes guests of a PC only, this one is {kind.get('arch')}")
    parsed = domain.parse(tree.write(root))
    vcpus = _number(root.findtext("vcpu") or "1", "<vcpu>")
    return Guest(
        name=parsed.name,
        emulated=parsed.kind == "qemu",
        windows=is_windows(root),
        vcpus=vcpus,
        plugged=_attribute(root.find("vcpu"), "current", vcpus),
        threads=_threads(root, parsed.commandline),
        memory_kib=parsed.memory_bytes // _KIB,
        pieces=tuple(piece // _KIB for piece in read_pieces(root)),
        hugepages=parsed.hugepages,
        hostdevs=parsed.passed,
        pins={
            _number(pin.get("vcpu"), "<vcpupin>"): _cpus(pin)
            for pin in root.iterfind("cputune/vcpupin")
        },
        emulator=_cpus(root.find("cputune/emulatorpin")),
        iothreads=_iothreads(root),
        iothread_pins={
            _number(pin.get("iothread"), "<iothreadpin>"): _cpus(pin)
            for pin in root.iterfind("cputune/iothreadpin")
        },
        memory_nodes=_memory_nodes(root),
        left=left_alone(root, parsed.commandline),
    )


def _iothreads(root: Any) -> tuple[int, ...]:
    """``<iothreads>`` counts from 1; numbers of one's own stand in ``<iothreadids>``."""
    count = _number(root.findtext("iothreads") or "0", "<iothreads>")
    own = [_number(e.get("id"), "<iothread>") for e in root.iterfind("iothreadids/iothread")]
    spare = (number for number in range(1, count + len(own) + 1) if number not in own)
    return tuple(sorted([*own, *(next(spare) for _ in range(count - len(own)))]))


def _memory_nodes(root: Any) -> tuple[int, ...] | None:
    """Empty for a guest that has nodes of its own or lets libvirt choose; None: nothing is said."""
    if root.find("cpu/numa") is not None or root.find("numatune/memnode") is not None:
        return ()
    memory = root.find("numatune/memory")
    return None if memory is None else _numbers(memory, "nodeset")


def _cpus(element: Any) -> tuple[int, ...]:
    return () if element is None else _numbers(element, "cpuset")


def _numbers(element: Any, attribute: str) -> tuple[int, ...]:
    try:
        return tuple(sorted(cpulist.parse(element.get(attribute) or "")))
    except ValueError as error:
        raise DomainError(f"<{element.tag}>: {error}") from error


def _threads(root: Any, commandline: Commandline) -> int:
    """What -smp says of them counts for more, and is left alone."""
    own = None if commandline.sets_cores else root.find("cpu/topology")
    return _attribute(own, "threads", 1)


def _attribute(element: Any, name: str, otherwise: int) -> int:
    text = None if element is None else element.get(name)
    return otherwise if text is None else _number(text, f"<{element.tag} {name}>")


def _number(text: str | None, what: str) -> int:
    if text is None or not text.strip().isascii() or not text.strip().isdigit():
        raise DomainError(f"not a number in {what}: {(text or '')[:20]!r}")
    return int(text)
