"""What is done as a user, on the model: implements vfiod.host.users.Users."""

from collections.abc import Callable, Collection

from tests.fakes.clock import Clock
from tests.fakes.doors import Door
from tests.fakes.fault import Effects
from tests.fakes.kernel import Kernel
from tests.fakes.userspace import Process, Userspace
from vfiod.errors import HostError

UNKNOWN = 65536


class FakeUsers(Door):
    """``written``: what each user has written down, and how it is to be opened again.

    ``dead``: users whose home does not answer; such a call takes all of its time.
    """

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects, clock: Clock) -> None:
        super().__init__(kernel, user, effects)
        self._clock = clock
        self.written: dict[int, str] = {}
        self.dead: set[int] = set()
        self._stopped: dict[tuple[int, str], list[Process]] = {}

    def remember(self, uid: int, how: str, *, seconds: float) -> None:
        self._take(f"remember {uid}", uid, lambda: self.written.__setitem__(uid, how), seconds)

    def forget(self, uid: int, *, seconds: float) -> None:
        self._take(f"forget {uid}", uid, lambda: self.written.pop(uid, None), seconds)

    def stop(self, uid: int, units: Collection[str], *, seconds: float) -> None:
        if units:
            name = f"stop {', '.join(sorted(units))} of {uid}"
            self._take(name, uid, lambda: self._end(uid, units), seconds)

    def start(self, uid: int, units: Collection[str], *, seconds: float) -> None:
        if units:
            name = f"start {', '.join(sorted(units))} of {uid}"
            self._take(name, uid, lambda: self._begin(uid, units), seconds)

    def restart(self, uid: int, units: Collection[str], *, seconds: float) -> None:
        if units:
            name = f"restart {', '.join(sorted(units))} of {uid}"
            self._take(name, uid, lambda: self._begin_anew(uid, units), seconds)

    def _take(self, name: str, uid: int, do: Callable[[], object], seconds: float) -> None:
        def act() -> None:
            if uid >= UNKNOWN:
                raise HostError(f"{name}: there is no such user")
            if uid in self.dead:
                self._clock.advance(seconds)
                raise HostError(f"{name}: it did not end in time", "see: systemctl status vfiod")
            do()

        self._effects.take(name, act, seconds=seconds)

    def _end(self, uid: int, units: Collection[str]) -> None:
        for process in self._user.inside(uid, units):
            self._stopped.setdefault((uid, process.name_of_unit), []).append(process)
            self._user.end(process.pid)

    def _begin(self, uid: int, units: Collection[str]) -> None:
        for unit in units:
            for process in self._stopped.pop((uid, unit), []):
                self._user.spawn(process.program, process.unit)

    def _begin_anew(self, uid: int, units: Collection[str]) -> None:
        for process in self._user.inside(uid, units):
            self._user.kill(process.pid)
            if process.program.respawn is None:
                self._user.spawn(process.program, process.unit)
