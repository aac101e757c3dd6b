"""What tuning keeps its hands off, and why. Pure.

A -cpu in <qemu:commandline> comes after libvirt's own and replaces all of it, as the last one
counts for QEMU; -smp is merged with libvirt's, and the later values stand. libvirt refuses huge
pages beside some other wishes for memory (qemuValidateDomainDefMemory in qemu_validate.c).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vfiod.guest.commandline import Commandline
from vfiod.guest.features import is_windows, noted_systems

MACOS = "macOS starts only with processors and numbers of cores that it knows; yours are kept"
_CPU = "-cpu in <qemu:commandline> replaces what the definition says of them: improve it there"
_CORES = "-smp in <qemu:commandline> sets the CPUs: improve it there"
_BACKING = {
    "allocation[@mode='ondemand']": "<allocation mode='ondemand'/>",
    "source[@type='anonymous']": "<source type='anonymous'/>",
}
_APPLE = ("http://apple.com/",)
_SMC = "isa-applesmc"  # without Apple's controller macOS does not start at all


def left_alone(root: Any, commandline: Commandline) -> Mapping[str, str]:
    """Names of changes (vfiod.tools.tune.names) that this guest is not to get, each with why."""
    return dict(_left(root, commandline))


def _left(root: Any, commandline: Commandline) -> Iterator[tuple[str, str]]:
    if commandline.cpu:
        for_windows = ("hyperv", "hidden") if is_windows(root) else ()
        yield from ((name, _CPU) for name in ("cpu", *for_windows))
    if commandline.sets_cores:
        yield from ((name, _CORES) for name in ("topology", "pinning"))
    if commandline.adds(_SMC) or any(s.startswith(_APPLE) for s in noted_systems(root)):
        yield from ((name, MACOS) for name in ("cpu", "topology"))
    for path, element in _BACKING.items():
        if root.find(f"memoryBacking/{path}") is not None:
            yield "hugepages", f"libvirt takes none beside {element} in <memoryBacking>"
