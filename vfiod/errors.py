"""Every error vfiod raises on purpose: one class is one D-Bus error name is one exit code.

The class says who has to act; the message says what happened, to which device or file;
the hint says what to do now.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

INDENT = "    "  # of what to do, below what is wrong


class VfiodError(Exception):
    """Base of all errors with a message for a person.

    Arguments: ``message`` is one line of fact, ``hint`` what to do now: one line for each thing to
    do, in order, or nothing. As text each stands on lines of its own, what to do indented.
    """

    dbus_name: ClassVar[str] = "org.vfiod1.Error.Failed"
    exit_code: int = 1
    heading: str = ""  # above several parts, for the command line

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def parts(self) -> "tuple[VfiodError, ...]":
        """Each thing that is wrong, with what to do about it."""
        return (self,)

    def __str__(self) -> str:
        return "\n".join(line for part in self.parts for line in _lines(part))


def _lines(part: VfiodError) -> list[str]:
    return [part.message, *(f"{INDENT}{line}" for line in part.hint.splitlines())]


def parts_of(text: str) -> tuple[VfiodError, ...]:
    """Read the text of an error again: each line that is not indented begins a part."""
    found: list[VfiodError] = []
    for line in text.splitlines():
        if found and line.startswith(INDENT):
            hint = "\n".join(filter(None, [found[-1].hint, line.removeprefix(INDENT)]))
            found[-1] = VfiodError(found[-1].message, hint)
        else:
            found.append(VfiodError(line))
    return tuple(found)


class ConfigError(VfiodError):
    """The configuration file is wrong: its owner must edit it. Carries every fault at once.

    Arguments: ``faults`` are each ``what is wrong; what to write instead``.
    """

    dbus_name = "org.vfiod1.Error.Config"
    exit_code = 3
    heading = "the configuration is wrong"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)

    @property
    def parts(self) -> tuple[VfiodError, ...]:
        split = (fault.rpartition("; ") for fault in self.faults)
        return tuple(VfiodError(what, fix) if what else VfiodError(fix) for what, _, fix in split)


class UnknownGuest(VfiodError):
    """libvirt has no guest of that name, or the configuration names none."""

    dbus_name = "org.vfiod1.Error.UnknownGuest"
    exit_code = 3


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
        super().__init__("; ".join(reason.message for reason in reasons))
        self.reasons = tuple(reasons)
        self.heading = heading

    @property
    def parts(self) -> tuple[VfiodError, ...]:
        return tuple(part for reason in self.reasons for part in reason.parts)


class Busy(VfiodError):
    """Another guest owns the devices, or another operation is under way."""

    dbus_name = "org.vfiod1.Error.Busy"
    exit_code = 5


class HostError(VfiodError):
    """The host (kernel, systemd, logind) refused something vfiod asked of it.

    ``may_pass``: nobody has refused it, nobody has answered; a moment later somebody may.
    """

    dbus_name = "org.vfiod1.Error.Host"
    exit_code = 6
    may_pass: bool = False


class NotThere(HostError):
    """A device that the kernel does not know, or not any more."""


class NotYet(HostError):
    """What waits for something else to be undone, which tells of itself: nothing to add to that."""


class NotShown(HostError):
    """A display manager was started, and waited for, and nobody has a login screen by it."""


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


class CutOff(HostError):
    """The system bus is gone. The service ends with it, and the next one goes on."""


class KernelStuck(Awaited):
    """A kernel call, or a program in one, did not return within its time: nothing ends it."""

    dbus_name = "org.vfiod1.Error.KernelStuck"


class Stuck(VfiodError):
    """Something could not be given back; the journal still holds it.

    ``display_lost``: a display is among it. ``awaits``: what may still end it by itself.
    ``watched``: something is watched that may.
    """

    dbus_name = "org.vfiod1.Error.Stuck"
    exit_code = 7

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        display_lost: bool = False,
        awaits: Sequence[Awaited | CutOff] = (),
        watched: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.display_lost = display_lost
        self.watched = watched
        self.awaits = tuple(awaits)

    @property
    def pids(self) -> frozenset[int]:
        """Processes whose end may change it."""
        return frozenset[int]().union(*(error.pids for error in self._late))

    @property
    def is_left_to_successor(self) -> bool:
        """True if this daemon ends, and the next one changes it."""
        return any(isinstance(error, CutOff) for error in self.awaits)

    @property
    def units(self) -> frozenset[str]:
        """Units whose job may change it."""
        return frozenset[str]().union(*(error.units for error in self._late))

    @property
    def _late(self) -> Sequence[Awaited]:
        return [error for error in self.awaits if isinstance(error, Awaited)]


class NotAuthorized(VfiodError):
    """The caller may not do this."""

    dbus_name = "org.vfiod1.Error.NotAuthorized"
    exit_code = 8


class Unreachable(VfiodError):
    """The daemon does not answer on the system bus."""

    dbus_name = "org.vfiod1.Error.Unreachable"
    exit_code = 9


_OURS = "org.vfiod1.Error."
_KINDS: Mapping[str, type[VfiodError]] = {
    kind.dbus_name: kind
    for kind in (
        Busy, DomainError, HostError, KernelStuck, NotAuthorized, RomError, Stuck, TimedOut,
        UnknownGuest, Unreachable,
    )
}  # fmt: skip


def named(name: str, message: str, hint: str = "") -> VfiodError:
    """The error that another process has told of by its D-Bus name; its text may have parts."""
    parts = parts_of(str(VfiodError(message, hint)))
    if name == Refused.dbus_name:
        return Refused(parts)
    if name == ConfigError.dbus_name:
        return ConfigError([f"{part.message}; {part.hint}" for part in parts])
    hints = filter(None, (part.hint for part in parts))
    other = VfiodError if name.startswith(_OURS) else HostError
    return _KINDS.get(name, other)("\n".join(part.message for part in parts), "\n".join(hints))
