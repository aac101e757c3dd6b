"""Patience with what is late: a slow driver is given some more time before its device is reset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from vfiod.errors import Awaited, HostError, KernelStuck
from vfiod.host.door import Host

# Beyond the deadline that has passed already: a healthy probe of 25 s is no rare thing.
SECONDS = 30.0

Cause = int | str
Causes = frozenset[Cause]


class Failure(Protocol):
    """What failed, as far as patience is concerned."""

    @property
    def error(self) -> Exception: ...


F = TypeVar("F", bound=Failure)


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits for each late call and each job of systemd once, however often it is met."""

    host: Host
    met: set[Cause] = field(default_factory=set)

    def settle(self, failures: Sequence[F], again: Callable[[], Sequence[F]]) -> Sequence[F]:
        """Wait for what is late; if any of it has ended, what still fails when tried ``again``."""
        causes = Causes().union(*(_causes(failure.error) for failure in failures))
        if new := self._under_way(causes) - self.met:
            self.met.update(new)
            self.host.wait(lambda: not self._under_way(causes), seconds=SECONDS)
        return failures if self._under_way(causes) == causes else again()

    def _under_way(self, causes: Causes) -> Causes:
        """Processes in the kernel and units with a job."""
        late = frozenset(call.pid for call in self.host.late.calls())
        units = (cause for cause in causes if isinstance(cause, str))
        return (causes & late) | {name for name in units if is_busy(self.host, name)}


def is_busy(host: Host, unit: str) -> bool:
    """True while a job for the unit is under way, and while systemd does not say."""
    try:
        return host.units.unit(unit).busy
    except HostError:
        return True


def _causes(error: Exception) -> Causes:
    """A guest that holds its devices is none: the step has waited for that itself."""
    if isinstance(error, KernelStuck):
        return Causes(error.pids)
    return Causes(error.units) if isinstance(error, Awaited) else Causes()
