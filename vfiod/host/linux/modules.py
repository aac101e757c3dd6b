"""Kernel modules through kmod (modprobe(8))."""

from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux.process import run
from vfiod.model import PciAddress
from vfiod.util import sysfs

_MODPROBE = "/usr/sbin/modprobe"


class LinuxModules:
    """Implements vfiod.host.door.Modules."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._modules = root / "sys/module"
        self._pci = root / "sys/bus/pci"

    def loaded(self, name: str) -> bool:
        return (self._modules / name).exists()

    def available(self, name: str) -> bool:
        if self.loaded(name):
            return True
        try:
            run([_MODPROBE, "--dry-run", "--quiet", "--", name], seconds=10)
        except HostError:
            return False
        return True

    def load(self, name: str, *, seconds: float) -> None:
        run([_MODPROBE, "--", name], seconds=seconds)

    def load_for(self, address: PciAddress, *, seconds: float) -> None:
        alias = sysfs.read(self._pci / "devices" / str(address) / "modalias")
        if alias:
            self.load(alias, seconds=seconds)

    def unload(self, name: str, *, seconds: float) -> None:
        run([_MODPROBE, "--remove", "--", name], seconds=seconds)

    def of_driver(self, driver: str) -> str | None:
        return sysfs.read_link(self._pci / "drivers" / driver / "module")
