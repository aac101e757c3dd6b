"""The doors of vfiod.host.door over the model. Each change is one effect that can be spoiled."""

from collections.abc import Callable, Collection, Mapping, Sequence

from tests.fakes.clock import Clock
from tests.fakes.fault import Effects
from tests.fakes.kernel import Kernel
from tests.fakes.libvirt import Libvirt
from tests.fakes.userspace import Userspace
from vfiod.errors import Awaited, HostError, TimedOut
from vfiod.host.systemd import Inhibitor
from vfiod.model import (
    STARTER,
    Console,
    DisplayOutput,
    FirmwareFramebuffer,
    Holder,
    LateCall,
    PciAddress,
    PciFunction,
    PowerPolicy,
    Program,
    Session,
    Unit,
    UsbPlugged,
)

# A part of desktops that nobody has work in: Linux leaves out all of these.
PLUMBING = frozenset({"login", "pulseaudio"})
NO_APPLICATION = frozenset({"", STARTER})  # titles


class Door:
    """What every door has: the model behind it and the count of effects."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects) -> None:
        self._kernel, self._user, self._effects = kernel, user, effects


class FakePci(Door):
    """Implements vfiod.host.pci.Pci."""

    def usb(self) -> Sequence[UsbPlugged]:
        return self._kernel.usb

    def behind(self, nodes: Collection[str]) -> Mapping[str, Collection[PciAddress]]:
        return {node: [on] for node, on in self._kernel.input_nodes.items() if node in nodes}

    def render_nodes(self) -> Mapping[str, Collection[PciAddress]]:
        return self._kernel.render_nodes

    def functions(self) -> Mapping[PciAddress, PciFunction]:
        return {address: self._kernel.function(address) for address in sorted(self._kernel.devices)}

    def function(self, address: PciAddress) -> PciFunction:
        return self._kernel.function(address)

    def driver(self, address: PciAddress) -> str | None:
        return self._kernel.function(address).driver

    def fault(self, address: PciAddress) -> str | None:
        self._effects.require_free(str(address))
        return self._kernel.fault(address)

    def override(self, address: PciAddress) -> str | None:
        return self._kernel.device(address).override

    def set_override(self, address: PciAddress, driver: str | None) -> None:
        device = self._kernel.device(address)

        def do() -> None:
            device.override = driver

        self._effects.take(f"override {address} {driver}", do, subject=str(address))

    def unbind(self, address: PciAddress, *, seconds: float) -> None:
        self._unbind(address, seconds, lambda: None)

    def _unbind(self, address: PciAddress, seconds: float, then: Callable[[], None]) -> None:
        """``then`` is done after an unbind that was late."""
        name, kernel = f"unbind {address}", self._kernel

        lives = self._effects.lives

        def finish() -> None:
            kernel.finish_unbind(address)
            # In one process with the unbind, unless the daemon has ended since.
            if self._effects.lives == lives:
                then()

        def do() -> None:
            waits = kernel.blocks_unbind(address)
            kernel.begin_unbind(address)
            if waits:
                kernel.mishaps.append(f"{name} while its driver waits for holders")
                self._effects.hang(name, finish, subject=str(address), seconds=seconds)
            kernel.finish_unbind(address)

        self._effects.take(
            name,
            do,
            subject=str(address),
            seconds=seconds,
            halves=(lambda: kernel.begin_unbind(address), finish),
        )

    def probe(self, address: PciAddress, *, seconds: float) -> None:
        self._effects.take(
            f"probe {address}",
            lambda: self._kernel.probe(address),
            subject=str(address),
            seconds=seconds,
            halves=(
                lambda: self._kernel.begin_probe(address),
                lambda: self._kernel.finish_probe(address),
            ),
        )

    def rebind(self, address: PciAddress, driver: str, *, seconds: float) -> None:
        self.set_override(address, driver)
        self._unbind(address, seconds, lambda: self._kernel.probe(address))
        self.probe(address, seconds=seconds)

    def reset_methods(self, address: PciAddress) -> Sequence[str]:
        device = self._kernel.devices.get(address)
        return device.resets if device else ()

    def reset(self, address: PciAddress, method: str, *, seconds: float) -> None:
        self._effects.take(
            f"reset {address} {method}",
            lambda: self._kernel.reset(address, method),
            subject=str(address),
            seconds=seconds,
        )

    def on_bus_of(self, address: PciAddress) -> Sequence[PciAddress]:
        return self._kernel.on_bus_of(address)

    def reset_bus(self, address: PciAddress, *, seconds: float) -> None:
        def do() -> None:
            self._kernel.reset_by_port(address)

        self._effects.take(
            f"reset bus of {address}",
            do,
            subject=str(address),
            seconds=seconds,
            halves=(do, lambda: None),  # what takes its time is the card's awakening
        )

    def rediscover(self, address: PciAddress, *, seconds: float) -> None:
        self._effects.take(
            f"rediscover {address}",
            lambda: self._kernel.rediscover(address),
            subject=str(address),
            seconds=seconds,
        )

    def power(self, address: PciAddress) -> PowerPolicy:
        return self._kernel.device(address).power

    def set_power(self, address: PciAddress, policy: PowerPolicy) -> None:
        """As on Linux, what is so already is not written."""
        device = self._kernel.device(address)
        wanted = PowerPolicy(
            policy.d3cold_allowed or device.power.d3cold_allowed,
            policy.control or device.power.control,
        )

        def do() -> None:
            device.power = wanted

        if device.power != wanted:
            self._effects.take(f"power {address} {policy.control}", do)

    def output(self, address: PciAddress) -> DisplayOutput:
        device = self._kernel.device(address)
        cards = [n.removeprefix("/dev/dri/") for n in device.nodes if n.startswith("/dev/dri/card")]
        connected = [f"{card}-HDMI-A-1" for card in cards if device.monitor]
        return DisplayOutput(tuple(cards), tuple(connected))

    def detect_screens(self, address: PciAddress, *, seconds: float) -> None:
        device = self._kernel.device(address)

        def do() -> None:
            device.monitor = device.monitor or device.wakes_on_detect

        self._effects.take(f"detect {address}", do, subject=str(address), seconds=seconds)

    def refused_groups(self) -> Collection[int]:
        return self._kernel.refused_groups

    def read_rom(self, address: PciAddress, *, seconds: float) -> bytes:
        found: list[bytes] = []
        name = f"rom {address}"
        self._effects.take(
            name,
            lambda: found.append(self._kernel.rom(address)),
            subject=str(address),
            seconds=seconds,
        )
        return found[0]

    def stop_decoding(self, address: PciAddress) -> None:
        self._effects.take(f"stop decoding {address}", lambda: self._kernel.stop_decoding(address))

    def in_use_by(self, addresses: Collection[PciAddress]) -> Mapping[PciAddress, Sequence[str]]:
        found = {address: self._kernel.device(address).in_use_by for address in addresses}
        return {address: things for address, things in found.items() if things}


class FakeProcesses(Door):
    """Implements vfiod.host.processes.Processes."""

    def holders(
        self, addresses: Collection[PciAddress], among: Collection[int] | None = None
    ) -> Sequence[Holder]:
        devices = [self._kernel.devices[a] for a in addresses if a in self._kernel.devices]
        found = self._user.holders({node for device in devices for node in device.nodes})
        return [holder for holder in found if among is None or holder.pid in among]

    def vfio_holders(self, groups: Collection[int]) -> Sequence[Holder]:
        nodes = {node for group in groups for node in self._kernel.vfio_nodes(group)}
        found = self._user.holders(nodes)
        return [h for h in found if h.command not in ("libvirtd", "virtqemud")]

    def programs(self, units: Collection[str]) -> Sequence[Program]:
        everything = [p for p in self._user.processes.values() if p.unit in units]
        running = [p for p in everything if p.program.command not in PLUMBING]
        found = {
            Program(
                p.program.title or p.program.command, p.unit, p.program.title not in NO_APPLICATION
            )
            for p in running
        }
        return sorted(found, key=lambda program: (program.unit, program.name))

    def parent(self, pid: int) -> int:
        return 1 if self._user.main_of(pid) else self._user.parents.get(pid, 0)

    def unit(self, pid: int) -> str:
        process = self._user.processes.get(pid)
        return process.unit if process else ""

    def signal(self, holder: Holder, number: int) -> None:
        name = f"signal {holder.command} {int(number)}"
        self._effects.take(name, lambda: self._user.signal(holder.pid, number))


class FakeLate(Door):
    """Implements vfiod.host.processes.Late."""

    def calls(self) -> Sequence[LateCall]:
        return self._effects.late()


class FakeContainers(Door):
    """Implements vfiod.host.processes.Containers. Each is a unit of the model, by engine and id."""

    def stop(self, engine: str, ident: str, *, seconds: float) -> None:
        def do() -> None:
            self._user.stop(f"{engine}-{ident}.scope")

        self._effects.take(f"{engine} stop {ident[:12]}", do, seconds=seconds)

    def start(self, engine: str, ident: str, *, seconds: float) -> None:
        name = f"{engine}-{ident}.scope"
        self._effects.take(f"{engine} start", lambda: self._user.start(name), seconds=seconds)

    def to_start(self, engine: str, ident: str) -> str:
        return f"sudo /usr/bin/{engine} start {ident}"


class FakeGate(Door):
    """Implements vfiod.host.processes.Gate."""

    @property
    def is_closed(self) -> bool:
        return bool(self._user.closed)

    def can_close(self) -> bool:
        return self._user.has_gate

    def close(self, addresses: Collection[PciAddress]) -> None:
        if not self._user.has_gate:
            raise HostError("the kernel attached no BPF program: Invalid argument")
        devices = [self._kernel.devices[a] for a in addresses if a in self._kernel.devices]

        def do() -> None:
            self._user.closed = {node for device in devices for node in device.nodes}

        self._effects.take("close the gate", do)

    def open(self) -> None:
        self._effects.require_alive()
        self._user.closed = set()


class FakeModules(Door):
    """Implements vfiod.host.door.Modules."""

    def loaded(self, name: str) -> bool:
        return self._kernel.modules.get(name, False)

    def available(self, name: str) -> bool:
        return self.loaded(name) or (name in self._kernel.modules and not self.removed())

    def removed(self) -> bool:
        return self._kernel.modules_removed

    def load(self, name: str, *, seconds: float) -> None:
        self._effects.take(
            f"load {name}",
            lambda: self._kernel.load(name),
            subject=f"module {name}",
            seconds=seconds,
        )

    def load_for(self, address: PciAddress, *, seconds: float) -> None:
        native = self._kernel.device(address).native
        driver = self._kernel.drivers.get(native or "")
        if driver is not None and not self.loaded(driver.module):
            self.load(driver.module, seconds=seconds)

    def unload(self, name: str, *, seconds: float) -> None:
        self._effects.take(
            f"unload {name}",
            lambda: self._kernel.unload(name),
            subject=f"module {name}",
            seconds=seconds,
        )

    def users(self, name: str) -> Sequence[str]:
        return [m for m, needs in self._kernel.depends.items() if needs == name and self.loaded(m)]

    def of_driver(self, driver: str) -> str | None:
        found = self._kernel.drivers.get(driver)
        return found.module if found and self.loaded(found.module) else None


class FakePower(Door):
    """Implements vfiod.host.door.Power."""

    def sleep(self, *, seconds: float) -> None:
        self._effects.take("sleep", self._kernel.sleep, seconds=seconds)

    def reboot(self) -> None:
        def do() -> None:
            self._user.shutting_down = True

        self._effects.take("reboot", do)


class FakeUnits(Door):
    """Implements vfiod.host.door.Units."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects, clock: Clock) -> None:
        super().__init__(kernel, user, effects)
        self._clock = clock

    def unit(self, name: str) -> Unit:
        found = self._user.find(name)
        if found is None:
            return Unit(name, active=False, loaded=False)
        active = found.active or found.is_starting
        return Unit(found.ident, active=active, busy=found.is_starting)

    def start(self, name: str, *, seconds: float) -> Sequence[str]:
        """One that takes longer goes on, and is joined by whoever asks for it meanwhile."""

        def do() -> None:
            found = self._user.find(name)
            if found is None or found.active or not found.start_takes:
                self._user.start(name)
                return
            if not found.is_starting:
                found.is_starting = True
                self._clock.after(found.start_takes, finish)
            if not self._clock.wait(lambda: not found.is_starting, seconds=seconds):
                text = f"{name} did not finish StartUnit within {seconds:g} s"
                raise Awaited(text, units=[name])

        def finish() -> None:
            found = self._user.find(name)
            assert found is not None
            found.is_starting = False
            self._user.start(name)

        self._effects.take(f"start {name}", do, seconds=seconds)
        return ()

    def stop(self, name: str, *, seconds: float) -> Sequence[str]:
        def do() -> None:
            found = self._user.find(name)
            if found is not None and found.stop_hangs:
                raise TimedOut(f"{name} did not finish StopUnit within {seconds:g} s")
            self._user.stop(name)

        self._effects.take(f"stop {name}", do, seconds=seconds)
        return ()

    def begin_stop(self, name: str) -> None:
        """It ends a second later, if it does."""
        found = self._user.find(name)
        hangs = found is not None and found.stop_hangs

        def do() -> None:
            if not hangs:
                self._clock.after(1, lambda: self._user.stop(name))

        self._effects.take(f"begin to stop {name}", do)

    def primary_names(self, names: Collection[str]) -> Collection[str]:
        found = {name: self._user.find(name) for name in names}
        return {unit.ident if unit else name for name, unit in found.items()}

    def needs(self, name: str) -> Collection[str]:
        return self._user.needed.get(name, ())

    def begun_with(self, pids: Collection[int]) -> Mapping[int, str]:
        return {pid: unit.ident for pid in pids if (unit := self._user.main_of(pid))}

    def shutting_down(self) -> bool:
        return self._user.shutting_down


