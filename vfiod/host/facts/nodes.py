"""Which PCI functions a device node depends on (kernel: Documentation/ABI, /sys/class)."""

from collections.abc import Collection, Mapping
from pathlib import Path

from vfiod.host.facts.pci import parse_address
from vfiod.model import PciAddress
from vfiod.util import sysfs

_CLASSES = ("input", "block", "tty", "tpm", "hidraw", "drm")
# Devices by their places in sysfs, as a link.
_PLACES = ("/sys/class/net/", "/sys/bus/pci/devices/", "/sys/bus/mdev/devices/")


def read_behind(
    nodes: Collection[str], root: Path = Path("/")
) -> Mapping[str, Collection[PciAddress]]:
    """For each path below /dev, and each network interface, PCI function and mediated device in
    /sys, the functions on its way; those of no device are left out.
    """
    found = {node: _way(node, root) for node in nodes if node.startswith(("/dev/", *_PLACES))}
    return {node: way for node, way in found.items() if way}


def read_render_nodes(root: Path = Path("/")) -> Mapping[str, Collection[PciAddress]]:
    """The DRM nodes to draw on without a screen, each with the functions on its way."""
    names = (n for n in sysfs.names(root / "sys/class/drm") if n.startswith("renderD"))
    return {f"/dev/dri/{name}": _functions(root / "sys/class/drm" / name) for name in names}


def _way(node: str, root: Path) -> Collection[PciAddress]:
    """A path of udev's is a link to the kernel's own name, which is that in sysfs."""
    if node.startswith(_PLACES):
        return _functions(root / node.lstrip("/"))
    try:
        name = (root / node.lstrip("/")).resolve().name
    except (OSError, RuntimeError):  # links in a circle
        return ()
    for kind in _CLASSES:
        device = root / "sys/class" / kind / name
        if device.exists():
            return _functions(device)
    return ()


def _functions(device: Path) -> Collection[PciAddress]:
    """Those in the path that sysfs has for a device."""
    parts = (parse_address(part) for part in device.resolve().parts)
    return tuple(address for address in parts if address is not None)
