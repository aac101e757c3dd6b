"""A small model of the kernel: PCI functions, drivers, modules, groups, consoles.

Its rules are those of drivers/base/bus.c, drivers/pci/pci-driver.c, drivers/iommu/iommu.c,
drivers/video/aperture.c and fbcon.c, as far as a handoff meets them.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from tests.fakes.clock import Clock
from vfiod.errors import HostError, NotThere
from vfiod.model import (
    VFIO_DRIVER,
    FirmwareFramebuffer,
    PciAddress,
    PciFunction,
    PowerPolicy,
    UsbPlugged,
)

# Drivers that do not claim the group's DMA for the host (driver_managed_dma).
HARMLESS = (None, VFIO_DRIVER, "pci-stub", "pcieport")


@dataclass
class Driver:
    """A PCI driver. ``node_after`` is when its device node appears, None for never.

    ``console_after``: as that, for its framebuffer, on which fbcon comes, after the node.
    """

    name: str
    module: str
    nodes: tuple[str, ...] = ()
    waits_for_holders: bool = False
    node_after: float | None = 0.0
    console_after: float | None = 0.0
    refuses: bool = False


# Which module keeps which in use.
DEPENDS = {"nvidia_drm": "nvidia_modeset", "nvidia_modeset": "nvidia", "nvidia_uvm": "nvidia"}
# Which module leaves again when its driver finds no device (nvidia.ko: nvidia_init_module).
NEEDS_DEVICE = "nvidia"
NVIDIA = "nvidia"  # the driver


@dataclass
class Device:
    """A PCI function and what may be said about it. ``native`` is the driver that matches it."""

    function: PciFunction
    native: str | None
    driver: str | None = None
    override: str | None = None
    power: PowerPolicy = field(default_factory=lambda: PowerPolicy("1", "auto"))
    nodes: tuple[str, ...] = ()
    has_console: bool = False
    waits_for: PciAddress | None = None  # its native driver's probe does, for that one's
    monitor: bool = True
    wakes_on_detect: bool = False  # its screen is there and is seen only when asked for
    in_use_by: tuple[str, ...] = ()
    resets: tuple[str, ...] = ("pm", "bus")
    cure: str | None = None  # its native driver refuses it until this was done; None: it is well
    rom: bytes | None = None
    rom_hides_behind_driver: bool = False
    wiped: bool = False  # reset behind the kernel's back: its addresses are lost

    @property
    def vfio_node(self) -> str:
        """What iommufd opens of it."""
        return f"/dev/vfio/devices/vfio-{self.function.address}"


class Kernel:
    """The devices of a PC and the rules by which drivers take and leave them."""

    def __init__(self, clock: Clock) -> None:
        self.devices: dict[PciAddress, Device] = {}
        self.drivers: dict[str, Driver] = {}
        self.modules: dict[str, bool] = {}  # name -> loaded
        self.modules_removed = False  # from the disk, by an update
        self.depends = dict(DEPENDS)
        self.does_not_load: set[str] = set()  # "install NAME /bin/true" in modprobe.d
        self.framebuffers: list[FirmwareFramebuffer] = []
        self.unbound_framebuffers: list[FirmwareFramebuffer] = []
        self.evicts_framebuffers = True
        self.fbcon: bool | None = None  # bound, or None while its vtconsole does not exist
        self.fbcon_returns_bound = True
        self.fbcon_is_stuck = False
        self.open_nodes: Callable[[], Collection[str]] = lambda: ()
        self.removed: dict[PciAddress, Device] = {}  # gone from the bus until it is rescanned
        self.refused_groups: set[int] = set()
        self.usb: list[UsbPlugged] = []
        self.input_nodes: dict[str, PciAddress] = {}  # and the function that each hangs on
        self.render_nodes: dict[str, Collection[PciAddress]] = {}
        self.mishaps: list[str] = []
        self._clock = clock
        self._probing: set[PciAddress] = set()

    def device(self, address: PciAddress) -> Device:
        if address not in self.devices:
            raise NotThere(f"the device {address} is not there")
        return self.devices[address]

    def add(self, device: Device, driver: str | None) -> None:
        """Put a function into the PC, with the driver that it has after boot."""
        self.devices[device.function.address] = device
        if driver:
            self._bind(device, driver)

    def unplug(self, address: PciAddress) -> None:
        """The function is gone, whoever had it."""
        device = self.devices.pop(address)
        self._strip(device)
        self.removed[address] = device

    def probe(self, address: PciAddress) -> None:
        """Bind the driver that matches, if one does; says nothing if none does."""
        device = self.device(address)
        wanted = device.override or device.native
        driver = self.drivers.get(wanted or "")
        if device.driver is not None or driver is None or driver.refuses:
            return
        if device.wiped and driver.name not in HARMLESS:
            return  # it reads ff where its registers were
        if driver.name not in HARMLESS and self._is_put_off(device):
            return  # -EPROBE_DEFER, and success for who asked (drivers/base/dd.c)
        if device.cure is not None and driver.name == device.native:
            self.do_good(device, "probe")
            return
        if not self.modules.get(driver.module):
            return
        if driver.name not in HARMLESS and self.group_is_open(device.function.group):
            return  # EBUSY (iommu_device_use_default_domain)
        self._bind(device, driver.name)

    def _is_put_off(self, device: Device) -> bool:
        other = device.waits_for
        return other is not None and self.device(other).driver in HARMLESS

    def begin_probe(self, address: PciAddress) -> None:
        """The driver link comes before the driver's probe() runs (drivers/base/dd.c)."""
        device = self.device(address)
        driver = self.drivers.get(device.override or device.native or "")
        if device.driver is None and driver is not None and self.modules.get(driver.module):
            device.driver = driver.name
            self._probing.add(address)

    def finish_probe(self, address: PciAddress) -> None:
        """The driver's probe() has returned: it has the device, or the link goes again."""
        if address in self._probing and address in self.devices:
            self._probing.discard(address)
            self.devices[address].driver = None
        if address in self.devices:
            self.probe(address)

    def do_good(self, device: Device, cure: str) -> None:
        """What wakes a device that is asleep for good: only its own cure does."""
        if device.cure == cure:
            device.cure = None

    def reset(self, address: PciAddress, method: str) -> None:
        """pci_reset_function(): a guest's device must not be touched."""
        device = self.device(address)
        if method not in device.resets:
            raise HostError(f"the kernel refused reset_method of {address}: Invalid argument")
        if self.group_is_open(device.function.group):
            self.mishaps.append(f"reset of {address} while a guest has it")
        if device.driver is not None:
            self.mishaps.append(f"reset of {address} under its driver {device.driver}")
        self.do_good(device, f"reset {method}")

    def on_bus_of(self, address: PciAddress) -> list[PciAddress]:
        """Bus 0 is the root bus."""
        here = (address.domain, address.bus)
        return [a for a in self.devices if (a.domain, a.bus) == here] if address.bus else []

    def reset_by_port(self, address: PciAddress) -> None:
        """The kernel's own way: it gives every function its addresses back."""
        for device in [self.devices[a] for a in self.on_bus_of(address)]:
            if self.group_is_open(device.function.group):
                self.mishaps.append(f"bus reset of {address} while a guest has it")
            if device.driver is not None:
                self.mishaps.append(f"bus reset of {address} under the driver {device.driver}")
            self.do_good(device, "bus reset")

    def rediscover(self, address: PciAddress) -> None:
        """Remove and rescan: a new device, without override; what matches it takes it."""
        device = self.devices.pop(address, None) or self.removed.pop(address, None)
        if device is None:
            return
        if self.group_is_open(device.function.group):
            self.mishaps.append(f"removal of {address} while a guest has it")
        self._strip(device)
        if device.function.is_virtual:
            return  # its vendor id reads ff, so no scan finds it (drivers/pci/probe.c)
        device.override, device.power = None, PowerPolicy("1", "auto")
        device.wiped = False  # the kernel gives it new addresses
        self.do_good(device, "rediscovery")
        self.devices[address] = device
        self.probe(address)

    def reset_bus(self, address: PciAddress) -> None:
        """A reset by the port, not by the kernel: every function of the card is wiped."""
        for device in self.devices.values():
            if device.function.address.same_slot(address):
                device.wiped = True

    def fault(self, address: PciAddress) -> str | None:
        """Why the function does not answer."""
        return "it has lost its addresses" if self.device(address).wiped else None

    def sleep(self) -> None:
        """Suspend to RAM: the cards lose their power."""
        for device in self.devices.values():
            self.do_good(device, "sleep")

    def _meet(self, device: Device, name: str) -> None:
        """NVIDIA's driver takes what it finds with function 1 for a sound card (nv.c)."""
        sound = self.devices.get(replace(device.function.address, function=1))
        if name == NVIDIA and sound is not None and sound.driver == VFIO_DRIVER:
            self.mishaps.append(f"{name} met {VFIO_DRIVER} on {sound.function.address}")

    def _bind(self, device: Device, name: str) -> None:
        device.driver = name
        self._meet(device, name)
        driver = self.drivers[name]
        if name == VFIO_DRIVER:
            device.power = PowerPolicy(device.power.d3cold_allowed, "auto")
        if device.function.is_display and device.function.boot_vga and self.evicts_framebuffers:
            self.framebuffers.clear()
            self.unbound_framebuffers.clear()
        if driver.node_after == 0:
            self._appear(device, name)
        elif driver.node_after is not None:
            self._clock.after(driver.node_after, lambda: self._appear(device, name))
        self.refresh_console()

    def _appear(self, device: Device, driver: str) -> None:
        if device.driver != driver or device.nodes:
            return
        taken = {node for d in self.devices.values() for node in d.nodes} | set(self.open_nodes())
        patterns = self.drivers[driver].nodes
        number = 0
        while any(pattern.format(number) in taken for pattern in patterns):
            number += 1
        device.nodes = tuple(pattern.format(number) for pattern in patterns)
        console_after = self.drivers[driver].console_after
        if console_after == 0:
            self._give_console(device, driver)
        elif console_after is not None:
            self._clock.after(console_after, lambda: self._give_console(device, driver))

    def _give_console(self, device: Device, driver: str) -> None:
        device.has_console = device.driver == driver and device.function.is_display
        device.has_console &= bool(device.nodes)
        self.refresh_console()

    def loaded_modules(self) -> set[str]:
        return {name for name, loaded in self.modules.items() if loaded}

    def load(self, name: str) -> None:
        """A module with those it needs; its driver takes the devices that wait for one."""
        self._require_known(name)
        if name in self.depends:
            self.load(self.depends[name])
        if not self.modules[name] and name not in self.does_not_load:
            self.modules[name] = True
            for address, device in self.devices.items():
                driver = self.drivers.get(device.override or device.native or "")
                if driver is not None and driver.module == name:
                    self.do_good(device, "reload")
                    self.probe(address)
            self._require_device(name)

    def _require_device(self, module: str) -> None:
        drivers = {d.name for d in self.drivers.values() if d.module == module}
        if module == NEEDS_DEVICE and not any(d.driver in drivers for d in self.devices.values()):
            self.modules[module] = False
            raise HostError(f"modprobe failed: could not insert {module!r}: No such device")

    def _require_known(self, name: str) -> None:
        """kmod knows a module from modules.dep only, a loaded one too."""
        if name not in self.modules or self.modules_removed:
            raise HostError(f"modprobe failed: Module {name} not found")

    def unload(self, name: str) -> None:
        """Its driver leaves its devices. In use while a node is open or a module needs it."""
        self._require_known(name)
        drivers = {d.name for d in self.drivers.values() if d.module == name}
        devices = [d for d in self.devices.values() if d.driver in drivers]
        needed = any(self.modules.get(m) for m, needs in self.depends.items() if needs == name)
        if needed or any(self._is_open(device) for device in devices):
            raise HostError(f"modprobe failed: Module {name} is in use")
        for device in devices:
            self._strip(device)
        self.modules[name] = False

    def blocks_unbind(self, address: PciAddress) -> bool:
        """True while the driver's remove() would wait for somebody to close the device."""
        device = self.device(address)
        if device.driver == VFIO_DRIVER:
            return self.group_is_open(device.function.group)
        driver = self.drivers.get(device.driver or "")
        return bool(driver and driver.waits_for_holders and self._is_open(device))

    def begin_unbind(self, address: PciAddress) -> None:
        """The driver link goes before the driver's remove() runs (drivers/base/dd.c)."""
        device = self.device(address)
        if device.driver is None:
            raise HostError(f"the kernel refused unbind of {address}: No such file or directory")
        if self._is_open(device):
            self.mishaps.append(f"{device.driver} unbound from {address} under a holder")
        self._meet(device, device.driver)
        if device.driver == VFIO_DRIVER:  # vfio_pci_core_unregister_device()
            device.power = PowerPolicy(device.power.d3cold_allowed, "on")
        device.driver = None

    def finish_unbind(self, address: PciAddress) -> None:
        """The driver's remove() has returned."""
        if address in self.devices:
            self._strip(self.devices[address])

    def _strip(self, device: Device) -> None:
        device.driver, device.nodes, device.has_console = None, (), False
        self.refresh_console()

    def _is_open(self, device: Device) -> bool:
        return bool(set(device.nodes) & set(self.open_nodes()))

    def group_is_open(self, group: int | None) -> bool:
        """True while a guest owns the group."""
        return group is not None and bool(self.vfio_nodes(group) & set(self.open_nodes()))

    def vfio_nodes(self, group: int) -> set[str]:
        """The group's node, and those of its devices that are with vfio-pci."""
        members = [d for d in self.devices.values() if d.function.group == group]
        return {f"/dev/vfio/{group}"} | {d.vfio_node for d in members if d.driver == VFIO_DRIVER}

    def group_is_viable(self, group: int) -> bool:
        """True if a guest may take the group."""
        members = [d for d in self.devices.values() if d.function.group == group]
        return all(d.driver in HARMLESS or d.function.is_bridge for d in members)

    def refresh_console(self) -> None:
        """fbcon comes with the first framebuffer and goes with the last."""
        if not self.framebuffers and not any(d.has_console for d in self.devices.values()):
            self.fbcon = None
        elif self.fbcon is None:
            self.fbcon = self.fbcon_returns_bound

    def bind_console(self, *, bound: bool) -> None:
        """store_bind reports success whatever happens."""
        if self.fbcon is not None and not self.fbcon_is_stuck:
            self.fbcon = bound

    def bind_framebuffer(self, framebuffer: FirmwareFramebuffer, *, bound: bool) -> None:
        source, target = self.framebuffers, self.unbound_framebuffers
        if bound:
            source, target = target, source
        if framebuffer in source:
            source.remove(framebuffer)
            target.append(framebuffer)
        self.refresh_console()

    def stop_decoding(self, address: PciAddress) -> None:
        """Deaf until a driver takes it."""
        if (driver := self.device(address).driver) is not None:
            self.mishaps.append(f"{driver} lost {address}")

    def rom(self, address: PciAddress) -> bytes:
        """What the ROM attribute gives while the function is awake."""
        device = self.device(address)
        hidden = device.rom_hides_behind_driver and device.driver is not None
        if device.rom is None or hidden or device.power.control != "on":
            raise HostError(f"the kernel refused rom of {address}: Input/output error")
        return device.rom

    def function(self, address: PciAddress) -> PciFunction:
        device = self.device(address)
        f = device.function
        return PciFunction(
            address=f.address, vendor=f.vendor, device=f.device, class_code=f.class_code,
            driver=device.driver, group=f.group, boot_vga=f.boot_vga,
            physical=f.physical,
            firmware_framebuffer=any(b.parent == address for b in self.framebuffers),
        )  # fmt: skip
