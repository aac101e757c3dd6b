"""The kernel's options: which ones this host lacks, and how its boot loader is told of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vfiod.host.facts.boot import Loader, Vendor
from vfiod.tools.setup import editing
from vfiod.tools.setup.changes import Command, Draft, Note, ToolChange
from vfiod.tools.setup.facts import GRUB_DROP_IN, KERNEL_CMDLINE, Facts

_VARIABLE = "GRUB_CMDLINE_LINUX_DEFAULT"
_INTEL_VENDOR = 0x8086


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kernel option with the reason why this host needs it."""

    option: str
    reason: str


def wanted(facts: Facts, extras: Collection[str]) -> tuple[Wanted, ...]:
    """Options that this processor and kernel need, without those that are configured."""
    found = [*_iommu(facts), *_passthrough(extras)]
    configured = {option.text for option in facts.boot.configured}
    if facts.boot.loader in (Loader.UNKNOWN, Loader.SYSTEMD_BOOT):
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
    match facts.boot.loader:
        case Loader.GRUB if _add_to_drop_in(facts, draft, options):
            return ()
        case Loader.SYSTEMD_BOOT if facts.entries_managed:
            change_cmdline(facts, draft, _reason(options), add=[o.option for o in options])
            return ()
        case Loader.GRUBBY | Loader.KERNELSTUB | Loader.OSTREE as loader:
            return tuple(
                ToolChange(*by_tool(loader, item.option), (f"{item.option}: {item.reason}",))
                for item in options
            )
    text = " ".join(item.option for item in options)
    reasons = "; ".join(item.reason for item in options)
    return (Note(f"Add {text} to the kernel's command line: {reasons}. {_where(facts)}"),)


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


def change_cmdline(
    facts: Facts,
    draft: Draft,
    reason: str,
    *,
    remove: Mapping[str, str] | None = None,
    add: Sequence[str] = (),
) -> None:
    """Change /etc/kernel/cmdline and let kernel-install write the entries of every kernel anew.

    Where the file is absent, kernel-install goes by the running kernel's options without the
    loader's own (systemd: src/kernel-install/90-loaderentry.install); so the file begins as that.
    """
    present = draft.current(KERNEL_CMDLINE)
    own = (o for o in facts.boot.running if not o.startswith(("BOOT_IMAGE=", "initrd=")))
    data = " ".join(own).encode() + b"\n" if present is None else present
    after = editing.change_words(data, remove or {}, add)
    if after != data:
        draft.write(KERNEL_CMDLINE, after, reason, refresh_entries(facts))


def refresh_entries(facts: Facts) -> tuple[Command, ...]:
    """Write the loader's entries again (kernel-install(8)); none without that program."""
    if "kernel-install" not in facts.tools:
        return ()
    return tuple(("kernel-install", "add", *kernel) for kernel in facts.kernels)


def refresh_grub(facts: Facts) -> tuple[Command, ...]:
    """Write GRUB's menu again (grub-mkconfig(8))."""
    if "update-grub" in facts.tools:
        return (("update-grub",),)
    if "grub-mkconfig" in facts.tools:
        return (("grub-mkconfig", "-o", "/boot/grub/grub.cfg"),)
    if "grub2-mkconfig" in facts.tools:
        return (("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"),)
    return ()


def _iommu(facts: Facts) -> Iterator[Wanted]:
    """AMD's is on wherever the firmware has it: there is no option that would switch it on.

    Kernel: Documentation/admin-guide/kernel-parameters.txt, amd_iommu= and intel_iommu=.
    """
    if facts.boot.vendor is not Vendor.INTEL:
        return
    if facts.iommu_default == "discrete" and _only_integrated(facts):
        yield Wanted(
            "intel_iommu=on",
            "this kernel leaves Intel's own graphics out of the IOMMU unless it is told so",
        )
    elif not facts.iommu_on and facts.iommu_default not in ("on", "discrete"):
        yield Wanted("intel_iommu=on", "this kernel leaves Intel's IOMMU off unless it is told so")


def _passthrough(extras: Collection[str]) -> Iterator[Wanted]:
    if "iommu-pt" in extras:
        yield Wanted(
            "iommu=pt", "the host's own devices skip the IOMMU, which spares them some work"
        )


def _only_integrated(facts: Facts) -> bool:
    displays = [function for function in facts.functions if function.is_display]
    return bool(displays) and all(
        display.vendor == _INTEL_VENDOR and display.address.bus == 0 for display in displays
    )


def _add_to_drop_in(facts: Facts, draft: Draft, options: Sequence[Wanted]) -> bool:
    """GRUB_CMDLINE_LINUX_DEFAULT leaves the recovery entry of the boot menu without them.

    Options of an earlier run stay. False if a file of that name is not setup's, or if the options
    stand in it already: then a later file takes them back.
    """
    lines = []
    for item in options:
        lines += [f"# {item.reason}", f'{_VARIABLE}="${_VARIABLE} {item.option}"']
    former = draft.current(GRUB_DROP_IN)
    data = editing.add_lines(former, lines)
    if data is not None and data != former:
        draft.write(GRUB_DROP_IN, data, _reason(options), refresh_grub(facts))
    return data is not None and data != former


def _reason(options: Sequence[Wanted]) -> str:
    return "; ".join(f"{item.option}: {item.reason}" for item in options)


def _where(facts: Facts) -> str:
    if facts.boot.loader in (Loader.GRUB, Loader.PLAIN_GRUB):
        programs = refresh_grub(facts) or (("grub-mkconfig", "-o", "/boot/grub/grub.cfg"),)
        return f"It stands in /etc/default/grub, {_VARIABLE}; then: sudo {' '.join(programs[0])}"
    if facts.boot.loader is Loader.SYSTEMD_BOOT:
        return "It is the line `options` of the entry in loader/entries of the boot partition."
    return "vfiod does not know this host's boot loader."
