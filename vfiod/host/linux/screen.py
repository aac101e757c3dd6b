"""Text consoles (kernel: driver-api/console.rst) and firmware framebuffers (sysfb.c)."""

from collections.abc import Sequence
from pathlib import Path

from vfiod.errors import HostError, KernelStuck
from vfiod.host.facts.screen import read_framebuffers
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.model import Console, FirmwareFramebuffer
from vfiod.util import sysfs

_SECONDS = 10.0


class LinuxScreen:
    """Implements vfiod.host.door.Screen on /sys. Each access to a console has ``seconds``.

    Even reading whether one is bound takes the console lock (kernel: drivers/tty/vt/vt.c, since
    5.3), which an unbind that hangs holds for ever.
    """

    def __init__(
        self, calls: KernelCalls, root: Path = Path("/"), *, seconds: float = _SECONDS
    ) -> None:
        self._calls = calls
        self._seconds = seconds
        self._root = root
        self._consoles = root / "sys/class/vtconsole"
        self._drivers = root / "sys/bus/platform/drivers"

    def consoles(self) -> Sequence[Console]:
        names = [i for i in sysfs.names(self._consoles) if self._is_framebuffer(i)]
        return [Console(i, bound == "1") for i in names if (bound := self._bind(i))]

    def bind_console(self, ident: str, *, bound: bool) -> None:
        wanted = str(int(bound))
        if self._bind(ident) != wanted:
            path = self._consoles / ident / "bind"
            self._calls.write(path, wanted, subject=ident, seconds=self._seconds)

    def _is_framebuffer(self, ident: str) -> bool:
        """By its name, which takes no lock (kernel: drivers/video/fbdev/core/fbcon.c)."""
        return "frame buffer" in (sysfs.read(self._consoles / ident / "name") or "")

    def _bind(self, ident: str) -> str:
        """What the kernel says of a console; empty if it has just vanished."""
        path = self._consoles / ident / "bind"
        try:
            return self._calls.read(path, subject=ident, seconds=self._seconds)
        except KernelStuck:
            raise
        except HostError:
            if path.exists():
                raise
            return ""

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
