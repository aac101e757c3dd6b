"""What calls libvirt, done by the command line in transient units of systemd's (systemd-run(1)).

So the service's confinement does not bind it, it outlives the service, and a libvirt that does not
answer holds up nobody.
"""

import json
import os
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.errors import HostError, Refused, VfiodError, named
from vfiod.host.commands import OF, TRIAL, time_is_over
from vfiod.host.linux.process import Programs
from vfiod.host.linux.units import LinuxUnits
from vfiod.paths import PROGRAM
from vfiod.util.programs import literal

_SYSTEMD = "org.freedesktop.systemd1"
_LOOK_SECONDS = 90  # an emulated PC needs thirty
# A start waits for a return under way, and then for the handoff.
_START_SECONDS = 1200
_ASK_SECONDS = 60
_MORE = 10  # for systemd to say that the time is over


class LinuxCommands:
    """Implements vfiod.host.commands.Commands."""

    def __init__(self, bus: Bus, units: LinuxUnits, programs: Programs) -> None:
        self._bus, self._units, self._programs = bus, units, programs
        self._numbers = count(1)

    def look(self) -> str:
        return json.dumps(self._libvirt("look", seconds=_LOOK_SECONDS), ensure_ascii=False)

    def start(self, guest: str) -> None:
        self._libvirt("start", guest, seconds=_START_SECONDS)

    def shut_down(self, guest: str) -> None:
        self._libvirt("shutdown", guest, seconds=_ASK_SECONDS)

    def destroy(self, guest: str) -> None:
        self._libvirt("destroy", guest, seconds=_ASK_SECONDS)

    def propose_session(self, uid: int, session: str) -> None:
        unit = f"vfiod-propose-{next(self._numbers)}-{os.getpid()}"
        words = [PROGRAM, "session", literal(f"--propose={session}"), f"--user={uid}"]
        options = ["--wait", "--pipe", f"--unit={unit}", f"--property=RuntimeMaxSec={_ASK_SECONDS}"]
        self._run([*options, *words], unit, _ASK_SECONDS + _MORE)

    def trial_until(self, guest: str) -> int:
        if not self._is_on_trial(guest):
            return 0
        ends = int(self._get(f"{TRIAL}.timer", "Timer.NextElapseUSecMonotonic"))
        return round(time.time() * 1e6) + ends - time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

    def keep(self, guest: str, seconds: int) -> None:
        self._require_time(guest)
        if not self._is_on_trial(guest):
            raise Refused([VfiodError(f"{guest} is not on trial")], heading="nothing was kept")
        argv = self._trial_command()
        if seconds and not argv:
            raise HostError(
                "systemd does not say how the trial would end",
                "confirm it for good: sudo vfiod keep",
            )
        self._units.stop(f"{TRIAL}.timer", seconds=_MORE)
        self._require_time(guest)  # it may just have elapsed
        if seconds:
            self._set_trial(argv, seconds)

    def end_trial(self, guest: str) -> None:
        if self._is_on_trial(guest):
            self._units.stop(f"{TRIAL}.timer", seconds=_MORE)

    def _is_on_trial(self, guest: str) -> bool:
        return self._units.unit(f"{TRIAL}.timer").active and self._would_end(guest)

    def _require_time(self, guest: str) -> None:
        """Its timer is active on while what ends the guest runs (systemd.timer(5))."""
        if self._units.unit(f"{TRIAL}.service").active and self._would_end(guest):
            raise time_is_over()

    def _would_end(self, guest: str) -> bool:
        """A trial that an older vfiod set names no guest."""
        words = self._trial_command()
        named = any(word.startswith(OF) for word in words)
        return literal(f"{OF}{guest}") in words or not named

    def _set_trial(self, argv: Sequence[str], seconds: int) -> None:
        options = [f"--unit={TRIAL}", f"--on-active={seconds}s"]
        try:
            self._run([*options, "--timer-property=AccuracySec=1s", *argv], TRIAL, _MORE)
        except HostError as error:
            if type(error) is not HostError:
                raise
            text = f"the trial is over, and the guest stays: {error.message}"
            raise HostError(text, "to end it: sudo vfiod return --shutdown 30") from error

    def _trial_command(self) -> Sequence[str]:
        """What ends the guest, as `vfiod try` had it said; empty if systemd does not tell."""
        commands = self._get(f"{TRIAL}.service", "Service.ExecStart")
        return list(commands[0][1]) if commands else ()

    def _get(self, unit: str, prop: str) -> Any:
        call = f"{_SYSTEMD}.Manager.LoadUnit"
        try:
            path = self._bus.call(_SYSTEMD, "/org/freedesktop/systemd1", call, "s", unit)[0]
            return self._bus.get(_SYSTEMD, path, f"{_SYSTEMD}.{prop}")
        except BusError as error:
            raise HostError(f"systemd does not tell of {unit}: {error.message}") from error

    def _libvirt(self, what: str, *guest: str, seconds: int) -> Any:
        unit = f"vfiod-{what}-{next(self._numbers)}-{os.getpid()}"
        options = ["--wait", "--pipe", f"--unit={unit}", f"--property=RuntimeMaxSec={seconds}"]
        try:
            words = [PROGRAM, "libvirt", what, "--", *map(literal, guest)]
            said = self._run([*options, *words], unit, seconds + _MORE)
        except HostError as error:
            if type(error) is not HostError:
                raise
            text = f"libvirt was not asked, or gave no answer within {seconds} s"
            raise HostError(text, f"see: sudo journalctl -b -u {unit}") from error
        return understand(said)

    def _run(self, arguments: Sequence[str], subject: str, seconds: float) -> str:
        argv = ["systemd-run", "--quiet", "--collect", *arguments]
        return self._programs.run(argv, subject=subject, seconds=seconds)


def understand(said: str) -> Any:
    """The result in what `vfiod libvirt` printed. Raises the error that it tells of."""
    try:
        answer = json.loads(said)
        if "error" in answer:
            raise named(answer["error"], answer["message"], answer["hint"])
        return answer["result"]
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(f"not an answer of vfiod's: {said[:80]!r}") from error
