"""Every error vfiod raises on purpose: one class is one D-Bus error name is one exit code.

The class says who has to act; the message says what happened, to which device or file;
the hint says what to do now.
"""

from collections.abc import Sequence
from typing import ClassVar

_CHECK = "Check it with: vfiod check-config"


class VfiodError(Exception):
    """Base of all errors with a message for a person.

    Arguments: ``message`` is one line of fact, ``hint`` one line of remedy (may be empty).
    """

    dbus_name: ClassVar[str] = "org.vfiod1.Error.Failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class ConfigError(VfiodError):
    """The configuration file is wrong: its owner must edit it. Carries every fault at once."""

    dbus_name = "org.vfiod1.Error.Config"
    exit_code = 3

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults), _CHECK)
        self.faults = tuple(faults)


class DomainError(VfiodError):
    """The domain XML that libvirt or the user handed over cannot be understood."""

    dbus_name = "org.vfiod1.Error.Domain"
    exit_code = 3


class RomError(VfiodError):
    """A ROM file is not an option ROM, or not one of the device it is meant for."""

    dbus_name = "org.vfiod1.Error.Rom"
    exit_code = 3


class Refused(VfiodError):
    """Something was not begun: nothing was touched. ``heading`` says what, for the command line."""

    dbus_name = "org.vfiod1.Error.Refused"
    exit_code = 4

    def __init__(
        self, reasons: Sequence[VfiodError], *, heading: str = "a start would be refused"
    ) -> None:
        super().__init__("; ".join(str(reason).rstrip(".") for reason in reasons))
        self.reasons = tuple(reasons)
        self.heading = heading


class Busy(VfiodError):
    """Another guest owns the devices, or another operation is under way."""

    dbus_name = "org.vfiod1.Error.Busy"
    exit_code = 5


class HostError(VfiodError):
    """The host (kernel, systemd, logind) refused something vfiod asked of it."""

    dbus_name = "org.vfiod1.Error.Host"
    exit_code = 6


class TimedOut(HostError):
    """A bounded wait ended before its condition was met; the message names what it waited for."""

    dbus_name = "org.vfiod1.Error.TimedOut"


class Awaited(TimedOut):
    """What is waited for may still come: it is tried again when it does.

    ``pids`` are processes whose end it takes, ``units`` systemd's units with a job under way.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        pids: Sequence[int] = (),
        units: Sequence[str] = (),
    ) -> None:
        super().__init__(message, hint)
        self.pids = frozenset(pids)
        self.units = frozenset(units)


class KernelStuck(Awaited):
    """A kernel call, or a program in one, did not return within its time: nothing ends it."""

    dbus_name = "org.vfiod1.Error.KernelStuck"


class Stuck(VfiodError):
    """Something could not be given back; the journal still holds it.

    ``display_lost``: a display is among it. ``awaits``: what may still end it by itself.
    """

    dbus_name = "org.vfiod1.Error.Stuck"
    exit_code = 7

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        display_lost: bool = False,
        awaits: Sequence[Awaited] = (),
    ) -> None:
        super().__init__(message, hint)
        self.display_lost = display_lost
        self.awaits = tuple(awaits)

    @property
    def pids(self) -> frozenset[int]:
        """Processes whose end may change it."""
        return frozenset[int]().union(*(error.pids for error in self.awaits))

    @property
    def units(self) -> frozenset[str]:
        """Units whose job may change it."""
        return frozenset[str]().union(*(error.units for error in self.awaits))


class NotAuthorized(VfiodError):
    """The caller may not do this."""

    dbus_name = "org.vfiod1.Error.NotAuthorized"
    exit_code = 8


class Unreachable(VfiodError):
    """The daemon does not answer on the system bus."""

    dbus_name = "org.vfiod1.Error.Unreachable"
    exit_code = 9


_PLAIN: Sequence[type[VfiodError]] = (
    Busy, DomainError, HostError, KernelStuck, NotAuthorized, RomError, Stuck, TimedOut, Unreachable
)  # fmt: skip


def named(name: str, message: str, hint: str = "") -> VfiodError:
    """The error that another process has told of by its D-Bus name."""
    if name == ConfigError.dbus_name:
        return ConfigError([message.removesuffix(f". {_CHECK}")])
    if name == Refused.dbus_name:
        return Refused([VfiodError(message, hint)])
    kinds = {kind.dbus_name: kind for kind in _PLAIN}
    return kinds.get(name, VfiodError)(message, hint)