class FakeLogins(Door):
    """Implements vfiod.host.door.Logins."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects) -> None:
        super().__init__(kernel, user, effects)
        self.names = {1000: "alice", 1001: "bob"}
        self.homes = {1000: "/home/alice", 1001: "/home/bob"}
        self.locks: list[Inhibitor] | HostError = []

    def sessions(self) -> Sequence[Session]:
        return list(self._user.sessions.values())

    def terminate(self, ident: str) -> None:
        self._effects.take(f"terminate {ident}", lambda: self._user.terminate(ident))

    def inhibitors(self) -> Sequence[Inhibitor]:
        if isinstance(self.locks, HostError):
            raise self.locks
        own = Inhibitor(frozenset({"sleep"}), "vfiod", self._user.inhibited, "block", 0, 1)
        return [*self.locks, *([own] if self._user.inhibited else [])]

    def lingers(self, uid: int) -> bool:
        return uid in self._user.lingering

    def user_name(self, uid: int) -> str:
        return self.names.get(uid, f"user {uid}")

    def home(self, uid: int) -> str:
        return self.homes.get(uid, "")

    def inhibit(self, why: str) -> None:
        def do() -> None:
            self._user.inhibited = self._user.inhibited or why

        self._effects.take("inhibit", do)

    def uninhibit(self) -> None:
        def do() -> None:
            self._user.inhibited = ""

        self._effects.take("allow", do)


class FakeInputs(Door):
    """Implements vfiod.host.door.Inputs. ``keys`` are those of each device, by its one path."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects) -> None:
        super().__init__(kernel, user, effects)
        self.keys: dict[str, set[str]] = {}

    def keyboards(self, keys: Collection[str], paths: Collection[str]) -> Mapping[str, bool]:
        return {n: n in paths for n, has in self.keys.items() if keys and has.issuperset(keys)}


