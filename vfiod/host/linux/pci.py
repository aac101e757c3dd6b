"""PCI functions in sysfs (kernel: Documentation/ABI/testing/sysfs-bus-pci)."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from vfiod.errors import NotThere
from vfiod.host import config_space
from vfiod.host.facts.nodes import read_behind, read_render_nodes
from vfiod.host.facts.pci import parse_address, read_cards, read_function
from vfiod.host.facts.reserved import read_refused_groups
from vfiod.host.facts.usage import read_host_usage
from vfiod.host.facts.usb import read_controllers
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.host.linux.optionrom import read_option_rom, stop_decoding
from vfiod.model import DisplayOutput, PciAddress, PciFunction, PowerPolicy, UsbPlugged
from vfiod.util import sysfs

_SECONDS = 5.0


class LinuxPci:
    """Implements vfiod.host.pci.Pci on /sys."""

    def __init__(self, calls: KernelCalls, root: Path = Path("/")) -> None:
        self._calls = calls
        self._bus = root / "sys/bus/pci"
        self._root = root

    def functions(self) -> Mapping[PciAddress, PciFunction]:
        folder = self._bus / "devices"
        found = (read_function(folder / name) for name in sysfs.names(folder))
        return {function.address: function for function in found if function is not None}

    def function(self, address: PciAddress) -> PciFunction:
        function = read_function(self._path(address))
        if function is None:
            raise _not_there(address)
        return function

    def driver(self, address: PciAddress) -> str | None:
        if not self._path(address).exists():
            raise _not_there(address)
        return sysfs.read_link(self._path(address) / "driver")

    def fault(self, address: PciAddress) -> str | None:
        path = self._path(address)
        # Reading it may resume the function (drivers/pci/access.c), which may take its time.
        config = self._calls.read_bytes(path / "config", subject=str(address), seconds=_SECONDS)
        header = config[: config_space.HEADER_BYTES]
        if (path / "physfn").exists():
            return config_space.find_fault_of_virtual(header)
        regions = config_space.parse_regions(sysfs.read(path / "resource") or "")
        return config_space.find_fault(header, regions)

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

    def rebind(self, address: PciAddress, driver: str, *, seconds: float) -> None:
        # Every process costs: in one of them all three are over in half the time.
        path, name = self._path(address), str(address)
        writes = [
            (path / "driver_override", f"{driver}\n"),
            (path / "driver/unbind", name),
            (self._bus / "drivers_probe", name),
        ]
        self._calls.write_all(writes, subject=name, seconds=seconds)

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

    def on_bus_of(self, address: PciAddress) -> Sequence[PciAddress]:
        if parse_address(self._path(address).resolve().parent.name) is None:
            return ()
        bus = f"{address.domain:04x}:{address.bus:02x}:"
        names = [n for n in sysfs.names(self._bus / "devices") if n.startswith(bus)]
        return [found for name in names if (found := parse_address(name)) is not None]

    def reset_bus(self, address: PciAddress, *, seconds: float) -> None:
        path, subject = self._path(address), str(address)
        by_port = path.resolve().parent / "reset_subordinate"  # Linux 6.13
        if by_port.exists():
            self._calls.write(by_port, "1", subject=subject, seconds=seconds)
            return
        # The method "bus" is for a function that is alone on it (pci.c, pci_parent_bus_reset).
        for other in self.on_bus_of(address):
            if other != address:
                self._calls.write(
                    self._path(other) / "remove", "1", subject=subject, seconds=seconds
                )
        try:
            self.reset(address, "bus", seconds=seconds)
        finally:
            self._rescan(address, seconds)

    def rediscover(self, address: PciAddress, *, seconds: float) -> None:
        path, subject = self._path(address), str(address)
        if path.exists():
            self._calls.write(path / "remove", "1", subject=subject, seconds=seconds)
        self._rescan(address, seconds)

    def _rescan(self, address: PciAddress, seconds: float) -> None:
        """Look for the function from the port above its bus, which the kernel wakes for that.

        The bus's own rescan leaves the port asleep, and behind one in D3hot nothing answers
        (drivers/pci/probe.c: pci_scan_bridge_extend(), pci_rescan_bus()). A root bus has no port.
        """
        # The bus by its number: the way there through the device may have gone.
        bus = self._root / "sys/class/pci_bus" / f"{address.domain:04x}:{address.bus:02x}"
        port = bus.resolve().parent.parent / "rescan"
        every_bus = self._bus / "rescan"
        where = port if port.exists() else every_bus
        self._calls.write(where, "1", subject=str(address), seconds=seconds)

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
        cards = read_cards(self._path(address))
        connected = [f"{card.name}-{c.name}" for card in cards for c in card.screens]
        return DisplayOutput(tuple(card.name for card in cards), tuple(connected))

    def detect_screens(self, address: PciAddress, *, seconds: float) -> None:
        # drivers/gpu/drm/drm_sysfs.c, status_store: "detect" asks the hardware.
        for status in sorted(self._path(address).glob("drm/card*/card*-*/status")):
            self._calls.write(status, "detect", subject=str(address), seconds=seconds)

    def refused_groups(self) -> Collection[int]:
        return read_refused_groups(self._root)

    def read_rom(self, address: PciAddress, *, seconds: float) -> bytes:
        return read_option_rom(self._calls, self._path(address), seconds=seconds)

    def stop_decoding(self, address: PciAddress) -> None:
        stop_decoding(self._path(address))

    def usb(self) -> Sequence[UsbPlugged]:
        return [
            UsbPlugged(address, d.vendor, d.device, d.bus, d.number, d.name)
            for address, controller in read_controllers(self._root).items()
            for d in controller.devices
        ]

    def behind(self, nodes: Collection[str]) -> Mapping[str, Collection[PciAddress]]:
        return read_behind(nodes, self._root)

    def render_nodes(self) -> Mapping[str, Collection[PciAddress]]:
        return read_render_nodes(self._root)

    def in_use_by(self, addresses: Collection[PciAddress]) -> Mapping[PciAddress, Sequence[str]]:
        return read_host_usage(addresses, self._root)

    def _path(self, address: PciAddress) -> Path:
        return self._bus / "devices" / str(address)


def _not_there(address: PciAddress) -> NotThere:
    return NotThere(f"the device {address} is not there", "see what is with: lspci -D")
