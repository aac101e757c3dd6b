"""What of a guest's XML decides how well a passed-through card works in it. Pure.

All text goes through vfiod.guest.document, which refuses what is not to be trusted
(https://libvirt.org/formatdomain.html).
"""

from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from vfiod.guest import document
from vfiod.guest.commandline import read_commandline

AGENT_CHANNEL = "org.qemu.guest_agent.0"  # where the guest's agent looks for it (qemu-ga(8))
_OSINFO = "http://libosinfo.org/xmlns/libvirt/domain/1.0"
_WINDOWS = "http://microsoft.com/win/"


@dataclass(frozen=True, slots=True)
class GuestXml:
    """``vendor_id`` is the Hyper-V one that is set; ``screens`` are emulated video models.

    ``hidden`` says that KVM does not name itself; ``balloon`` that memory may be taken back;
    ``agent`` that there is a channel for the guest's agent.
    """

    windows: bool
    uefi: bool
    machine: str
    hidden: bool
    vendor_id: str
    balloon: bool
    screens: tuple[str, ...] = ()
    agent: bool = True


def read_guest(xml: str) -> GuestXml:
    """Read domain XML. Raises DomainError."""
    root = document.read_tree(xml)
    machine = root.find("os/type")
    cpu = read_commandline(root).cpu
    return GuestXml(
        windows=is_windows(root),
        uefi=_is_uefi(root),
        machine="" if machine is None else machine.get("machine", ""),
        hidden="kvm=off" in cpu if cpu else _state(root, "features/kvm/hidden") == "on",
        vendor_id=_given_vendor_id(cpu) if cpu else _vendor_id(root),
        balloon=_attribute(root, "devices/memballoon", "model") != "none",
        screens=tuple(
            model
            for e in root.iterfind("devices/video/model")
            if (model := e.get("type", "")) != "none"
        ),
        agent=any(e.get("name") == AGENT_CHANNEL for e in root.iterfind("devices/channel/target")),
    )


def noted_systems(root: Any) -> list[str]:
    """What virt-install and virt-manager noted of the guest's system, as libosinfo names it."""
    inside = (e for metadata in root.iterfind("metadata") for e in metadata.iter())
    return [e.get("id", "") for e in inside if str(e.tag).endswith(f"{_OSINFO}}}os")]


def is_windows(root: Any) -> bool:
    """By what is noted, else by Hyper-V features in it."""
    if noted := noted_systems(root):
        return any(ident.startswith(_WINDOWS) for ident in noted)
    return root.find("features/hyperv") is not None


def _is_uefi(root: Element) -> bool:
    """By automatic choice, or by a loader in flash (libvirt: formatdomain.html#bios-bootloader)."""
    chosen = _attribute(root, "os", "firmware") == "efi"
    return chosen or _attribute(root, "os/loader", "type") == "pflash"


def _vendor_id(root: Element) -> str:
    path = "features/hyperv/vendor_id"
    return _attribute(root, path, "value") if _state(root, path) == "on" else ""


def _given_vendor_id(cpu: tuple[str, ...]) -> str:
    """In QEMU's own words, of which the older one has an underscore."""
    pairs = (word.replace("_", "-").partition("=") for word in cpu)
    return next((value for key, _, value in pairs if key == "hv-vendor-id"), "")


def _state(root: Element, path: str) -> str:
    return _attribute(root, path, "state")


def _attribute(root: Element, path: str, name: str) -> str:
    element = root.find(path)
    return "" if element is None else element.get(name, "")
