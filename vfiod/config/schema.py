"""The configuration file: YAML text -> frozen values, or all that is wrong with it at once.

Pure: whether the file may be trusted and whether the devices exist is for others to see.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from vfiod.config import values
from vfiod.config.keys import from_keys, key, names
from vfiod.config.performance import NOTHING, Performance, read_performance
from vfiod.config.yaml_nodes import Value, is_printable, read
from vfiod.errors import ConfigError
from vfiod.model import PciAddress

# Of what libvirt's hook waits for while a person may still answer: it gives up after 300 s.
MAX_GOODBYE, MAX_COUNTDOWN = 180, 60
MAX_NAME_BYTES = 251  # libvirt keeps a guest in a file NAME.xml, and NAME_MAX is 255


class SessionPolicy(Enum):
    """What happens to people who are logged in at the screen when a guest wants the card."""

    TERMINATE = "terminate"
    LOG_OUT = "log-out"
    REFUSE_UNSAVED = "refuse-unsaved"
    REFUSE = "refuse"

    @property
    def asks(self) -> bool:
        """True if each desktop's own session manager is asked to log out first."""
        return self in (SessionPolicy.LOG_OUT, SessionPolicy.REFUSE_UNSAVED)


class Reopen(Enum):
    """Whether what was open when a guest took the screen is opened at the user's next login.

    A key of its own, not a third answer beside sessions: terminate and refuse: whether people may
    be interrupted, and what is done for them afterwards, are two questions, and any answers go
    together.
    """

    NEVER = "never"
    ASK = "ask"
    ALWAYS = "always"


class OnStuck(Enum):
    """What happens when every way to get the display back was tried in vain."""

    WAIT = "wait"
    REBOOT = "reboot"


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """A PCI function that goes over to the guest; ``rom`` is the absolute path of its ROM file."""

    address: PciAddress
    rom: str | None = key(values.rom, default=None)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many seconds the host and QEMU may take for what vfiod waits for.

    ``desktop``: display manager and sessions to end. ``holders``: then processes that still hold
    the card get SIGTERM, after this long each. ``kill``: and after this long SIGKILL; after as
    long again the handoff is given up. ``driver``: one bind or unbind. ``display``: DRM node and
    connected connector to come back. ``guest``: QEMU to take the devices after a prepared start.
    ``shutdown``: the guest to shut down when the power button asks it to. ``libvirt``: to clean
    up after a guest that has ended, before its devices are touched. ``goodbye``: people to save
    their work, and their desktops to log out, where these are asked to.
    """

    desktop: float = key(values.seconds, default=20.0)
    holders: float = key(values.seconds, default=5.0)
    kill: float = key(values.seconds, default=5.0)
    driver: float = key(values.seconds, default=20.0)
    display: float = key(values.seconds, default=20.0)
    guest: float = key(values.seconds, default=60.0)
    shutdown: float = key(values.seconds, default=60.0)
    libvirt: float = key(values.seconds, default=30.0)
    goodbye: float = key(values.up_to(MAX_GOODBYE), default=60.0)


def _limits(value: Value) -> Limits:
    return from_keys(Limits, value.mapping(LIMIT_KEYS))


@dataclass(frozen=True, slots=True)
class GuestConfig:
    """What one guest gets; ``sessions`` is the general policy unless the guest has its own."""

    name: str
    devices: tuple[DeviceConfig, ...]
    sessions: SessionPolicy = key(values.choice(SessionPolicy), default=SessionPolicy.TERMINATE)
    performance: Performance = key(read_performance, default=NOTHING)


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration; without arguments that of an empty file."""

    guests: Mapping[str, GuestConfig] = field(default_factory=lambda: MappingProxyType({}))
    limits: Limits = key(_limits, default=Limits())
    sessions: SessionPolicy = key(values.choice(SessionPolicy), default=SessionPolicy.TERMINATE)
    countdown: float = key(values.up_to(MAX_COUNTDOWN, zero=True), default=10.0)
    reopen: Reopen = key(values.choice(Reopen), default=Reopen.NEVER)
    display_manager: str = key(values.display_manager, default=values.DISPLAY_MANAGER)
    release_consoles: bool = key(Value.flag, default=True)
    on_stuck: OnStuck = key(values.choice(OnStuck), default=OnStuck.WAIT)
    suspend_to_reset: bool = key(Value.flag, default=False)
    escape_keys: tuple[str, ...] = key(values.escape_keys, default=())
    stop: tuple[str, ...] = key(values.stop, default=())


TOP_KEYS = names(Config)
LIMIT_KEYS = names(Limits)
DEVICE_KEYS = names(DeviceConfig)
GUEST_KEYS = tuple(name for name in names(GuestConfig) if name != "name")


def parse(text: str, *, filename: str = "vfiod.yaml") -> Config:
    """Read the configuration from YAML text.

    Arguments: ``filename`` is what the faults call the file.
    Raises ConfigError with every fault, each as ``FILENAME:LINE:COLUMN: KEY: what; remedy``.
    """
    root, faults = read(text)
    config = _config(root) if root else Config()
    if faults:
        raise ConfigError([f"{filename}:{f.line}:{f.column}: {f.text}" for f in sorted(faults)])
    return config


def _config(root: Value) -> Config:
    keys = root.mapping(TOP_KEYS)
    config = from_keys(Config, keys)
    return replace(config, guests=_guests(keys.get("guests"), default=config.sessions))


def _guests(value: Value | None, *, default: SessionPolicy) -> Mapping[str, GuestConfig]:
    entries = value.entries() if value else []
    guests = [_guest(key, guest, default=default) for key, guest in entries]
    return MappingProxyType({guest.name: guest for guest in guests})


def _guest(name: Value, value: Value, *, default: SessionPolicy) -> GuestConfig:
    _check_name(name)
    keys = value.mapping(GUEST_KEYS)
    if "devices" not in keys:
        name.fault("no devices; write devices: and below it a list of PCI addresses")
    devices = _devices(keys["devices"]) if "devices" in keys else ()
    return from_keys(GuestConfig, keys, name=name.node.value, devices=devices, sessions=default)


def _check_name(key: Value) -> None:
    """Refuse names libvirt cannot have, and those that the hook would not find."""
    name = key.node.value
    if not name:
        key.fault("no name; write the guest's name as libvirt has it")
    elif not is_printable(name):
        key.fault("control characters in a name; write the guest's name as libvirt has it")
    elif "/" in name:
        key.fault("libvirt allows no / in a name; write the guest's name as libvirt has it")
    elif len(name.encode()) > MAX_NAME_BYTES:
        key.fault(f"longer than {MAX_NAME_BYTES} bytes; write the guest's name as libvirt has it")
    elif not key.is_literal:
        key.fault("escaped or folded name; write the name as it is, without escapes")


def _devices(value: Value) -> tuple[DeviceConfig, ...]:
    items = value.items(expected="a list of PCI addresses")
    if items == []:
        value.fault("no devices; write a list of PCI addresses")
    devices: dict[PciAddress, DeviceConfig] = {}
    for item in items or []:
        device = read_device(item)
        if device and device.address in devices:
            item.fault(f"{device.address} is listed twice; keep one of the two")
        elif device:
            devices[device.address] = device
    return tuple(devices.values())


def read_device(value: Value) -> DeviceConfig | None:
    keys = value.mapping(DEVICE_KEYS) if value.is_mapping else {"address": value}
    if "address" not in keys:
        value.fault("no address; write address: and a PCI address as lspci -D shows it")
        return None
    address = values.address(keys["address"])
    rom = values.rom(keys["rom"]) if "rom" in keys else None
    return DeviceConfig(address, rom) if address else None