class FakeScreen(Door):
    """Implements vfiod.host.door.Screen."""

    def consoles(self) -> Sequence[Console]:
        """The kernel has one lock for all of them."""
        for subject in self._effects.hung:
            if subject.startswith("vtcon"):
                self._effects.require_free(subject, 10)
        bound = self._kernel.fbcon
        return [] if bound is None else [Console("vtcon1", bound)]

    def bind_console(self, ident: str, *, bound: bool) -> None:
        def do() -> None:
            self._kernel.bind_console(bound=bound)

        if bound in {c.bound for c in self.consoles() if c.ident == ident}:
            self._effects.require_free(ident)
            return
        self._effects.take(f"console {ident} {bound}", do, subject=ident)

    def framebuffers(self) -> Sequence[FirmwareFramebuffer]:
        return list(self._kernel.framebuffers)

    def bind_framebuffer(self, framebuffer: FirmwareFramebuffer, *, bound: bool) -> None:
        if bound and framebuffer in self._kernel.framebuffers:
            self._effects.require_free(framebuffer.device)
            return
        self._effects.take(
            f"framebuffer {framebuffer.device} {bound}",
            lambda: self._kernel.bind_framebuffer(framebuffer, bound=bound),
            subject=framebuffer.device,
        )


class FakeGuests(Door):
    """Implements vfiod.host.door.Guests. The guest does what it is told once the test lets it."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects, libvirt: Libvirt) -> None:
        super().__init__(kernel, user, effects)
        self.asked: list[float] = []
        self.gave_up = False  # what was begun has ended, and the guest goes on
        self._libvirt = libvirt

    def end(self, *, seconds: float) -> None:
        self._effects.take(f"end guest {seconds:g}", lambda: self.asked.append(seconds))

    def is_shutting_down(self) -> bool:
        return bool(self.asked) and not self.gave_up

    def scope(self, name: str) -> str | None:
        unit = f"machine-qemu-1-{name}.scope"
        return unit if any(p.unit == unit for p in self._user.processes.values()) else None

    def qemu(self, uuid: str) -> int | None:
        found = self._libvirt.guests.get(uuid)
        return found.pid if found else None

    def is_cleaned_up(self, uuid: str) -> bool:
        return uuid not in self._libvirt.guests

    def wake_libvirt(self) -> None:
        if not self._libvirt.runs and self._libvirt.starts:
            self._effects.take("wake libvirt", self._libvirt.start)

    def libvirt_runs(self) -> bool:
        return self._libvirt.runs
