"""Which drivers of the host would take a card, and whether one of them has it now.

depmod(8) writes the patterns of every module's devices into modules.alias; a device says its own
name in the same terms in ``modalias`` (kernel: Documentation/ABI/testing/sysfs-bus-pci).
"""

import fnmatch
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from vfiod.host.facts.kernel import module_list
from vfiod.model import AUDIO_CLASS, PciAddress, PciFunction
from vfiod.util import sysfs

# Drivers that reserve a device for a guest: with one of these the host does not use it.
PARKING = frozenset({"vfio-pci", "pci-stub", "xen-pciback"})
# For a tree without modules.alias, as a recorded one may be.
_USUAL = {
    0x1002: frozenset({"amdgpu"}),
    0x10DE: frozenset({"nouveau"}),
    0x8086: frozenset({"i915"}),
}


@dataclass(frozen=True, slots=True)
class Native:
    """A display or its sound, and the modules that could drive it on the host."""

    function: PciFunction
    modules: frozenset[str]

    @property
    def driven(self) -> bool:
        """True if a driver of the host has it now."""
        return self.function.driver is not None and self.function.driver not in PARKING


def read(root: Path, functions: Collection[PciFunction]) -> tuple[Native, ...]:
    """The displays among ``functions`` and the sound functions in their slots."""
    displays = [function for function in functions if function.is_display]
    sounds = [
        function
        for function in functions
        if function.class_code >> 8 == AUDIO_CLASS
        and any(function.address.same_slot(display.address) for display in displays)
    ]
    known = _match(root, list(modaliases(root, [*displays, *sounds]).items()))
    return tuple(Native(f, known.get(f.address) or _usual(f)) for f in [*displays, *sounds])


def modaliases(root: Path, functions: Collection[PciFunction]) -> Mapping[PciAddress, str]:
    """What each function says of itself; where that was not recorded, composed from its ids."""
    folder = root / "sys/bus/pci/devices"
    return {f.address: sysfs.read(folder / str(f.address) / "modalias") or _composed(f)
            for f in functions}  # fmt: skip


def _match(
    root: Path, devices: Collection[tuple[PciAddress, str]]
) -> Mapping[PciAddress, frozenset[str]]:
    release = sysfs.read(root / "proc/sys/kernel/osrelease") or ""
    # One line in a thousand is about the vendors of these devices: only those are matched.
    vendors = {name[: len("pci:v00000000")] for _, name in devices}
    found: dict[PciAddress, frozenset[str]] = {}
    for line in (module_list(root, release, "modules.alias") or "").splitlines():
        _, pattern, module = words if len(words := line.split()) == 3 else ("", "", "")
        if pattern[: len("pci:v00000000")] not in vendors and not pattern.startswith("pci:v*"):
            continue
        for address, name in devices:
            # The old framebuffer drivers (nvidiafb, radeonfb …) are no way back to a desktop.
            if fnmatch.fnmatchcase(name, pattern) and not module.endswith("fb"):
                found[address] = found.get(address, frozenset()) | {plain(module)}
    return found


def plain(module: str) -> str:
    """A module's name as the kernel writes it: to modprobe, - and _ are the same."""
    return module.replace("-", "_")


def _composed(function: PciFunction) -> str:
    code = f"{function.class_code:06X}"
    ids = f"v{function.vendor:08X}d{function.device:08X}sv00000000sd00000000"
    return f"pci:{ids}bc{code[:2]}sc{code[2:4]}i{code[4:]}"


def _usual(function: PciFunction) -> frozenset[str]:
    if not function.is_display:
        return frozenset({"snd_hda_intel"})
    return _USUAL.get(function.vendor, frozenset())
