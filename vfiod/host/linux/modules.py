"""Kernel modules through kmod (modprobe(8))."""

from collections.abc import Sequence
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.facts.kernel import modules_removed
from vfiod.host.linux.process import Programs
from vfiod.model import PciAddress
from vfiod.util import sysfs


class LinuxModules:
    """Implements vfiod.host.door.Modules."""

    def __init__(self, root: Path = Path("/"), programs: Programs | None = None) -> None:
        self._root = root
        self._programs = programs or Programs()
        self._modules = root / "sys/module"
        self._pci = root / "sys/bus/pci"

    def loaded(self, name: str) -> bool:
        return (self._modules / name).exists()

    def available(self, name: str) -> bool:
        if self.loaded(name):
            return True
        try:
            self._modprobe("--dry-run", "--quiet", name=name, seconds=10)
        except HostError:
            return False
        return True

    def removed(self) -> bool:
        return modules_removed(self._root)

    def load(self, name: str, *, seconds: float) -> None:
        self._modprobe(name=name, seconds=seconds)

    def load_for(self, address: PciAddress, *, seconds: float) -> None:
        alias = sysfs.read(self._pci / "devices" / str(address) / "modalias")
        if alias:
            self._modprobe(name=alias, subject=f"the module of {address}", seconds=seconds)

    def unload(self, name: str, *, seconds: float) -> None:
        self._modprobe("--remove", name=name, seconds=seconds)

    def users(self, name: str) -> Sequence[str]:
        return sysfs.names(self._modules / name / "holders")

    def of_driver(self, driver: str) -> str | None:
        return sysfs.read_link(self._pci / "drivers" / driver / "module")

    def _modprobe(self, *options: str, name: str, seconds: float, subject: str = "") -> None:
        """A driver's init and exit run in it: it hangs as they do."""
        argv = ["modprobe", *options, "--", name]
        self._programs.run(argv, subject=subject or f"module {name}", seconds=seconds)
