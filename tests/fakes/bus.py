"""A bus on which a small systemd and a small logind answer vfiod.host.linux.units and logins."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.util import sysfs

SYSTEMD, LOGIND = "org.freedesktop.systemd1", "org.freedesktop.login1"


@dataclass
class BusUnit:
    """A unit's properties, and how its next job ends (None: it does not)."""

    ident: str
    active: str = "active"
    load: str = "loaded"
    job: int = 0
    result: str | None = "done"
    takes: float = 0.0
    dies: bool = False  # a job that hangs ends when the unit is killed
    needs: list[str] = field(default_factory=list)
    pids: tuple[int, ...] = ()
    main: int = 0
    exec_start: list[tuple[Any, ...]] = field(default_factory=list)
    aliases: tuple[str, ...] = ()
    cpus: list[int] = field(default_factory=list)  # AllowedCPUs, as a mask in bytes
    cpuset: list[int] = field(default_factory=lambda: [0xFF])  # what the kernel made of it


@dataclass
class BusSession:
    """A session's properties."""

    ident: str
    uid: int
    user: str
    seat: str = "seat0"
    properties: dict[str, Any] = field(default_factory=dict)


class FakeBus(Bus):
    """Answers as systemd 252 and its logind do."""

    def __init__(self) -> None:
        self.units: dict[str, BusUnit] = {}
        self.sessions: dict[str, BusSession] = {}
        self.lingering: set[int] = set()
        self.gone: set[int] = set()  # processes
        self.transient = "done"  # how the job of a transient unit ends
        self.state = "running"
        self.elapses = 0  # when the timers do
        self.calls: list[tuple[Any, ...]] = []
        self.inhibitors: dict[int, tuple[Any, ...]] = {}  # by their descriptors
        self.unknown_locks: set[str] = set()  # which refuse a lock that names one
        self.ending: set[str] = set()  # sessions that end between the list and the look
        self._then: Callable[[Sequence[Any]], None] | None = None
        self._jobs = 0

    def call(
        self,
        service: str,
        path: str,
        method: str,
        signature: str = "",
        *arguments: Any,
        seconds: float = 10,
    ) -> Any:
        name = method.rsplit(".", 1)[1]
        self.calls.append((name, *arguments))
        answer: Callable[..., Any] = getattr(self, f"_{name}")
        return answer(*arguments)

    def get(self, service: str, path: str, prop: str) -> Any:
        name = prop.rsplit(".", 1)[1]
        if name == "SystemState":
            return self.state
        kind, _, ident = path.strip("/").partition("/")
        if kind == "unit":
            unit = self.units[ident]
            values: dict[str, Any] = {
                "AllowedCPUs": unit.cpus, "EffectiveCPUs": unit.cpuset, "Id": unit.ident,
                "MainPID": unit.main, "ExecStart": unit.exec_start,
                "NextElapseUSecMonotonic": self.elapses,
            }  # fmt: skip
            return values[name]
        if kind == "user" and name == "Name":
            return next(s.user for s in self.sessions.values() if s.uid == int(ident))
        if kind == "user":
            return int(ident) in self.lingering
        raise AssertionError(f"nobody asks for {prop}")

    def get_each(
        self, service: str, paths: Sequence[str], interface: str, names: Sequence[str]
    ) -> Sequence[Mapping[str, Any] | None]:
        idents = [path.rsplit("/", 1)[1] for path in paths]
        if interface == f"{SYSTEMD}.Unit":
            return [{"Wants": self.units[ident].needs} for ident in idents]
        return [None if i in self.ending else self.sessions[i].properties for i in idents]

    def subscribe(self, service: str, signal: str, then: Callable[[Sequence[Any]], None]) -> int:
        self.calls.append(("subscribe", signal))
        self._then = then
        return 1

    def call_for_fd(
        self, service: str, path: str, method: str, signature: str, *arguments: Any
    ) -> int:
        self.calls.append((method.rsplit(".", 1)[1], *arguments))
        if self.unknown_locks.intersection(arguments[0].split(":")):
            text = f"Invalid what specification {arguments[0]}"
            raise BusError(text, "org.freedesktop.DBus.Error.InvalidArgs")
        fd = os.open("/dev/null", os.O_RDONLY)
        self.inhibitors[fd] = arguments
        return fd

    # systemd

    def _LoadUnit(self, name: str) -> tuple[str]:  # noqa: N802
        self.units.setdefault(name, BusUnit(name, "inactive", "not-found"))
        return (f"/unit/{name}",)

    def _ListUnitsByNames(self, names: Sequence[str]) -> tuple[list[tuple[Any, ...]]]:  # noqa: N802
        found = [self._named(name) for name in names]
        rows = [
            (u.ident, "", u.load, u.active, "", "", f"/unit/{u.ident}", u.job, "", "/")
            for u in found
        ]
        return (rows,)

    def _ListUnitsByPatterns(  # noqa: N802
        self, states: Sequence[str], patterns: Sequence[str]
    ) -> tuple[list[tuple[Any, ...]]]:
        active = [u.ident for u in self.units.values() if u.active in states]
        return self._ListUnitsByNames([n for n in active if any(fnmatch(n, p) for p in patterns)])

    def _named(self, name: str) -> BusUnit:
        aliased = [unit for unit in self.units.values() if name in unit.aliases]
        return (
            aliased[0]
            if aliased
            else self.units.setdefault(name, BusUnit(name, "inactive", "not-found"))
        )

    def _GetUnitByPID(self, pid: int) -> tuple[str]:  # noqa: N802
        for unit in self.units.values():
            if pid in unit.pids:
                return (f"/unit/{unit.ident}",)
        if pid in self.gone:
            raise BusError(f"Process {pid} is gone.", "org.freedesktop.systemd1.NoSuchProcess")
        raise BusError(f"PID {pid} does not belong to any loaded unit.", f"{SYSTEMD}.NoUnitForPID")

    def _Subscribe(self) -> tuple[()]:  # noqa: N802
        return ()

    def _ResetFailedUnit(self, name: str) -> tuple[()]:  # noqa: N802
        return ()

    def _StartUnit(self, name: str, mode: str) -> tuple[str]:  # noqa: N802
        return self._change(name, "active")

    def _StopUnit(self, name: str, mode: str) -> tuple[str]:  # noqa: N802
        return self._change(name, "inactive")

    def _KillUnit(self, name: str, whom: str, number: int) -> tuple[()]:  # noqa: N802
        unit = self.units[name]
        if unit.dies:
            unit.active = "inactive"
            self._remove(self._job_path(), unit.ident, "done")
        return ()

    def _SetUnitProperties(self, name: str, *arguments: Any) -> tuple[()]:  # noqa: N802
        runtime, ((prop, value),) = arguments
        if name.endswith(".target"):
            raise BusError("Cannot set property AllowedCPUs.", f"{SYSTEMD}.PropertyReadOnly")
        assert (runtime, prop) == (True, "AllowedCPUs")
        unit = self.units.setdefault(name, BusUnit(name))
        unit.cpus = value.unpack()
        unit.cpuset = unit.cpus or unit.cpuset  # the kernel never empties a populated cpuset
        return ()

    def _StartTransientUnit(  # noqa: N802
        self, name: str, mode: str, properties: Sequence[Any], others: Sequence[Any]
    ) -> tuple[str]:
        self._jobs += 1
        job = self._job_path()
        self._remove(job, name, self.transient)
        return (job,)

    def _ReloadUnit(self, name: str, mode: str) -> tuple[str]:  # noqa: N802
        return self._change(name, "active")

    def _change(self, name: str, state: str) -> tuple[str]:
        unit = self.units.get(name)
        if unit is None or unit.load == "not-found":
            raise BusError(f"Unit {name} not loaded.", f"{SYSTEMD}.NoSuchUnit")
        if self.state == "stopping":
            raise BusError("Transaction is destructive.", f"{SYSTEMD}.TransactionIsDestructive")
        self._jobs += 1
        job = self._job_path()
        self._remove("/job/of/another", "other.service", "failed")
        if unit.result == "done":
            unit.active = state
        elif unit.result is None and state == "inactive":
            unit.active = "deactivating"
        if unit.result is not None and unit.takes:
            threading.Timer(unit.takes, self._remove, (job, unit.ident, unit.result)).start()
        elif unit.result is not None:
            self._remove(job, unit.ident, unit.result)
        return (job,)

    def _job_path(self) -> str:
        return f"/org/freedesktop/systemd1/job/{self._jobs}"

    def _remove(self, job: str, unit: str, result: str) -> None:
        """Tell of a job's end."""
        if self._then is not None:
            self._then((self._jobs, job, unit, result))

    # logind

    def _ListSessions(self) -> tuple[list[tuple[Any, ...]]]:  # noqa: N802
        there = [s for s in self.sessions.values() if not self._is_over(s)]
        return ([(s.ident, s.uid, s.user, s.seat, f"/session/{s.ident}") for s in there],)

    def _is_over(self, session: BusSession) -> bool:
        """One that is closing is listed until its scope has ended."""
        unit = self.units.get(session.properties.get("Scope", ""))
        is_closing = session.properties.get("State") == "closing"
        return is_closing and unit is not None and unit.active == "inactive"

    def _TerminateSession(self, ident: str) -> tuple[()]:  # noqa: N802
        if ident not in self.sessions:
            raise BusError(f"No session '{ident}' known", f"{LOGIND}.NoSuchSession")
        if ident == "protected":
            raise BusError("Access denied", "org.freedesktop.DBus.Error.AccessDenied")
        if self.sessions[ident].properties.get("State") != "closing":
            del self.sessions[ident]
        return ()

    def _ListInhibitors(self) -> tuple[list[tuple[Any, ...]]]:  # noqa: N802
        """A lock is held until its descriptor is closed."""
        # Whose number has been given away since is held no more.
        links = {fd: sysfs.read_link(Path(f"/proc/self/fd/{fd}")) for fd in self.inhibitors}
        held = [fd for fd, link in links.items() if link == Path(os.devnull).name]
        return ([(*self.inhibitors[fd], os.getuid(), os.getpid()) for fd in held],)

    def _GetUser(self, uid: int) -> tuple[str]:  # noqa: N802
        if not any(s.uid == uid for s in self.sessions.values()):
            raise BusError(f"User ID {uid} is not logged in", f"{LOGIND}.NoSuchUser")
        return (f"/user/{uid}",)
