"""What the firmware and the processor offer: virtualisation, IOMMU, UEFI, Secure Boot."""

from dataclasses import dataclass
from pathlib import Path

from vfiod.util import sysfs

# UEFI specification: the attributes (four bytes) precede the value.
_SECURE_BOOT = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_IOMMU_TABLES = {"DMAR": "Intel VT-d", "IVRS": "AMD-Vi"}


@dataclass(frozen=True, slots=True)
class Processor:
    """``extension`` is the virtualisation flag of /proc/cpuinfo, svm or vmx.

    ``kvm`` says whether KVM could start; ``in_guest`` that this is itself a virtual machine.
    """

    vendor: str
    model: str
    extension: str | None
    in_guest: bool
    kvm: bool


@dataclass(frozen=True, slots=True)
class Iommu:
    """``tables``: what ACPI announces (DMAR, IVRS); ``units``: what the kernel switched on.

    ``remapping``: interrupts are remapped; None if /proc/interrupts cannot be read.
    """

    tables: tuple[str, ...]
    units: tuple[str, ...]
    groups: int
    remapping: bool | None

    @property
    def is_on(self) -> bool:
        """True if the kernel uses it (kernel: ABI/testing/sysfs-kernel-iommu_groups)."""
        return self.groups > 0

    @property
    def brands(self) -> str:
        """What the firmware set-up may call it."""
        return " and ".join(_IOMMU_TABLES[table] for table in self.tables)


@dataclass(frozen=True, slots=True)
class Firmware:
    """``secure_boot`` is None without UEFI; ``lockdown`` is the kernel's mode or None."""

    processor: Processor
    iommu: Iommu
    uefi: bool
    secure_boot: bool | None
    lockdown: str | None


def read_firmware(root: Path = Path("/")) -> Firmware:
    """Read all of it; any user may."""
    return Firmware(
        processor=_processor(root),
        iommu=_iommu(root),
        uefi=(root / "sys/firmware/efi").is_dir(),
        secure_boot=_secure_boot(root / "sys/firmware/efi/efivars" / _SECURE_BOOT),
        lockdown=read_lockdown(root),
    )


def _processor(root: Path) -> Processor:
    first = (sysfs.read(root / "proc/cpuinfo") or "").split("\n\n")[0]
    fields = {
        name.strip(): value.strip()
        for name, _, value in (line.partition(":") for line in first.splitlines())
    }
    flags = fields.get("flags", "").split()
    return Processor(
        vendor=fields.get("vendor_id", ""),
        model=fields.get("model name", ""),
        extension=next((flag for flag in ("svm", "vmx") if flag in flags), None),
        in_guest="hypervisor" in flags,
        kvm=_has_kvm(root),
    )


def _has_kvm(root: Path) -> bool:
    """Not by /dev/kvm: systemd-tmpfiles(8) makes that before KVM could start."""
    modules = (sysfs.read(root / "proc/modules") or "").split()
    loaded = "kvm_amd" in modules or "kvm_intel" in modules
    return loaded or (root / "sys/class/misc/kvm").exists()


def _iommu(root: Path) -> Iommu:
    tables = sysfs.names(root / "sys/firmware/acpi/tables")
    return Iommu(
        tables=tuple(table for table in _IOMMU_TABLES if table in tables),
        units=tuple(sysfs.names(root / "sys/class/iommu")),
        groups=len(sysfs.names(root / "sys/kernel/iommu_groups")),
        remapping=_remapping(root / "proc/interrupts"),
    )


def _remapping(interrupts: Path) -> bool | None:
    """Remapped interrupt controllers are named IR-… (kernel: drivers/iommu/irq_remapping.c)."""
    text = sysfs.read(interrupts)
    return None if text is None else " IR-" in text


def _secure_boot(variable: Path) -> bool | None:
    try:
        value = variable.read_bytes()
    except OSError:
        return None
    return len(value) == 5 and value[4] == 1


def read_lockdown(root: Path = Path("/")) -> str | None:
    """``[none] integrity confidentiality``: the one in brackets (kernel_lockdown(7)); or None."""
    words = (sysfs.read(root / "sys/kernel/security/lockdown") or "").split()
    return next((word.strip("[]") for word in words if word.startswith("[")), None)
