"""Findings about the processor, the firmware and the kernel. Pure."""

from vfiod.tools.doctor.facts import Facts
from vfiod.util.finding import Findings, fail, ok, warn

_MODULES = {"svm": "kvm_amd", "vmx": "kvm_intel"}
_LENDS = "It is the driver that lends a device to a guest."
_BRANDS = {"svm": "AMD SVM", "vmx": "Intel VT-x"}


def virtualisation(facts: Facts) -> Findings:
    """KVM needs the processor's extension, which the firmware may keep switched off."""
    check, processor = "cpu-virtualisation", facts.firmware.processor
    why = "Without it a guest is emulated, many times slower than the PC itself."
    if processor.extension is None:
        place = "SVM Mode (AMD) or Intel Virtualization Technology (Intel)"
        yield fail(
            check,
            "the processor shows neither SVM nor VT-x",
            why=why,
            remedy="This is a virtual machine itself: use vfiod on the real PC."
            if processor.in_guest
            else f"Switch on {place} in the firmware set-up (the BIOS).",
        )
    elif not processor.kvm:
        yield fail(
            check,
            f"the processor has {_BRANDS[processor.extension]}, but KVM is not there",
            why=why,
            remedy="Load its module. If that says “Operation not supported”, the extension is "
            "switched off in the firmware set-up (the BIOS).",
            command=f"sudo modprobe {_MODULES[processor.extension]}",
        )
    else:
        yield ok(check, f"the processor runs guests itself ({_BRANDS[processor.extension]}, KVM)")


def boot_mode(facts: Facts) -> Findings:
    """A card that was started by the old VGA BIOS has a picture that is hard to give back."""
    check = "uefi"
    if facts.firmware.uefi:
        yield ok(check, "started by UEFI firmware")
        return
    yield warn(
        check,
        "started in the old BIOS mode (CSM), not by UEFI",
        why="The card is then set up by its VGA BIOS, and guests with UEFI often stay dark.",
        remedy="Switch CSM off in the firmware set-up. A system that was installed in BIOS mode "
        "must be made to boot by UEFI first.",
    )


def lockdown(facts: Facts) -> Findings:
    """Secure Boot does not hinder vfio; it hinders modules that nobody signed."""
    if facts.firmware.lockdown in (None, "none"):
        return
    secure = "Secure Boot is on, " if facts.firmware.secure_boot else ""
    yield ok(
        "lockdown",
        f"{secure}the kernel is locked down ({facts.firmware.lockdown}): vfio works, "
        "modules without a signature do not load",
    )


def vfio_module(facts: Facts) -> Findings:
    """vfio-pci is the driver that lends a device to a guest."""
    check, kernel = "vfio-module", facts.kernel
    if kernel.vfio:
        yield ok(check, f"Linux {kernel.release} has vfio-pci")
    elif kernel.vfio is False:
        yield fail(
            check,
            f"Linux {kernel.release} has no module vfio-pci",
            why=_LENDS,
            remedy="Install all modules of your kernel, or the kernel of your distribution.",
        )
    elif kernel.release and not kernel.removed:
        yield warn(
            check,
            f"whether Linux {kernel.release} has vfio-pci cannot be seen: its list of modules is "
            "not there or cannot be read",
            why=_LENDS,
            remedy="Load the module; if that fails, install all modules of your kernel.",
            command="sudo modprobe vfio-pci",
        )


def modules_installed(facts: Facts) -> Findings:
    """Arch Linux removes the running kernel's with an update; until the reboot kmod finds none."""
    kernel = facts.kernel
    if not kernel.removed:
        return
    judge = warn if kernel.vfio and not kernel.nvidia else fail
    yield judge(
        "modules-installed",
        f"the modules of the running kernel, Linux {kernel.release}, were removed from the disk, "
        "as by an update",
        why="Until the host runs the kernel that is installed, no module is loaded or unloaded; "
        "vfio-pci must be there, and NVIDIA's driver must be unloaded, before a card can go.",
        remedy="Reboot before you start a guest.",
    )


CHECKS = (virtualisation, boot_mode, lockdown, vfio_module, modules_installed)
