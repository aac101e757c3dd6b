"""libvirt domain XML -> the few facts a handoff depends on. Pure: text in, values out."""

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from vfiod.guest.commandline import Commandline, read_commandline
from vfiod.guest.document import read_tree, refuse
from vfiod.guest.given import read_given
from vfiod.guest.networks import read_networks
from vfiod.guest.opened import EVDEV, Opened, UsbHostdev, read_opened, read_usb
from vfiod.guest.passed import Hostdev, read_hostdevs
from vfiod.guest.rendering import read_render_nodes, read_renderer, read_window
from vfiod.guest.sizes import is_memfd, read_hugepage, read_memory
from vfiod.guest.sound import read_sound
from vfiod.guest.volumes import read_volumes
from vfiod.model import PciAddress

_UUID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class Disk:
    """A local disk image, or a block device of the host if ``block``."""

    source: str
    device: str
    block: bool


@dataclass(frozen=True, slots=True)
class Domain:
    """What vfiod knows of a guest; ``hugepage_bytes`` is the page size asked for, if any is, and
    ``memfd`` says that its memory is in no file system.

    ``commandline`` is what QEMU is told past libvirt; ``opened`` and ``usb`` are what must be there
    beside the PCI devices. ``renderer`` is what draws on any render node of the host's; empty if
    nothing needs one. ``window`` is what opens one on the host's desktop, or empty.
    """

    name: str
    uuid: str
    kind: str
    memory_bytes: int
    hugepages: bool
    hugepage_bytes: int | None
    hostdevs: tuple[Hostdev, ...]
    disks: tuple[Disk, ...]
    commandline: Commandline = field(default_factory=Commandline)
    opened: tuple[Opened, ...] = ()
    usb: tuple[UsbHostdev, ...] = ()
    renderer: str = ""
    window: str = ""
    memfd: bool = False

    @property
    def passed(self) -> tuple[PciAddress, ...]:
        """The functions of the host that QEMU is given, whichever way."""
        return (*(hostdev.address for hostdev in self.hostdevs), *self.commandline.devices)

    @property
    def grabbed(self) -> tuple[str, ...]:
        """The input devices of the host that QEMU has for itself from its start on."""
        own = (path for one in self.opened if one.element == EVDEV for path in one.paths)
        return (*own, *self.commandline.grabbed)


def parse(xml: str) -> Domain:
    """Read domain XML (https://libvirt.org/formatdomain.html).

    Raises DomainError if it is not the XML of one domain, or a fact is missing or malformed.
    """
    root = read_tree(xml)
    if root.tag != "domain":
        refuse(f"the XML describes <{root.tag[:40]}>, not a <domain>")
    commandline = read_commandline(root)
    return Domain(
        name=_name(root),
        uuid=_uuid(root),
        kind=root.get("type") or refuse("<domain> has no type"),
        memory_bytes=read_memory(root),
        hugepages=root.find("memoryBacking/hugepages") is not None,
        hugepage_bytes=read_hugepage(root),
        hostdevs=tuple(read_hostdevs(root)),
        disks=tuple(disk for e in root.iterfind("devices/disk") if (disk := _disk(e))),
        commandline=commandline,
        opened=(
            *read_opened(root, commandline),
            *read_volumes(root),
            *read_networks(root),
            *read_given(root),
            *read_render_nodes(root),
            *read_sound(root, commandline),
        ),
        usb=read_usb(root),
        renderer=read_renderer(root, commandline),
        window=read_window(root, commandline),
        memfd=is_memfd(root),
    )


def _only(root: Element, tag: str) -> str:
    found = root.findall(tag)
    if len(found) != 1:
        refuse(f"the domain XML has {len(found)} <{tag}>, it needs exactly one")
    return found[0].text or ""


def _name(root: Element) -> str:
    name = _only(root, "name")
    if not name or "/" in name or "\n" in name:
        refuse(f"libvirt allows no such domain name: {name[:60]!r}")
    return name


def _uuid(root: Element) -> str:
    text = _only(root, "uuid").strip()
    match = _UUID.fullmatch(text.lower())
    if match is None:
        refuse(f"not a UUID: {text[:60]!r}")
    return "-".join(match.groups())


def _disk(element: Element) -> Disk | None:
    """Read a local disk; None for network disks, empty drives and disks that may be absent."""
    source = element.find("source")
    block = element.get("type") == "block"
    if source is None or not (block or element.get("type") == "file"):
        return None
    path = source.get("dev" if block else "file")
    if not path or source.get("startupPolicy") == "optional":
        return None
    return Disk(path, element.get("device", "disk"), block)
