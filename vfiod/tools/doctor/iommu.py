"""Findings about the IOMMU. Pure."""

from vfiod.host.facts.firmware import Iommu
from vfiod.tools.doctor.facts import Facts
from vfiod.util.finding import Finding, Findings, fail, ok, warn

# kernel: Documentation/admin-guide/kernel-parameters.txt
_OFF = frozenset({"iommu=off", "intel_iommu=off", "amd_iommu=off"})
# setup leaves it in place, as not every kernel looks for no IOMMU then.
_SOFT = "iommu=soft"
_WHY = (
    "The IOMMU keeps a device inside the memory of its guest. Without it the kernel hands "
    "no device over."
)
_REMAP_WHY = (
    "Without it a guest's device could disturb the host with interrupts, and vfio refuses to "
    "hand devices over."
)


def iommu_on(facts: Facts) -> Findings:
    """From the firmware's tables, the command line and what the kernel made of them."""
    iommu = facts.firmware.iommu
    if iommu.is_on:
        brand = f"{iommu.brands}, " if iommu.tables else ""
        yield ok("iommu-on", f"the IOMMU is on ({brand}{iommu.groups} groups of devices)")
    elif not iommu.tables:
        yield _not_offered(in_guest=facts.firmware.processor.in_guest)
    else:
        yield _not_used(iommu, off=sorted({*_OFF, _SOFT} & set(facts.boot.running)))


def _not_offered(*, in_guest: bool) -> Finding:
    return fail(
        "iommu-on",
        "the firmware offers no IOMMU (no ACPI table DMAR or IVRS)",
        why=_WHY,
        remedy="This is a virtual machine itself: use vfiod on the real PC."
        if in_guest
        else "Switch it on in the firmware set-up (the BIOS): it is called IOMMU or AMD-Vi, "
        "or VT-d or Intel Virtualization Technology for Directed I/O.",
    )


def _not_used(iommu: Iommu, *, off: list[str]) -> Finding:
    told = f"the kernel was told to leave the IOMMU off: {' '.join(off)}"
    unused = f"the firmware offers an IOMMU ({iommu.brands}), but the kernel does not use it"
    return fail(
        "iommu-on",
        told if off else unused,
        why=_WHY,
        remedy="Take that out of the kernel's command line and reboot."
        if off
        else "Add it to the kernel's command line and reboot. If it is there already, switch it "
        "on in the firmware set-up.",
        command="" if off == [_SOFT] else "sudo vfiod setup",
    )


def interrupt_remapping(facts: Facts) -> Findings:
    """Asked for by vfio (kernel: drivers/vfio/vfio_iommu_type1.c, allow_unsafe_interrupts)."""
    check, iommu = "interrupt-remapping", facts.firmware.iommu
    if not iommu.is_on or iommu.remapping is None:
        return
    if iommu.remapping:
        yield ok(check, "interrupts are remapped")
    elif facts.kernel.unsafe_interrupts:
        yield warn(
            check,
            "interrupts are not remapped, and vfio was told to allow that",
            why="A guest could disturb the host through its device. Give it to guests you trust.",
            remedy="Update the firmware; switch x2APIC or interrupt remapping on in its set-up.",
        )
    else:
        yield fail(
            check,
            "interrupts are not remapped",
            why=_REMAP_WHY,
            remedy="Update the firmware, and take intremap=off out of the kernel's command line. "
            "If you trust the guest, vfio can be told to allow it "
            "(option allow_unsafe_interrupts=1 of vfio_iommu_type1).",
        )


CHECKS = (iommu_on, interrupt_remapping)
