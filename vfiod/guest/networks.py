"""What a guest's network interfaces need of the host. Pure.

libvirt looks for it only after the hook, when the desktop is gone (qemuProcessPrepareHost in its
qemu_process.c). A network is up if it has a status file. One that starts by itself need not be up:
a virtnetworkd of systemd's sockets starts it when the first guest asks (its bridge_driver.c).
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from vfiod import paths
from vfiod.guest.opened import Opened
from vfiod.util.typed import virsh

_CLASS = "/sys/class/net"
# Bridges that are not the kernel's, and need not be among its interfaces.
_FOREIGN = ("openvswitch", "midonet")
# Which attribute of <source> names it.
_NAMED_BY = {"network": "network", "bridge": "bridge", "direct": "dev", "vdpa": "dev"}
_TO_MAKE = "set it up on the host (see: ip link), or name another in the definition"


def read_networks(root: Element) -> tuple[Opened, ...]:
    """Networks, bridges and interfaces of the host (https://libvirt.org/formatdomain.html)."""
    return tuple(_networks(root))


def _networks(root: Element) -> Iterator[Opened]:
    for interface in root.iterfind("devices/interface"):
        source, kind = interface.find("source"), interface.get("type", "")
        attribute = _NAMED_BY.get(kind)
        name = "" if source is None or attribute is None else source.get(attribute, "")
        if not name or ("/" in name) is not (kind == "vdpa") or _is_foreign(interface):
            continue
        element = f"<interface type='{kind}'>"
        if kind == "network":
            yield _network(name, element)
        elif kind == "vdpa":
            yield Opened((name,), element, _TO_MAKE)
        else:
            made = (str(paths.OTHERS_HOOK),) if kind == "bridge" else ()
            yield Opened((*made, f"{_CLASS}/{name}"), element, _TO_MAKE, name=name)


def _network(name: str, element: str) -> Opened:
    file = f"{name}.xml"
    known = (paths.NETWORKS_AUTOSTARTED / file, paths.NETWORKS_ACTIVE / file)
    remedy = (
        f"start it: sudo {virsh('net-start', name)}\n"
        f"and at every boot of the host: sudo {virsh('net-autostart', name)}\n"
        "or name another in the definition"
    )
    return Opened(tuple(map(str, known)), element, remedy, name=name, lack="is not active")


def _is_foreign(interface: Element) -> bool:
    return any(port.get("type") in _FOREIGN for port in interface.iterfind("virtualport"))
