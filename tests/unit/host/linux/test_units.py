"""systemd's jobs: who waits hears of their own, however many wait at once."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from gi.repository import Gio, GLib

from vfiod.bus.connection import Bus
from vfiod.bus.errors import translate
from vfiod.errors import CutOff
from vfiod.host.linux.units import LinuxUnits

LONG = 20.0


class FakeSystemd:
    """Its bus: a job for each change, of which JobRemoved tells when the test says so."""

    def __init__(self) -> None:
        self.on_queued: Callable[[str], None] = lambda _unit: None
        self.subscriptions = 0
        self._queued: set[str] = set()
        self._changed = threading.Condition()
        self._tell: Callable[[Sequence[Any]], None] = lambda _values: None

    def subscribe(self, _service: str, _signal: str, then: Callable[[Sequence[Any]], None]) -> int:
        self._tell = then
        return 1

    def call(self, _service: str, _path: str, method: str, *arguments: Any, **_: Any) -> Any:
        if method.endswith("Subscribe"):
            self.subscriptions += 1
            return ()
        _, unit, _ = arguments
        with self._changed:
            self._queued.add(unit)
            self._changed.notify_all()
        self.on_queued(unit)
        return (f"/job/{unit}",)

    def finish(self, unit: str) -> None:
        self._tell((1, f"/job/{unit}", unit, "done"))

    def wait_for(self, *units: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: set(units) <= self._queued, timeout=LONG)


def units_of(systemd: FakeSystemd) -> LinuxUnits:
    return LinuxUnits(cast(Bus, systemd))


def test_two_may_wait_and_each_hears_of_its_own() -> None:
    systemd = FakeSystemd()
    units = units_of(systemd)
    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(units.stop, n, seconds=LONG) for n in ("a", "b"))
        systemd.wait_for("a", "b")
        systemd.finish("b")
        assert not second.result(LONG)
        assert not first.done()
        systemd.finish("a")
        assert not first.result(LONG)
    assert systemd.subscriptions == 1


def test_a_result_that_comes_before_the_answer_outlives_another_wait() -> None:
    systemd = FakeSystemd()
    units = units_of(systemd)

    def at_once(unit: str) -> None:
        systemd.finish(unit)
        if unit == "a":
            units.stop("b", seconds=LONG)

    systemd.on_queued = at_once
    assert not units.stop("a", seconds=LONG)


def test_a_bus_that_is_closed_is_not_taken_for_a_refusal() -> None:
    def close(_unit: str) -> None:
        error = GLib.Error.new_literal(
            Gio.io_error_quark(), "The connection is closed", Gio.IOErrorEnum.CLOSED
        )
        raise translate(error, "org.freedesktop.systemd1", "StopUnit")

    bus = FakeSystemd()
    bus.on_queued = close
    with pytest.raises(CutOff, match=r"^The connection is closed$"):
        LinuxUnits(cast(Bus, bus)).stop("a.service", seconds=LONG)
