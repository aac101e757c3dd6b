"""The kernel's options: which ones this host lacks, and how its boot loader is told of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vfiod.host.facts.boot import Vendor
from vfiod.host.facts.cmdline_files import Option
from vfiod.host.facts.loaders import LOADERS, Loader, Way
from vfiod.host.facts.textfiles import Line
from vfiod.tools.setup import bootfiles
from vfiod.tools.setup.changes import Command, Draft, Note, ToolChange
from vfiod.tools.setup.facts import Facts

_INTEL_VENDOR = 0x8086
_ON, _PT = "intel_iommu=on", "iommu=pt"
_ADDED = (_ON, _PT)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kernel option with the reason why this host needs it."""

    option: str
    reason: str


def wanted(facts: Facts, extras: Collection[str]) -> tuple[Wanted, ...]:
    """Options that this processor and kernel need, without those that are configured."""
    found = [*_iommu(facts), *_passthrough(extras)]
    configured = {option.text for option in facts.boot.configured}
    if LOADERS[facts.boot.loader].way is Way.BY_HAND:
        configured |= set(facts.boot.running)
    return tuple(item for item in found if item.option not in configured)


def explanation(facts: Facts) -> str:
    """Whether the IOMMU needs a kernel option here, in a sentence."""
    on = "on" if facts.iommu_on else "off"
    if facts.boot.vendor is Vendor.AMD:
        return f"The IOMMU is {on}; AMD's needs no kernel option, only the firmware's consent."
    if facts.boot.vendor is Vendor.INTEL and not any(_iommu(facts)):
        return f"The IOMMU is {on}; this kernel needs no option for it."
    return f"The IOMMU is {on}."


def advice(facts: Facts) -> Iterator[Note]:
    """What about the IOMMU is not the kernel's command line."""
    if facts.iommu_on or facts.iommu_announced:
        return
    names = {Vendor.AMD: "IOMMU (AMD-Vi) and SVM", Vendor.INTEL: "VT-d and VT-x"}
    what = names.get(facts.boot.vendor, "the IOMMU")
    text = f"The firmware announces no IOMMU. Switch on {what} in the firmware's set-up."
    yield Note(text, "sudo systemctl reboot --firmware-setup" if facts.uefi else "")


def add(facts: Facts, draft: Draft, options: Sequence[Wanted]) -> tuple[ToolChange | Note, ...]:
    """Have ``options`` on the command line: in ``draft``, or by what is returned."""
    if not options:
        return ()
    if LOADERS[facts.boot.loader].way is Way.TOOL:
        return tuple(
            ToolChange(*by_tool(facts.boot.loader, x.option), (f"{x.option}: {x.reason}",))
            for x in options
        )
    wanted = {item.option: item.reason for item in options}
    overrider = bootfiles.add(facts, draft, wanted)
    if set(wanted) <= {option.text for option in bootfiles.options(facts, draft)}:
        return ()
    return (_by_hand(facts, wanted, overrider),)


def _by_hand(facts: Facts, wanted: Mapping[str, str], overrider: Line | None) -> Note:
    text, reasons = " ".join(wanted), "; ".join(wanted.values())
    if facts.boot.loader is Loader.NIXOS:
        quoted = " ".join(f'"{option}"' for option in wanted)
        snippet = f"boot.kernelParams = [ {quoted} ];"
        return Note(
            f"Add to /etc/nixos/configuration.nix: {snippet} ({reasons}).",
            "sudo nixos-rebuild boot",
        )
    if overrider:
        place = f"{overrider.file}:{overrider.number}"
        return Note(
            f"Add {text} in {place}, which gives the options anew and so overrides whatever setup "
            f"could write: {reasons}.",
            bootfiles.told(facts),
        )
    where = bootfiles.where(facts)
    return Note(f"Add {text} to the kernel's command line: {reasons}. {where}")


def by_tool(loader: Loader, option: str) -> tuple[Command, Command]:
    """How to add an option through the loader's own program, and how to take it out again.

    grubby(8); kernelstub(1); rpm-ostree(1), whose forms with -if- do nothing twice.
    """
    match loader:
        case Loader.GRUBBY:
            program = ("grubby", "--update-kernel=ALL")
            return (*program, f"--args={option}"), (*program, f"--remove-args={option}")
        case Loader.KERNELSTUB:
            return (
                ("kernelstub", f"--add-options={option}"),
                ("kernelstub", f"--delete-options={option}"),
            )
    program = ("rpm-ostree", "kargs")
    return (*program, f"--append-if-missing={option}"), (*program, f"--delete-if-present={option}")


def not_in_force(facts: Facts) -> Iterator[Option]:
    """Options that setup may have added and that the running kernel was not told."""
    seen = set(facts.boot.running)
    for option in facts.boot.configured:
        if option.text in _ADDED and option.text not in seen:
            seen.add(option.text)
            yield option


def not_taken_up(facts: Facts) -> Iterator[Note]:
    """A kernel that started after the files were written, and without what they say."""
    if facts.changed is not False:
        return
    command = bootfiles.by_sudo(facts, bootfiles.refresh(facts))
    for option in not_in_force(facts):
        yield Note(
            f"{option.file}:{option.line} has {option.text}, and the running kernel was started "
            "without it although no file was changed since: by another entry of the boot menu, or "
            "by one that was not written anew.",
            command,
        )


def _iommu(facts: Facts) -> Iterator[Wanted]:
    """AMD's is on wherever the firmware has it: there is no option that would switch it on.

    Kernel: Documentation/admin-guide/kernel-parameters.txt, amd_iommu= and intel_iommu=.
    """
    if facts.boot.vendor is not Vendor.INTEL:
        return
    if facts.iommu_default == "discrete" and _only_integrated(facts):
        yield Wanted(
            _ON,
            "this kernel leaves Intel's own graphics out of the IOMMU unless it is told so",
        )
    elif not facts.iommu_on and facts.iommu_default not in ("on", "discrete"):
        yield Wanted(_ON, "this kernel leaves Intel's IOMMU off unless it is told so")


def _passthrough(extras: Collection[str]) -> Iterator[Wanted]:
    if "iommu-pt" in extras:
        yield Wanted(_PT, "the host's own devices skip the IOMMU, which spares them some work")


def _only_integrated(facts: Facts) -> bool:
    displays = [function for function in facts.functions if function.is_display]
    return bool(displays) and all(
        display.vendor == _INTEL_VENDOR and display.address.bus == 0 for display in displays
    )
