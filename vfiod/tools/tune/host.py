"""The host as tuning sees it, read from a tree; nothing here needs root."""

from collections.abc import Iterable
from pathlib import Path

from vfiod.config.performance import Performance
from vfiod.host.facts.cpu import read_topology
from vfiod.host.facts.pci import read_device
from vfiod.host.facts.performance import read_settings
from vfiod.model import PciAddress
from vfiod.tools.tune.facts import Host, PassedThrough
from vfiod.util import sysfs


def read_host(
    hostdevs: Iterable[PciAddress],
    versions: tuple[int, int],
    root: Path = Path("/"),
    asked: Performance | None = None,
    hyperv: frozenset[str] | None = None,
) -> Host:
    """The machine, and of its devices the ``hostdevs``.

    ``versions`` are libvirt's and QEMU's, ``asked`` is the guest's ``performance:`` in vfiod.yaml,
    ``hyperv`` the features that libvirt offers.
    """
    libvirt, qemu = versions
    found = (_device(root / "sys/bus/pci/devices" / str(address)) for address in hostdevs)
    return Host(
        topology=read_topology(root),
        settings=read_settings(root),
        libvirt=libvirt,
        qemu=qemu,
        devices=tuple(device for device in found if device is not None),
        asked=asked,
        hyperv=hyperv,
    )


def _device(path: Path) -> PassedThrough | None:
    device = read_device(path)
    if device is None:
        return None
    largest = max(device.bars, key=lambda bar: bar.size, default=None)
    node = sysfs.read(path / "numa_node") or ""
    return PassedThrough(
        address=device.address,
        vendor=device.vendor,
        is_display=device.is_display,
        node=int(node) if node.isdigit() else None,  # the kernel says -1 for none
        window=largest.size if largest else 0,
        resizable=any(bar.resizable for bar in device.bars),
    )
