"""Kernel modules: options that this host's guests may want, and what must be loaded at boot."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from vfiod.host.facts.boot import Vendor
from vfiod.host.facts.drivers import plain
from vfiod.host.facts.loaders import Loader
from vfiod.host.facts.textfiles import lines_of
from vfiod.tools.setup import editing
from vfiod.tools.setup.changes import Draft, Note
from vfiod.tools.setup.facts import MODPROBE_FILE, MODULES_FILE, Facts

# AMD's erratum 1235 is one of processors of family 17h: Zen, Zen+ and Zen 2.
_FAMILY_17H = 0x17
_ON = ("1", "Y", "y")


@dataclass(frozen=True, slots=True)
class Extra:
    """Something that is right for some hosts and is done only where it was asked for by name."""

    name: str
    reason: str


def extras(facts: Facts) -> Iterator[Extra]:
    """What may be asked for here, each with what it is good for; what is in force is left out."""
    if "iommu=pt" not in facts.boot.running:
        yield Extra("iommu-pt", "the host's own devices skip the IOMMU (kernel option iommu=pt)")
    if facts.kvm.ignore_msrs not in ("Y", "1"):
        yield Extra(
            "ignore-msrs",
            "for a Windows guest that stops with a blue screen when a program reads processor "
            "registers KVM does not have; concerns all guests (options kvm ignore_msrs=1)",
        )
    if _avic_applies(facts):
        yield Extra(
            "avic",
            "AMD's interrupt controller in hardware: fewer exits of the guest "
            "(options kvm_amd avic=1)",
        )


def add(facts: Facts, draft: Draft, asked: Collection[str]) -> Iterator[Note]:
    """Write the module options that were asked for, and vfio-pci where it cannot load later."""
    wanted = []
    if "ignore-msrs" in asked:
        wanted.append(("kvm", "ignore_msrs"))
    if "avic" in asked:
        if _avic_applies(facts) or facts.kvm.avic in ("Y", "1"):
            wanted.append(("kvm_amd", "avic"))
        else:
            yield Note(f"avic is left out: {_why_no_avic(facts)}.")
    lines = []
    for module, parameter in wanted:
        overrider = _overrider(facts, module, parameter)
        if overrider:
            yield Note(f"Set {parameter}=1 there: {overrider} comes after {MODPROBE_FILE}.")
        else:
            lines.append(f"options {module} {parameter}=1")
    if lines and facts.boot.loader is Loader.NIXOS:
        text = "\\n".join(lines)
        yield Note(
            f'Add to /etc/nixos/configuration.nix: boot.extraModprobeConfig = "{text}";',
            "sudo nixos-rebuild boot",
        )
    elif lines:
        yield from _write(draft, MODPROBE_FILE, lines, "; ".join(lines))
    if facts.modules_locked and not facts.vfio_loaded:
        reason = "this host allows no module to be loaded after boot (kernel.modules_disabled=1)"
        yield from _write(draft, MODULES_FILE, ["vfio-pci"], reason)


def _overrider(facts: Facts, module: str, parameter: str) -> str:
    """What gives the parameter another value later on; the last one counts (modprobe.d(5)).

    The kernel's command line comes after all files.
    """
    found = ""
    for path in sorted(facts.files, key=lambda path: path.rpartition("/")[2]):
        is_later = path.rpartition("/")[2] > MODPROBE_FILE.rpartition("/")[2]
        if "/modprobe.d/" in path and is_later:
            for line in lines_of(path, facts.files[path]):
                words = line.text.split()
                if words[:1] == ["options"] and words[1:2] == [module]:
                    values = [
                        w.partition("=")[2].strip('"')
                        for w in words
                        if w.startswith(f"{parameter}=")
                    ]
                    if values:
                        found = "" if values[-1] in _ON else f"{path}:{line.number}"
    for option in facts.boot.configured:
        key, _, value = plain(option.text).partition("=")
        if key == f"{module}.{parameter}" and value not in _ON:
            found = f"{option.file}:{option.line}"
    return found


def _write(draft: Draft, path: str, lines: Sequence[str], reason: str) -> Iterator[Note]:
    data = editing.add_lines(draft.current(path), lines)
    if data is None:
        yield Note(f"Add to {path}, which is not setup's own: {'; '.join(lines)}")
    else:
        draft.write(path, data, reason)


def _avic_applies(facts: Facts) -> bool:
    return facts.kvm.avic in ("N", "0") and not _why_no_avic(facts)


def _why_no_avic(facts: Facts) -> str:
    """Kernel: "KVM: SVM: Add enable_ipiv param" tells of the erratum and its remedy."""
    if facts.boot.vendor is not Vendor.AMD or "avic" not in facts.kvm.flags:
        return "this processor does not have it"
    if facts.kvm.family == _FAMILY_17H and not facts.kvm.ipiv:
        return "this processor loses interrupts with it (AMD erratum 1235) before Linux 6.17"
    return "" if facts.kvm.avic is not None else "the module kvm_amd is not loaded"
