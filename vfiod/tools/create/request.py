"""What a new guest is to be. Values only."""

from dataclasses import dataclass
from pathlib import Path

from vfiod.config.schema import DeviceConfig
from vfiod.tools.create.system import System


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A guest to be made. ``memory`` and ``disk_size`` are in bytes.

    ``drivers`` is the CD with Windows' virtio drivers; ``network`` a libvirt network, None for
    QEMU's own; ``devices`` go over to it at its start; ``screen``: it has an emulated one;
    ``enrolled_keys``: the host has firmware with Secure Boot and the keys that switch it on;
    ``direct``: its disk's place can be written past the host's cache (O_DIRECT, open(2)).
    """

    name: str
    system: System
    installer: Path
    disk: Path
    disk_size: int
    memory: int
    cpus: int
    drivers: Path | None = None
    network: str | None = "default"
    devices: tuple[DeviceConfig, ...] = ()
    screen: bool = True
    secure_boot: bool = False
    enrolled_keys: bool = True
    direct: bool = False

    @property
    def has_virtio(self) -> bool:
        """True if the installer can use virtio devices: Windows' own can not."""
        return not self.system.is_windows or self.drivers is not None
