"""Groups that the kernel refuses to hand over because of the firmware."""

from pathlib import Path

import pytest

from tests.fakes.tree import Contents, grow, pci_function
from vfiod.host.facts.pci import read_devices
from vfiod.host.facts.reserved import read_refused_groups

MSI = "0x00000000fee00000 0x00000000feefffff msi\n"
DIRECT = "0x000000007bc00000 0x000000007bc00fff direct\n"


def pc(root: Path, regions: str, kernel: str = "6.12.43+deb13-amd64", unit: str = "ivhd0") -> Path:
    files: dict[str, Contents] = {
        "proc/sys/kernel/osrelease": f"{kernel}\n",
        "sys/kernel/iommu_groups/13/reserved_regions": regions,
        "sys/kernel/iommu_groups/14/reserved_regions": MSI,
        f"sys/class/iommu/{unit}/amd-iommu/cap": "",
    }
    grow(root, files)
    return root


@pytest.mark.parametrize(
    ("regions", "refused"),
    [(MSI + DIRECT, {13}), (MSI, set()), (DIRECT.replace("direct", "direct-relaxable"), set()),
     ("", set()), ("direct\n", set())],
)  # fmt: skip
def test_regions(tmp_path: Path, regions: str, refused: set[int]) -> None:
    assert read_refused_groups(pc(tmp_path, regions)) == refused


@pytest.mark.parametrize(
    ("kernel", "unit", "refuses"),
    [("6.6.0", "ivhd0", True), ("6.5.13", "ivhd0", False), ("6.1.0-37-amd64", "ivhd0", False),
     ("6.1.0-37-amd64", "dmar0", True), ("7.0-rc1", "ivhd0", True), ("odd", "ivhd0", False)],
)  # fmt: skip
def test_kernels(tmp_path: Path, kernel: str, unit: str, *, refuses: bool) -> None:
    assert bool(read_refused_groups(pc(tmp_path, DIRECT, kernel, unit))) is refuses


def test_devices_know_it(tmp_path: Path) -> None:
    pc(tmp_path, DIRECT)
    grow(tmp_path, pci_function("0000:01:00.0", group=13))
    grow(tmp_path, pci_function("0000:02:00.0", group=14))
    assert [device.firmware_mapped for device in read_devices(tmp_path).values()] == [True, False]


def test_without_an_iommu(tmp_path: Path) -> None:
    assert read_refused_groups(tmp_path) == frozenset()
