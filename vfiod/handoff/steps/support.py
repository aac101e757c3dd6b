"""Steps around the handoff: modules, the ROM that QEMU reads, the inhibitor."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from vfiod.errors import Awaited, HostError
from vfiod.handoff.steps import nvidia
from vfiod.handoff.steps.base import DeviceStep, HostStep, Notes, Prior
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, PciAddress

# modprobe's words for a name that no file of the running kernel has (kmod: tools/modprobe.c).
_NOT_FOUND = " not found"
_ANEW = "sudo systemctl restart vfiod"


@dataclass(frozen=True, slots=True)
class Inhibit(HostStep):
    """Block sleep and the power key while the desktop that would ask first is gone."""

    kind: ClassVar[str] = "inhibit"
    guest: str

    def describe(self) -> str:
        return "block sleep and the power key"

    def describe_undo(self) -> str:
        return "allow sleep and the power key again"

    def by_hand(self, prior: Prior) -> str:
        return _ANEW  # it ends with the daemon that holds it

    def apply(self, host: Host) -> Notes:
        host.logins.inhibit(f"{self.guest} has the display")
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        host.logins.uninhibit()
        return ()


@dataclass(frozen=True, slots=True)
class LoadModule(HostStep):
    """Load a module. It stays: an idle module harms nobody and others may use it by then."""

    kind: ClassVar[str] = "load-module"
    module: str
    seconds: float

    def describe(self) -> str:
        return f"load the module {self.module}"

    def apply(self, host: Host) -> Notes:
        if host.modules.loaded(self.module):
            return ()
        host.modules.load(self.module, seconds=self.seconds)
        if not host.modules.loaded(self.module):
            raise HostError(f"the module {self.module} is not loaded after modprobe")
        return ()


@dataclass(frozen=True, slots=True)
class UnloadModule(HostStep):
    """Unload a module that must be gone before the card is unbound; loaded again afterwards.

    Tried again while it is in use: whoever has just let go of the card may still be ending.

    ``cards``: those that AimOverride keeps from its driver, which finds them again only without.
    """

    kind: ClassVar[str] = "unload-module"
    module: str
    seconds: float
    cards: tuple[PciAddress, ...] = ()

    def describe(self) -> str:
        return f"unload the module {self.module}"

    def describe_undo(self) -> str:
        return f"load the module {self.module} again"

    def observe(self, host: Host) -> Prior:
        return {"loaded": host.modules.loaded(self.module)}

    def apply(self, host: Host) -> Notes:
        errors: list[HostError] = []

        def is_gone() -> bool:
            try:
                host.modules.unload(self.module, seconds=self.seconds)
            except Awaited:
                raise
            except HostError as error:
                errors.append(error)
                return False
            return True

        if not host.wait(is_gone, seconds=self.seconds):
            raise self._failure(host, errors[-1])
        return ()

    def _failure(self, host: Host, error: HostError) -> HostError:
        if _NOT_FOUND in error.message:
            return HostError(
                f"the module {self.module} is loaded and cannot be unloaded: {error.message}",
                "reboot: the modules of the running kernel may have been removed by an update",
            )
        users = self._users(host)
        by = f" (by {', '.join(users)})" if users else ""
        return HostError(
            f"the module {self.module} stayed in use for {self.seconds:g} s{by}: {error.message}",
            "end that before the next start" if users else "",
        )

    def _users(self, host: Host) -> list[str]:
        """Named now: when a person reads of it, the start has been undone."""
        modules = [f"the module {name}" for name in host.modules.users(self.module)]
        try:
            return modules + list(map(str, host.processes.holders(self.cards)))
        except HostError:
            return modules

    def undo(self, host: Host, prior: Prior) -> Notes:
        if prior["loaded"]:
            for card in self.cards:
                nvidia.take_sound_from_vfio(host, card, self.seconds)
                self._let_be_found(host, card)
            host.modules.load(self.module, seconds=self.seconds)
        return ()

    def _let_be_found(self, host: Host, card: PciAddress) -> None:
        """nvidia.ko does not load without a card (kernel-open/nvidia/nv.c, nvidia_init_module)."""
        if host.pci.driver(card) is None and host.pci.override(card) == VFIO_DRIVER:
            host.pci.set_override(card, None)


@dataclass(frozen=True, slots=True)
class StageRom(DeviceStep):
    """Copy a ROM to where QEMU may read it under AppArmor and as its own user.

    ``digest`` is the SHA-256 of what was checked: a file that changed since is not staged.
    """

    kind: ClassVar[str] = "stage-rom"
    path: str
    digest: str

    @property
    def serial_key(self) -> None:
        """It is about a file, not about the device's driver: taken alone."""

    def describe(self) -> str:
        return f"put the ROM {self.path} where QEMU may read it"

    def describe_undo(self) -> str:
        return f"remove the copy of the ROM {self.path}"

    def by_hand(self, prior: Prior) -> str:
        return _ANEW  # a daemon that starts removes what an earlier one has left, and no other ROM

    def apply(self, host: Host) -> Notes:
        data = host.files.read_rom(self.path)
        if hashlib.sha256(data).hexdigest() != self.digest:
            raise HostError(
                f"the ROM {self.path} changed while the guest was being started",
                "start the guest again once the file is complete",
            )
        host.files.stage_rom(self.address, data)
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        host.files.unstage_rom(self.address)
        return ()
