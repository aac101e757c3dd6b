"""PCI functions in sysfs (kernel: Documentation/ABI/testing/sysfs-bus-pci)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from vfiod import sysfs
from vfiod.errors import HostError
from vfiod.linux.kernelcall import KernelCalls
from vfiod.linux.standing import Standing
from vfiod.model import DisplayOutput, PciAddress, PciFunction, PowerPolicy

_SECONDS = 5.0


class LinuxPci:
    """Implements vfiod.host.Pci on /sys."""

    def __init__(self, calls: KernelCalls, root: Path = Path("/")) -> None:
        self._calls = calls
        self._bus = root / "sys/bus/pci"
        self._standing = Standing(root)

    def functions(self) -> Mapping[PciAddress, PciFunction]:
        found: dict[PciAddress, PciFunction] = {}
        for name in sysfs.names(self._bus / "devices"):
            with suppress(ValueError, HostError):
                function = self.function(PciAddress.parse(name))
                found[function.address] = function
        return found

    def function(self, address: PciAddress) -> PciFunction:
        path = self._path(address)
        ids = [sysfs.read(path / name) for name in ("vendor", "device", "class")]
        if None in ids:
            raise HostError(f"the device {address} is not there", "see what is with: lspci -D")
        vendor, device, code = (int(text or "0", 16) for text in ids)
        group = sysfs.read_link(path / "iommu_group")
        return PciFunction(
            address=address,
            vendor=vendor,
            device=device,
            class_code=code,
            driver=sysfs.read_link(path / "driver"),
            group=int(group) if group else None,
            boot_vga=sysfs.read(path / "boot_vga") == "1",
        )

    def override(self, address: PciAddress) -> str | None:
        # Even reading it takes the device's lock (drivers/pci/pci-sysfs.c), which a hanging
        # unbind holds for ever. The other attributes read here take none.
        path = self._path(address) / "driver_override"
        text = self._calls.read(path, subject=str(address), seconds=_SECONDS)
        # The kernel prints a null pointer that way.
        return None if text in ("", "(null)") else text

    def set_override(self, address: PciAddress, driver: str | None) -> None:
        # A lone newline clears it; an empty write never reaches the kernel's store function.
        path = self._path(address) / "driver_override"
        self._calls.write(path, f"{driver or ''}\n", subject=str(address), seconds=_SECONDS)

    def unbind(self, address: PciAddress, *, seconds: float) -> None:
        path = self._path(address) / "driver/unbind"
        self._calls.write(path, str(address), subject=str(address), seconds=seconds)

    def probe(self, address: PciAddress, *, seconds: float) -> None:
        path = self._bus / "drivers_probe"
        self._calls.write(path, str(address), subject=str(address), seconds=seconds)

    def reset_methods(self, address: PciAddress) -> Sequence[str]:
        return (sysfs.read(self._path(address) / "reset_method") or "").split()

    def reset(self, address: PciAddress, method: str, *, seconds: float) -> None:
        path, subject = self._path(address), str(address)
        order = " ".join(self.reset_methods(address))
        self._calls.write(path / "reset_method", method, subject=subject, seconds=_SECONDS)
        try:
            self._calls.write(path / "reset", "1", subject=subject, seconds=seconds)
        finally:
            self._calls.write(path / "reset_method", order, subject=subject, seconds=_SECONDS)

    def rediscover(self, address: PciAddress, *, seconds: float) -> None:
        path, subject = self._path(address), str(address)
        if path.exists():
            self._calls.write(path / "remove", "1", subject=subject, seconds=seconds)
        # The bus by its number: the way there through the device has just gone.
        bus = self._bus.parent.parent / "class/pci_bus" / f"{address.domain:04x}:{address.bus:02x}"
        self._calls.write(bus / "rescan", "1", subject=subject, seconds=seconds)

    def power(self, address: PciAddress) -> PowerPolicy:
        path = self._path(address)
        return PowerPolicy(sysfs.read(path / "d3cold_allowed"), sysfs.read(path / "power/control"))

    def set_power(self, address: PciAddress, policy: PowerPolicy) -> None:
        path = self._path(address)
        wanted = {"d3cold_allowed": policy.d3cold_allowed, "power/control": policy.control}
        for name, value in wanted.items():
            if value is not None and sysfs.read(path / name) not in (None, value):
                self._calls.write(path / name, value, subject=str(address), seconds=_SECONDS)

    def output(self, address: PciAddress) -> DisplayOutput:
        path = self._path(address)
        # A virtio GPU's DRM device hangs on the virtio device below the function.
        folders = [path / "drm", *path.glob("virtio*/drm")]
        cards = [f / name for f in folders for name in sysfs.names(f) if name.startswith("card")]
        connectors = [card / name for card in cards for name in sysfs.names(card)]
        connected = [c.name for c in connectors if sysfs.read(c / "status") == "connected"]
        return DisplayOutput(tuple(card.name for card in cards), tuple(connected))

    def carries(self, address: PciAddress) -> Sequence[str]:
        return self._standing.on(self._path(address))

    def _path(self, address: PciAddress) -> Path:
        return self._bus / "devices" / str(address)
