"""Processor, firmware, IOMMU and kernel, read from small trees."""

from pathlib import Path

import pytest

from tests.fakes.tree import grow
from vfiod.host.facts.firmware import Firmware, read_firmware
from vfiod.host.facts.kernel import Kernel, modules_removed, read_kernel

CPU = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD Ryzen 5 1600 Six-Core Processor
flags\t\t: fpu vme svm
bugs\t\t: sysret_ss_attrs

processor\t: 1
vendor_id\t: AuthenticAMD
"""
INTERRUPTS = """            CPU0       CPU1
   0:         42          0  IR-IO-APIC    2-edge      timer
  26:          0          9  IR-PCI-MSI-0000:00:1f.2    0-edge      ahci
"""
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def firmware(root: Path, **files: str | bytes) -> Firmware:
    grow(root, {name.replace("__", "/"): contents for name, contents in files.items()})
    return read_firmware(root)


def test_an_empty_tree_has_nothing(tmp_path: Path) -> None:
    found = read_firmware(tmp_path)
    assert found.processor.extension is None
    assert not found.iommu.is_on
    assert found.iommu.remapping is None
    assert (found.uefi, found.secure_boot, found.lockdown) == (False, None, None)


def test_processor(tmp_path: Path) -> None:
    found = firmware(tmp_path, proc__cpuinfo=CPU, sys__class__misc__kvm__dev="10:232").processor
    assert found.vendor == "AuthenticAMD"
    assert found.model == "AMD Ryzen 5 1600 Six-Core Processor"
    assert (found.extension, found.kvm, found.in_guest) == ("svm", True, False)


@pytest.mark.parametrize(("flags", "extension", "in_guest"), [
    ("fpu vmx", "vmx", False), ("fpu", None, False), ("fpu hypervisor", None, True),
    ("fpu vmxx", None, False),
])  # fmt: skip
def test_flags(tmp_path: Path, flags: str, extension: str, in_guest: object) -> None:
    found = firmware(tmp_path, proc__cpuinfo=CPU.replace("fpu vme svm", flags)).processor
    assert (found.extension, found.in_guest) == (extension, in_guest)


def test_iommu(tmp_path: Path) -> None:
    grow(tmp_path, {
        "sys/firmware/acpi/tables/IVRS": b"IVRS", "sys/firmware/acpi/tables/FACP": b"FACP",
        "sys/class/iommu/ivhd0/devices/x": "", "sys/kernel/iommu_groups/0/type": "DMA",
        "sys/kernel/iommu_groups/1/type": "DMA", "proc/interrupts": INTERRUPTS,
    })  # fmt: skip
    found = read_firmware(tmp_path).iommu
    assert (found.tables, found.units, found.groups) == (("IVRS",), ("ivhd0",), 2)
    assert (found.is_on, found.remapping, found.brands) == (True, True, "AMD-Vi")


def test_interrupts_without_remapping(tmp_path: Path) -> None:
    plain = INTERRUPTS.replace("IR-", "")
    assert firmware(tmp_path, proc__interrupts=plain).iommu.remapping is False


@pytest.mark.parametrize(("value", "on"), [(b"\6\0\0\0\1", True), (b"\6\0\0\0\0", False)])
def test_secure_boot(tmp_path: Path, value: bytes, on: object) -> None:
    grow(tmp_path, {SECURE_BOOT: value})
    found = read_firmware(tmp_path)
    assert found.uefi
    assert found.secure_boot is on


def test_lockdown(tmp_path: Path) -> None:
    modes = "none [integrity] confidentiality"
    assert firmware(tmp_path, sys__kernel__security__lockdown=modes).lockdown == "integrity"


# Kernel


def kernel(root: Path, files: dict[str, str], release: str = "6.1.0-30-amd64") -> Kernel:
    grow(root, {"proc/sys/kernel/osrelease": f"{release}\n"} | files)
    return read_kernel(root)


MODULES = "lib/modules/6.1.0-30-amd64"
VFIO = "kernel/drivers/vfio/pci/vfio-pci.ko"


@pytest.mark.parametrize(("files", "there"), [
    ({}, None),
    ({f"{MODULES}/modules.dep": f"{VFIO}: x.ko\n"}, True),
    ({f"{MODULES}/modules.dep": f"{VFIO}.xz: x.ko\n"}, True),
    ({f"run/booted-system/kernel-modules/{MODULES}/modules.dep": f"{VFIO}.xz: x.ko\n"}, True),
    ({f"{MODULES}/modules.builtin": f"{VFIO}\n"}, True),
    ({f"{MODULES}/modules.dep": "kernel/drivers/vfio/vfio.ko:\n"}, False),
    ({"sys/bus/pci/drivers/vfio-pci/bind": ""}, True),
])  # fmt: skip
def test_vfio_module(tmp_path: Path, files: dict[str, str], there: object) -> None:
    assert kernel(tmp_path, files).vfio is there


@pytest.mark.parametrize(("release", "version"), [
    ("6.1.0-30-amd64", (6, 1)), ("7.2.2-1-cachyos", (7, 2)), ("", (0, 0)),
])  # fmt: skip
def test_version(tmp_path: Path, release: str, version: tuple[int, int]) -> None:
    assert kernel(tmp_path, {}, release).version == version


def test_what_modules_say(tmp_path: Path) -> None:
    found = kernel(tmp_path, {
        "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts": "Y\n",
        "sys/module/nvidia/version": "595.58.03\n",
    })  # fmt: skip
    assert (found.unsafe_interrupts, found.nvidia) == (True, 595)


@pytest.mark.parametrize(("files", "removed"), [
    ({"proc/modules": "nvidia 1 0 - Live 0x0\n", "lib/modules/6.2.0/modules.dep": ""}, True),
    ({"proc/modules": "nvidia 1 0 - Live 0x0\n", f"{MODULES}/vmlinuz": ""}, True),
    ({"proc/modules": "nvidia 1 0 - Live 0x0\n"}, False),
    ({"proc/modules": "nvidia 1 0 - Live 0x0\n", f"{MODULES}/modules.dep": ""}, False),
    ({"proc/modules": "nvidia 1 0 - Live 0x0\n", f"usr/{MODULES}/modules.dep": ""}, False),
    ({"proc/modules": "nvidia 1 0 - Live 0x0\n",
      f"run/booted-system/kernel-modules/{MODULES}/modules.dep": ""}, False),
    ({"proc/modules": "", "lib/modules/6.2.0/modules.dep": ""}, False),
    ({}, False),
])  # fmt: skip
def test_modules_that_were_removed(tmp_path: Path, files: dict[str, str], removed: object) -> None:
    assert kernel(tmp_path, files).removed is removed


def test_a_folder_that_nobody_may_look_into_is_not_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stat(path: Path) -> object:
        raise PermissionError(str(path))

    grow(tmp_path, {"proc/sys/kernel/osrelease": "6.1.0\n", "proc/modules": "nvidia 1\n",
                    "lib/modules/6.2.0/modules.dep": ""})  # fmt: skip
    assert modules_removed(tmp_path)
    monkeypatch.setattr(Path, "stat", stat)
    assert not modules_removed(tmp_path)


def test_no_release_no_verdict(tmp_path: Path) -> None:
    files = {"proc/modules": "nvidia 1\n", "lib/modules/6.2.0/modules.dep": ""}
    assert not kernel(tmp_path, files, release="").removed
