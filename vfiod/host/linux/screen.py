"""Text consoles (kernel: driver-api/console.rst) and firmware framebuffers (sysfb.c)."""

from collections.abc import Sequence
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.facts.screen import read_framebuffers
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.model import Console, FirmwareFramebuffer
from vfiod.util import sysfs

_SECONDS = 10.0


class LinuxScreen:
    """Implements vfiod.host.door.Screen on /sys."""

    def __init__(self, calls: KernelCalls, root: Path = Path("/")) -> None:
        self._calls = calls
        self._root = root
        self._consoles = root / "sys/class/vtconsole"
        self._drivers = root / "sys/bus/platform/drivers"

    def consoles(self) -> Sequence[Console]:
        return [
            Console(
                ident=ident,
                name=sysfs.read(self._consoles / ident / "name") or "",
                bound=sysfs.read(self._consoles / ident / "bind") == "1",
            )
            for ident in sysfs.names(self._consoles)
        ]

    def bind_console(self, ident: str, *, bound: bool) -> None:
        path = self._consoles / ident / "bind"
        if sysfs.read(path) == str(int(bound)):
            self._calls.require_free(ident)
            return
        self._calls.write(path, "1" if bound else "0", subject=ident, seconds=_SECONDS)

    def framebuffers(self) -> Sequence[FirmwareFramebuffer]:
        return list(read_framebuffers(self._root))

    def bind_framebuffer(self, framebuffer: FirmwareFramebuffer, *, bound: bool) -> None:
        name = framebuffer.device
        if bound and framebuffer in self.framebuffers():
            self._calls.require_free(name)
            return
        path = self._drivers / framebuffer.driver / ("bind" if bound else "unbind")
        try:
            self._calls.write(path, name, subject=name, seconds=_SECONDS)
        except HostError as error:
            # Gone for good once a native driver or vfio-pci has taken the card: nothing to do.
            if "No such device" not in error.message:
                raise
