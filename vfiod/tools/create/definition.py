"""virt-install's definition of a new guest, with paths and devices put in. Pure."""

from collections.abc import Callable
from typing import Any

from lxml import etree

from vfiod.errors import DomainError
from vfiod.guest import tree
from vfiod.guest.hostdevs import set_hostdevs
from vfiod.model import PciAddress
from vfiod.tools.create.request import CreateRequest


def complete(xml: str, guest: CreateRequest, staged_rom: Callable[[PciAddress], str]) -> str:
    """The whole definition. Raises DomainError if virt-install printed something unexpected."""
    root = tree.read(xml)
    disks = root.findall("devices/disk")
    paths = [guest.disk, guest.installer, *([guest.drivers] if guest.drivers else [])]
    if len(disks) != len(paths):
        raise DomainError(f"virt-install defined {len(disks)} disks instead of {len(paths)}")
    for disk, path in zip(disks, paths, strict=True):
        _set_source(disk, str(path))
    _set_one_socket(root, guest.cpus)
    set_hostdevs(root, {d.address: staged_rom(d.address) if d.rom else None for d in guest.devices})
    return tree.write(root)


def _set_one_socket(root: Any, cpus: int) -> None:
    """Windows for desktops uses two sockets at most; libvirt would make each CPU one.

    Not by virt-install's --vcpus: with a topology there it leaves out the host's CPU model.
    """
    cpu = root.find("cpu")
    if cpu is None:
        cpu = etree.Element("cpu")
        tree.insert(root, cpu, after=root.find("features"))
    topology = etree.Element("topology", sockets="1", cores=str(cpus), threads="1")
    tree.insert(cpu, topology)


def _set_source(disk: Any, path: str) -> None:
    source = disk.find("source")
    if source is None:
        source = etree.Element("source")
        driver = disk.find("driver")
        if driver is None:
            driver = etree.Element("driver", name="qemu", type="raw")
            tree.insert_first(disk, driver)
        tree.insert(disk, source, after=driver)
    source.set("file", path)
