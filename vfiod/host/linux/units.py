"""systemd's units over D-Bus (org.freedesktop.systemd1(5)); a change is a job, waited for."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from signal import SIGKILL

from vfiod.bus.calls import variant
from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.bus.gone import is_gone
from vfiod.errors import Awaited, CutOff, HostError
from vfiod.host.linux.jobs import MANAGER, PATH, SERVICE, Jobs
from vfiod.model import Unit

_RUNNING = frozenset({"active", "activating", "reloading"})
_NO_JOB = 0
# What a unit cannot do without, or asked for.
_NEEDS = ("Requires", "Requisite", "BindsTo", "Wants")


@dataclass(frozen=True, slots=True)
class _State:
    """A unit by its primary name, in systemd's own words."""

    ident: str
    load: str
    active: str
    has_job: bool


class LinuxUnits:
    """Implements vfiod.host.door.Units. The main loop must run: it delivers JobRemoved."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._jobs = Jobs(bus)
        self._numbers = count(1)

    def unit(self, name: str) -> Unit:
        state = self._state(name)
        return Unit(
            ident=state.ident,
            active=state.active in _RUNNING or (state.active != "deactivating" and state.has_job),
            loaded=state.load == "loaded",
            busy=state.has_job,
        )

    def start(self, name: str, *, seconds: float) -> Sequence[str]:
        self._forget_failures(name)
        return self._change("StartUnit", name, seconds)

    def stop(self, name: str, *, seconds: float) -> Sequence[str]:
        return self._change("StopUnit", name, seconds)

    def begin_stop(self, name: str) -> None:
        self._queue("StopUnit", name)

    def begin(self, name: str, *, mode: str = "replace") -> None:
        """Queue a start without waiting for it."""
        self._queue("StartUnit", name, mode)

    def run(self, name: str, argv: Sequence[str], *, seconds: float) -> None:
        """Have systemd run a command to its end, in a transient service that is gone after it."""
        unit = f"{name}-{next(self._numbers)}-{os.getpid()}.service"
        properties = [
            ("Description", variant("s", " ".join(argv))),
            ("Type", variant("s", "oneshot")),
            ("ExecStart", variant("a(sasb)", [(argv[0], list(argv), False)])),
            ("TimeoutStartUSec", variant("t", int(seconds * 1e6))),
            ("CollectMode", variant("s", "inactive-or-failed")),
        ]
        call, signature = f"{MANAGER}.StartTransientUnit", "ssa(sv)a(sa(sv))"
        with self._jobs.heard():
            job = self._bus.call(SERVICE, PATH, call, signature, unit, "fail", properties, [])[0]
            # Its own time-out ends it; beyond that only systemd itself can be at fault.
            result = self._jobs.wait(job, 2 * seconds)
        _require_success(result, "StartUnit", unit, seconds)

    def reload_if_active(self, name: str, *, seconds: float) -> bool:
        """Reload a running unit; False if it does not run."""
        if self._state(name).active != "active":
            return False
        self._change("ReloadUnit", name, seconds)
        return True

    def running(self, pattern: str) -> Sequence[str]:
        """Names of the active units that match a glob."""
        arguments = (["active"], [pattern])
        method = f"{MANAGER}.ListUnitsByPatterns"
        return [row[0] for row in self._bus.call(SERVICE, PATH, method, "asas", *arguments)[0]]

    def primary_names(self, names: Collection[str]) -> Collection[str]:
        call = f"{MANAGER}.ListUnitsByNames"
        rows = self._bus.call(SERVICE, PATH, call, "as", list(names))[0]
        return frozenset(row[0] for row in rows)

    def needs(self, name: str) -> Collection[str]:
        path = self._bus.call(SERVICE, PATH, f"{MANAGER}.LoadUnit", "s", name)[0]
        (found,) = self._bus.get_each(SERVICE, [path], f"{SERVICE}.Unit", _NEEDS)
        return frozenset(unit for units in (found or {}).values() for unit in units)

    def begun_with(self, pids: Collection[int]) -> Mapping[int, str]:
        if not pids:
            return {}
        call, running = f"{MANAGER}.ListUnitsByPatterns", sorted(_RUNNING)
        rows = self._bus.call(SERVICE, PATH, call, "asas", running, ["*.service"])[0]
        main = {self._main_process(row[6]): str(row[0]) for row in rows}
        return {pid: main[pid] for pid in pids if pid in main}

    def _main_process(self, path: str) -> int:
        """One property: all of a service's are some three hundred."""
        try:
            return int(self._bus.get(SERVICE, path, f"{SERVICE}.Service.MainPID"))
        except BusError as error:
            if not is_gone(error):
                raise
            return 0

    def owner(self, pid: int) -> str | None:
        """The unit that a process belongs to, by its primary name; empty if there is none.

        None if it has ended. systemd names the slice around a control group that is not its own,
        a container's for one; a slice has no processes, nor can it be stopped for one of them.
        """
        try:
            path = self._bus.call(SERVICE, PATH, f"{MANAGER}.GetUnitByPID", "u", pid)[0]
            name = str(self._bus.get(SERVICE, path, f"{SERVICE}.Unit.Id"))
        except BusError as error:
            if error.name == f"{SERVICE}.NoUnitForPID":
                return ""
            if not is_gone(error):
                raise
            return None
        return "" if name.endswith(".slice") else name

    def shutting_down(self) -> bool:
        return bool(self._bus.get(SERVICE, PATH, f"{MANAGER}.SystemState") == "stopping")

    def _forget_failures(self, name: str) -> None:
        """A unit that failed too often is refused by its start limit until this is done.

        systemd forgets a unit that is stopped and that nothing refers to: no failures then.
        """
        try:
            self._bus.call(SERVICE, PATH, f"{MANAGER}.ResetFailedUnit", "s", name)
        except BusError as error:
            if error.name != f"{SERVICE}.NoSuchUnit":
                raise

    def _state(self, name: str) -> "_State":
        """One call for all there is to know; a unit that is not loaded is loaded for it."""
        rows = self._bus.call(SERVICE, PATH, f"{MANAGER}.ListUnitsByNames", "as", [name])[0]
        if not rows:
            raise HostError(f"systemd knows no unit by the name {name!r}")
        ident, _, load, active, _, _, _, job, *_ = rows[0]
        return _State(ident, load, active, has_job=job != _NO_JOB)

    def _change(self, method: str, name: str, seconds: float) -> Sequence[str]:
        """Queue a job and wait for it, and once more if the unit's own ending is what hangs."""
        with self._jobs.heard():
            return self._wait_for(method, name, seconds)

    def _wait_for(self, method: str, name: str, seconds: float) -> Sequence[str]:
        job = self._queue(method, name)
        if job is None:
            return ()
        remarks: list[str] = []
        result = self._jobs.wait(job, seconds)
        if result is None and self._is_ending(name):
            # systemd itself would wait for the unit's TimeoutStopSec=, 90 s as a rule.
            remarks.append(f"SIGKILL sent to {name}, which did not end within {seconds:g} s")
            self._bus.call(SERVICE, PATH, f"{MANAGER}.KillUnit", "ssi", name, "all", SIGKILL)
            result = self._jobs.wait(job, seconds)
        _require_success(result, method, name, seconds)
        return remarks

    def _queue(self, method: str, name: str, mode: str = "replace") -> str | None:
        """The new job, or None if a unit that is to be stopped does not even exist."""
        try:
            job: str = self._bus.call(SERVICE, PATH, f"{MANAGER}.{method}", "ss", name, mode)[0]
        except BusError as error:
            if error.name == f"{SERVICE}.NoSuchUnit" and method == "StopUnit":
                return None
            if isinstance(error, CutOff):
                raise
            refused = HostError(f"systemd refused {method} {name}: {error.message}")
            refused.may_pass = error.may_pass
            raise refused from error
        return job

    def _is_ending(self, name: str) -> bool:
        return self._state(name).active == "deactivating"


def _require_success(result: str | None, method: str, name: str, seconds: float) -> None:
    if result is None:
        raise Awaited(
            f"{name} did not finish {method} within {seconds:g} s",
            f"see: systemctl status {name}",
            units=[name],
        )
    if result not in ("done", "skipped"):
        raise HostError(f"{method} {name} ended as {result}", f"see: systemctl status {name}")
