"""Patience with what is late: a slow driver is given some more time before its device is reset.

And with who gives no answer: that is asked once more, a moment later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from vfiod.errors import Awaited, HostError, KernelStuck
from vfiod.host.door import Host

# Beyond the deadline that has passed already: a healthy probe of 25 s is no rare thing.
SECONDS = 30.0
# For systemd or logind to be on the bus again.
MOMENT = 5.0
_NOBODY = ""

Cause = int | str
Causes = frozenset[Cause]


class Failure(Protocol):
    """What failed, as far as patience is concerned."""

    @property
    def error(self) -> Exception: ...


F = TypeVar("F", bound=Failure)


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits for each late call and each job of systemd once, however often it is met.

    ``met``: those that were waited for; an empty name stands for who gave no answer.
    """

    host: Host
    met: set[Cause] = field(default_factory=set)

    def settle(self, failures: Sequence[F], again: Callable[[], Sequence[F]]) -> Sequence[F]:
        """Wait for what is late; if any of it has ended, what still fails when tried ``again``.

        Before that, once, also what nobody has answered.
        """
        failures = self._ask_again(failures, again)
        causes = Causes().union(*(_causes(failure.error) for failure in failures))
        if new := self._under_way(causes) - self.met:
            self.met.update(new)
            self.host.wait(lambda: not self._under_way(causes), seconds=SECONDS)
        return failures if self._under_way(causes) == causes else again()

    def _ask_again(self, failures: Sequence[F], again: Callable[[], Sequence[F]]) -> Sequence[F]:
        if _NOBODY in self.met or not any(_may_pass(failure.error) for failure in failures):
            return failures
        self.met.add(_NOBODY)
        self.host.wait(lambda: False, seconds=MOMENT)
        return again()

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


def _may_pass(error: Exception) -> bool:
    return isinstance(error, HostError) and error.may_pass


def _causes(error: Exception) -> Causes:
    """A guest that holds its devices is none: the step has waited for that itself."""
    if isinstance(error, KernelStuck):
        return Causes(error.pids)
    return Causes(error.units) if isinstance(error, Awaited) else Causes()
