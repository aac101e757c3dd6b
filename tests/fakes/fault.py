"""What can go wrong at an effect, and the count that makes a test of it exhaustive."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from typing import NoReturn

from tests.fakes.clock import Clock
from vfiod.errors import HostError, KernelStuck, TimedOut
from vfiod.model import LateCall

LATENESS = 25.0  # seconds after the deadline


class Killed(BaseException):
    """The daemon got SIGKILL: nothing more of it runs, its descriptors are closed."""


class Fault(Enum):
    """How one effect goes wrong."""

    FAIL_BEFORE = "fails before"
    FAIL_AFTER = "fails after it took effect"
    HANG = "does not return"
    LATE = "returns late"
    KILL_BEFORE = "killed before"
    KILL_AFTER = "killed after"


KILLS = (Fault.KILL_BEFORE, Fault.KILL_AFTER)


@dataclass
class Hung:
    """A kernel call past its deadline: what it does in the end, and whether the daemon knows it."""

    call: LateCall
    do: Callable[[], None]
    is_known: bool = True


class Effects:
    """Every change of the host passes through take(), which counts it and may spoil it."""

    def __init__(self, clock: Clock) -> None:
        self.log: list[str] = []
        self.on_death: Callable[[], None] = lambda: None
        self.barrier: Callable[[str], None] = lambda _name: None
        self._clock = clock
        self._planned: dict[int, Fault] = {}
        self._count = 0
        self._dead = False
        self._hung: dict[str, Hung] = {}
        self._pids = count(9000)
        self.lives = 1

    def plan(self, faults: dict[int, Fault]) -> None:
        """Spoil these of the coming effects; the next one is number 1."""
        self._planned, self._count = dict(faults), 0

    @property
    def spoiled(self) -> bool:
        """True once every planned fault has happened."""
        return not self._planned

    @property
    def is_dead(self) -> bool:
        """True after a kill, until the daemon is started again."""
        return self._dead

    @property
    def hung(self) -> tuple[str, ...]:
        """Subjects of kernel calls that have not returned."""
        return tuple(self._hung)

    @property
    def pids(self) -> set[int]:
        """Processes that wait in the kernel."""
        return {hung.call.pid for hung in self._hung.values()}

    def late(self) -> list[LateCall]:
        """What was left behind in the kernel; if by an earlier daemon, nobody knows what for."""
        return [
            hung.call if hung.is_known else replace(hung.call, subject="")
            for hung in self._hung.values()
        ]

    def take(
        self,
        name: str,
        do: Callable[[], None],
        *,
        subject: str = "",
        seconds: float = 5,
        halves: tuple[Callable[[], None], Callable[[], None]] | None = None,
    ) -> None:
        """Do it, or have it go wrong as planned. ``subject`` marks a call that enters the kernel:
        while an earlier one for the same subject hangs, it is refused. ``halves`` is what such a
        call does before it hangs and what it does when it is let go.
        """
        self.require_alive()
        self.barrier(name)
        self.require_free(subject, seconds)
        self._count += 1
        self.log.append(name)
        fault = self._planned.pop(self._count, None)
        if fault is Fault.KILL_BEFORE:
            self.die()
        if fault is Fault.FAIL_BEFORE:
            raise HostError(f"injected: {name} did nothing")
        if fault in (Fault.HANG, Fault.LATE):
            first, last = halves or (lambda: None, do)
            first()
            if fault is Fault.LATE:
                self._clock.after(seconds + LATENESS, lambda: self.thaw(subject))
            self.hang(name, last, subject=subject, seconds=seconds)
        do()
        if fault is Fault.KILL_AFTER:
            self.die()
        if fault is Fault.FAIL_AFTER:
            raise HostError(f"injected: {name} failed in the end")

    def require_free(self, subject: str, seconds: float = 0) -> None:
        """A call for a subject whose last one hangs is refused, or hangs behind that one."""
        hung = self._hung.get(subject)
        if hung is not None and not hung.is_known:
            self._clock.advance(seconds)
            hung.is_known = True
        if subject in self._hung:
            pid = self._hung[subject].call.pid
            text = f"the kernel is still busy with {subject}"
            raise KernelStuck(text, "reboot the host", pids=(pid,))

    def hang(self, name: str, do: Callable[[], None], *, subject: str, seconds: float) -> NoReturn:
        """The deadline passes. What the kernel is busy with is done once thaw() lets it."""
        if subject:
            self._hung[subject] = Hung(LateCall(subject, next(self._pids), name), do)
        self._clock.advance(seconds)
        if not subject:
            raise TimedOut(f"{name} did not end within {seconds:g} s")
        text = f"the kernel did not finish {name} within {seconds:g} s"
        raise KernelStuck(
            text, "reboot", pids=(self._hung[subject].call.pid,) if subject in self._hung else ()
        )

    def thaw(self, subject: str | None = None) -> None:
        """Let a hanging kernel call return, or all of them."""
        for name in [subject] if subject is not None else list(self._hung):
            hung = self._hung.pop(name, None)
            if hung is not None:
                with suppress(HostError):  # nobody is there any more to be told
                    hung.do()

    def require_alive(self) -> None:
        """A dead process does nothing at all."""
        if self._dead:
            raise Killed

    def die(self) -> NoReturn:
        """SIGKILL."""
        self._dead = True
        self.on_death()
        raise Killed

    def revive(self) -> None:
        """systemd starts the daemon again."""
        self._dead = False
        self.lives += 1
        for hung in self._hung.values():
            hung.is_known = False
